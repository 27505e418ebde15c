/** The bench with sizes so small that only its working is tested: no number is. */

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { putIntoStore, weighStore } from '../../bench/bytes.ts';
import { countInProcess } from '../../bench/counter-commands.ts';
import { benchCommand } from '../../bench/main.ts';
import type { LoadRow, Results } from '../../bench/plan.ts';
import { rawLmdb } from '../../bench/raw.ts';
import { sagasInProcess } from '../../bench/sagas.ts';
import { makeStore, type StoreName } from '../../bench/stores.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'troupe-bench-test-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const say = (): void => undefined;
const tiny = { inFlight: [1, 8], seconds: 0.05 };

async function onStore<T>(name: StoreName, use: (store: Awaited<ReturnType<typeof makeStore>>) => Promise<T>) {
  const store = await makeStore(name, folder);
  try {
    return await use(store);
  } finally {
    await store.remove();
  }
}

/** What `npm run bench -- …args` prints. */
async function bench(...args: readonly string[]): Promise<string> {
  const out: string[] = [];
  const terminal = {
    environment: {},
    out: (line: string) => out.push(line),
    err: () => undefined,
    progress: () => undefined,
    draw: () => undefined,
    interruption: () => new AbortController().signal,
  };
  await benchCommand(terminal).parseAsync([...args, '--folder', folder], { from: 'user' });
  return out.join('\n');
}

test.each(['memory', 'lmdb-disk', 'lmdb-process'] as const)('measures counters and sagas in %s', async (name) => {
  const counted = await onStore(name, (store) => countInProcess({ store, actors: 4, ...tiny }, say));
  const sagas = await onStore(name, (store) =>
    sagasInProcess({ store, saga: 'MESSAGE_CREATE', users: 3, rooms: 2, ...tiny }, say),
  );

  expect([...counted, ...sagas].map((row) => row.inFlight)).toEqual([1, 8, 1, 8]);
  for (const row of [...counted, ...sagas]) {
    expect(row.perSecond).toBeGreaterThan(0);
    expect(row.p99Ms).toBeGreaterThanOrEqual(row.p50Ms);
    expect(row.cpuMicros.server).toBeGreaterThan(0);
  }
  for (const row of sagas) expect(row.eventsPerOperation).toBeGreaterThan(3);
});

test('measures the raw limits of lmdb and weighs its store', async () => {
  const raw = await rawLmdb({ folder, seconds: 0.05 }, say);
  const weighed = await onStore('lmdb-process', (store) => weighStore(store, 50, (task) => putIntoStore(task, say)));

  expect(raw.map((row) => row.name.split(':')[0])).toEqual(['lmdb-disk', 'lmdb-disk', 'lmdb-process', 'lmdb-process']);
  expect(weighed.perMessage.used).toBeGreaterThan(weighed.perEvent.used);
  expect(weighed.eventsPerMessage).toBeGreaterThan(3);
});

test('prints tables of servers and restarts, and leaves nothing behind', async () => {
  const sizes = '--over socket --seconds 0.05 --in-flight 2 --users 8 --rooms 4 --actors 40'.split(' ');

  const printed = await bench('w2', 'w3', ...sizes, '--journal', 'lmdb-process', '--saga', 'MESSAGE_CREATE');

  expect(printed).toContain('| lmdb-process, WebSocket | ');
  expect(printed).toContain('| lmdb-process, 40 | ');
  expect(printed).toContain('An answered commit survives:');
  expect(readdirSync(folder)).toEqual([]);
});

test('prints JSON of what was selected', async () => {
  const printed = await bench('w1', '--journal', 'memory', '--over', 'process', '--seconds', '0.05', '--json');

  const { load, raw } = JSON.parse(printed) as Results;
  expect(load.map((row: LoadRow) => [row.store, row.inFlight])).toEqual([
    ['memory', 1],
    ['memory', 64],
    ['memory', 256],
  ]);
  expect(raw).toEqual([]);
});
