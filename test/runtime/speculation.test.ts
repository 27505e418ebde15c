/** The turn under every fault at once: what was acknowledged happened once, nothing happened twice, and all is in order. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Faults, History } from './history.ts';

const unknowns = [
  'unknown, applied',
  'unknown, dropped',
  'unknown, late',
  'refused',
  'repeated',
  'done, late',
] as const;

const worlds: readonly (readonly [name: string, faults: Faults])[] = [
  ['a store that fails', { commit: 0.25, commitFaults: unknowns, call: 0.05, transport: false }],
  ['a transport that fails', { commit: 0, commitFaults: [], call: 0, transport: true }],
  ['processes that die', { commit: 0.06, commitFaults: ['crash before', 'crash after'], call: 0, transport: false }],
  [
    'everything that fails',
    { commit: 0.15, commitFaults: [...unknowns, 'crash before', 'crash after'], call: 0.03, transport: true },
  ],
];

const runs = Number(process.env.RUNS ?? 40);
const seed = process.env.SEED === undefined ? {} : { seed: Number(process.env.SEED) };

test.each(worlds)('histories stay whole over %s', async (_, faults) => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 2 ** 31 }), fc.integer({ min: 5, max: 60 }), async (start, steps) => {
      const history = new History(start, faults);
      await history.run(steps);
      expect(await history.judge()).toEqual([]);
    }),
    { numRuns: runs, ...seed },
  );
});
