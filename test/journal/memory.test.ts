import { expect, test } from 'vitest';
import type { Clock } from '../../src/clock.ts';
import { createMemoryStore, type MemoryStore, openMemoryJournal } from '../../src/journal/memory.ts';
import { shardAsOf } from '../../src/journal/memory-leases.ts';
import type { DamageTarget, JournalAdapter } from './adapter.ts';
import { describeJournal } from './conformance.ts';
import { fullDraft, takeShard } from './writer.ts';

const memory: JournalAdapter = {
  kind: 'memory',
  persistent: true,
  shared: true,
  damages: ['entry', 'index', 'snapshot', 'timer', 'outbox', 'publication', 'row'],
  losesSnapshots: true,
  stalls: false,
  rewinds: true,
  create: async () => {
    let store: MemoryStore | undefined;
    return {
      open: async (options) => {
        store ??= createMemoryStore(options.shards);
        return openMemoryJournal({ ...options, store });
      },
      damage: async (target) => {
        store!.damaged.add(recordOf(store!, target)!);
      },
      loseSnapshot: async (shard, actor) => {
        store!.shards[shard]!.snapshots.delete(actor);
      },
      remember: async (shard) => {
        const before = shardAsOf(store!.shards[shard]!);
        return async () => {
          store!.shards[shard] = shardAsOf(before);
        };
      },
      dispose: async () => {},
    };
  },
};

function recordOf(store: MemoryStore, target: DamageTarget): object | undefined {
  const data = store.shards[target.shard]!;
  switch (target.kind) {
    case 'entry':
      return data.entries[target.seq - 1];
    case 'index':
      return data.actors.get(target.actor);
    case 'snapshot':
      return data.snapshots.get(target.actor);
    case 'timer':
      return [...data.timers.values()].find(({ actor, id }) => actor === target.actor && id === target.id);
    case 'outbox':
      return data.outbox.find(({ to, n }) => to === target.to && n === target.n);
    case 'publication':
      return data.topics.get(target.topic)!.publications.find(({ offset }) => offset === target.offset)!.payload;
    case 'row':
      return data.views.get(target.view)!.get(target.key);
  }
}

describeJournal('memory', memory);

test('expires leases on the clock it is given', async () => {
  let now = 0;
  const clock: Clock = { now: () => now, monotonic: () => now, after: () => () => {}, soon: () => {} };
  const journal = openMemoryJournal({ shards: 1, clock });
  await journal.acquire(0, { node: 'a', nonce: 'a' }, 1_000);

  now = 999;
  expect(await journal.acquire(0, { node: 'b', nonce: 'b' }, 1_000)).toEqual({ kind: 'held', by: 'a', expiresInMs: 1 });
  now = 1_000;
  expect(await journal.acquire(0, { node: 'b', nonce: 'b' }, 1_000)).toMatchObject({ kind: 'acquired' });
});

test('gives each new store its own topic epoch', async () => {
  const [one, other] = [openMemoryJournal({ shards: 1 }), openMemoryJournal({ shards: 1 })];

  await (await takeShard(one)).write({ publications: fullDraft(1).publications! });

  expect((await one.readTopic(0, 'room:news', 0, 1)).epoch).not.toBe(
    (await other.readTopic(0, 'room:news', 0, 1)).epoch,
  );
});
