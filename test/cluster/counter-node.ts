/**
 * A node that runs nothing but counters, so that the runtime is looked at without the chat: started with the settings of
 * the chat server, it serves `POST /counters/{id}` (adds 1), `GET /counters/{id}` (asks the actor) and
 * `GET /counters/{id}?look` (reads its state); each answers `{"sum"}`, or `{"code", "message"}` with 503.
 */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { assign, emit, setup } from 'xstate';
import { z } from 'zod';
import {
  type ActorSystem,
  defineActor,
  messageOf,
  openJournal,
  openSystem,
  reply,
  TroupeError,
} from '../../src/index.ts';

const counterMachine = setup({
  types: {
    context: {} as { readonly count: number },
    events: {} as { readonly type: 'ADD' } | { readonly type: 'READ' },
    emitted: {} as { readonly type: 'COUNTED'; readonly count: number },
  },
  actions: { tell: emit(({ context }) => ({ type: 'COUNTED' as const, count: context.count })) },
}).createMachine({
  id: 'counter',
  context: { count: 0 },
  on: {
    ADD: { actions: [assign({ count: ({ context }) => context.count + 1 }), 'tell'] },
    READ: { actions: 'tell' },
  },
});

const counter = defineActor({
  type: 'counter',
  machine: counterMachine,
  effects: { COUNTED: ({ count }) => reply(count) },
});

async function sumOf(system: ActorSystem, request: IncomingMessage): Promise<unknown> {
  const { pathname, search } = new URL(request.url ?? '/', 'http://node');
  const ref = system.actor(counter, pathname.slice('/counters/'.length));
  if (request.method === 'POST') return ref.ask({ type: 'ADD' });
  if (search === '') return ref.ask({ type: 'READ' });
  return (await ref.snapshot())?.state.context.count ?? 0;
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function serve(system: ActorSystem, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.url === '/readyz') return answer(response, system.ready() ? 200 : 503, {});
  try {
    answer(response, 200, { sum: await sumOf(system, request) });
  } catch (error) {
    const code = error instanceof TroupeError ? error.code : 'INTERNAL';
    answer(response, 503, { code, message: messageOf(error) });
  }
}

const settings = z.object({
  JOURNAL: z.string(),
  PORT: z.coerce.number().default(0),
  SHARDS: z.coerce.number().default(16),
  LEASE_MS: z.coerce.number().default(5_000),
  ASK_MS: z.coerce.number().default(5_000),
  DEADLINE_MS: z.coerce.number().default(5_000),
  NODE_ID: z.string(),
  ROLE: z.enum(['all', 'gateway', 'worker']).default('all'),
  WEIGHT: z.coerce.number().default(1),
  LOG_LEVEL: z.string().default('info'),
});

async function main(): Promise<void> {
  const config = settings.parse(process.env);
  const log = pino({ level: config.LOG_LEVEL }, pino.destination({ dest: 2, sync: true }));
  const warn = (message: string, params: Readonly<Record<string, unknown>>) => log.warn(params, message);
  const journal = await openJournal(config.JOURNAL, {
    shards: config.SHARDS,
    deadlineMs: config.DEADLINE_MS,
    warn,
  });
  const system = await openSystem({
    journal,
    actors: [counter],
    limits: { leaseMs: config.LEASE_MS, askMs: config.ASK_MS },
    log,
    node: config.NODE_ID,
    cluster: { role: config.ROLE, weight: config.WEIGHT, about: 'counters' },
  });
  const server = createServer((request, response) => void serve(system, request, response));
  server.listen(config.PORT, '127.0.0.1', () => {
    process.stdout.write(`Troupe listens on http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
  });
  process.once('SIGTERM', async () => {
    server.close();
    await system.stop();
    process.exit(0);
  });
}

await main();
