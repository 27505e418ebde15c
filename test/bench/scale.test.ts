/** The scale workload with sizes so small that only its working is tested, and the arithmetic of what it says. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type CapacityInputs, capacityOf } from '../../bench/capacity.ts';
import { benchCommand } from '../../bench/main.ts';
import { rowsOf, type Sample } from '../../bench/scale.ts';
import { scaleTables } from '../../bench/scale-report.ts';
import { pickOf } from '../../bench/socket-users.ts';

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
  await benchCommand(terminal).parseAsync(args, { from: 'user' });
  return out.join('\n');
}

function sampleOf(round: number, nodes: number, micros: number, isApart = false): Sample {
  const cost = { nodes: micros - 100, redis: 100, client: 50, commits: 2, calls: 3, messages: 4 };
  return { spread: 'total', round, nodes, isApart, inFlight: 32, perSecond: 1_000, cost };
}

test('compares each round with its own first size', () => {
  const slow = [sampleOf(0, 1, 2_000), sampleOf(0, 8, 2_400)];
  const quick = [sampleOf(1, 1, 1_000), sampleOf(1, 8, 1_300), sampleOf(2, 1, 1_000), sampleOf(2, 8, 1_400)];

  const rows = rowsOf('one', [...slow, ...quick]);

  expect(rows.map(({ nodes, rounds }) => [nodes, rounds])).toEqual([
    [1, 3],
    [8, 3],
  ]);
  expect(rows[1]?.ratio).toEqual({ median: 1.3, best: 1.2, worst: 1.4 });
  expect(rows[1]?.cost.nodes).toBe(1_300);
});

test('keeps systems apart from nodes of one system', () => {
  const together = [sampleOf(0, 1, 1_000), sampleOf(0, 8, 1_500)];
  const samples = [...together, sampleOf(1, 1, 2_000), sampleOf(1, 8, 2_400, true)];

  const rows = rowsOf('one', samples);

  expect(rows.map(({ nodes, isApart, ratio, ofApart }) => [nodes, isApart, ratio.median, ofApart])).toEqual([
    [1, false, 1, undefined],
    [8, false, 1.5, 1.25],
    [8, true, 1.2, undefined],
  ]);
});

test('says whether the goal is met', () => {
  const said = (micros: number): string => {
    const samples = [sampleOf(0, 1, 1_000), sampleOf(0, 8, micros)];
    return scaleTables(
      rowsOf(
        'one',
        samples.map((one) => ({ ...one, spread: 'each' })),
      ),
      [],
      2,
    );
  };

  expect(said(1_300)).toContain('8 nodes costs 1.30 times what it costs on 1, which is within the goal of 1.3');
  expect(said(1_400)).toContain('8 nodes costs 1.40 times what it costs on 1, which misses the goal of 1.3');
});

test('spreads users over nodes by their ids', () => {
  const ids = Array.from(
    { length: 400 },
    (_, i) => `${(i * 2_654_435_761).toString(16).padStart(8, '0').slice(-8)}-0000`,
  );

  const counts = [0, 0, 0, 0];
  for (const id of ids) counts[pickOf(id, 4)] = (counts[pickOf(id, 4)] ?? 0) + 1;

  for (const count of counts) expect(count).toBeGreaterThan(50);
});

test('prints the cost on one and two nodes', { timeout: 120_000 }, async () => {
  const sizes = '--nodes 1,2 --redis one --rounds 1 --warm-sagas 5 --sagas 20 --users 12 --in-flight 4'.split(' ');

  const printed = await bench('scale', ...sizes);

  expect(printed).toContain('one Redis, 4 sagas in flight in all');
  expect(printed).toMatch(/\| 1 +\|.* 1\.00 \|/);
  expect(printed).toMatch(/\| 2 +\| /);
  expect(printed).toMatch(/\| 2 apart +\| /);
  expect(printed).toContain('without a command');
});

const inputs: CapacityInputs = {
  users: 1e6,
  messages: 1e9,
  perUserDay: 86.4,
  peak: 2,
  nodeMicros: 1_000,
  redisMicros: 100,
  socketBytes: 2 ** 14,
  subscriptionBytes: 0,
  idleMs: 2,
  messageBytes: 2 ** 10,
  freshBytes: 2 ** 11,
  freshDays: 1,
  archiveBytes: 2 ** 8,
  nodeGiB: 4,
  primaryGiB: 48,
  socketsPerNode: 100_000,
  load: 0.5,
};

test('computes nodes and primaries from measured costs', () => {
  const { lines, nodes, primaries } = capacityOf(inputs);

  expect(lines.map(({ value }) => Number(value.toPrecision(4)))).toEqual([2_000, 4, 0.2, 15.26, 953.7, 82.4, 0, 238.4]);
  expect(nodes.map(({ count }) => Math.ceil(count))).toEqual([8, 4, 10]);
  expect(primaries.map(({ count }) => Math.ceil(count))).toEqual([22, 1]);
});

test('recomputes the capacity page from its options', async () => {
  const printed = await bench('capacity', '--users', '2e6', '--messages', '1e6');

  expect(printed).toMatch(/\| users +\| +2,000,000 \|/);
  expect(printed).toMatch(/\| cores of nodes +\| /);
  expect(printed).toContain('decides');
});

test('the capacity page shows what its command prints', async () => {
  const page = readFileSync(join(import.meta.dirname, '../../deploy/CAPACITY.md'), 'utf8');

  const printed = await bench('capacity');

  const rows = printed.split('\n').filter((line) => line.startsWith('|'));
  expect(rows.filter((row) => !page.includes(row))).toEqual([]);
});
