/** The actor of the timer tests: it waits for an answer, and rings what it was asked to, now or later. */

import { assign, cancel, emit, raise, setup } from 'xstate';
import { defineActor } from '../../src/actor/definition.ts';
import { reply } from '../../src/actor/effect.ts';

interface Context {
  readonly patienceMs: number;
  readonly rang: readonly string[];
}

type Event =
  | { readonly type: 'WAIT'; readonly ms: number }
  | { readonly type: 'ANSWER' }
  /** A delayed raise with a name: there is one, which can be cancelled and armed again. */
  | { readonly type: 'ARM'; readonly key: string; readonly ms: number }
  | { readonly type: 'DISARM' }
  /** A delayed raise without a name. */
  | { readonly type: 'LATER'; readonly key: string; readonly ms: number }
  | { readonly type: 'RING'; readonly key: string }
  | { readonly type: 'PING' };

export const alarmMachine = setup({
  types: {
    context: {} as Context,
    events: {} as Event,
    emitted: {} as { readonly type: 'pinged' },
    input: {} as { readonly id: string },
  },
  delays: { patience: ({ context }) => context.patienceMs },
}).createMachine({
  id: 'alarm',
  context: { patienceMs: 0, rang: [] },
  initial: 'idle',
  states: {
    idle: { on: { ANSWER: 'answered' } },
    waiting: { on: { ANSWER: 'answered' }, after: { patience: 'late' } },
    late: {},
    answered: {},
  },
  on: {
    WAIT: { target: '.waiting', reenter: true, actions: assign({ patienceMs: ({ event }) => event.ms }) },
    ARM: {
      actions: raise(({ event }) => ({ type: 'RING', key: event.key }), {
        id: 'named',
        delay: ({ event }) => event.ms,
      }),
    },
    DISARM: { actions: cancel('named') },
    LATER: { actions: raise(({ event }) => ({ type: 'RING', key: event.key }), { delay: ({ event }) => event.ms }) },
    RING: { actions: assign({ rang: ({ context, event }) => [...context.rang, event.key] }) },
    PING: { actions: emit({ type: 'pinged' }) },
  },
});

export const alarm = defineActor({
  type: 'alarm',
  machine: alarmMachine,
  effects: { pinged: () => reply('pong') },
});
