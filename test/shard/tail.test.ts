/** What a shard keeps of its newest commits, and when they fit. */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import type { Address } from '../../src/actor/address.ts';
import { encode } from '../../src/journal/codec.ts';
import { type Commit, emptyCommit, type Head, type JournalEntry } from '../../src/journal/journal.ts';
import { defaultLimits, type Limits } from '../../src/limits.ts';
import { Tail } from '../../src/shard/tail.ts';
import { SimulatedClock } from '../runtime/simulated-clock.ts';

const entry = { operation: 'operation', payload: new Uint8Array(10) } as unknown as JournalEntry;

function commit(number: number, entries = 1): Commit {
  const shared = { shard: 0, epoch: { number: 1, nonce: 'a' }, firstSeq: number };
  const made = Array.from({ length: entries }, () => ({ ...entry, operation: `operation ${number}` }));
  return { ...emptyCommit, ...shared, number, id: `id ${number}`, entries: made };
}

function head(commits: number): Head {
  return { commits, seq: commits, commitId: `id ${commits}` };
}

function tailOf(upto: number, limits: Partial<Limits> = {}, clock = new SimulatedClock()): Tail {
  const tail = new Tail(clock, { ...defaultLimits, ...limits }, true);
  for (let n = 1; n <= upto; n++) tail.add(commit(n), `id ${n - 1}`);
  return tail;
}

function numbersAfter(tail: Tail, commits: number, upto: number): readonly number[] {
  return tail.after(head(commits), upto).map(({ number }) => number);
}

test('gives the commits after a head', () => {
  const tail = tailOf(5);

  expect(numbersAfter(tail, 2, 5)).toEqual([3, 4, 5]);
  expect(numbersAfter(tail, 2, 4)).toEqual([3, 4]);
  expect(numbersAfter(tail, 5, 9)).toEqual([]);
});

test('gives nothing after another commit', () => {
  const tail = tailOf(5);

  expect(tail.after({ ...head(2), commitId: 'somebody else’s' }, 5)).toEqual([]);
});

test('keeps no more entries and bytes than allowed', () => {
  expect(numbersAfter(tailOf(5, { tailEntriesMax: 2 }), 3, 5)).toEqual([4, 5]);
  expect(tailOf(5, { tailEntriesMax: 2 }).length).toBe(2);
  expect(tailOf(5, { tailBytesMax: 3 * encode(commit(1)).length }).length).toBe(3);
});

test('forgets what is older than allowed', async () => {
  const clock = new SimulatedClock();
  const tail = tailOf(2, { tailMs: 1_000 }, clock);

  await clock.advance(600);
  tail.add(commit(3), 'id 2');
  await clock.advance(600);
  tail.expire();

  expect(numbersAfter(tail, 2, 3)).toEqual([3]);
  expect(tail.length).toBe(1);
});

test('holds no memory of what was encoded beside its commits', async () => {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  const tail = tailOf(0);

  const beside = new WeakRef(encode('beside it').buffer);
  tail.add(commit(1), 'id 0');
  // Goes into another allocation, as what is encoded from here on does.
  encode('x'.repeat(200_000));
  // What a WeakRef was made of in this turn of the event loop is held until its end.
  await new Promise((resolve) => setImmediate(resolve));
  collect();

  expect(beside.deref()).toBeUndefined();
  expect(numbersAfter(tail, 0, 1)).toEqual([1]);
});

test('drops what was discarded behind the head', () => {
  const tail = tailOf(5);

  tail.settle(head(3));
  tail.add({ ...commit(4), id: 'another' }, 'id 3');

  expect(tail.after(head(2), 9).map(({ id }) => id)).toEqual(['id 3', 'another']);
});

test('is void behind a head of somebody else', () => {
  const tail = tailOf(5);

  tail.settle({ ...head(5), commitId: 'somebody else’s' });

  expect(tail.length).toBe(0);
});

test('outlives the epochs of its own process alone', () => {
  const [own, stale, foreign] = [tailOf(2), tailOf(2), tailOf(2)];
  for (const tail of [own, stale, foreign]) tail.acquired({ number: 5, nonce: 'a' }, undefined);

  own.acquired({ number: 7, nonce: 'a' }, { number: 6, nonce: 'a' });
  stale.acquired({ number: 6, nonce: 'a' }, { number: 4, nonce: 'b' });
  foreign.acquired({ number: 7, nonce: 'a' }, { number: 6, nonce: 'b' });

  expect([own.length, stale.length, foreign.length]).toEqual([2, 2, 0]);
});

test('names the operations behind a commit', () => {
  expect(tailOf(5).operationsAfter(3, 10)).toEqual(['operation 4', 'operation 5']);
  expect(tailOf(5).operationsAfter(0, 2)).toEqual(['operation 1', 'operation 2']);
});

test('gives a commit back with everything that it writes', () => {
  const actor = 'room/00000000-0000-4000-8000-000000000001' as Address;
  const payload = new Uint8Array([0, 255, 7]);
  const from = 'user/00000000-0000-4000-8000-000000000002' as Address;
  const shared = { actor, version: 1, seq: 1, type: 'OPENED', at: 1_795_946_000_123, payload };
  const whole: Commit = {
    shard: 3,
    epoch: { number: 2, nonce: 'a' },
    number: 1,
    id: 'one',
    firstSeq: 1,
    entries: [
      { ...shared, emitted: ['opened'], from, operation: 'operation' },
      { ...shared, seq: 2, version: 2, emitted: [] },
    ],
    actors: [{ actor, version: 2, snapshotVersion: 1, tail: [2] }],
    snapshots: [{ actor, version: 1, payload }],
    timersSet: [{ actor, id: 'reminder', dueAt: 5, generation: 1, payload, operation: 'operation' }],
    timersCleared: [{ actor, id: 'other' }],
    outbox: [{ to: 1, n: 4, payload }],
    outboxAcked: [{ shard: 1, n: 3 }],
    marks: [{ shard: 2, n: 9 }],
    inbox: 12,
    publications: [{ topic: `room:${actor}`, payload }],
    deadLetters: [{ at: 1, code: 'MACHINE_FAILED', reason: 'ü', payload }],
    viewsCleared: ['rooms'],
    views: [
      { view: 'rooms', key: 'a', payload },
      { view: 'rooms', key: 'gone' },
    ],
    projections: { rooms: '' },
  };
  const tail = new Tail(new SimulatedClock(), defaultLimits, true);

  // A publication of the runtime has its data beside it.
  tail.add({ ...whole, publications: whole.publications.map((one) => ({ ...one, data: 'not written' })) }, '');

  const [again] = tail.after({ commits: 0, seq: 0, commitId: '' }, 1);
  expect(Buffer.from(encode(again))).toEqual(Buffer.from(encode(whole)));
  expect(again?.entries[0]?.payload).toBeInstanceOf(Uint8Array);
});
