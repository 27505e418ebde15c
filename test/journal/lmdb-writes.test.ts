import { expect, test } from 'vitest';
import { type Clock, systemClock } from '../../src/clock.ts';
import { type Job, LmdbWrites } from '../../src/journal/lmdb-writes.ts';
import type { Write } from '../../src/journal/redo-log.ts';
import { eventually } from './adapter.ts';

function write(name: string): Write {
  return { table: 'state', key: Buffer.from(name), value: Buffer.from(name) };
}

function job<T>(name: string, outcome: T, more: Partial<Job<T>> = {}): Job<T> {
  return {
    plan: (writes) => {
      writes.push(write(name));
      return outcome;
    },
    ...more,
  };
}

interface Transaction {
  readonly names: readonly string[];
  finish(applied: boolean): void;
  fail(error: Error): void;
}

/** A write path whose transactions the test finishes by hand. */
function byHand(options: { readonly clock?: Clock; readonly deadlineMs?: number } = {}) {
  const transactions: Transaction[] = [];
  const forgotten: number[] = [];
  const writes = new LmdbWrites({
    clock: systemClock,
    deadlineMs: 60_000,
    transact: (list) =>
      new Promise((resolve, reject) => {
        transactions.push({ names: list.map(({ key }) => key.toString()), finish: resolve, fail: reject });
      }),
    applied: () => undefined,
    forget: () => forgotten.push(transactions.length),
    ...options,
  });
  const started = (count: number) =>
    eventually(async () => (transactions.length >= count ? transactions[count - 1] : undefined));
  return { writes, transactions, started, forgotten };
}

test('jobs of one tick share a transaction', async () => {
  const { writes, transactions, started } = byHand();
  const outcomes = Promise.all([writes.run(job('a', 1)), writes.run(job('b', 2)), writes.run(job('c', 3))]);

  (await started(1)).finish(true);

  expect(await outcomes).toEqual([1, 2, 3]);
  expect(transactions.map(({ names }) => names)).toEqual([['a', 'b', 'c']]);
});

test('jobs gather while a transaction is under way', async () => {
  const { writes, transactions, started } = byHand();
  const first = writes.run(job('a', 1));
  const underWay = await started(1);
  const second = writes.run(job('b', 2));
  await new Promise((resolve) => setImmediate(resolve));
  const third = writes.run(job('c', 3));

  underWay.finish(true);
  (await started(2)).finish(true);

  expect(await Promise.all([first, second, third])).toEqual([1, 2, 3]);
  expect(transactions.map(({ names }) => names)).toEqual([['a'], ['b', 'c']]);
});

test('a throwing plan leaves no write behind', async () => {
  const { writes, transactions, started } = byHand();
  const outcomes = Promise.allSettled([
    writes.run(job('a', 1)),
    writes.run<number>({
      plan: (list) => {
        list.push(write('half'));
        throw new Error('no');
      },
    }),
    writes.run(job('c', 3)),
  ]);

  (await started(1)).finish(true);

  expect((await outcomes).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(transactions.map(({ names }) => names)).toEqual([['a', 'c']]);
});

test('jobs without writes need no transaction', async () => {
  const { writes, transactions } = byHand();

  const outcome = await writes.run({ plan: () => 'declined' });

  expect(outcome).toBe('declined');
  expect(transactions).toEqual([]);
});

test('a job alone begins its own transaction', async () => {
  const { writes, transactions, started } = byHand();
  const outcomes = Promise.all([
    writes.run(job('a', 1)),
    writes.run(job('b', 2, { alone: true })),
    writes.run(job('c', 3)),
  ]);

  (await started(1)).finish(true);
  (await started(2)).finish(true);

  expect(await outcomes).toEqual([1, 2, 3]);
  expect(transactions.map(({ names }) => names)).toEqual([['a'], ['b', 'c']]);
});

test('a failed transaction is unknown and forgotten', async () => {
  const { writes, started, forgotten } = byHand();
  const commit = writes.run(job('a', 'done', { unknown: (message) => message }));
  const other = writes.run(job('b', 1));

  (await started(1)).fail(new Error('No space left on device'));

  expect(await commit).toContain('No space left on device');
  await expect(other).rejects.toMatchObject({ code: 'JOURNAL_UNAVAILABLE' });
  expect(forgotten).toEqual([1]);
});

test('a store taken over takes no writes', async () => {
  const { writes, started, forgotten } = byHand();
  const commit = writes.run(job('a', 'done', { unknown: (message) => message }));

  (await started(1)).finish(false);

  expect(await commit).toContain('took the store over');
  expect(forgotten).toEqual([1]);
});

test('drops jobs whose deadline passed before writing', async () => {
  const { writes, transactions, started } = byHand({ deadlineMs: 30 });
  const first = writes.run(job('a', 'done', { unknown: () => 'unknown' }));
  const underWay = await started(1);
  const second = writes.run(job('b', 'done', { unknown: () => 'unknown' }));

  expect(await Promise.all([first, second])).toEqual(['unknown', 'unknown']);
  underWay.finish(true);
  await writes.idle();

  expect(transactions).toHaveLength(1);
});
