/** Conformance: the store as a whole: reopening, its number of shards, deadlines, and the end of a journal. */

import { expect, test } from 'vitest';
import type { Journal } from '../../../src/journal/journal.ts';
import { eventually, freshStore, type JournalAdapter, testWhere } from '../adapter.ts';
import { actorOf, fullDraft, storyOf, takeShard } from '../writer.ts';

export function storeTests(adapter: JournalAdapter): void {
  test('describes itself for people', async () => {
    const journal = await (await freshStore(adapter)).open({ shards: 3 });

    expect(journal.kind).toBe(adapter.kind);
    expect(journal.description).toContain(adapter.kind);
    expect(journal.shards).toBe(3);
  });

  testWhere(adapter.persistent)('keeps everything over a reopening', async () => {
    const store = await freshStore(adapter);
    const journal = await store.open();
    for (const shard of [0, 3]) {
      const writer = await takeShard(journal, shard);
      for (let n = 1; n <= 4; n++) await writer.write(fullDraft(n));
    }
    await journal.initMeta('secret', 'kept');
    const before = [await storyOf(journal, 0), await storyOf(journal, 3)];

    const later = await store.reopen(journal);

    expect([await storyOf(later, 0), await storyOf(later, 3)]).toEqual(before);
    expect(await later.readMeta('secret')).toBe('kept');
  });

  testWhere(adapter.persistent)('goes on from the stored head', async () => {
    const store = await freshStore(adapter);
    const journal = await store.open();
    await (await takeShard(journal)).write(fullDraft(1));

    const later = await store.reopen(journal);
    const writer = await takeShard(later);
    await writer.write(fullDraft(2));

    expect((await later.readShard(0)).head).toMatchObject({ commits: 2, seq: 6 });
  });

  testWhere(adapter.persistent)('refuses another number of shards', async () => {
    const store = await freshStore(adapter);
    const journal = await store.open({ shards: 4 });
    await (await takeShard(journal)).write(fullDraft(1));
    await journal.close();

    const attempt = store.open({ shards: 8 });

    await expect(attempt).rejects.toMatchObject({
      name: 'TroupeError',
      code: 'JOURNAL_INCOMPATIBLE',
      message: expect.stringMatching(/\b4\b.*\b8\b/),
    });
    expect((await store.open({ shards: 4 })).shards).toBe(4);
  });

  test('rejects a shard the store lacks', async () => {
    const journal = await (await freshStore(adapter)).open();

    await expect(journal.readShard(4)).rejects.toMatchObject({ name: 'TroupeError' });
    await expect(journal.readEntries(-1, 0, 1)).rejects.toMatchObject({ name: 'TroupeError' });
    await expect(journal.acquire(4, { node: 'n', nonce: 'x' }, 1_000)).rejects.toMatchObject({ name: 'TroupeError' });
  });

  test('rejects every call after close', async () => {
    const journal = await (await freshStore(adapter)).open();
    const writer = await takeShard(journal);

    await journal.close();

    const calls: ((journal: Journal) => Promise<unknown>)[] = [
      (j) => j.acquire(0, { node: 'n', nonce: 'x' }, 1_000),
      (j) => j.renew(writer.lease, 1_000),
      (j) => j.release(writer.lease),
      (j) => j.commit(writer.draft()),
      (j) => j.readShard(0),
      (j) => j.readActors(0, [actorOf('room', 1)]),
      (j) => j.readEntries(0, 0, 1),
      (j) => j.listActors(0, { limit: 1 }),
      (j) => j.readTopic(0, 'room:news', 0, 1),
      (j) => j.readDeadLetters(0, 1),
      (j) => j.readRows(0, 'rooms', ['a']),
      (j) => j.readRange(0, 'rooms', { limit: 1 }),
      (j) => j.readMeta('secret'),
      (j) => j.initMeta('secret', 'x'),
    ];
    for (const call of calls) await expect(call(journal)).rejects.toMatchObject({ code: 'STOPPED' });
    await expect(journal.close()).resolves.toBeUndefined();
  });

  testWhere(adapter.persistent)('settles commits under way before closing', async () => {
    const store = await freshStore(adapter);
    const journal = await store.open();
    const writer = await takeShard(journal);
    const commits = [1, 2, 3].map((n) => journal.commit(writer.draft(fullDraft(n))));

    const later = await store.reopen(journal);

    const done = (await Promise.all(commits)).filter(({ kind }) => kind === 'done').length;
    expect((await later.readShard(0)).head.commits).toBeGreaterThanOrEqual(done);
  });

  testWhere(adapter.stalls)('answers within the deadline when stalled', async () => {
    const store = await freshStore(adapter);
    const journal = await store.open({ deadlineMs: 200 });
    const writer = await takeShard(journal);
    await writer.write(fullDraft(1));
    const goOn = await store.stall!();
    const start = performance.now();

    const outcome = await journal.commit(writer.draft(fullDraft(2)));
    const acquire = journal.acquire(1, { node: 'n', nonce: 'x' }, 60_000);

    expect(outcome).toEqual({ kind: 'unknown', message: expect.any(String) });
    await expect(acquire).rejects.toMatchObject({ code: 'JOURNAL_UNAVAILABLE' });
    expect(performance.now() - start).toBeLessThan(10_000);
    await goOn();
  });

  testWhere(adapter.stalls)('goes on once the store does', async () => {
    const store = await freshStore(adapter);
    const journal = await store.open({ deadlineMs: 300 });
    const writer = await takeShard(journal);
    await writer.write(fullDraft(1));
    const goOn = await store.stall!();
    const doubtful = writer.draft(fullDraft(2));
    expect((await journal.commit(doubtful)).kind).toBe('unknown');
    await goOn();

    const later = await eventually(() => takeShard(journal).catch(() => undefined));
    const { head } = await journal.readShard(0);
    await later.write(fullDraft(3));

    expect(head.commitId === doubtful.id ? 2 : 1).toBe(head.commits);
    expect((await journal.readShard(0)).head.commits).toBe(head.commits + 1);
  });
}
