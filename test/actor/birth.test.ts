/** The beginning of an actor: what its initial state causes happens with its first event, and not before. */

import { expect, test } from 'vitest';
import { assign, emit, setup } from 'xstate';
import { defineActor } from '../../src/actor/definition.ts';
import { publish, reply } from '../../src/actor/effect.ts';
import { idOn } from '../runtime/notebook.ts';
import { Stage, watch } from '../runtime/stage.ts';

const topic = `news:${idOn(1, 9)}`;

const egg = defineActor({
  type: 'egg',
  machine: setup({
    types: {
      context: {} as { readonly touches: number },
      events: {} as { readonly type: 'TOUCH' } | { readonly type: 'ASK' } | { readonly type: 'CALL' },
      emitted: {} as { readonly type: 'laid' | 'asked' | 'called' },
      input: {} as { readonly id: string },
    },
    delays: { brooding: 1_000 },
  }).createMachine({
    id: 'egg',
    context: { touches: 0 },
    initial: 'whole',
    on: {
      TOUCH: { actions: assign({ touches: ({ context }) => context.touches + 1 }) },
      ASK: { actions: emit({ type: 'asked' }) },
      CALL: { actions: emit({ type: 'called' }) },
    },
    states: {
      whole: { entry: emit({ type: 'laid' }), after: { brooding: 'hatched' } },
      hatched: {},
    },
  }),
  effects: {
    laid: (_, { self }) => publish(topic, `laid ${self}`),
    asked: () => reply('an egg'),
    called: () => publish(topic, 'called'),
  },
});

const id = idOn(1, 1);

async function newsOf(system: Awaited<ReturnType<Stage['open']>>['system']): Promise<readonly unknown[]> {
  return (await system.readTopic(topic, { offset: 0 })).publications.map(({ data }) => data);
}

test('initial effects happen with the first event', async () => {
  const stage = new Stage();
  const { system } = await stage.open({ actors: [egg] });
  const before = await system.actor(egg, id).snapshot();

  await system.actor(egg, id).tell({ type: 'TOUCH' });
  await system.actor(egg, id).tell({ type: 'TOUCH' });

  expect(before).toBeUndefined();
  expect(await newsOf(system)).toEqual([`laid egg/${id}`]);
  expect((await system.actor(egg, id).history()).map(({ emitted }) => emitted)).toEqual([['laid'], []]);
});

test('initial timers run from the first event', async () => {
  const stage = new Stage();
  const { system } = await stage.open({ actors: [egg] });
  await stage.clock.advance(5_000);
  await system.actor(egg, id).tell({ type: 'TOUCH' });

  await stage.clock.advance(999);
  const before = (await system.actor(egg, id).snapshot())?.state.value;
  await stage.clock.advance(1);

  expect([before, (await system.actor(egg, id).snapshot())?.state.value]).toEqual(['whole', 'hatched']);
});

test('initial effects are not repeated by a restart', async () => {
  const stage = new Stage();
  const first = await stage.open({ actors: [egg] });
  await first.system.actor(egg, id).tell({ type: 'TOUCH' });
  first.journal.crash();

  const { system } = await stage.open({ actors: [egg] });
  await system.actor(egg, id).tell({ type: 'TOUCH' });

  expect(await newsOf(system)).toEqual([`laid egg/${id}`]);
});

test('questions do not bring an actor to life', async () => {
  const stage = new Stage();
  const { system, journal } = await stage.open({ actors: [egg] });

  const answer = await system.actor(egg, id).ask({ type: 'ASK' });

  expect(answer).toBe('an egg');
  expect(await system.actor(egg, id).snapshot()).toBeUndefined();
  expect(journal.commits).toEqual([]);
  expect(stage.store.shards[1]?.actors.size).toBe(0);
});

test('an absent actor that changes nothing stays absent', async () => {
  const stage = new Stage();
  const { system } = await stage.open({ actors: [egg] });

  await system.actor(egg, id).tell({ type: 'CALL' });

  expect(await newsOf(system)).toEqual(['called']);
  expect(stage.store.shards[1]?.actors.size).toBe(0);
  expect(stage.store.shards[1]?.entries).toEqual([]);
});

test('questions to a living actor are not journaled', async () => {
  const stage = new Stage();
  const { system } = await stage.open({ actors: [egg] });
  await system.actor(egg, id).tell({ type: 'TOUCH' });

  await system.actor(egg, id).ask({ type: 'ASK' });

  expect(stage.store.shards[1]?.entries).toHaveLength(1);
});

test('effects of a living actor are journaled', async () => {
  const stage = new Stage();
  const { system } = await stage.open({ actors: [egg] });
  await system.actor(egg, id).tell({ type: 'TOUCH' });

  await system.actor(egg, id).tell({ type: 'CALL' });

  expect((await system.actor(egg, id).history()).map(({ event }) => event.type)).toEqual(['TOUCH', 'CALL']);
});

test('an ask without a reply is told so', async () => {
  const stage = new Stage();
  const { system } = await stage.open({ actors: [egg] });

  await expect(system.actor(egg, id).ask({ type: 'TOUCH' })).rejects.toMatchObject({ code: 'NO_REPLY' });
  expect((await system.actor(egg, id).snapshot())?.version).toBe(1);
});

test('an ask that takes too long gives up', async () => {
  const stage = new Stage();
  const { system, journal } = await stage.open({ actors: [egg] });
  const open = journal.hold();

  const touched = watch(system.actor(egg, id).tell({ type: 'TOUCH' }));
  const asked = watch(system.actor(egg, id).ask({ type: 'ASK' }, { deadlineMs: 100 }));
  await stage.clock.advance(100);
  const early = asked();
  open();
  await stage.clock.settle();

  expect(early).toEqual({ kind: 'rejected', code: 'ASK_TIMEOUT' });
  expect(touched().kind).toBe('resolved');
});
