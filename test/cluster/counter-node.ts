/**
 * A node that runs nothing but counters, so that the runtime is looked at without the chat: started with the settings of
 * the chat server, it serves `POST /counters/{id}` (adds 1), `GET /counters/{id}` (asks the actor) and
 * `GET /counters/{id}?look` (reads its state); each answers `{"sum"}`, or `{"code", "message"}` with 503.
 */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { assign, emit, setup } from 'xstate';
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

async function main(): Promise<void> {
  const {
    JOURNAL = 'memory:',
    PORT = '0',
    SHARDS = '16',
    LEASE_MS = '5000',
    ASK_MS = '5000',
    WEIGHT = '1',
  } = process.env;
  const { NODE_ID: node, ROLE: role, LOG_LEVEL: level = 'warn' } = process.env;
  const log = pino({ level }, pino.destination({ dest: 2, sync: true }));
  const warn = (message: string, params: Readonly<Record<string, unknown>>) => log.warn(params, message);
  const journal = await openJournal(JOURNAL, { shards: Number(SHARDS), warn });
  const limits = { leaseMs: Number(LEASE_MS), askMs: Number(ASK_MS) };
  const place = {
    ...(node === undefined ? {} : { node }),
    ...(role === undefined ? {} : { role }),
    weight: Number(WEIGHT),
  };
  const system = await openSystem({
    journal,
    actors: [counter],
    limits,
    log,
    ...(place as { readonly node?: string }),
  });
  const server = createServer((request, response) => void serve(system, request, response));
  server.listen(Number(PORT), '127.0.0.1', () => {
    process.stdout.write(`Troupe listens on http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
  });
  process.once('SIGTERM', async () => {
    server.close();
    await system.stop();
    process.exit(0);
  });
}

await main();
