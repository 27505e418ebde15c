/** W1's server: the runtime with the counter, behind the gateway's sockets. Arguments: the store's URL and durability. */

import * as z from 'zod';
import { chatCatalog } from '../actors/texts.ts';
import {
  type ActorSystem,
  type Caller,
  type Command,
  type Durability,
  defaultGatewayLimits,
  defineCommand,
  openGateway,
  openJournal,
  openSystem,
  type SocketCommands,
  type SocketRoute,
  silentLog,
  systemClock,
  systemIds,
} from '../src/index.ts';
import { counter } from './counter.ts';

function countCommand(system: ActorSystem): Command {
  return defineCommand({
    command: 'COUNT',
    method: 'POST',
    path: '/counters',
    params: z.object({}),
    body: z.object({ counterId: z.uuid() }),
    prepare: ({ counterId }) => ({
      operationId: system.mint(),
      async start() {
        await system.actor(counter, counterId).ask({ type: 'ADD', by: 1 });
        return { repeated: false };
      },
    }),
  });
}

function sockets(system: ActorSystem, commands: SocketCommands): SocketRoute {
  return {
    path: '/counters/{userId}',
    admit: () => undefined,
    history: {
      read: (topic, position) => system.readTopic(topic, position),
      delivery: () => ({ frames: [] }),
    },
    open({ connection, claims, language, close }) {
      const caller: Caller = { connection, claims, language: () => language, close, inFlight: 0 };
      return {
        ready: Promise.resolve(),
        message: (text) => commands.receive(caller, text),
        closed: () => undefined,
      };
    },
  };
}

async function serve(url: string, durability: string): Promise<void> {
  const journal = await openJournal(url, durability === '' ? {} : { durability: durability as Durability });
  const system = await openSystem({ journal, actors: [counter] });
  const gateway = await openGateway({
    host: '127.0.0.1',
    port: 0,
    authSecret: process.env.AUTH_SECRET ?? '',
    allowedOrigins: [],
    limits: { ...defaultGatewayLimits, rate: { burst: 1e9, perSecond: 1e9 } },
    clock: systemClock,
    ids: systemIds,
    log: silentLog,
    catalog: chatCatalog,
    languageOf: () => undefined,
    commands: [countCommand(system)],
    queries: [],
    openRoutes: [],
    operations: { location: (operationId) => `/operations/${operationId}`, startAndWait: async () => undefined },
    sockets: (commands) => [sockets(system, commands)],
    ready: () => system.ready(),
  });
  process.on('SIGTERM', async () => {
    await gateway.drain(1_000);
    await system.stop();
    process.exit(0);
  });
  process.stdout.write(`Counters: listens on http://127.0.0.1:${gateway.port}\n`);
}

await serve(process.argv[2] ?? 'memory:', process.argv[3] ?? '');
