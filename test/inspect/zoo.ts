/** A machine with everything that a chart can have, for drawing alone. */

import { and, assign, createMachine, not, setup } from 'xstate';

/** Has every kind of state, and edges between all levels. */
export const zoo = setup({
  types: {} as { readonly context: Readonly<Record<string, never>>; readonly events: { readonly type: string } },
  delays: { nap: 5_000, meal: ({ event }) => event.type.length },
  guards: { hungry: () => true, tired: () => false },
  actions: { feed: assign({}), greet: assign({}), lock: assign({}), unlock: assign({}) },
}).createMachine({
  id: 'zoo',
  initial: 'closed',
  context: {},
  on: { ALARM: '.closed', INSPECT: { actions: 'greet' } },
  states: {
    closed: {
      entry: 'lock',
      exit: ['unlock', 'greet'],
      description: 'Nobody is let in <yet>, and the animals have their peace until somebody comes with "the key".',
      on: { OPEN: { target: 'open', guard: and(['hungry', not('tired')]), actions: ['feed', 'greet'] } },
    },
    open: {
      type: 'parallel',
      on: { CLOSE: 'closed', BURN: 'gone' },
      onDone: 'closed',
      states: {
        lions: {
          initial: 'asleep',
          states: {
            asleep: { after: { nap: 'awake' } },
            awake: {
              on: { ROAR: { target: 'awake', reenter: true, actions: 'greet' }, SLEEP: 'asleep', DIE: 'dead' },
              always: { guard: 'tired', target: 'asleep' },
            },
            dead: { type: 'final' },
          },
        },
        seals: {
          initial: 'swimming',
          states: {
            swimming: {
              on: { FISH: [{ guard: 'hungry', target: 'eating.first', actions: 'feed' }, { actions: 'greet' }] },
            },
            eating: {
              initial: 'first',
              onDone: 'swimming',
              on: { STOP: 'swimming', '*': { actions: 'greet' } },
              states: {
                first: { after: { meal: 'second' } },
                second: { after: { meal: 'full' } },
                full: { type: 'final' },
                before: { type: 'history' },
              },
            },
            sick: { on: { CURE: 'eating.before', ESCAPE: '#zoo.closed' } },
          },
        },
      },
    },
    gone: { type: 'final' },
  },
});

/** A ring of states that all lead to each other, in both directions, and to themselves. */
export const ring = createMachine({
  id: 'ring',
  initial: 'n2',
  states: Object.fromEntries(
    [0, 1, 2, 3, 4].map((i) => [
      `n${i}`,
      { on: { ON: `n${(i + 1) % 5}`, BACK: `n${(i + 4) % 5}`, AGAIN: { target: `n${i}`, reenter: true } } },
    ]),
  ),
});

export const lonely = createMachine({ id: 'lonely' });
