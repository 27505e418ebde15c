/** Conformance: entries that leave the journal because an archive has them. */

import { expect, test } from 'vitest';
import { freshStore, type JournalAdapter, testWhere } from '../adapter.ts';
import { actorOf, plain, takeShard, type Writer } from '../writer.ts';

/** Writes entries of one actor, whose snapshot is taken with the last of them. */
async function fill(writer: Writer, count: number): Promise<void> {
  const actor = actorOf('room', 1);
  for (let n = 1; n <= count; n++) {
    await writer.write({ events: [n === count ? { actor, snapshot: `state ${n}` } : { actor }] });
  }
}

function seqs(entries: readonly (object | Error)[]): readonly unknown[] {
  return entries.map((entry) => ('seq' in entry ? entry.seq : entry));
}

export function trimTests(adapter: JournalAdapter): void {
  test('removes entries up to the given one', async () => {
    const journal = await (await freshStore(adapter)).open();
    const writer = await takeShard(journal);
    await fill(writer, 6);

    const outcome = await journal.trim!(writer.lease, 4);

    expect(outcome).toEqual({ kind: 'done' });
    expect((await journal.readShard(0)).first).toBe(5);
    expect(seqs(await journal.readEntries(0, 4, 10))).toEqual([5, 6]);
    expect(seqs(await journal.readEntries(0, 5, 10))).toEqual([6]);
  });

  test('refuses to read what was trimmed', async () => {
    const journal = await (await freshStore(adapter)).open();
    const writer = await takeShard(journal);
    await fill(writer, 6);
    await journal.trim!(writer.lease, 6);

    for (const after of [0, 3, 5]) {
      await expect(journal.readEntries(0, after, 10)).rejects.toMatchObject({
        code: 'JOURNAL_TRIMMED',
        params: { shard: 0, next: after + 1, first: 7 },
      });
    }
    expect(await journal.readEntries(0, 6, 10)).toEqual([]);
  });

  test('goes on numbering after everything was trimmed', async () => {
    const store = await freshStore(adapter);
    const journal = await store.open();
    const writer = await takeShard(journal);
    await fill(writer, 3);
    await journal.trim!(writer.lease, 3);

    await writer.write({ events: [{ actor: actorOf('room', 1) }] });
    await journal.release(writer.lease);

    expect(seqs(await journal.readEntries(0, 3, 10))).toEqual([4]);
    expect(await journal.acquire(0, { node: 'b', nonce: 'b' }, 1_000)).toMatchObject({ head: { commits: 4, seq: 4 } });
  });

  test('lets an emptied shard be taken again', async () => {
    const journal = await (await freshStore(adapter)).open();
    const writer = await takeShard(journal);
    await fill(writer, 3);
    await journal.trim!(writer.lease, 3);

    const again = await takeShard(journal, 0, 'nonce-b', 'node-a').catch((error: unknown) => error);
    await journal.release(writer.lease);
    const next = await takeShard(journal, 0, 'nonce-b');

    expect(again).toBeInstanceOf(Error);
    expect(next.seq).toBe(3);
    await next.write({ events: [{ actor: actorOf('room', 2) }] });
  });

  test('keeps actors readable by their snapshots', async () => {
    const journal = await (await freshStore(adapter)).open();
    const writer = await takeShard(journal);
    await fill(writer, 3);
    await writer.write({ events: [{ actor: actorOf('room', 1) }] });

    await journal.trim!(writer.lease, 3);

    const [record] = await journal.readActors(0, [actorOf('room', 1)]);
    expect(plain(record)).toMatchObject({
      index: { version: 4, snapshotVersion: 3, tail: [4] },
      snapshot: { payload: 'state 3' },
      tail: [{ seq: 4 }],
    });
  });

  test('repeating a trim changes nothing', async () => {
    const journal = await (await freshStore(adapter)).open();
    const writer = await takeShard(journal);
    await fill(writer, 6);
    await journal.trim!(writer.lease, 4);

    const outcomes = [await journal.trim!(writer.lease, 4), await journal.trim!(writer.lease, 2)];

    expect(outcomes).toEqual([{ kind: 'done' }, { kind: 'done' }]);
    expect((await journal.readShard(0)).first).toBe(5);
    expect(seqs(await journal.readEntries(0, 4, 10))).toEqual([5, 6]);
  });

  test('refuses a trim from a stale epoch', async () => {
    const journal = await (await freshStore(adapter)).open();
    const early = await takeShard(journal);
    await fill(early, 3);
    const late = await takeShard(journal);

    const outcome = await journal.trim!(early.lease, 2);
    await journal.release(late.lease);
    const released = await journal.trim!(late.lease, 2);

    expect(outcome).toMatchObject({ kind: 'refused', reason: 'epoch' });
    expect(released).toMatchObject({ kind: 'refused', reason: 'epoch' });
    expect(seqs(await journal.readEntries(0, 0, 10))).toEqual([1, 2, 3]);
  });

  test('refuses a trim beyond the last entry', async () => {
    const journal = await (await freshStore(adapter)).open();
    const writer = await takeShard(journal);
    await fill(writer, 3);

    const outcome = await journal.trim!(writer.lease, 4);

    expect(outcome).toMatchObject({ kind: 'refused', reason: 'head' });
    expect(seqs(await journal.readEntries(0, 0, 10))).toEqual([1, 2, 3]);
  });

  test('trims one shard and no other', async () => {
    const journal = await (await freshStore(adapter)).open();
    const [one, other] = [await takeShard(journal, 0), await takeShard(journal, 1)];
    await fill(one, 3);
    await fill(other, 3);

    await journal.trim!(one.lease, 3);

    expect(seqs(await journal.readEntries(1, 0, 10))).toEqual([1, 2, 3]);
    expect((await journal.readShard(1)).first).toBe(1);
  });

  testWhere(adapter.persistent)('knows what was trimmed after a restart', async () => {
    const store = await freshStore(adapter);
    const journal = await store.open();
    const writer = await takeShard(journal);
    await fill(writer, 5);
    await journal.trim!(writer.lease, 3);
    await journal.release(writer.lease);

    const again = await store.reopen(journal);

    expect(again.id).toBe(journal.id);
    expect((await again.readShard(0)).first).toBe(4);
    await expect(again.readEntries(0, 0, 10)).rejects.toMatchObject({ code: 'JOURNAL_TRIMMED' });
    expect(seqs(await again.readEntries(0, 3, 10))).toEqual([4, 5]);
  });

  test('stores have ids of their own', async () => {
    const [one, other] = [await (await freshStore(adapter)).open(), await (await freshStore(adapter)).open()];

    expect(one.id).not.toBe('');
    expect(one.id).not.toBe(other.id);
  });
}
