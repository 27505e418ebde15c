/** The property of several nodes, over random histories: whatever happens to them, nothing is lost, repeated or reordered. */

import { describe, expect, test } from 'vitest';
import { type NodesFaults, NodesHistory } from './nodes-history.ts';

const peaceful: NodesFaults = { kill: 0, sleep: 0, stop: 0, commit: 0, call: 0, message: 0 };
const seeds = process.env.SEED === undefined ? [1, 2, 3, 4, 5, 6] : [Number(process.env.SEED)];
const steps = 150;

const cases: readonly (readonly [string, Partial<NodesFaults>])[] = [
  ['join alone', {}],
  ['stop and come back', { stop: 0.03 }],
  ['die', { kill: 0.03 }],
  ['are held up', { sleep: 0.03 }],
  ['lose messages', { message: 0.1 }],
  ['cannot reach the store', { call: 0.05, commit: 0.05 }],
  ['cannot commit', { commit: 0.1 }],
  ['are moved about', { operate: 0.1 }],
  [
    'suffer everything',
    { kill: 0.01, sleep: 0.02, stop: 0.02, commit: 0.03, call: 0.03, message: 0.05, operate: 0.02 },
  ],
];

describe('a store that goes backwards under its owners', () => {
  test.each(seeds)('loses, repeats and reorders nothing (seed %i)', async (seed) => {
    const history = new NodesHistory(seed, { ...peaceful, rewind: 0.1 });

    // Nothing goes back before all nodes have come, which takes some seeds a while.
    await history.run(2 * steps);

    expect(await history.judge()).toEqual([]);
    expect(history.rewinds).toBeGreaterThan(0);
  });
});

describe('a store that loses what nobody has', () => {
  test.each(seeds)('gets nobody stuck (seed %i)', async (seed) => {
    const history = new NodesHistory(seed, { ...peaceful, disaster: 0.04 });

    await history.run(steps);

    expect(await history.judgeProgress()).toEqual([]);
    expect(history.rewinds).toBeGreaterThan(0);
    expect(history.stage.store.shards.flatMap(({ losses }) => losses).length).toBeGreaterThan(0);
  });
});

for (const [title, faults] of cases) {
  describe(`nodes that ${title}`, () => {
    test.each(seeds)('lose, repeat and reorder nothing (seed %i)', async (seed) => {
      const history = new NodesHistory(seed, { ...peaceful, ...faults });

      await history.run(steps);

      expect(await history.judge()).toEqual([]);
    });
  });
}
