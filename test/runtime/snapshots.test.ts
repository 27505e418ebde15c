/** Invariant 4: an actor's state is the fold of its journal, whatever became of its snapshots. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { assign, emit, setup } from 'xstate';
import { addressOf } from '../../src/actor/address.ts';
import { type ActorDefinition, defineActor, type SnapshotPolicy } from '../../src/actor/definition.ts';
import { HostedMachine } from '../../src/actor/logic.ts';
import { idOn } from './notebook.ts';
import { Stage } from './stage.ts';

type Event =
  | { readonly type: 'ADD'; readonly n: number; readonly text: string }
  | { readonly type: 'NEXT' }
  | { readonly type: 'TOGGLE' }
  | { readonly type: 'END' };

/** Nested and parallel states, guards, `always` and history: what a snapshot has to hold. */
function wandering(snapshots: Partial<SnapshotPolicy>, weight = 1) {
  const machine = setup({
    types: {
      context: {} as { readonly sum: number; readonly texts: readonly string[] },
      events: {} as Event,
      emitted: {} as { readonly type: 'moved' },
      input: {} as { readonly id: string },
    },
    guards: { heavy: ({ context }) => context.sum > 10 },
  }).createMachine({
    id: 'wandering',
    type: 'parallel',
    context: { sum: 0, texts: [] },
    on: {
      ADD: {
        actions: assign({
          sum: ({ context, event }) => context.sum + weight * event.n,
          texts: ({ context, event }) => [...context.texts, event.text].slice(-5),
        }),
      },
    },
    states: {
      walk: {
        initial: 'north',
        on: { END: '.gone' },
        states: {
          north: { on: { NEXT: 'south' }, always: { guard: 'heavy', target: 'rest' } },
          south: { on: { NEXT: { target: 'north', actions: emit({ type: 'moved' }) } } },
          rest: { on: { NEXT: 'south' } },
          gone: { type: 'final' },
        },
      },
      lamp: {
        initial: 'off',
        states: { off: { on: { TOGGLE: 'on' } }, on: { on: { TOGGLE: 'off' } } },
      },
    },
  });
  return defineActor({ type: 'wandering', machine, snapshots });
}

const eventOf: fc.Arbitrary<Event> = fc.oneof(
  fc.record({
    type: fc.constant('ADD' as const),
    n: fc.integer({ min: -3, max: 6 }),
    text: fc.string({ maxLength: 30 }),
  }),
  fc.constant({ type: 'NEXT' } as const),
  fc.constant({ type: 'TOGGLE' } as const),
  fc.record({ type: fc.constant('END' as const) }),
);

const policyOf: fc.Arbitrary<Partial<SnapshotPolicy>> = fc.oneof(
  fc.record({ everyEvents: fc.integer({ min: 1, max: 12 }) }),
  fc.record({ everyEvents: fc.constant(1_000), everyBytes: fc.integer({ min: 1, max: 200 }) }),
);

const ids = [idOn(1, 1), idOn(1, 2)];

/** The live state of each actor, and its fold from the first event. */
async function statesOf(
  stage: Stage,
  definition: ActorDefinition,
  system: Awaited<ReturnType<Stage['open']>>['system'],
) {
  const hosted = new HostedMachine(definition);
  const live = await Promise.all(ids.map((id) => system.actor(definition, id).snapshot()));
  return {
    live: live.map((state) => (state === undefined ? undefined : hosted.plain(state.state))),
    folded: live.map((state, index) =>
      state === undefined ? undefined : stage.folded(definition, addressOf(definition.type, ids[index]!)),
    ),
  };
}

test('every state is the fold of its journal', async () => {
  const stepOf = fc.record({ who: fc.constantFrom(0, 1), event: eventOf });
  await fc.assert(
    fc.asyncProperty(
      fc.array(stepOf, { maxLength: 60 }),
      policyOf,
      fc.integer({ min: 1, max: 20 }),
      fc.boolean(),
      async (steps, policy, restartEvery, deletesSnapshots) => {
        const stage = new Stage();
        const definition = wandering(policy);
        let opened = await stage.open({ actors: [definition] });
        for (const [index, { who, event }] of steps.entries()) {
          await opened.system.actor(definition, ids[who]!).tell(event);
          if (index % restartEvery !== 0) continue;
          await opened.system.stop();
          if (deletesSnapshots) stage.store.shards[1]!.snapshots.clear();
          opened = await stage.open({ actors: [definition] });
          const { live, folded } = await statesOf(stage, definition, opened.system);
          expect(live).toEqual(folded);
        }

        const { live, folded } = await statesOf(stage, definition, opened.system);
        expect(live).toEqual(folded);
        expect(deletesSnapshots ? [] : await stage.differences([definition])).toEqual([]);
      },
    ),
    { numRuns: 60 },
  );
});

test('snapshots are taken by number of events', async () => {
  const stage = new Stage();
  const definition = wandering({ everyEvents: 3 });
  const { system } = await stage.open({ actors: [definition] });
  for (let n = 0; n < 7; n++) await system.actor(definition, ids[0]!).tell({ type: 'TOGGLE' });

  const index = stage.store.shards[1]!.actors.get(addressOf('wandering', ids[0]!));
  expect(index).toMatchObject({ version: 7, snapshotVersion: 6, tail: [7] });
});

test('snapshots are taken by number of bytes', async () => {
  const stage = new Stage();
  const definition = wandering({ everyEvents: 1_000, everyBytes: 100 });
  const { system } = await stage.open({ actors: [definition] });
  const add = (text: string) => system.actor(definition, ids[0]!).tell({ type: 'ADD', n: 1, text });

  await add('short');
  const before = stage.store.shards[1]!.snapshots.size;
  await add('x'.repeat(200));

  expect([before, stage.store.shards[1]!.snapshots.size]).toEqual([0, 1]);
});

test('a snapshot that is too large is left out', async () => {
  const stage = new Stage();
  const definition = wandering({ everyEvents: 1 });
  const { system } = await stage.open({ actors: [definition], limits: { snapshotBytesMax: 10 } });
  for (let n = 0; n < 5; n++) await system.actor(definition, ids[0]!).tell({ type: 'TOGGLE' });
  await system.stop();

  const again = await stage.open({ actors: [definition] });

  expect(stage.store.shards[1]!.snapshots.size).toBe(0);
  expect((await again.system.actor(definition, ids[0]!).snapshot())?.version).toBe(5);
});

test('an actor too large for snapshots is bounded', async () => {
  const stage = new Stage();
  const definition = wandering({ everyEvents: 1 });
  const { system } = await stage.open({ actors: [definition], limits: { snapshotBytesMax: 10, tailEventsMax: 3 } });
  const actor = system.actor(definition, ids[0]!);
  for (let n = 0; n < 3; n++) await actor.tell({ type: 'TOGGLE' });

  const fourth = actor.tell({ type: 'TOGGLE' });

  await expect(fourth).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
  expect((await actor.snapshot())?.version).toBe(3);
});

test('rehydration reads a snapshot and the tail alone', async () => {
  const stage = new Stage();
  const definition = wandering({ everyEvents: 4 });
  const first = await stage.open({ actors: [definition] });
  for (let n = 0; n < 10; n++) await first.system.actor(definition, ids[0]!).tell({ type: 'TOGGLE' });
  await first.system.stop();

  const { system, journal } = await stage.open({ actors: [definition] });
  await system.actor(definition, ids[0]!).snapshot();

  expect(journal.calls.get('readActors')).toBe(1);
  expect(journal.calls.get('readEntries')).toBeUndefined();
});

test('a changed machine is folded from its events', async () => {
  const stage = new Stage();
  const light = wandering({ everyEvents: 2 }, 1);
  const first = await stage.open({ actors: [light] });
  for (let n = 0; n < 4; n++) await first.system.actor(light, ids[0]!).tell({ type: 'ADD', n: 1, text: `${n}` });
  await first.system.stop();

  const heavy = wandering({ everyEvents: 2 }, 1);
  // As if the machine's source had changed: another delay, guard or assignment gives another hash.
  const machine = heavy.machine.provide({ guards: { heavy: ({ context }) => context.sum > 2 } });
  const changed = { ...heavy, machine };
  const { system } = await stage.open({ actors: [changed] });
  const { live, folded } = await statesOf(stage, changed, system);

  expect(stage.store.shards[1]!.actors.get(addressOf('wandering', ids[0]!))?.tail).toEqual([]);
  expect(live[0]).toMatchObject({ value: { walk: 'rest', lamp: 'off' }, context: { sum: 4 } });
  expect(live).toEqual(folded);
  await system.actor(changed, ids[0]!).tell({ type: 'TOGGLE' });
  await system.actor(changed, ids[0]!).tell({ type: 'TOGGLE' });
  expect(await stage.differences([changed])).toEqual([]);
});

test('a history lists the accepted events', async () => {
  const stage = new Stage();
  const definition = wandering({ everyEvents: 2 });
  const { system } = await stage.open({ actors: [definition] });
  await system.actor(definition, ids[1]!).tell({ type: 'TOGGLE' });
  for (const type of ['NEXT', 'NEXT'] as const) {
    await system.actor(definition, ids[0]!).tell({ type }, { operation: 'o' });
  }

  const history = await system.actor(definition, ids[0]!).history();

  expect(history.map(({ version, event, emitted, operation }) => [version, event.type, emitted, operation])).toEqual([
    [1, 'NEXT', [], 'o'],
    [2, 'NEXT', ['moved'], 'o'],
  ]);
});
