/** Conformance: commits that are applied: one atomic step each, in order, the last one repeatable. */

import { expect, test } from 'vitest';
import { freshStore, type JournalAdapter } from '../adapter.ts';
import { actorOf, bytes, fullDraft, storyOf, takeShard } from '../writer.ts';

export function commitTests(adapter: JournalAdapter): void {
  test('a fresh shard stands at zero', async () => {
    const journal = await (await freshStore(adapter)).open();

    const state = await journal.readShard(3);

    expect(state).toEqual({
      head: { commits: 0, seq: 0, commitId: '' },
      first: 1,
      timers: [],
      outbox: [],
      outboxLast: [],
      inbox: 0,
      marks: [],
      projections: {},
    });
    expect(await journal.readEntries(3, 0, 10)).toEqual([]);
  });

  test('gives back everything a commit holds', async () => {
    const journal = await (await freshStore(adapter)).open();
    const writer = await takeShard(journal);
    const room = actorOf('room', 1);
    const user = actorOf('user', 1);

    const commit = writer.draft(fullDraft(1));
    const outcome = await journal.commit(commit);

    expect(outcome).toEqual({ kind: 'done', offsets: [1] });
    const entry = (seq: number, more: object) => ({
      seq,
      emitted: [],
      at: 1_700_000_000_000 + seq,
      type: 'TOLD',
      ...more,
    });
    const opened = { type: 'OPENED', emitted: ['opened', 'greeted'], from: user, operation: 'operation-1' };
    const first = entry(1, { actor: room, version: 1, payload: `event 1 of ${room}`, ...opened });
    const third = entry(3, { actor: user, version: 2, payload: `event 2 of ${user}` });
    const roomIndex = { actor: room, version: 1, snapshotVersion: 0, tail: [1] };
    const userIndex = { actor: user, version: 2, snapshotVersion: 1, tail: [3] };
    expect(await storyOf(journal)).toEqual({
      shard: {
        head: { commits: 1, seq: 3, commitId: commit.id },
        first: 1,
        timers: [
          { actor: room, id: 'reminder', dueAt: 1_001, generation: 1, payload: 'ring 1', operation: 'operation-t' },
        ],
        outbox: [{ to: 1, n: 1, payload: 'parcel 1' }],
        outboxLast: [{ shard: 1, n: 1 }],
        inbox: 0,
        marks: [{ shard: 2, n: 1 }],
        projections: { rooms: 'v1' },
      },
      entries: [first, entry(2, { actor: user, version: 1, payload: `event 1 of ${user}` }), third],
      indexes: [roomIndex, userIndex],
      actors: [
        { index: roomIndex, tail: [first] },
        { index: userIndex, tail: [third], snapshot: { actor: user, version: 1, payload: 'state of user 1' } },
      ],
      topic: { epoch: expect.any(String), head: 1, oldest: 1, publications: [{ offset: 1, payload: 'news 1' }] },
      deadLetters: [{ at: 1, code: 'MACHINE_FAILED', reason: 'reason 1 – ü', payload: 'letter 1' }],
      rooms: [{ key: 'room-1', payload: 'row 1' }],
      people: [{ key: 'newest', payload: 'user 1' }],
    });
  });

  test('counts a commit without entries', async () => {
    const journal = await (await freshStore(adapter)).open();
    const writer = await takeShard(journal);

    await writer.write({ marks: [{ shard: 1, n: 1 }] });
    await writer.write({ events: [{ actor: actorOf('room', 1) }] });
    await writer.write();

    expect((await journal.readShard(0)).head).toMatchObject({ commits: 3, seq: 1 });
  });

  test('applies pipelined commits in the order given', async () => {
    const journal = await (await freshStore(adapter)).open();
    const writer = await takeShard(journal);
    const actor = actorOf('room', 1);
    const drafts = Array.from({ length: 50 }, (_, i) =>
      writer.draft({ events: [{ actor }, { actor }], publications: [{ topic: 'room:news', payload: bytes(`${i}`) }] }),
    );

    const outcomes = await Promise.all(drafts.map((commit) => journal.commit(commit)));

    expect(outcomes).toEqual(drafts.map((_, i) => ({ kind: 'done', offsets: [i + 1] })));
    expect((await journal.readShard(0)).head).toMatchObject({ commits: 50, seq: 100 });
    const entries = await journal.readEntries(0, 0, 200);
    expect(entries.map((entry) => (entry instanceof Error ? entry : entry.version))).toEqual(
      Array.from({ length: 100 }, (_, i) => i + 1),
    );
  });

  test('settles pipelined commits in the order given', async () => {
    const journal = await (await freshStore(adapter)).open();
    const writer = await takeShard(journal);
    const settled: number[] = [];

    const drafts = Array.from({ length: 10 }, () => writer.draft({ events: [{ actor: actorOf('room', 1) }] }));
    await Promise.all(drafts.map((commit) => journal.commit(commit).then(() => settled.push(commit.number))));

    expect(settled).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  test('refuses what was pipelined behind a refused commit', async () => {
    const journal = await (await freshStore(adapter)).open();
    const writer = await takeShard(journal);
    const first = writer.draft(fullDraft(1));
    const gap = { ...writer.draft(fullDraft(2)), number: 7 };
    const third = writer.draft(fullDraft(3));

    const outcomes = await Promise.all([first, gap, third].map((commit) => journal.commit(commit)));

    expect(outcomes.map(({ kind }) => kind)).toEqual(['done', 'refused', 'refused']);
    expect((await journal.readShard(0)).head).toMatchObject({ commits: 1, seq: 3, commitId: first.id });
  });

  test('answers the repeated last commit without change', async () => {
    const journal = await (await freshStore(adapter)).open();
    const writer = await takeShard(journal);
    await writer.write(fullDraft(1));
    const last = writer.draft(fullDraft(2));
    await journal.commit(last);
    const before = await storyOf(journal);

    const again = await journal.commit(last);

    expect(again).toEqual({ kind: 'done', offsets: undefined });
    expect(await storyOf(journal)).toEqual(before);
  });

  test('knows the last commit under a later epoch', async () => {
    const journal = await (await freshStore(adapter)).open();
    const writer = await takeShard(journal);
    const last = writer.draft(fullDraft(1));
    await journal.commit(last);
    const before = await storyOf(journal);

    const { lease } = await takeShard(journal);
    const again = await journal.commit({ ...last, epoch: lease.epoch });

    expect(again).toEqual({ kind: 'done', offsets: undefined });
    expect(await storyOf(journal)).toEqual(before);
  });

  test('keeps shards independent of each other', async () => {
    const journal = await (await freshStore(adapter)).open();
    const writers = await Promise.all([0, 1, 2, 3].map((shard) => takeShard(journal, shard)));
    const untouched = await storyOf(journal, 3);

    await Promise.all(
      writers
        .slice(0, 3)
        .flatMap((writer, i) => Array.from({ length: i + 1 }, (_, n) => writer.write(fullDraft(n + 1)))),
    );

    const heads = await Promise.all([0, 1, 2, 3].map(async (shard) => (await journal.readShard(shard)).head.commits));
    expect(heads).toEqual([1, 2, 3, 0]);
    expect(await storyOf(journal, 3)).toEqual(untouched);
    expect((await journal.readTopic(1, 'room:news', 0, 10)).head).toBe(2);
    expect(await journal.readRows(0, 'rooms', ['room-2'])).toEqual([undefined]);
  });

  test('takes payloads of any bytes and size', async () => {
    const journal = await (await freshStore(adapter)).open();
    const writer = await takeShard(journal);
    const all = Uint8Array.from({ length: 256 }, (_, i) => i);
    const large = new Uint8Array(300_000).fill(7);
    const actor = actorOf('room', 1);

    await writer.write({
      events: [
        { actor, payload: all },
        { actor, payload: large },
        { actor, payload: new Uint8Array(0) },
      ],
      views: [{ view: 'rooms', key: 'empty', payload: new Uint8Array(0) }],
    });

    const entries = await journal.readEntries(0, 0, 10);
    const payloads = entries.map((entry) => (entry instanceof Error ? entry : Buffer.from(entry.payload)));
    expect(payloads).toEqual([Buffer.from(all), Buffer.from(large), Buffer.alloc(0)]);
    const [empty] = await journal.readRows(0, 'rooms', ['empty']);
    expect(empty).toHaveLength(0);
  });

  test('keeps no hold on the callers buffers', async () => {
    const journal = await (await freshStore(adapter)).open();
    const writer = await takeShard(journal);
    const pool = new Uint8Array(64).fill(1);
    await writer.write({ events: [{ actor: actorOf('room', 1), payload: pool.subarray(8, 16) }] });
    const [first] = await journal.readEntries(0, 0, 1);

    await writer.write(fullDraft(2));
    await writer.write(fullDraft(3));

    expect(first).toMatchObject({ payload: expect.objectContaining({ length: 8 }) });
    expect(first instanceof Error ? first : [...first!.payload]).toEqual([1, 1, 1, 1, 1, 1, 1, 1]);
  });
}
