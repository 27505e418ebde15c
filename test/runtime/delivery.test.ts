/** Invariant 3 between shards: whatever the transport does, a parcel changes its receiver once, in its sender's order. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { faultyTransport, type TransportFaults } from './faulty-transport.ts';
import { idOn, note, notebook, notebookOn } from './notebook.ts';
import { notesOf, Stage } from './stage.ts';
import { Tap } from './tap.ts';

const target = idOn(2, 1);

/** Has shard 1 send one parcel per key to a notebook of shard 2. */
async function send(system: Awaited<ReturnType<Stage['open']>>['system'], keys: readonly string[]): Promise<void> {
  for (const key of keys) {
    const to = notebookOn(2, 1);
    await system.actor(notebook, idOn(1, 1)).tell(note(`for ${key}`, { kind: 'note', to, key }));
  }
}

test('a repeated parcel changes nothing', async () => {
  const stage = new Stage();
  const tap = new Tap();
  const { system } = await stage.open({ transport: tap.wrap });
  await send(system, ['a', 'b']);
  await stage.clock.settle();

  tap.hand(0);
  tap.hand(1);
  tap.hand(0);
  await stage.clock.settle();

  expect(await notesOf(system, target)).toEqual(['a', 'b']);
});

test('parcels repeated within one turn change nothing', async () => {
  const stage = new Stage();
  const tap = new Tap();
  const { system } = await stage.open({ transport: tap.wrap });
  tap.isOpen = false;
  await send(system, ['a', 'b']);
  await stage.clock.settle();

  for (const index of [0, 0, 1, 0, 1]) tap.hand(index);
  await stage.clock.settle();

  expect(await notesOf(system, target)).toEqual(['a', 'b']);
});

test('a gap is refused and asked for again', async () => {
  const stage = new Stage();
  const tap = new Tap();
  const { system } = await stage.open({ transport: tap.wrap });
  tap.isOpen = false;
  await send(system, ['a', 'b', 'c']);
  await stage.clock.settle();
  tap.resends.length = 0;
  tap.isOpen = true;

  tap.hand(2);
  await stage.clock.settle();

  expect(tap.resends).toEqual([{ receiver: 2, n: 0 }]);
  expect(await notesOf(system, target)).toEqual(['a', 'b', 'c']);
});

test('a gap alone moves no mark', async () => {
  const stage = new Stage();
  const tap = new Tap();
  const { system } = await stage.open({ transport: tap.wrap });
  tap.isOpen = false;
  await send(system, ['a', 'b']);
  await stage.clock.settle();

  tap.hand(1);
  await stage.clock.settle();

  expect(await notesOf(system, target)).toEqual([]);
  expect(stage.store.shards[2]?.marks.size).toBe(0);
});

test('a lost last parcel is sent again later', async () => {
  const stage = new Stage();
  const tap = new Tap();
  const { system } = await stage.open({ transport: tap.wrap });
  tap.isOpen = false;
  await send(system, ['a']);
  await stage.clock.settle();
  tap.isOpen = true;

  await stage.clock.advance(5_000);

  expect(await notesOf(system, target)).toEqual(['a']);
});

test('a slow receiver is not flooded with repeats', async () => {
  const stage = new Stage();
  const tap = new Tap();
  const { system } = await stage.open({ transport: tap.wrap });
  tap.isOpen = false;
  await send(system, ['a']);

  await stage.clock.advance(60_000);

  expect(tap.sent.length).toBeLessThan(10);
});

test('marks and outboxes are bounded by shards', async () => {
  const stage = new Stage();
  const { system } = await stage.open();
  for (let n = 0; n < 300; n++) {
    const to = notebookOn(n % 4, n);
    await system.actor(notebook, idOn(n % 3, n)).tell(note('a', { kind: 'note', to, key: 'b' }));
  }

  await stage.clock.advance(5_000);

  for (const shard of stage.store.shards) {
    expect(shard.marks.size).toBeLessThan(5);
    expect(shard.outbox).toEqual([]);
  }
});

test('parcels of before a restart arrive after it', async () => {
  const stage = new Stage();
  const tap = new Tap();
  const first = await stage.open({ transport: tap.wrap });
  tap.isOpen = false;
  await send(first.system, ['a', 'b']);
  first.journal.crash();

  const { system } = await stage.open();

  expect(await notesOf(system, target)).toEqual(['a', 'b']);
  await send(system, ['c']);
  await stage.clock.settle();
  expect(await notesOf(system, target)).toEqual(['a', 'b', 'c']);
});

describe('over a transport that loses, repeats and reorders', () => {
  const faults: TransportFaults = { lose: 0.2, repeat: 0.2, delay: 0.4, delayMsMax: 300 };

  test('every parcel arrives once and in order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1 }), fc.integer({ min: 1, max: 30 }), async (seed, count) => {
        const stage = new Stage({ seed });
        const transport = faultyTransport(stage.clock, seed, faults);
        const { system, journal } = await stage.open({ transport });
        const keys = Array.from({ length: count }, (_, n) => `${n}`);

        for (const key of keys) {
          const orders = [2, 3, 1].map((shard) => ({ kind: 'note', to: notebookOn(shard, 2), key }) as const);
          void system.actor(notebook, idOn(1, 1)).tell(note(key, ...orders));
          await stage.clock.advance(seed % 20);
        }
        await stage.clock.advance(200_000);

        for (const shard of [1, 2, 3]) expect(await notesOf(system, idOn(shard, 2))).toEqual(keys);
        expect(stage.store.shards.flatMap(({ outbox }) => outbox)).toEqual([]);
        expect(await stage.differences()).toEqual([]);
        journal.crash();
      }),
      { numRuns: 30 },
    );
  });
});
