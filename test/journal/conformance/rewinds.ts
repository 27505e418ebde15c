/** Conformance: a store that went backwards says so, until the commits are there again or were given up. */

import { expect, test } from 'vitest';
import type { AcquireOutcome, Commit, Journal, Lease } from '../../../src/journal/journal.ts';
import { type FreshStore, freshStore, type JournalAdapter } from '../adapter.ts';
import { actorOf, bytes, fullDraft, storyOf, takeShard, type Writer } from '../writer.ts';

type Acquired = Extract<AcquireOutcome, { kind: 'acquired' }>;

interface Story {
  readonly store: FreshStore;
  readonly journal: Journal;
  readonly writer: Writer;
  /** Commits 2 and 3, which the store is to lose. */
  readonly commits: readonly Commit[];
  /** Puts the shard back to where it stood after commit 1. */
  readonly goBack: () => Promise<void>;
}

/** A shard with three answered commits, the last two of which can be lost. */
async function storyWith(adapter: JournalAdapter): Promise<Story> {
  const store = await freshStore(adapter);
  const journal = await store.open();
  const writer = await takeShard(journal);
  await writer.write(fullDraft(1));
  const goBack = await store.remember!(0);
  const commits = [writer.draft(fullDraft(2)), writer.draft(fullDraft(3))];
  for (const commit of commits) expect(await journal.commit(commit)).toMatchObject({ kind: 'done' });
  return { store, journal, writer, commits, goBack };
}

async function acquire(
  journal: Journal,
  nonce = 'nonce-a',
  known?: { epoch: number; commits: number },
): Promise<Acquired> {
  const outcome = await journal.acquire(0, { node: 'node', nonce }, 60_000, known);
  if (outcome.kind !== 'acquired') throw new Error(`Shard 0 is held by ${outcome.by}.`);
  return outcome;
}

async function topicsEpoch(journal: Journal): Promise<string> {
  return (await journal.readTopic(0, 'room:news', 0, 1)).epoch;
}

async function rewindsOf(journal: Journal): Promise<number> {
  return (await journal.cluster!.statuses([0]))[0]!.rewinds;
}

/** Lets go of a lease that the store may know under an earlier epoch. */
async function free(journal: Journal, lease: Lease): Promise<void> {
  await journal.release(lease);
}

export function rewindTests(adapter: JournalAdapter): void {
  test('refuses a commit that does not follow', async () => {
    const { journal, writer, goBack } = await storyWith(adapter);

    await goBack();

    expect(await journal.commit(writer.draft(fullDraft(4)))).toMatchObject({ kind: 'refused', reason: 'head' });
  });

  test('does not renew over lost commits', async () => {
    const { journal, writer, goBack } = await storyWith(adapter);
    expect(await journal.renew(writer.lease, 60_000)).toBe(true);

    await goBack();

    expect(await journal.renew(writer.lease, 60_000)).toBe(false);
  });

  test('gives no actor as of before', async () => {
    const { store, journal, goBack } = await storyWith(adapter);
    const other = await store.open();

    await goBack();

    await expect(journal.readActors(0, [actorOf('room', 1)])).rejects.toMatchObject({ code: 'JOURNAL_UNAVAILABLE' });
    expect(await other.readActors(0, [actorOf('room', 1)])).toHaveLength(1);
  });

  test('tells what it had answered before', async () => {
    const { journal, writer, goBack } = await storyWith(adapter);
    const epoch = await topicsEpoch(journal);

    await goBack();
    const outcome = await acquire(journal);

    expect(outcome).toMatchObject({ head: { commits: 1 }, lost: { answered: 3, before: writer.lease.epoch } });
    expect(outcome.lease.epoch.number).toBeGreaterThan(writer.lease.epoch.number);
    expect(await topicsEpoch(journal)).toBe(epoch);
    expect(await rewindsOf(journal)).toBe(1);
  });

  test('is as it was after the same commits', async () => {
    const { journal, commits, goBack } = await storyWith(adapter);
    const before = await storyOf(journal);

    await goBack();
    const { lease } = await acquire(journal);
    const outcomes: unknown[] = [];
    for (const commit of commits) outcomes.push(await journal.commit({ ...commit, epoch: lease.epoch }));

    expect(outcomes).toEqual([
      { kind: 'done', offsets: [2] },
      { kind: 'done', offsets: [3] },
    ]);
    expect(await storyOf(journal)).toEqual(before);
    expect((await acquire(journal)).lost).toBeUndefined();
  });

  test('remembers it for another process', async () => {
    const { store, journal, commits, goBack } = await storyWith(adapter);
    const other = await store.open();

    await goBack();
    const { lease } = await acquire(journal);
    await journal.commit({ ...commits[0]!, epoch: lease.epoch });
    await free(journal, lease);
    const outcome = await acquire(other, 'nonce-b');

    expect(outcome).toMatchObject({ head: { commits: 2 }, lost: { answered: 3 } });
    expect(await rewindsOf(journal)).toBe(1);
  });

  test('believes what others have seen', async () => {
    const { store, journal, writer, goBack } = await storyWith(adapter);
    const other = await store.open();

    await goBack();
    await free(journal, writer.lease);
    const blind = await acquire(other, 'nonce-b');
    const told = await acquire(other, 'nonce-b', { epoch: writer.lease.epoch.number, commits: 3 });

    expect(blind.lost).toBeUndefined();
    expect(told.lost).toMatchObject({ answered: 3 });
  });

  test('raises the epoch above the known one', async () => {
    const { journal } = await storyWith(adapter);

    const outcome = await acquire(journal, 'nonce-a', { epoch: 41, commits: 0 });

    expect(outcome.lease.epoch.number).toBe(42);
  });

  test('keeps a declared loss with the shard', async () => {
    const { journal, goBack } = await storyWith(adapter);
    const epoch = await topicsEpoch(journal);
    await goBack();
    const { lease } = await acquire(journal);

    const isDeclared = await journal.declareLost!(lease, 3);

    expect(isDeclared).toBe(true);
    const { losses, head } = await journal.readShard(0);
    expect(losses).toEqual([{ from: 2, to: 3, seq: head.seq, epoch: lease.epoch.number, at: expect.any(Number) }]);
    expect(await topicsEpoch(journal)).not.toBe(epoch);
    expect((await acquire(journal)).lost).toBeUndefined();
    expect(await journal.readShard(0)).toMatchObject({ numbers: lease.epoch.number });
  });

  test('numbers parcels anew after a lost epoch', async () => {
    const { store, journal, writer } = await storyWith(adapter);
    const goBack = await store.remember!(0);
    const held = await acquire(journal);
    expect(await journal.readShard(0)).not.toHaveProperty('numbers');
    await goBack();

    const { lease, lost } = await acquire(journal);

    expect(lost).toBeUndefined();
    expect(lease.epoch.number).toBeGreaterThan(held.lease.epoch.number);
    expect(held.lease.epoch.number).toBeGreaterThan(writer.lease.epoch.number);
    expect(await journal.readShard(0)).toMatchObject({ numbers: lease.epoch.number });
  });

  test('forgets what was known before a loss', async () => {
    const { store, journal, writer, goBack } = await storyWith(adapter);
    const other = await store.open();
    await goBack();
    await free(journal, writer.lease);
    const known = { epoch: writer.lease.epoch.number, commits: 3 };
    const { lease } = await acquire(other, 'nonce-b', known);
    await other.declareLost!(lease, 3);
    await free(other, lease);

    const outcome = await acquire(journal, 'nonce-a', known);

    expect(outcome).not.toHaveProperty('lost');
    expect(await rewindsOf(journal)).toBe(1);
  });

  test('does not take a loss from a stale epoch', async () => {
    const { journal, goBack } = await storyWith(adapter);
    await goBack();
    const early = await acquire(journal);
    await acquire(journal);

    const isDeclared = await journal.declareLost!(early.lease, 3);

    expect(isDeclared).toBe(false);
    expect(await journal.readShard(0)).not.toHaveProperty('losses');
  });

  test('tells another commit of the same number', async () => {
    const { store, journal, writer, goBack } = await storyWith(adapter);
    const other = await store.open();
    await goBack();
    await free(journal, writer.lease);
    const branch = await takeShard(other, 0, 'nonce-b');
    await branch.write(fullDraft(2));
    await branch.write(fullDraft(3));
    await free(other, branch.lease);

    const outcome = await acquire(journal);
    await journal.declareLost!(outcome.lease, outcome.lost!.answered);

    expect(outcome.lost).toMatchObject({ answered: 3, before: { nonce: '' } });
    expect((await journal.readShard(0)).losses).toMatchObject([{ from: 3, to: 3 }]);
  });

  test('acknowledges parcels whose numbers have jumped', async () => {
    const { journal, writer } = await storyWith(adapter);
    const far = 7_000_000;
    await writer.write({ outbox: [{ to: 1, n: far, payload: bytes('far') }] });

    await writer.write({ outboxAcked: [{ shard: 1, n: 3 }] });
    const between = (await journal.readShard(0)).outbox.map(({ n }) => n);
    await writer.write({
      outboxAcked: [{ shard: 1, n: far }],
      outbox: [{ to: 1, n: far + 1, payload: bytes('next') }],
    });
    const { outbox, outboxLast } = await journal.readShard(0);

    expect(between).toEqual([far]);
    expect(outbox.map(({ n }) => n)).toEqual([far + 1]);
    expect(outboxLast).toEqual([{ shard: 1, n: far + 1 }]);
  });
}
