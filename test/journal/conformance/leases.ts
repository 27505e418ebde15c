/** Conformance: who may write a shard. */

import { expect, test } from 'vitest';
import { eventually, freshStore, type JournalAdapter, testWhere } from '../adapter.ts';
import { fullDraft, takeShard } from '../writer.ts';

const ada = { node: 'node-a', nonce: 'nonce-a' };
const bob = { node: 'node-b', nonce: 'nonce-b' };

export function leaseTests(adapter: JournalAdapter): void {
  test('gives a free shard under the first epoch', async () => {
    const journal = await (await freshStore(adapter)).open();

    const outcome = await journal.acquire(2, ada, 60_000);

    expect(outcome).toEqual({
      kind: 'acquired',
      lease: { shard: 2, epoch: { number: 1, nonce: 'nonce-a' } },
      head: { commits: 0, seq: 0, commitId: '' },
    });
  });

  test('tells the head to a new owner', async () => {
    const journal = await (await freshStore(adapter)).open();
    const writer = await takeShard(journal);
    const commit = writer.draft(fullDraft(1));
    await journal.commit(commit);
    await journal.release(writer.lease);

    const outcome = await journal.acquire(0, bob, 60_000);

    expect(outcome).toMatchObject({ kind: 'acquired', head: { commits: 1, seq: 3, commitId: commit.id } });
  });

  test('names the holder of a shard and its time', async () => {
    const journal = await (await freshStore(adapter)).open();
    await journal.acquire(0, ada, 60_000);

    const outcome = await journal.acquire(0, bob, 60_000);

    expect(outcome).toEqual({ kind: 'held', by: 'node-a', expiresInMs: expect.any(Number) });
    const left = outcome.kind === 'held' ? outcome.expiresInMs : Number.NaN;
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(60_000);
  });

  test('leaves other shards free to others', async () => {
    const journal = await (await freshStore(adapter)).open();
    await journal.acquire(0, ada, 60_000);

    const outcome = await journal.acquire(1, bob, 60_000);

    expect(outcome.kind).toBe('acquired');
  });

  test('fences the same owner by acquiring again', async () => {
    const journal = await (await freshStore(adapter)).open();
    const early = await takeShard(journal);

    const late = await takeShard(journal);

    expect(late.lease.epoch.number).toBeGreaterThan(early.lease.epoch.number);
    expect(await journal.commit(early.draft(fullDraft(1)))).toMatchObject({ kind: 'refused', reason: 'epoch' });
    expect(await journal.commit(late.draft(fullDraft(1)))).toMatchObject({ kind: 'done' });
  });

  test('fences commits under way by acquiring again', async () => {
    const journal = await (await freshStore(adapter)).open();
    const early = await takeShard(journal);

    const underWay = early.draft(fullDraft(1));
    const [first, acquired] = await Promise.all([journal.commit(underWay), journal.acquire(0, ada, 60_000)]);
    const second = await journal.commit(early.draft(fullDraft(2)));

    expect(acquired).toMatchObject({ kind: 'acquired', head: { commits: first.kind === 'done' ? 1 : 0 } });
    expect(second).toMatchObject({ kind: 'refused', reason: 'epoch' });
    expect((await journal.readShard(0)).head.commits).toBe(first.kind === 'done' ? 1 : 0);
  });

  test('gives an expired lease to another owner', async () => {
    const journal = await (await freshStore(adapter)).open();
    const early = await takeShard(journal);
    expect((await journal.acquire(0, bob, 60_000)).kind).toBe('held');

    await journal.renew(early.lease, 1);
    const late = await eventually(async () => {
      const outcome = await journal.acquire(0, bob, 60_000);
      return outcome.kind === 'acquired' ? outcome : undefined;
    });

    expect(late.lease.epoch.number).toBeGreaterThan(early.lease.epoch.number);
    expect(late.lease.epoch.nonce).toBe('nonce-b');
    expect(await journal.commit(early.draft(fullDraft(1)))).toMatchObject({ kind: 'refused', reason: 'epoch' });
    expect(await journal.renew(early.lease, 60_000)).toBe(false);
  });

  test('prolongs a lease that is held', async () => {
    const journal = await (await freshStore(adapter)).open();
    const acquired = await journal.acquire(0, ada, 5_000);
    const lease = acquired.kind === 'acquired' ? acquired.lease : undefined;

    const renewed = await journal.renew(lease!, 120_000);

    expect(renewed).toBe(true);
    const outcome = await journal.acquire(0, bob, 60_000);
    expect(outcome.kind === 'held' ? outcome.expiresInMs : 0).toBeGreaterThan(60_000);
  });

  test('does not renew a lease from before', async () => {
    const journal = await (await freshStore(adapter)).open();
    const early = await takeShard(journal);
    await takeShard(journal);

    const renewed = await journal.renew(early.lease, 60_000);

    expect(renewed).toBe(false);
  });

  test('frees a shard at once by release', async () => {
    const journal = await (await freshStore(adapter)).open();
    const early = await takeShard(journal);

    await journal.release(early.lease);

    expect(await journal.commit(early.draft(fullDraft(1)))).toMatchObject({ kind: 'refused', reason: 'epoch' });
    expect(await journal.renew(early.lease, 60_000)).toBe(false);
    const outcome = await journal.acquire(0, bob, 60_000);
    expect(outcome).toMatchObject({ kind: 'acquired', lease: { epoch: { nonce: 'nonce-b' } } });
    expect(outcome.kind === 'acquired' ? outcome.lease.epoch.number : 0).toBeGreaterThan(early.lease.epoch.number);
  });

  test('ignores the release of a lost lease', async () => {
    const journal = await (await freshStore(adapter)).open();
    const early = await takeShard(journal);
    await journal.release(early.lease);
    const late = await takeShard(journal, 0, 'nonce-b', 'node-b');

    await journal.release(early.lease);

    expect((await journal.acquire(0, ada, 60_000)).kind).toBe('held');
    expect(await journal.commit(late.draft(fullDraft(1)))).toMatchObject({ kind: 'done' });
  });

  testWhere(adapter.persistent)('raises the epoch over a reopening', async () => {
    const store = await freshStore(adapter);
    const journal = await store.open();
    const early = await takeShard(journal);
    await early.write(fullDraft(1));

    const later = await store.reopen(journal);
    const late = await takeShard(later);

    expect(late.lease.epoch.number).toBeGreaterThan(early.lease.epoch.number);
    const stale = { ...late.draft(fullDraft(2)), epoch: early.lease.epoch };
    expect(await later.commit(stale)).toMatchObject({ kind: 'refused', reason: 'epoch' });
  });

  testWhere(adapter.shared)('keeps a lease from a second journal', async () => {
    const store = await freshStore(adapter);
    const journal = await store.open();
    const second = await store.open();
    const early = await takeShard(journal);

    expect(await second.acquire(0, bob, 60_000)).toMatchObject({ kind: 'held', by: 'node-a' });
    await journal.release(early.lease);
    const late = await takeShard(second, 0, 'nonce-b', 'node-b');
    await late.write(fullDraft(1));

    expect(await journal.commit(early.draft(fullDraft(1)))).toMatchObject({ kind: 'refused', reason: 'epoch' });
    expect((await journal.readShard(0)).head.commits).toBe(1);
  });
}
