/** What a machine has to be to be persisted; each refusal says how to write it instead. */

import { expect, test } from 'vitest';
import {
  type AnyStateMachine,
  assign,
  createMachine,
  emit,
  enqueueActions,
  fromPromise,
  raise,
  sendTo,
  setup,
  spawnChild,
} from 'xstate';
import { defineActor } from '../../src/actor/definition.ts';
import { register } from '../../src/actor/registration.ts';
import type { ErrorCode, TroupeError } from '../../src/errors.ts';

const child = createMachine({});

function refusal(machine: AnyStateMachine, type = 'subject'): string {
  try {
    register([defineActor({ type, machine })]);
  } catch (error) {
    const { code, message } = error as TroupeError;
    expect(code).toBe('MACHINE_REFUSED' satisfies ErrorCode);
    return message;
  }
  return 'taken';
}

const refused: readonly (readonly [what: string, machine: AnyStateMachine, sentence: RegExp])[] = [
  [
    'a literal delay',
    createMachine({ initial: 'a', states: { a: { after: { 1000: 'b' } }, b: {} } }),
    /"after: \{ 1000: … \}" puts the number into the journal's event type.*name the delay in setup/,
  ],
  [
    'an invoked actor',
    setup({ actors: { job: fromPromise(async () => 1) } }).createMachine({ invoke: { src: 'job', id: 'job' } }),
    /it invokes an actor.*do the work in an effect or another actor/,
  ],
  [
    'an invoked actor in a nested state',
    setup({ actors: { child } }).createMachine({
      initial: 'a',
      states: { a: { initial: 'b', states: { b: { invoke: { src: 'child', id: 'c' } } } } },
    }),
    /in state "\(machine\)\.a\.b" it invokes an actor/,
  ],
  [
    'a spawned child',
    setup({ actors: { child } }).createMachine({ entry: spawnChild('child', { id: 'c' }) }),
    /starts or addresses another actor.*let the definition's effects tell that actor/,
  ],
  [
    'a message to another actor',
    createMachine({ on: { GO: { actions: sendTo('another', { type: 'HELLO' }) } } }),
    /the action "xstate\.sendTo" starts or addresses another actor/,
  ],
  [
    'an inline function',
    createMachine({ on: { GO: { actions: () => undefined } } }),
    /is a plain function, a side effect that would run again at replay; emit an event/,
  ],
  [
    'a named plain function',
    setup({ actions: { shout: () => undefined } }).createMachine({ exit: 'shout' }),
    /the action "shout" is a plain function/,
  ],
  [
    'a function in an initial transition',
    createMachine({ initial: { target: 'a', actions: () => undefined } as never, states: { a: {} } }),
    /is a plain function/,
  ],
  [
    'a function in an eventless transition',
    createMachine({ initial: 'a', states: { a: { always: { target: 'b', actions: () => undefined } }, b: {} } }),
    /is a plain function/,
  ],
  [
    'an action without implementation',
    createMachine({ entry: 'missing' }),
    /the action "missing" has no implementation/,
  ],
  [
    'a guard without implementation',
    createMachine({ on: { GO: { guard: 'missing', actions: [] } } }),
    /the guard "missing" has no implementation; give it in setup\(\{ guards \}\)/,
  ],
  [
    'a delay without implementation',
    createMachine({ initial: 'a', states: { a: { after: { missing: 'b' } }, b: {} } }),
    /the delay "missing" has no implementation, so that it would not wait at all/,
  ],
  [
    'a raise with a delay without implementation',
    createMachine({ on: { GO: { actions: raise({ type: 'X' }, { delay: 'missing' as never }) } } }),
    /the delay "missing" has no implementation/,
  ],
];

test.each(refused)('%s is refused with its sentence', (_, machine, sentence) => {
  expect(refusal(machine)).toMatch(sentence);
});

test('all reasons are given at once', () => {
  const machine = createMachine({ entry: 'one', exit: 'two' });

  const message = refusal(machine);

  expect(message).toMatch(/The machine of "subject" cannot be persisted: .*"one".*; .*"two"/);
});

test('a type that makes no address is refused', () => {
  expect(refusal(child, 'a/b')).toMatch(/its type is not a letter followed by/);
});

test('two definitions of one type are refused', () => {
  const twins = [defineActor({ type: 'twin', machine: child }), defineActor({ type: 'twin', machine: child })];

  expect(() => register(twins)).toThrow(/another definition has the same type/);
});

test('what stays inside the machine is taken', () => {
  const machine = setup({
    types: { context: {} as { n: number }, events: {} as { type: 'GO' } | { type: 'X' } },
    actions: {
      count: assign({ n: ({ context }) => context.n + 1 }),
      several: enqueueActions(({ enqueue }) => {
        enqueue.assign({ n: 0 });
        enqueue.raise({ type: 'X' });
      }),
    },
    guards: { few: ({ context }) => context.n < 3 },
    delays: { soon: 10 },
  }).createMachine({
    context: { n: 0 },
    initial: 'a',
    states: { a: { after: { soon: { guard: 'few', target: 'b' } } }, b: {} },
    on: {
      GO: {
        guard: 'few',
        actions: ['count', 'several', emit({ type: 'done' }), raise({ type: 'X' }, { delay: 'soon' })],
      },
    },
  });

  expect(refusal(machine)).toBe('taken');
});
