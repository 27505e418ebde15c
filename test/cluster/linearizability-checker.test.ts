/** The checker itself: histories that are known to be linearizable or not, and what it costs to tell. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../crash/random.ts';
import {
  type CounterInput,
  checkLinearizable,
  counterModel,
  explain,
  HistoryRecorder,
  type Model,
  type Operation,
  type RegisterInput,
  registerModel,
} from './linearizability.ts';

type RegisterOperation = Operation<RegisterInput, number | boolean>;
type CounterOperation = Operation<CounterInput, number>;

/** `from` to `to` on the history's clock; without an output nobody knows what became of it. */
function op<I, O>(input: I, from: number, to: number, output?: O): Operation<I, O> {
  return {
    client: `c${from}`,
    key: 'x',
    input,
    invoked: from,
    returned: output === undefined ? undefined : { at: to, output },
  };
}

const never = Number.POSITIVE_INFINITY;

function write(value: number, from: number, to: number): RegisterOperation {
  return op({ kind: 'write', value }, from, to, to === never ? undefined : true);
}

function read(value: number, from: number, to: number): RegisterOperation {
  return op({ kind: 'read' }, from, to, value);
}

function cas(change: readonly [number, number], from: number, to: number, done: boolean): RegisterOperation {
  return op({ kind: 'cas', from: change[0], to: change[1] }, from, to, done);
}

function add(from: number, to: number, sum?: number): CounterOperation {
  return op({ kind: 'add', by: 1 }, from, to, sum);
}

function sum(value: number, from: number, to: number): CounterOperation {
  return op({ kind: 'read' }, from, to, value);
}

describe('a register', () => {
  test.for<readonly [string, readonly RegisterOperation[]]>([
    ['nothing at all', []],
    ['one after the other', [write(1, 1, 2), read(1, 3, 4), cas([1, 2], 5, 6, true), read(2, 7, 8)]],
    ['a read beside a write sees the old value', [write(1, 1, 6), read(0, 2, 3), read(1, 4, 5)]],
    ['writes beside each other in either order', [write(1, 1, 10), write(2, 2, 9), read(2, 11, 12), read(2, 13, 14)]],
    ['an overtaken write', [write(1, 1, 10), write(2, 2, 9), read(2, 3, 4), read(1, 11, 12)]],
    ['a cas that lost to another one', [cas([0, 1], 1, 4, true), cas([0, 2], 2, 3, false), read(1, 5, 6)]],
    ['an unknown write that never happens', [write(1, 1, never), read(0, 2, 3), read(0, 4, 5)]],
    ['an unknown write that happens late', [write(1, 1, never), read(0, 2, 3), read(1, 4, 5), read(1, 6, 7)]],
    ['an unknown write behind a known one', [write(1, 1, never), write(2, 2, 3), read(2, 4, 5), read(1, 6, 7)]],
    ['an unknown cas that came between', [op({ kind: 'cas', from: 0, to: 5 }, 1, never), cas([5, 6], 2, 3, true)]],
    ['two unknown ones in turn', [write(1, 1, never), write(2, 2, never), read(2, 3, 4), read(1, 5, 6)]],
  ])('may do this: %s', ([, history]) => {
    expect(explain(checkLinearizable(registerModel, history))).toMatch(/^linearizable/);
  });

  test.for<readonly [string, readonly RegisterOperation[]]>([
    ['a stale read', [write(1, 1, 2), read(0, 3, 4)]],
    ['a value that nobody wrote', [write(1, 1, 2), read(3, 3, 4)]],
    ['a write seen and unseen', [write(1, 1, 10), read(1, 2, 3), read(0, 4, 5)]],
    ['seen by one, then unseen by another', [write(1, 1, 10), read(1, 2, 5), read(0, 6, 8)]],
    ['an update lost to a cas', [cas([0, 1], 1, 3, true), cas([0, 2], 2, 4, true)]],
    ['a cas that failed for no reason', [write(1, 1, 2), cas([1, 2], 3, 4, false)]],
    ['orders that contradict each other', [write(1, 1, 10), write(2, 2, 9), read(1, 11, 12), read(2, 13, 14)]],
    ['an unknown write that happens twice', [write(1, 1, never), read(1, 2, 3), write(2, 4, 5), read(1, 6, 7)]],
    ['an unknown write before it was sent', [read(1, 1, 2), write(1, 3, never)]],
    ['an unknown write seen and unseen', [write(1, 1, never), read(1, 2, 3), read(0, 4, 5)]],
  ])('may not do this: %s', ([, history]) => {
    expect(checkLinearizable(registerModel, history).kind).toBe('violated');
  });
});

describe('a counter', () => {
  test.for<readonly [string, readonly CounterOperation[]]>([
    ['adds beside each other', [add(1, 5, 2), add(2, 4, 1), sum(2, 6, 7)]],
    ['an unknown add that counts', [add(1, never), add(2, 3, 1), sum(2, 4, 5), add(6, 7, 3)]],
    ['unknown adds of which some count', [add(1, never), add(2, never), add(3, never), sum(2, 4, 5), sum(2, 6, 7)]],
  ])('may do this: %s', ([, history]) => {
    expect(explain(checkLinearizable(counterModel, history))).toMatch(/^linearizable/);
  });

  test.for<readonly [string, readonly CounterOperation[]]>([
    ['an update lost by two owners', [add(1, 3, 1), add(2, 4, 1)]],
    ['an acknowledged add that is gone', [add(1, 2, 1), add(3, 4, 2), sum(1, 5, 6)]],
    ['an add that counts twice', [add(1, 2, 1), sum(2, 3, 4)]],
    ['more than the unknown adds give', [add(1, never), add(2, never), sum(3, 3, 4)]],
    ['an unknown add seen and unseen', [add(1, never), sum(1, 2, 3), sum(0, 4, 5)]],
  ])('may not do this: %s', ([, history]) => {
    expect(checkLinearizable(counterModel, history).kind).toBe('violated');
  });
});

test('each key is checked on its own', () => {
  const history = [write(1, 1, 2), { ...read(0, 3, 4), key: 'y' }, read(1, 5, 6)];

  const together = checkLinearizable(registerModel, history);
  const stale = checkLinearizable(registerModel, [...history, { ...write(4, 7, 8), key: 'y' }, read(0, 9, 10)]);

  expect(together.kind).toBe('linearizable');
  expect(stale).toMatchObject({ kind: 'violated', key: 'x' });
});

test('a violation is told with what led there', () => {
  const verdict = checkLinearizable(registerModel, [write(7, 1, 2), read(7, 3, 4), read(0, 5, 6)]);

  expect(explain(verdict)).toBe(
    [
      'x is not linearizable. 2 operations fit, the last ones:',
      '  c1 {"kind":"write","value":7} 1–2: true',
      '  c3 {"kind":"read"} 3–4: 7',
      'They lead to 7, where none of these fits:',
      '  c5 {"kind":"read"} 5–6: 0',
    ].join('\n'),
  );
});

test('a recorder knows returned, failed and unknown operations', () => {
  const recorder = new HistoryRecorder<RegisterInput, number | boolean>();
  const [first, second] = [1, 2].map((value) => recorder.invoke('a', 'x', { kind: 'write', value }));
  recorder.invoke('b', 'x', { kind: 'write', value: 3 });

  first!.returns(true);
  second!.fails();

  expect(recorder.operations).toEqual([
    { client: 'a', key: 'x', input: { kind: 'write', value: 1 }, invoked: 1, returned: { at: 4, output: true } },
    { client: 'b', key: 'x', input: { kind: 'write', value: 3 }, invoked: 3, returned: undefined },
  ]);
});

/** Every order of every choice of unknown operations: slow, and plain enough to be believed. */
function fitsSomehow<S, I, O>(model: Model<S, I, O>, left: readonly Operation<I, O>[], state: S): boolean {
  const completed = left.filter(({ returned }) => returned !== undefined);
  if (completed.length === 0) return true;
  const until = Math.min(...completed.map(({ returned }) => returned!.at));
  return left.some((operation) => {
    if (operation.invoked > until) return false;
    const [after, output] = model.apply(state, operation.input);
    if (operation.returned !== undefined && operation.returned.output !== output) return false;
    return fitsSomehow(
      model,
      left.filter((other) => other !== operation),
      after,
    );
  });
}

const anyInput: fc.Arbitrary<RegisterInput> = fc.oneof(
  fc.constant<RegisterInput>({ kind: 'read' }),
  fc.record({ kind: fc.constant('write' as const), value: fc.nat(2) }),
  fc.record({ kind: fc.constant('cas' as const), from: fc.nat(2), to: fc.nat(2) }),
);

/** Up to 7 operations at any times with any results: about half of them fit. */
const anyHistory: fc.Arbitrary<readonly RegisterOperation[]> = fc.array(
  fc
    .record({ input: anyInput, invoked: fc.nat(9), lasts: fc.nat(9), value: fc.nat(2), isUnknown: fc.nat(3) })
    .map(({ input, invoked, lasts, value, isUnknown }) => {
      const output = input.kind === 'read' ? value : input.kind === 'write' || value > 0;
      return op(input, invoked, invoked + lasts, isUnknown === 0 ? undefined : output);
    }),
  { maxLength: 7 },
);

test('agrees with trying every order of small histories', () => {
  const counts = { linearizable: 0, violated: 0, undecided: 0 };
  fc.assert(
    fc.property(anyHistory, (history) => {
      const { kind } = checkLinearizable(registerModel, history);

      counts[kind] += 1;
      expect(kind).toBe(fitsSomehow(registerModel, history, 0) ? 'linearizable' : 'violated');
    }),
    { numRuns: 3_000 },
  );
  expect(Math.min(counts.linearizable, counts.violated)).toBeGreaterThan(300);
});

interface Run<I, O> {
  readonly history: readonly Operation<I, O>[];
  readonly unknown: number;
}

/** What 10 clients see of one object on which every operation takes effect at one moment; some answers get lost. */
function run<S, I, O>(
  model: Model<S, I, O>,
  seed: number,
  operations: number,
  inputOf: (random: Random) => I,
): Run<I, O> {
  const random = new Random(seed);
  const recorder = new HistoryRecorder<I, O>();
  /** What is under way, one each: takes effect at its first step, and returns at its second. */
  const lanes: ((() => boolean) | undefined)[] = Array(10).fill(undefined);
  let state = model.initial;
  let unknown = 0;
  const begin = (client: number): (() => boolean) => {
    const input = inputOf(random);
    const pending = recorder.invoke(`client ${client}`, 'x', input);
    let output: { readonly value: O } | undefined;
    return () => {
      if (output === undefined) {
        const [after, value] = model.apply(state, input);
        state = after;
        output = { value };
        return true;
      }
      if (random.chance(0.05)) unknown += 1;
      else pending.returns(output.value);
      return false;
    };
  };
  for (let started = 0; started < operations; ) {
    const client = random.below(lanes.length);
    const step = lanes[client];
    if (step === undefined) {
      lanes[client] = begin(client);
      started += 1;
    } else if (!step()) lanes[client] = undefined;
  }
  return { history: recorder.operations, unknown };
}

const registerInput = (random: Random): RegisterInput =>
  random.chance(0.5) ? { kind: 'read' } : { kind: 'write', value: 1 + random.below(1_000_000) };
const counterInput = (random: Random): CounterInput =>
  random.chance(0.3) ? { kind: 'read' } : { kind: 'add', by: 1 + random.below(2) };

describe('the number of states', () => {
  test('grows with the operations, not with the unknown', () => {
    for (let seed = 1; seed <= 3; seed++) {
      const { history, unknown } = run(registerModel, seed, 2_000, registerInput);
      const { history: counts } = run(counterModel, seed, 2_000, counterInput);

      const verdict = checkLinearizable(registerModel, history);
      const counted = checkLinearizable(counterModel, counts);

      expect(unknown).toBeGreaterThan(50);
      expect([explain(verdict), explain(counted)]).toEqual([
        expect.stringMatching(/^linearizable/),
        expect.stringMatching(/^linearizable/),
      ]);
      expect(verdict.states).toBeLessThan(400 * history.length);
      expect(counted.states).toBeLessThan(6 * counts.length);
    }
  });

  test('stays small for a violation behind many unknown', () => {
    const { history } = run(registerModel, 3, 400, registerInput);
    const end = 10_000;
    const lost = [write(-1, end, end + 1), read(-2, end + 2, end + 3)];

    const verdict = checkLinearizable(registerModel, [...history, ...lost]);

    expect(verdict).toMatchObject({ kind: 'violated', stuck: [lost[1]] });
    expect(verdict.states).toBeLessThan(150_000);
  });

  test('is bounded, and then nothing is claimed', () => {
    const { history } = run(registerModel, 4, 500, registerInput);

    const verdict = checkLinearizable(registerModel, history, { statesMax: 100 });

    expect(verdict).toMatchObject({ kind: 'undecided', key: 'x' });
    expect(verdict.states).toBeLessThan(200);
  });
});
