/** Conformance: commits that are not applied, and leave nothing behind: stale epochs, wrong heads, broken bounds. */

import { expect, test } from 'vitest';
import type { Commit } from '../../../src/journal/journal.ts';
import { freshStore, type JournalAdapter } from '../adapter.ts';
import { actorOf, bytes, fullDraft, storyOf, takeShard } from '../writer.ts';

const recordBytesMax = 64 * 1024;
const tooLarge = new Uint8Array(recordBytesMax + 1);
/** Half a dozen records around the bad one, so that a half-applied commit shows. */
const good = fullDraft(2);

type Spoil = (commit: Commit) => Commit;

/** One thing wrong, after and before things that are right. */
const spoils: Readonly<Record<string, Spoil>> = {
  'an oversized entry': (commit) => ({
    ...commit,
    entries: commit.entries.map((entry, i) => (i === 1 ? { ...entry, payload: tooLarge } : entry)),
  }),
  'an entry out of sequence': (commit) => ({
    ...commit,
    entries: commit.entries.map((entry, i) => (i === 2 ? { ...entry, seq: entry.seq + 1 } : entry)),
  }),
  'an oversized snapshot': (commit) => ({
    ...commit,
    snapshots: [...commit.snapshots, { actor: actorOf('user', 9), version: 1, payload: tooLarge }],
  }),
  'an index without its tail': (commit) => ({
    ...commit,
    actors: commit.actors.map((index, i) => (i === 1 ? { ...index, tail: [] } : index)),
  }),
  'an oversized timer': (commit) => ({
    ...commit,
    timersSet: [
      ...commit.timersSet,
      { actor: actorOf('user', 9), id: 'x', dueAt: 1, generation: 1, payload: tooLarge },
    ],
  }),
  'an oversized outbox message': (commit) => ({
    ...commit,
    outbox: [...commit.outbox, { to: 2, n: 1, payload: tooLarge }],
  }),
  'an outbox message to no shard': (commit) => ({
    ...commit,
    outbox: [...commit.outbox, { to: 4, n: 1, payload: bytes('lost') }],
  }),
  'an oversized publication': (commit) => ({
    ...commit,
    publications: [...commit.publications, { topic: 'room:other', payload: tooLarge }],
  }),
  'an oversized dead letter': (commit) => ({
    ...commit,
    deadLetters: [...commit.deadLetters, { at: 1, code: 'X', reason: 'x', payload: tooLarge }],
  }),
  'an oversized row': (commit) => ({
    ...commit,
    views: [...commit.views, { view: 'rooms', key: 'large', payload: tooLarge }],
  }),
  'an empty row key': (commit) => ({
    ...commit,
    views: [...commit.views, { view: 'rooms', key: '', payload: bytes('x') }],
  }),
  'a row key beyond ASCII': (commit) => ({
    ...commit,
    views: [...commit.views, { view: 'rooms', key: 'zoë', payload: bytes('x') }],
  }),
  'a row key of 201 characters': (commit) => ({
    ...commit,
    views: [...commit.views, { view: 'rooms', key: 'k'.repeat(201), payload: bytes('x') }],
  }),
};

export function refusalTests(adapter: JournalAdapter): void {
  test.for(Object.entries(spoils))('writes nothing of a commit with %s', async ([, spoil]) => {
    const journal = await (await freshStore(adapter)).open({ recordBytesMax });
    const writer = await takeShard(journal);
    await writer.write(fullDraft(1));
    const before = await storyOf(journal);
    const commit = writer.draft(good);

    const spoilt = await journal.commit(spoil(commit));

    expect(spoilt).toEqual({ kind: 'invalid', message: expect.any(String) });
    expect(await storyOf(journal)).toEqual(before);
    expect((await journal.commit(commit)).kind).toBe('done');
  });

  test('takes a record of just the largest size', async () => {
    const journal = await (await freshStore(adapter)).open({ recordBytesMax });
    const writer = await takeShard(journal);
    const payload = tooLarge.subarray(1);

    await writer.write({ events: [{ actor: actorOf('room', 1), payload }], views: [{ view: 'v', key: 'k', payload }] });

    const [row] = await journal.readRows(0, 'v', ['k']);
    expect(row).toHaveLength(recordBytesMax);
  });

  test('names a shard the store lacks as invalid', async () => {
    const journal = await (await freshStore(adapter)).open();
    const writer = await takeShard(journal);

    const outcome = await journal.commit({ ...writer.draft(), shard: 4 });

    expect(outcome).toEqual({ kind: 'invalid', message: expect.stringContaining('shard 4') });
  });

  test('refuses a commit nobody holds the shard for', async () => {
    const journal = await (await freshStore(adapter)).open();
    const writer = await takeShard(journal, 0);

    const outcome = await journal.commit({ ...writer.draft(fullDraft(1)), shard: 1 });

    expect(outcome).toMatchObject({ kind: 'refused', reason: 'epoch' });
    expect((await journal.readShard(1)).head.commits).toBe(0);
  });

  test.for([
    ['number', { number: 1, nonce: 'nonce-a' }],
    ['later number', { number: 3, nonce: 'nonce-a' }],
    ['nonce', { number: 2, nonce: 'nonce-b' }],
  ] as const)('refuses a commit with another epoch %s', async ([, epoch]) => {
    const journal = await (await freshStore(adapter)).open();
    await takeShard(journal);
    const writer = await takeShard(journal);
    await writer.write(fullDraft(1));
    const before = await storyOf(journal);

    const outcome = await journal.commit({ ...writer.draft(fullDraft(2)), epoch });

    expect(writer.lease.epoch).toEqual({ number: 2, nonce: 'nonce-a' });
    expect(outcome).toEqual({ kind: 'refused', reason: 'epoch', message: expect.any(String) });
    expect(await storyOf(journal)).toEqual(before);
  });

  test('refuses to repeat a commit from a stale epoch', async () => {
    const journal = await (await freshStore(adapter)).open();
    const writer = await takeShard(journal);
    const last = writer.draft(fullDraft(1));
    await journal.commit(last);
    await takeShard(journal);

    const again = await journal.commit(last);

    expect(again).toMatchObject({ kind: 'refused', reason: 'epoch' });
  });

  test.for([
    ['skips a number', { number: 4 }],
    ['repeats an old number', { number: 1 }],
    ['repeats the last number under another id', { number: 2, firstSeq: 4 }],
    ['skips a seq', { number: 3, firstSeq: 8, entries: [], actors: [], snapshots: [] }],
    ['goes back a seq', { number: 3, firstSeq: 6, entries: [], actors: [], snapshots: [] }],
  ] as const)('refuses a commit that %s', async ([, change]) => {
    const journal = await (await freshStore(adapter)).open();
    const writer = await takeShard(journal);
    await writer.write(fullDraft(1));
    await writer.write(fullDraft(2));
    const before = await storyOf(journal);
    const draft = writer.draft({ ...fullDraft(3), events: [] });

    const outcome = await journal.commit({ ...draft, ...change });

    expect(outcome).toEqual({ kind: 'refused', reason: 'head', message: expect.any(String) });
    expect(await storyOf(journal)).toEqual(before);
  });

  test('refuses an old commit that is handed over again', async () => {
    const journal = await (await freshStore(adapter)).open();
    const writer = await takeShard(journal);
    const first = writer.draft(fullDraft(1));
    await journal.commit(first);
    await writer.write(fullDraft(2));
    const before = await storyOf(journal);

    const again = await journal.commit(first);

    expect(again).toMatchObject({ kind: 'refused', reason: 'head' });
    expect(await storyOf(journal)).toEqual(before);
  });

  test('goes on after a refused commit', async () => {
    const journal = await (await freshStore(adapter)).open();
    const writer = await takeShard(journal);
    const next = writer.draft(fullDraft(1));
    await journal.commit({ ...next, number: 2 });

    const outcome = await journal.commit(next);

    expect(outcome).toEqual({ kind: 'done', offsets: [1] });
  });
}
