/**
 * A memory store with the history of a few counters in it, made by the real runtime: several shards, snapshots and tails,
 * messages and publications between shards, and a view.
 */

import { assign, emit, setup } from 'xstate';
import type { Address } from '../../src/actor/address.ts';
import {
  type ActorDefinition,
  addressOf,
  defineActor,
  defineProjection,
  type Journal,
  openSystem,
  publish,
  rule,
  systemIds,
  tell,
} from '../../src/index.ts';
import { createMemoryStore, type MemoryStore, openMemoryJournal } from '../../src/journal/memory.ts';

type CounterEvent = { readonly type: 'ADD'; readonly by: number } | { readonly type: 'RESET' };

const counterMachine = setup({
  types: {} as {
    context: { count: number; peer: string };
    events: CounterEvent;
    input: { id: string };
    emitted: { readonly type: 'added'; readonly by: number; readonly peer: string };
  },
}).createMachine({
  id: 'counter',
  context: ({ input }) => ({ count: 0, peer: input.id }),
  initial: 'counting',
  states: {
    counting: {
      on: {
        ADD: {
          actions: [
            assign({ count: ({ context, event }) => context.count + event.by }),
            emit(({ context, event }) => ({ type: 'added' as const, by: event.by, peer: context.peer })),
          ],
        },
        RESET: { actions: assign({ count: 0 }) },
      },
    },
  },
});

/** Another id whose counter mostly lives on another shard. */
function peerOf(id: string): string {
  return id.slice(0, -1) + ((Number.parseInt(id.slice(-1), 16) + 1) % 16).toString(16);
}

export const counter = defineActor({
  type: 'counter',
  machine: counterMachine,
  snapshots: { everyEvents: 4 },
  effects: {
    added: ({ by }, { id }) => [
      publish(`counter:${peerOf(id)}`, { by }),
      ...(by > 100 ? [tell(addressOf('counter', peerOf(id)), { type: 'RESET' })] : []),
    ],
  },
});

export const counters: readonly ActorDefinition[] = [counter];

export const totals = defineProjection({
  name: 'totals',
  version: '1',
  views: ['totals'],
  rules: [
    rule(counter, ({ id, state }) => {
      const { count } = state.context;
      return [{ view: 'totals', key: id, value: count === 0 ? undefined : { count } }];
    }),
  ],
});

export interface CounterStore {
  readonly store: MemoryStore;
  readonly ids: readonly string[];
  readonly addresses: readonly Address[];
}

/** Four shards, six counters, and for each of them six events of its own. */
export async function makeCounterStore(): Promise<CounterStore> {
  const store = createMemoryStore(4);
  const journal = openMemoryJournal({ store });
  const system = await openSystem({ journal, actors: counters, projections: [totals] });
  const ids = Array.from({ length: 6 }, () => systemIds.mint());
  for (const by of [1, 2, 3, 4, 5, 200]) {
    await Promise.all(ids.map((id) => system.actor(counter, id).tell({ type: 'ADD', by }, { operation: id })));
  }
  await Promise.all(ids.map((id) => system.settled(id, id)));
  await system.stop();
  return { store, ids, addresses: ids.map((id) => addressOf('counter', id)) };
}

export function reopen({ store }: CounterStore): Journal {
  return openMemoryJournal({ store });
}
