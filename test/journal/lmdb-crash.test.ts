import { expect, test } from 'vitest';
import type { Journal } from '../../src/journal/journal.ts';
import { openLmdbJournal } from '../../src/journal/lmdb.ts';
import { startChild, temporaryFolder } from './child.ts';
import { nthDraft } from './lmdb-writer.ts';
import { actorOf, plain, takeShard, text } from './writer.ts';

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));

/** Numbers from 0 to 1 that the seed alone decides (mulberry32). */
function chance(from: number): () => number {
  let state = from;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Everything of a shard fits one number of whole commits. */
async function expectWhole(journal: Journal, shard: number): Promise<number> {
  const state = await journal.readShard(shard);
  const n = state.head.commits;
  expect(state.head.seq).toBe(3 * n);
  const entries = await journal.readEntries(shard, 0, 3 * n + 10);
  expect(entries.map((entry) => (entry instanceof Error ? entry : entry.seq))).toEqual(
    Array.from({ length: 3 * n }, (_, i) => i + 1),
  );
  expect(await journal.listActors(shard, { limit: 10 * n + 10 })).toHaveLength(n === 0 ? 0 : n + 1);
  if (n === 0) return 0;
  const [room, user] = await journal.readActors(shard, [actorOf('room', 1), actorOf('user', n)]);
  expect(plain(room)).toMatchObject({ index: { version: 2 * n }, snapshot: { version: 2 * n, payload: `${n}` } });
  expect(plain(user)).toMatchObject({ index: { version: 1 }, snapshot: { payload: `${n}` } });
  if (shard !== 1) {
    expect(state.outboxLast).toEqual([{ shard: 1, n }]);
    expect(state.outbox.map((message) => message.n)).toEqual([n - 2, n - 1, n].filter((i) => i > 0));
  }
  const topic = await journal.readTopic(shard, 'room:news', 0, 10 * n);
  expect(topic).toMatchObject({ head: n });
  expect(topic.publications.at(-1)).toMatchObject({ offset: n });
  const rows = await journal.readRange(shard, 'rows', { limit: 10 * n + 10 });
  expect(rows).toHaveLength(n + 1);
  expect(text(rows.at(-1)?.payload)).toBe(`${n}`);
  return n;
}

test.for(['process', 'disk'] as const)(
  'keeps answered commits whole over kill -9 (%s)',
  { timeout: 180_000 },
  async (durability) => {
    const path = temporaryFolder();
    const random = chance(seed);
    for (let round = 0; round < 5; round++) {
      const child = startChild('lmdb-writer.ts', path, durability);
      await child.lines(1 + Math.floor(random() * 400));
      await child.kill();
      const answered = [0, 0, 0, 0];
      for (const line of child.output().split('\n').slice(0, -1)) {
        const [shard, n] = line.split(' ').map(Number) as [number, number];
        answered[shard] = n;
      }

      const journal = await openLmdbJournal({ path, durability });

      for (const shard of [0, 1, 2, 3]) {
        const whole = await expectWhole(journal, shard);
        expect(whole, `shard ${shard}, SEED=${seed}`).toBeGreaterThanOrEqual(answered[shard] as number);
        // One commit of a shard is under way at most: it may be there unanswered.
        expect(whole - (answered[shard] as number), `shard ${shard}, SEED=${seed}`).toBeLessThanOrEqual(1);
      }
      await journal.close();
    }
  },
);

test('goes on writing after a kill', { timeout: 60_000 }, async () => {
  const path = temporaryFolder();
  const child = startChild('lmdb-writer.ts', path, 'process');
  await child.lines(50);
  await child.kill();

  const journal = await openLmdbJournal({ path, durability: 'process' });
  const writer = await takeShard(journal, 0);
  const { publications = [] } = nthDraft(writer.commits + 1);
  const offsets = await writer.write({ events: [{ actor: actorOf('saga', 1) }], publications });

  expect(offsets).toEqual([writer.commits]);
  await journal.close();
});

test('shows a reader every answered commit after kill -9', { timeout: 60_000 }, async () => {
  const path = temporaryFolder();
  const child = startChild('lmdb-writer.ts', path, 'process');
  await child.lines(200);
  await child.kill();
  const answered = new Map<number, number>();
  for (const line of child.output().split('\n').slice(0, -1)) {
    const [shard, n] = line.split(' ').map(Number) as [number, number];
    answered.set(shard, Math.max(n, answered.get(shard) ?? 0));
  }

  const reader = await openLmdbJournal({ path, durability: 'process', readOnly: true });

  for (const [shard, n] of answered) expect((await reader.readShard(shard)).head.commits).toBeGreaterThanOrEqual(n);
  await reader.close();
});
