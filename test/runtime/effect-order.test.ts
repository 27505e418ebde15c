import { expect, test } from 'vitest';
import { emit, setup } from 'xstate';
import { defineActor, openSystem, publish, systemIds, tell } from '../../src/index.ts';
import { openMemoryJournal } from '../../src/journal/memory.ts';

type AskEvent = { readonly type: 'ASK'; readonly operation?: string };

/** On ASK it tells its `listener` under the operation that the event names, and publishes that it is over. */
function pairOfActors(listenerId: string) {
  const asker = defineActor({
    type: 'asker',
    machine: setup({
      types: {} as { context: object; events: AskEvent; emitted: { type: 'ASKED'; operation?: string } },
    }).createMachine({
      id: 'asker',
      initial: 'idle',
      states: {
        idle: {
          on: { ASK: { target: 'asked', actions: emit(({ event }) => ({ ...event, type: 'ASKED' as const })) } },
        },
        asked: {},
      },
    }),
    effects: {
      ASKED: ({ operation }, { id }) => [
        tell(`listener/${listenerId}`, { type: 'HEAR' }, operation === undefined ? {} : { operation }),
        publish(`news:${id}`, 'over', { settled: true }),
      ],
    },
  });
  const listener = defineActor({
    type: 'listener',
    machine: setup({ types: {} as { events: { type: 'HEAR' }; emitted: { type: 'HEARD' } } }).createMachine({
      id: 'listener',
      initial: 'idle',
      states: { idle: { on: { HEAR: { target: 'heard', actions: emit({ type: 'HEARD' }) } } }, heard: {} },
    }),
    effects: { HEARD: (_, { id }) => publish(`news:${id}`, 'heard') },
  });
  return { asker, listener };
}

async function openPair(isNear: boolean) {
  const listenerId = systemIds.mint();
  const { asker, listener } = pairOfActors(listenerId);
  const system = await openSystem({ journal: openMemoryJournal({ shards: 8 }), actors: [asker, listener] });
  let askerId = system.mint(listenerId);
  while (!isNear && parseSlot(askerId) === parseSlot(listenerId)) askerId = system.mint();
  if (!isNear) while (parseSlot(askerId) % 8 === parseSlot(listenerId) % 8) askerId = system.mint();
  const heard: unknown[] = [];
  system.subscribe(`news:${askerId}`, ({ data }) => heard.push(data));
  system.subscribe(`news:${listenerId}`, ({ data }) => heard.push(data));
  return { system, asker: system.actor(asker, askerId), listener: system.actor(listener, listenerId), heard };
}

function parseSlot(id: string): number {
  return Number.parseInt(id.slice(-4), 16) & 0x3fff;
}

test.each([
  ['near', true],
  ['far', false],
])('an effect may name its own operation, %s', async (_, isNear) => {
  const { system, asker, listener, heard } = await openPair(isNear);

  await asker.tell({ type: 'ASK', operation: 'b' }, { operation: 'a' });
  await expect.poll(() => heard.length, { timeout: 20_000 }).toBe(2);

  expect((await asker.history()).map(({ operation }) => operation)).toEqual(['a']);
  expect((await listener.history()).map(({ operation }) => operation)).toEqual(['b']);
  await system.stop();
});

test('settled news come after what was told near', async () => {
  const { system, asker, heard } = await openPair(true);

  await asker.tell({ type: 'ASK' }, { operation: 'a' });
  await expect.poll(() => heard.length, { timeout: 20_000 }).toBe(2);

  expect(heard).toEqual(['heard', 'over']);
  await system.stop();
});
