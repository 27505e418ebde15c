/**
 * Types follow from the machine. The functions here are never called: the compiler reads them, and each `ts-expect-error`
 * fails the type check when the mistake below it becomes possible.
 */

import { expect, expectTypeOf, test } from 'vitest';
import { emit, setup } from 'xstate';
import { defineActor } from '../../src/actor/definition.ts';
import { reply, tell } from '../../src/actor/effect.ts';
import type { ActorSystem } from '../../src/actor-system.ts';
import { rule } from '../../src/projection/projection.ts';

const machine = setup({
  types: {
    context: {} as { readonly count: number },
    events: {} as { readonly type: 'ADD'; readonly by: number } | { readonly type: 'RESET' },
    emitted: {} as { readonly type: 'added'; readonly total: number } | { readonly type: 'reset' },
    input: {} as { readonly id: string; readonly start: number },
  },
}).createMachine({
  context: ({ input }) => ({ count: input.start }),
  on: { RESET: { actions: emit({ type: 'reset' }) } },
});

const counter = defineActor({
  type: 'counter',
  machine,
  input: (id) => ({ id, start: 0 }),
  effects: {
    added: ({ total }, { self }) => [reply(total), tell(self, { type: 'RESET' })],
  },
});

function wrongEvents(system: ActorSystem): void {
  const actor = system.actor(counter, 'id');
  void actor.tell({ type: 'ADD', by: 1 });
  void actor.ask({ type: 'RESET' });
  // @ts-expect-error an event the machine does not know
  void actor.tell({ type: 'SUBTRACT' });
  // @ts-expect-error a payload of another type
  void actor.tell({ type: 'ADD', by: 'one' });
  // @ts-expect-error a payload that is missing
  void actor.ask({ type: 'ADD' });
}

async function wrongStates(system: ActorSystem): Promise<void> {
  const state = await system.actor(counter, 'id').snapshot();
  expectTypeOf(state?.state.context.count).toEqualTypeOf<number | undefined>();
  // @ts-expect-error a context without that property
  state?.state.context.total;
}

const wrongEffects = [
  () =>
    defineActor({
      type: 'counter',
      machine,
      // @ts-expect-error an emitted type that the machine does not have
      effects: { subtracted: () => undefined },
    }),
  () =>
    defineActor({
      type: 'counter',
      machine,
      effects: {
        // @ts-expect-error a property that the emitted event does not have
        reset: ({ total }) => reply(total),
      },
    }),
  () =>
    defineActor({
      type: 'counter',
      machine,
      // @ts-expect-error something that is no effect
      effects: { reset: () => 'done' },
    }),
  () =>
    defineActor({
      type: 'counter',
      machine,
      // @ts-expect-error an input that the machine does not take
      input: (id: string) => ({ id }),
    }),
];

const wrongRules = () => [
  rule(counter, ({ state, event }) => {
    expectTypeOf(state.context.count).toEqualTypeOf<number>();
    expectTypeOf(event.type).toEqualTypeOf<'ADD' | 'RESET'>();
    return [];
  }),
  // @ts-expect-error a context without that property
  rule(counter, ({ state }) => [{ view: 'v', key: 'k', value: state.context.total }]),
];

test('what the compiler reads is there', () => {
  expect([wrongEvents, wrongStates, ...wrongEffects, wrongRules].every((read) => typeof read === 'function')).toBe(
    true,
  );
});

test('definitions keep what they were given', () => {
  expect(counter).toMatchObject({ type: 'counter', passivateAfterMs: 300_000, snapshots: { everyEvents: 64 } });
  expect(counter.input('x')).toEqual({ id: 'x', start: 0 });
  expect(counter.shardKey('x')).toBe('x');
});
