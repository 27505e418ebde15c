/**
 * The protocol of leases and inboxes, explored completely in a model (test/cluster/model), and shown to need its rules:
 * without any one of them the model finds a history that breaks a property. ARCHITECTURE.md maps its steps to the code.
 */

import { afterAll, describe, expect, test } from 'vitest';
import { defaultLimits } from '../../src/limits.ts';
import { heldMsOf } from '../../src/shard/tenure.ts';
import { type Exploration, explore, written } from './model/explore.ts';
import { leaseModel } from './model/lease-model.ts';
import {
  type Property,
  properties,
  protocol,
  type Rule,
  type Rules,
  type Scene,
  without,
} from './model/lease-rules.ts';
import { mutations, scenes } from './model/lease-scenes.ts';

const statesMax = 150_000;
/** For a machine that is busy with other things: the work takes seconds. */
const timeout = 240_000;

function exploreScene(scene: Partial<Scene>, rules: Rules = protocol): Exploration<Property> {
  return explore(leaseModel(scene, rules), { watched: properties, stuck: 'alive', statesMax });
}

/** The trace, so that a failure shows how it came about. */
function traceOf({ counterexample }: Exploration<Property>): string {
  return counterexample === undefined ? 'nothing breaks' : written(counterexample);
}

describe('the protocol', { timeout }, () => {
  const table: string[] = [];
  afterAll(() => console.info(table.join('\n')));

  test.each(Object.entries(scenes))('keeps its properties in every state of %s', (name, scene) => {
    const found = exploreScene(scene);

    expect(traceOf(found)).toBe('nothing breaks');
    expect(found.isComplete).toBe(true);
    table.push(`${name}: ${found.states} states, ${found.transitions} transitions, ${found.depth} steps deep`);
  });

  test('stays safe when its timer never fires', () => {
    const found = exploreScene(scenes.takeover, without('timerLetsGo'));

    expect(traceOf(found)).toBe('nothing breaks');
  });
});

describe('each rule', { timeout }, () => {
  test.each(mutations)('$left is needed: without it $breaks breaks', ({ left, scene, breaks }) => {
    const options = { watched: [breaks], statesMax, ...(breaks === 'alive' && { stuck: breaks }) };

    const found = explore(leaseModel(scene, without(left)), options);

    expect(found.counterexample?.property).toBe(breaks);
  });

  test('is left out once, save the timer', () => {
    const tried = new Set<Rule>(mutations.map(({ left }) => left));

    const untried = (Object.keys(protocol) as Rule[]).filter((rule) => !tried.has(rule));

    expect(untried).toEqual(['timerLetsGo']);
  });

  test('violated is told as the shortest way there', () => {
    const model = leaseModel(scenes.takeover, without('answerWaitsForCommit'));

    const { counterexample } = explore(model, { watched: ['durable'], statesMax });

    expect(counterexample?.trace).toEqual([
      'a gateway puts envelope 1 into the inbox',
      'n1 asks for the shard',
      'n1 is given epoch 3 by the store',
      'n1 reads the open work of the shard',
      'n1 opens the shard at ""',
      'n1 takes 1 from the inbox',
      'n1 runs a turn with 1 and sends its commit',
      '✗ 1 was answered, but is not in ""',
    ]);
  });
});

describe('the margin of a lease', { timeout }, () => {
  const drifting = { envelopes: 1, kills: false, breaks: false } as const;
  const isSafe = (scene: Partial<Scene>): boolean =>
    exploreScene({ ...drifting, ...scene }).counterexample === undefined;
  /** The smallest margin with which no read is stale. */
  const marginFor = (scene: Partial<Scene>): number => {
    for (let marginMs = 0; ; marginMs++) if (isSafe({ ...scene, marginMs })) return marginMs;
  };

  test.each([
    { leaseMs: 10, storeMs: 5, nodeMs: 4 },
    { leaseMs: 15, storeMs: 5, nodeMs: 4 },
    { leaseMs: 20, storeMs: 10, nodeMs: 9 },
    { leaseMs: 12, storeMs: 4, nodeMs: 1 },
  ])('is the drift of $storeMs to $nodeMs over $leaseMs ms', ({ leaseMs, storeMs, nodeMs }) => {
    const margin = marginFor({ leaseMs, rates: [[storeMs, nodeMs]] });

    expect(margin).toBe((leaseMs * (storeMs - nodeMs)) / storeMs);
  });

  test('covers clocks that drift only at times', () => {
    const rates = [
      [5, 4],
      [5, 5],
      [4, 5],
    ] as const;

    expect(marginFor({ leaseMs: 10, rates })).toBe(2);
  });

  test('covers what the store clock rounds off', () => {
    const readingByThrees = { leaseMs: 4, grainMs: 3 };

    expect(marginFor(readingByThrees)).toBe(2);
  });

  test('covers drift and rounding at once', () => {
    const both = { leaseMs: 11, grainMs: 2, rates: [[5, 4]] } as const;

    expect(marginFor(both)).toBe(11 - (11 - 1) * 0.8);
  });

  test('of the code covers four percent and one millisecond', () => {
    const { leaseMs } = defaultLimits;
    const drift = 0.04;

    const ownDeadlineMs = heldMsOf(leaseMs);

    expect(ownDeadlineMs).toBeLessThanOrEqual((leaseMs - 1) * (1 - drift));
  });
});
