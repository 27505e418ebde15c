import { expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { createMemoryStore, openMemoryJournal } from '../../src/journal/memory.ts';
import { bytes, takeShard } from '../journal/writer.ts';
import { FaultyJournal } from '../runtime/faulty-journal.ts';
import { SimulatedClock } from '../runtime/simulated-clock.ts';
import { describeClusterStore } from './conformance.ts';
import { FaultyClusterStore, unreachableStore } from './faulty-cluster-store.ts';
import { Ear, nodeInfo, plainInbox, type WorldFactory } from './world.ts';

const memory: WorldFactory = async () => {
  const store = createMemoryStore(4);
  const journals: FaultyJournal[] = [];
  return {
    open: async () => {
      const journal = new FaultyJournal(openMemoryJournal({ store }), systemClock);
      journals.push(journal);
      return journal;
    },
    interrupt: async () => {
      for (const journal of journals) journal.cluster!.interrupt()();
    },
    dispose: async () => {},
  };
};

describeClusterStore('memory', memory);

function nodeOn(clock: SimulatedClock, store = createMemoryStore(4)): FaultyClusterStore {
  return new FaultyClusterStore(openMemoryJournal({ store, clock }).cluster!, clock);
}

test('forgets nodes on the clock it is given', async () => {
  const clock = new SimulatedClock();
  const node = nodeOn(clock);
  await node.beat(nodeInfo('a'), 1_000);

  await clock.advance(999);
  expect((await node.view()).nodes).toMatchObject([{ id: 'a', expiresInMs: 1 }]);
  await clock.advance(1);
  expect((await node.view()).nodes).toEqual([]);
});

test('a faulty node misses what comes while interrupted', async () => {
  const clock = new SimulatedClock();
  const node = nodeOn(clock);
  const ear = new Ear();
  node.listen({ kind: 'everyone' }, ear);
  await clock.settle();

  const resume = node.interrupt();
  node.publish({ kind: 'everyone' }, bytes('missed'));
  await clock.settle();
  resume();
  node.publish({ kind: 'everyone' }, bytes('heard'));
  await clock.settle();

  expect([ear.heard, ear.actives]).toEqual([['heard'], 2]);
});

test('a faulty node drops, delays and holds in order', async () => {
  const clock = new SimulatedClock();
  const node = nodeOn(clock);
  const ear = new Ear();
  node.listen({ kind: 'everyone' }, ear);
  await clock.settle();
  node.onMessage = (_, payload) => (({ 1: 'lost', 2: { lateMs: 50 } }) as const)[payload.length as 1 | 2];

  for (const message of ['a', 'bb', 'ccc']) node.publish({ kind: 'everyone' }, bytes(message));
  await clock.settle();
  const early = [...ear.heard];
  await clock.advance(50);
  const open = node.hold();
  for (const message of ['dddd', 'eeeee']) node.publish({ kind: 'everyone' }, bytes(message));
  await clock.settle();
  const held = [...ear.heard];
  open();
  await clock.settle();

  expect(early).toEqual([]);
  expect(held).toEqual(['bb', 'ccc']);
  expect(ear.heard).toEqual(['bb', 'ccc', 'dddd', 'eeeee']);
});

test('a faulty node rejects calls, before and after', async () => {
  const clock = new SimulatedClock();
  const node = nodeOn(clock);
  node.onCall = (call, shard) => (call === 'send' && shard === 1 ? unreachableStore(false) : undefined);
  node.onAnswer = (call, shard) => (call === 'send' && shard === 2 ? unreachableStore(true) : undefined);

  await expect(node.send(1, bytes('a'), 10)).rejects.toMatchObject({ params: { sent: false } });
  await expect(node.send(2, bytes('b'), 10)).rejects.toMatchObject({ params: { sent: true } });

  expect(plainInbox(await node.readInbox(1, 0, 10))).toEqual([]);
  expect(plainInbox(await node.readInbox(2, 0, 10))).toEqual(['1 b']);
});

test('a crashed journal reaches and hears nobody', async () => {
  const clock = new SimulatedClock();
  const store = createMemoryStore(4);
  const journal = new FaultyJournal(openMemoryJournal({ store, clock }), clock);
  const other = nodeOn(clock, store);
  const [ear, otherEar] = [new Ear(), new Ear()];
  await takeShard(journal);
  journal.cluster!.listen({ kind: 'everyone' }, ear);
  other.listen({ kind: 'everyone' }, otherEar);
  await clock.settle();

  journal.crash();
  journal.cluster!.publish({ kind: 'everyone' }, bytes('from the dead'));
  other.publish({ kind: 'everyone' }, bytes('to all'));
  await clock.settle();

  await expect(journal.cluster!.send(0, bytes('x'), 10)).rejects.toMatchObject({ code: 'STOPPED' });
  expect([ear.heard, otherEar.heard]).toEqual([[], ['to all']]);
});
