import { expect, test } from 'vitest';
import type { Clock } from '../../src/clock.ts';
import { type Batch, Memtable } from '../../src/journal/memtable.ts';
import type { Write } from '../../src/journal/redo-log.ts';

function put(key: string, value: string | undefined): Write {
  return { table: 'state', key: Buffer.from(key), value: value === undefined ? undefined : Buffer.from(value) };
}

/** Timers run when the test says so; batches are finished by hand. */
function byHand() {
  const timers = new Set<() => void>();
  const clock: Clock = {
    now: () => 0,
    monotonic: () => 0,
    soon: setImmediate,
    after: (_, callback) => {
      timers.add(callback);
      return () => timers.delete(callback);
    },
  };
  const batches: (Batch & { finish(error?: Error): Promise<void> })[] = [];
  const applied: number[] = [];
  const memtable = new Memtable({
    clock,
    apply: (batch) =>
      new Promise((resolve, reject) => {
        const finish = async (error?: Error): Promise<void> => {
          if (error === undefined) resolve();
          else reject(error);
          await new Promise((soon) => setImmediate(soon));
        };
        batches.push({ ...batch, finish });
      }),
    onApplied: (last) => applied.push(last),
  });
  const runTimers = (): void => {
    const due = [...timers];
    timers.clear();
    for (const callback of due) callback();
  };
  const value = (key: string): string | undefined => memtable.get('state', Buffer.from(key))?.value?.toString();
  return { memtable, batches, applied, runTimers, value };
}

test('applies the latest write of each key once', async () => {
  const { memtable, batches, runTimers } = byHand();
  memtable.add([put('sh-head', '1'), put('sh-a', 'a')], 1);
  memtable.add([put('sh-head', '2'), put('sh-a', undefined)], 2);

  runTimers();

  expect(batches).toMatchObject([{ writes: [put('sh-head', '2'), put('sh-a', undefined)], last: 2 }]);
});

test('gives a write until it is applied', async () => {
  const { memtable, batches, applied, runTimers, value } = byHand();
  memtable.add([put('sh-a', '1')], 1);
  runTimers();
  expect(value('sh-a')).toBe('1');
  memtable.add([put('sh-a', '2')], 2);
  expect(value('sh-a')).toBe('2');

  await batches[0]?.finish();

  expect(value('sh-a')).toBe('2');
  expect(applied).toEqual([1]);
  runTimers();
  await batches[1]?.finish();
  expect(value('sh-a')).toBeUndefined();
  expect(applied).toEqual([1, 2]);
});

test('begins at once when somebody waits', async () => {
  const { memtable, batches } = byHand();
  memtable.add([put('sh-a', '1')], 1);

  const applied = memtable.applied();
  await batches[0]?.finish();

  await expect(applied).resolves.toBeUndefined();
  expect(memtable.applied()).toBeUndefined();
});

test('waits for the range it is asked about', () => {
  const { memtable } = byHand();

  memtable.add([put('\x01\x00\x05', '1'), { ...put('\x00\x07zzzzzz', '1'), table: 'journal' }], 1);

  const of = (table: 'state' | 'journal', key: string) => memtable.applied({ table, key: Buffer.from(key) });
  expect(of('state', '\x01\x00\x06')).toBeUndefined();
  expect(of('journal', '\x00\x05')).toBeUndefined();
  expect(of('state', '\x01\x00\x05')).toBeInstanceOf(Promise);
  expect(of('journal', '\x00\x07')).toBeInstanceOf(Promise);
});

test('tries a failed batch again while others wait', async () => {
  const { memtable, batches, runTimers, value } = byHand();
  memtable.add([put('sh-a', '1')], 1);
  const first = memtable.applied();
  await batches[0]?.finish(new Error('disk full'));
  memtable.add([put('sh-b', '2')], 2);
  const second = memtable.applied();

  expect(memtable.failure).toMatchObject({ message: 'disk full' });
  expect(value('sh-a')).toBe('1');
  runTimers();
  await batches[1]?.finish();
  await batches[2]?.finish();

  await Promise.all([first, second]);
  expect(batches.map(({ last }) => last)).toEqual([1, 1, 2]);
  expect(memtable.failure).toBeUndefined();
});

test('has no room while too much waits', async () => {
  const { memtable, batches } = byHand();
  memtable.add([put('sh-a', '1')], 1);
  void memtable.applied();
  memtable.add([{ ...put('sh-b', ''), value: Buffer.alloc(65 * 1024 * 1024) }], 2);

  const room = memtable.room();
  await batches[0]?.finish();

  await expect(room).resolves.toBeUndefined();
});
