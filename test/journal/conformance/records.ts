/** Conformance: what is kept beside the entries: the actors' index, snapshots, timers, outbox, marks, dead letters, projections. */

import { expect, test } from 'vitest';
import { freshStore, type JournalAdapter } from '../adapter.ts';
import { actorOf, bytes, plain, takeShard } from '../writer.ts';

const room = actorOf('room', 1);
const user = actorOf('user', 1);

export function recordTests(adapter: JournalAdapter): void {
  test('reads entries from any position in pages', async () => {
    const journal = await (await freshStore(adapter)).open();
    const writer = await takeShard(journal);
    for (let i = 0; i < 5; i++) await writer.write({ events: [{ actor: room }, { actor: user }, { actor: room }] });

    const seqs = async (after: number, limit: number) =>
      (await journal.readEntries(0, after, limit)).map((entry) => (entry instanceof Error ? entry : entry.seq));

    expect(await seqs(0, 4)).toEqual([1, 2, 3, 4]);
    expect(await seqs(4, 4)).toEqual([5, 6, 7, 8]);
    expect(await seqs(13, 100)).toEqual([14, 15]);
    expect(await seqs(15, 100)).toEqual([]);
  });

  test('keeps the order of more than 256 entries', async () => {
    const journal = await (await freshStore(adapter)).open();
    const writer = await takeShard(journal);
    for (let i = 0; i < 3; i++)
      await writer.write({ events: Array.from({ length: 200 }, () => ({ actor: room, snapshot: 's' })) });

    const entries = await journal.readEntries(0, 0, 1_000);

    expect(entries.map((entry) => (entry instanceof Error ? entry : entry.seq))).toEqual(
      Array.from({ length: 600 }, (_, i) => i + 1),
    );
  });

  test('reads actors in the order asked for', async () => {
    const journal = await (await freshStore(adapter)).open();
    const writer = await takeShard(journal);
    await writer.write({ events: [{ actor: room }, { actor: user }] });

    const records = await journal.readActors(0, [user, actorOf('room', 404), room, user]);

    expect(records.map((record) => (record instanceof Error ? record : record?.index.actor))).toEqual([
      user,
      undefined,
      room,
      user,
    ]);
  });

  test('reads indexes as it reads actors', async () => {
    const journal = await (await freshStore(adapter)).open();
    const writer = await takeShard(journal);
    await writer.write({ events: [{ actor: room, snapshot: 'room at 1' }, { actor: user }, { actor: user }] });
    const actors = [user, actorOf('room', 404), room];

    const indexes = await journal.readIndexes?.(0, actors);

    const records = await journal.readActors(0, actors);
    const expected = records.map((record) => (record instanceof Error ? record : record?.index));
    expect(indexes ?? expected).toEqual(expected);
    expect(expected).toMatchObject([{ tail: [2, 3] }, undefined, { tail: [] }]);
  });

  test('finds tails that lie between other entries', async () => {
    const journal = await (await freshStore(adapter)).open();
    const writer = await takeShard(journal);
    await writer.write({ events: [{ actor: room }, { actor: user }, { actor: room, snapshot: 'room at 2' }] });
    await writer.write({ events: [{ actor: user }, { actor: room }, { actor: user }] });
    await writer.write({ events: [{ actor: user }, { actor: room }] });

    const [record] = await journal.readActors(0, [room]);

    expect(plain(record)).toMatchObject({
      index: { actor: room, version: 4, snapshotVersion: 2, tail: [5, 8] },
      snapshot: { actor: room, version: 2, payload: 'room at 2' },
      tail: [
        { seq: 5, version: 3 },
        { seq: 8, version: 4 },
      ],
    });
  });

  test('replaces a snapshot with the newer one', async () => {
    const journal = await (await freshStore(adapter)).open();
    const writer = await takeShard(journal);
    await writer.write({ events: [{ actor: room, snapshot: 'room at 1' }] });

    await writer.write({ events: [{ actor: room, snapshot: 'room at 2, longer' }] });

    const [record] = await journal.readActors(0, [room]);
    expect(plain(record)).toEqual({
      index: { actor: room, version: 2, snapshotVersion: 2, tail: [] },
      snapshot: { actor: room, version: 2, payload: 'room at 2, longer' },
      tail: [],
    });
  });

  test('lists actors by address in pages', async () => {
    const journal = await (await freshStore(adapter)).open();
    const writer = await takeShard(journal);
    const rooms = [3, 1, 2, 4].map((n) => actorOf('room', n));
    await writer.write({ events: [{ actor: user }, ...rooms.map((actor) => ({ actor }))] });

    const list = async (options: object) =>
      (await journal.listActors(0, { limit: 10, ...options })).map(({ actor }) => actor);

    expect(await list({})).toEqual([...[...rooms].sort(), user]);
    expect(await list({ prefix: 'room/', limit: 2 })).toEqual([actorOf('room', 1), actorOf('room', 2)]);
    expect(await list({ prefix: 'room/', after: actorOf('room', 2) })).toEqual([
      actorOf('room', 3),
      actorOf('room', 4),
    ]);
    expect(await list({ prefix: 'saga/' })).toEqual([]);
    expect(await journal.listActors(1, { limit: 10 })).toEqual([]);
  });

  test('sets, moves and clears an actors timers', async () => {
    const journal = await (await freshStore(adapter)).open();
    const writer = await takeShard(journal);
    const timer = (actor: typeof room, id: string, generation: number) => ({
      actor,
      id,
      generation,
      dueAt: generation * 10,
      payload: bytes(id),
    });
    await writer.write({ timersSet: [timer(room, 'a', 1), timer(room, 'b', 1), timer(user, 'a', 1)] });

    await writer.write({
      timersSet: [timer(room, 'a', 2)],
      timersCleared: [
        { actor: room, id: 'b' },
        { actor: room, id: 'never set' },
      ],
    });

    const { timers } = await journal.readShard(0);
    const byAddress = [...timers].sort((a, b) => (a.actor < b.actor ? -1 : 1));
    expect(plain(byAddress)).toEqual([
      { actor: room, id: 'a', generation: 2, dueAt: 20, payload: 'a' },
      { actor: user, id: 'a', generation: 1, dueAt: 10, payload: 'a' },
    ]);
  });

  test('arms a timer the same commit clears', async () => {
    const journal = await (await freshStore(adapter)).open();
    const writer = await takeShard(journal);
    const timer = { actor: room, id: 'a', generation: 1, dueAt: 10, payload: bytes('a') };
    await writer.write({ timersSet: [timer] });

    await writer.write({ timersCleared: [{ actor: room, id: 'a' }], timersSet: [{ ...timer, generation: 2 }] });

    expect((await journal.readShard(0)).timers).toMatchObject([{ generation: 2 }]);
  });

  test('drops acknowledged outbox messages of a pair', async () => {
    const journal = await (await freshStore(adapter)).open();
    const writer = await takeShard(journal);
    const parcel = (to: number, n: number) => ({ to, n, payload: bytes(`${to}:${n}`) });
    await writer.write({ outbox: [parcel(2, 1), parcel(1, 1), parcel(1, 2)] });
    await writer.write({ outbox: [parcel(1, 3), parcel(2, 2)] });

    await writer.write({ outboxAcked: [{ shard: 1, n: 2 }] });

    const { outbox, outboxLast } = await journal.readShard(0);
    expect(plain(outbox)).toEqual([
      { to: 1, n: 3, payload: '1:3' },
      { to: 2, n: 1, payload: '2:1' },
      { to: 2, n: 2, payload: '2:2' },
    ]);
    expect(outboxLast).toEqual([
      { shard: 1, n: 3 },
      { shard: 2, n: 2 },
    ]);
  });

  test('keeps hundreds of messages in order', async () => {
    const journal = await (await freshStore(adapter)).open();
    const writer = await takeShard(journal);
    const outbox = Array.from({ length: 300 }, (_, i) => ({ to: 3, n: i + 1, payload: bytes(`${i + 1}`) }));
    await writer.write({ outbox });

    await writer.write({ outboxAcked: [{ shard: 3, n: 200 }] });

    const left = (await journal.readShard(0)).outbox;
    expect(left.map(({ n }) => n)).toEqual(Array.from({ length: 100 }, (_, i) => 201 + i));
  });

  test('remembers outbox numbers after all is acknowledged', async () => {
    const store = await freshStore(adapter);
    const journal = await store.open();
    const writer = await takeShard(journal);
    await writer.write({ outbox: [1, 2, 3].map((n) => ({ to: 1, n, payload: bytes('x') })) });

    await writer.write({ outboxAcked: [{ shard: 1, n: 3 }] });

    const later = adapter.persistent ? await store.reopen(journal) : journal;
    expect(await later.readShard(0)).toMatchObject({ outbox: [], outboxLast: [{ shard: 1, n: 3 }] });
  });

  test('moves marks per sending shard', async () => {
    const journal = await (await freshStore(adapter)).open();
    const writer = await takeShard(journal);
    await writer.write({
      marks: [
        { shard: 3, n: 1 },
        { shard: 1, n: 1 },
      ],
    });

    await writer.write({ marks: [{ shard: 3, n: 2 }] });

    expect((await journal.readShard(0)).marks).toEqual([
      { shard: 1, n: 1 },
      { shard: 3, n: 2 },
    ]);
  });

  test('bounds dead letters and gives newest first', async () => {
    const journal = await (await freshStore(adapter)).open({ deadLettersMax: 5 });
    const writer = await takeShard(journal);
    const letter = (n: number) => ({ at: n, code: 'MACHINE_FAILED', reason: `r${n}`, payload: bytes(`${n}`) });
    for (let n = 1; n <= 7; n += 2) await writer.write({ deadLetters: [letter(n), letter(n + 1)] });

    const letters = await journal.readDeadLetters(0, 100);

    expect(letters.map(({ at }) => at)).toEqual([8, 7, 6, 5, 4]);
    expect((await journal.readDeadLetters(0, 2)).map(({ at }) => at)).toEqual([8, 7]);
    expect(await journal.readDeadLetters(1, 100)).toEqual([]);
  });

  test('bounds dead letters within one commit', async () => {
    const journal = await (await freshStore(adapter)).open({ deadLettersMax: 3 });
    const writer = await takeShard(journal);

    await writer.write({
      deadLetters: [1, 2, 3, 4, 5].map((at) => ({ at, code: 'X', reason: '', payload: bytes('') })),
    });

    expect((await journal.readDeadLetters(0, 100)).map(({ at }) => at)).toEqual([5, 4, 3]);
  });

  test('merges projections of earlier commits', async () => {
    const journal = await (await freshStore(adapter)).open();
    const writer = await takeShard(journal);
    await writer.write({ projections: { rooms: 'v1', people: 'v1' } });
    await writer.write({ projections: { rooms: '' } });

    await writer.write({ projections: { sagas: 'v3' } });

    expect((await journal.readShard(0)).projections).toEqual({ rooms: '', people: 'v1', sagas: 'v3' });
  });

  test('keeps the first value of a meta key', async () => {
    const journal = await (await freshStore(adapter)).open();

    const before = await journal.readMeta('secret');
    const values = await Promise.all([journal.initMeta('secret', 'first'), journal.initMeta('secret', 'second')]);

    expect(before).toBeUndefined();
    expect(values).toEqual(['first', 'first']);
    expect(await journal.readMeta('secret')).toBe('first');
    expect(await journal.initMeta('other – ü', 'value – ü')).toBe('value – ü');
  });
}
