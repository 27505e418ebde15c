/** Hosting a machine as logic: steps are data, replay is the same step, and nothing happens by itself. */

import { expect, test } from 'vitest';
import { assign, createMachine, emit, enqueueActions, raise, setup } from 'xstate';
import { type ActorDefinition, defineActor } from '../../src/actor/definition.ts';
import { HostedMachine, isForeignEvent } from '../../src/actor/logic.ts';

function hosted(machine: ActorDefinition['machine']): HostedMachine {
  return new HostedMachine(defineActor({ type: 'subject', machine }));
}

const counter = setup({
  types: {
    context: {} as { readonly n: number },
    events: {} as { readonly type: 'ADD'; readonly by: number } | { readonly type: 'SAY' } | { readonly type: 'WAIT' },
    emitted: {} as { readonly type: 'added' | 'said' },
  },
  delays: { soon: 50 },
}).createMachine({
  id: 'counter',
  context: { n: 0 },
  on: {
    ADD: { actions: [assign({ n: ({ context, event }) => context.n + event.by }), emit({ type: 'added' })] },
    SAY: { actions: emit({ type: 'said' }) },
    WAIT: { actions: raise({ type: 'SAY' }, { delay: 'soon' }) },
  },
});

test('a step is next state and effects', () => {
  const machine = hosted(counter);
  const { state } = machine.initial('x');

  const step = machine.step(state, { type: 'ADD', by: 2 } as { type: string });

  expect(step).toMatchObject({ changed: true, emitted: [{ type: 'added' }], timers: [] });
  expect([state.context.n, step.state.context.n]).toEqual([0, 2]);
});

test('a step that only emits changes nothing', () => {
  const machine = hosted(counter);
  const { state } = machine.initial('x');

  const said = machine.step(state, { type: 'SAY' });
  const unknown = machine.step(state, { type: 'UNKNOWN' });
  const waiting = machine.step(state, { type: 'WAIT' });

  expect(said).toMatchObject({ changed: false, emitted: [{ type: 'said' }] });
  expect(unknown).toMatchObject({ changed: false, emitted: [], timers: [] });
  expect(waiting).toMatchObject({ changed: false, timers: [{ kind: 'set', id: undefined, delayMs: 50 }] });
});

test('replay reaches the state that was reached live', () => {
  const machine = hosted(counter);
  const events = [1, 2, 3].map((by) => ({ type: 'ADD', by }));
  let live = machine.initial('x').state;
  for (const event of events) live = machine.step(live, event).state;

  const folded = machine.fold('x', undefined, events);

  expect(machine.plain(folded)).toEqual(machine.plain(live));
});

test('a snapshot is restored by the same machine alone', () => {
  const machine = hosted(counter);
  const bytes = machine.persist(machine.fold('x', undefined, [{ type: 'ADD', by: 2 } as { type: string }]));
  const other = hosted(counter.provide({ delays: { soon: 60 } }));

  expect(machine.restore(bytes)?.context.n).toBe(2);
  expect(other.restore(bytes)).toBeUndefined();
});

test('a hash is the same for equal machines', () => {
  const make = () => createMachine({ initial: 'a', states: { a: { on: { GO: 'b' } }, b: {} } });

  expect(hosted(make()).hash).toBe(hosted(make()).hash);
  expect(hosted(make()).hash).not.toBe(hosted(createMachine({ initial: 'a', states: { a: {} } })).hash);
});

test('a machine that throws throws out of its step', () => {
  const machine = hosted(
    createMachine({
      on: {
        BREAK: {
          actions: assign(() => {
            throw new Error('broken on purpose');
          }),
        },
      },
    }),
  );
  const { state } = machine.initial('x');

  expect(() => machine.step(state, { type: 'BREAK' })).toThrow('broken on purpose');
  expect(machine.step(state, { type: 'OTHER' }).changed).toBe(false);
});

test('a machine that never settles is stopped', () => {
  const machine = hosted(
    createMachine({
      initial: 'a',
      states: { a: { on: { GO: 'b' } }, b: { always: 'c' }, c: { always: 'b' } },
    }),
  );
  const { state } = machine.initial('x');

  expect(() => machine.step(state, { type: 'GO' })).toThrow(/[Ii]nfinite loop|iterations/);
});

const child = createMachine({});
const hidden = setup({ types: { context: {} as { readonly ref: unknown } }, actors: { child } });

test.each([
  ['enqueued actions', enqueueActions(({ enqueue }) => enqueue.spawnChild('child' as never, { id: 'c' }))],
  ['an assignment', assign({ ref: ({ spawn }) => spawn(child, { id: 'c' }) })],
])('a spawn hidden in %s is refused', (_, action) => {
  const machine = hosted(
    hidden.createMachine({ context: { ref: undefined }, on: { GO: { actions: action as never } } }),
  );
  const { state } = machine.initial('x');

  expect(() => machine.step(state, { type: 'GO' })).toThrow(/cannot spawn an actor; emit an event/);
});

test('a message hidden in enqueued actions is refused', () => {
  const machine = hosted(
    createMachine({ on: { GO: { actions: enqueueActions(({ enqueue }) => enqueue.sendTo('x', { type: 'HI' })) } } }),
  );
  const { state } = machine.initial('x');

  expect(() => machine.step(state, { type: 'GO' })).toThrow();
});

test('a final machine handles nothing', () => {
  const machine = hosted(
    createMachine({
      initial: 'a',
      states: { a: { on: { END: 'z' } }, z: { type: 'final' } },
      on: { SAY: { actions: emit({ type: 'said' }) } },
    }),
  );
  const { state } = machine.step(machine.initial('x').state, { type: 'END' });

  expect(machine.step(state, { type: 'SAY' })).toMatchObject({ changed: false, emitted: [] });
});

test('events of XState itself are not foreign', () => {
  expect(isForeignEvent({ type: 'GO' })).toBe(true);
  for (const type of ['xstate.init', 'xstate.done.actor.0', '']) expect(isForeignEvent({ type })).toBe(false);
  expect(isForeignEvent(undefined as unknown as { type: string })).toBe(false);
  expect(isForeignEvent({ type: 7 } as unknown as { type: string })).toBe(false);
});
