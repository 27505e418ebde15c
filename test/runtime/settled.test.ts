/** Invariant 10: what is published or told as settled, and `system.settled`, come after the operation is committed everywhere. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Publication } from '../../src/topic/topic.ts';
import { randomFrom } from './faulty-transport.ts';
import { type Instruction, idOn, note, notebook, notebookOn } from './notebook.ts';
import { notesOf, Stage, watch } from './stage.ts';
import { Tap } from './tap.ts';

const operation = 'operation-1';
const id = idOn(1, 1);

function noteOn(shard: number, key: string, settled = false): Instruction {
  return { kind: 'note', to: notebookOn(shard, 1), key, settled };
}

function newsOn(shard: number, data: string, settled = true): Instruction {
  return { kind: 'publish', topic: `room:${idOn(shard, 5)}`, data, settled };
}

describe.each([
  ['near', 1],
  ['far', 3],
])('a settled publication to a topic that is %s', (_, shard) => {
  test('waits for the whole operation', async () => {
    const stage = new Stage();
    const tap = new Tap();
    const { system } = await stage.open({ transport: tap.wrap });
    const heard: Publication[] = [];
    system.subscribe(`room:${idOn(shard, 5)}`, (publication) => heard.push(publication));
    tap.closed.add(2);

    await system.actor(notebook, id).tell(note('a', noteOn(2, 'b'), newsOn(shard, 'done')), { operation });
    await stage.clock.advance(10_000);
    const before = heard.length;
    tap.closed.clear();
    await stage.clock.advance(10_000);

    expect(before).toBe(0);
    expect(heard).toHaveLength(1);
    expect(await notesOf(system, idOn(2, 1))).toEqual(['b']);
  });

  test('waits for no other operation', async () => {
    const stage = new Stage();
    const tap = new Tap();
    const { system } = await stage.open({ transport: tap.wrap });
    const heard: Publication[] = [];
    system.subscribe(`room:${idOn(shard, 5)}`, (publication) => heard.push(publication));
    tap.closed.add(2);
    await system.actor(notebook, id).tell(note('a', noteOn(2, 'b')), { operation: 'another' });

    await system.actor(notebook, id).tell(note('c', newsOn(shard, 'done')), { operation });
    await stage.clock.settle();

    expect(heard).toHaveLength(1);
  });
});

test('everything is readable where settled news arrives', async () => {
  const stage = new Stage();
  const { system, journal } = await stage.open();
  let seen: readonly string[] | undefined;
  system.subscribe(`room:${idOn(3, 5)}`, () => {
    seen = stage.store.shards[2]!.entries.map(({ type }) => type);
  });
  journal.delayMs = 5;

  void system.actor(notebook, id).tell(note('a', noteOn(2, 'b'), newsOn(3, 'done')), { operation });
  await stage.clock.advance(1_000);

  expect(seen).toEqual(['NOTE']);
});

test('a settled tell waits for the whole operation', async () => {
  const stage = new Stage();
  const tap = new Tap();
  const { system } = await stage.open({ transport: tap.wrap });
  tap.closed.add(2);

  await system.actor(notebook, id).tell(note('a', noteOn(2, 'b'), noteOn(3, 'c', true)), { operation });
  await stage.clock.settle();
  const before = await notesOf(system, idOn(3, 1));
  tap.closed.clear();
  await stage.clock.advance(10_000);

  expect(before).toEqual([]);
  expect(await notesOf(system, idOn(3, 1))).toEqual(['c']);
});

test('what was sent before is remembered over restarts', async () => {
  const stage = new Stage();
  const tap = new Tap();
  tap.isOpen = false;
  const first = await stage.open({ transport: tap.wrap });
  const orders = [noteOn(2, 'x'), noteOn(3, 'y'), noteOn(2, 'z', true)];
  await first.system.actor(notebook, id).tell(note('a', ...orders), { operation });
  first.journal.crash();
  const again = new Tap();
  again.closed.add(3);

  const { system } = await stage.open({ transport: again.wrap });
  await stage.clock.advance(1_000);
  const before = await notesOf(system, idOn(2, 1));
  again.closed.clear();
  await stage.clock.advance(20_000);

  expect(before).toEqual(['x']);
  expect(await notesOf(system, idOn(2, 1))).toEqual(['x', 'z']);
  expect(await notesOf(system, idOn(3, 1))).toEqual(['y']);
});

test('system.settled waits until receivers have committed', async () => {
  const stage = new Stage();
  const tap = new Tap();
  const { system } = await stage.open({ transport: tap.wrap });
  tap.closed.add(2);
  await system.actor(notebook, id).tell(note('a', noteOn(2, 'b')), { operation });

  const settled = watch(system.settled(operation, id, 60_000));
  const other = watch(system.settled('another', id, 60_000));
  await stage.clock.settle();
  const before = settled();
  tap.closed.clear();
  await stage.clock.advance(10_000);

  expect(before).toEqual({ kind: 'pending' });
  expect(other().kind).toBe('resolved');
  expect(settled().kind).toBe('resolved');
});

test('system.settled waits for commands told before it', async () => {
  const stage = new Stage();
  const tap = new Tap();
  const { system, journal } = await stage.open({ transport: tap.wrap });
  tap.closed.add(2);
  const open = journal.hold();

  void system.actor(notebook, id).tell(note('a', noteOn(2, 'b')), { operation });
  const settled = watch(system.settled(operation, id, 60_000));
  open();
  await stage.clock.settle();
  const before = settled();
  tap.closed.clear();
  await stage.clock.advance(10_000);

  expect(before).toEqual({ kind: 'pending' });
  expect(settled().kind).toBe('resolved');
});

test('system.settled survives a recovery of its shard', async () => {
  const stage = new Stage();
  const tap = new Tap();
  const { system, journal } = await stage.open({ transport: tap.wrap });
  tap.closed.add(2);
  await system.actor(notebook, id).tell(note('a', noteOn(2, 'b')), { operation });
  const settled = watch(system.settled(operation, id, 60_000));
  await stage.clock.settle();
  const start = journal.commits.length;
  journal.onCommit = (_, nth) => (nth === start + 1 ? 'unknown, applied' : undefined);
  await system.actor(notebook, id).tell(note('c'));
  const before = settled();

  tap.closed.clear();
  await stage.clock.advance(10_000);

  expect(before).toEqual({ kind: 'pending' });
  expect(settled().kind).toBe('resolved');
});

test('system.settled gives up after its deadline', async () => {
  const stage = new Stage();
  const tap = new Tap();
  const { system } = await stage.open({ transport: tap.wrap });
  tap.closed.add(2);
  await system.actor(notebook, id).tell(note('a', noteOn(2, 'b')), { operation });

  const settled = watch(system.settled(operation, id, 1_000));
  await stage.clock.advance(1_000);

  expect(settled()).toEqual({ kind: 'rejected', code: 'ASK_TIMEOUT' });
});

/** A random tree of notes and news over all shards, some of them settled. */
function tree(random: () => number, depth: number, keys: string[]): Instruction[] {
  const width = depth === 0 ? 0 : Math.floor(random() * 4);
  return Array.from({ length: width }, (): Instruction => {
    const shard = Math.floor(random() * 4);
    const settled = random() < 0.5;
    if (random() < 0.2) return newsOn(shard, 'news', settled);
    const key = `${keys.length}`;
    keys.push(key);
    return { kind: 'note', to: notebookOn(shard, 1), key, orders: tree(random, depth - 1, keys), settled };
  });
}

test('no mixture of settled messages ever deadlocks', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1 }), async (seed) => {
      const random = randomFrom(seed);
      const stage = new Stage({ seed });
      const { system, journal } = await stage.open({ limits: { turnTellsMax: 3 } });
      const keys: string[] = [];

      for (let n = 0; n < 12; n++) {
        const from = idOn(Math.floor(random() * 4), 2);
        const orders = tree(random, 4, keys);
        const options = random() < 0.8 ? { operation: `${n % 3}` } : {};
        void system.actor(notebook, from).tell({ type: 'PASS', orders }, options);
        if (random() < 0.3) await stage.clock.settle();
      }
      await stage.clock.advance(5_000);

      const noted = await Promise.all([0, 1, 2, 3].map((shard) => notesOf(system, idOn(shard, 1))));
      expect(noted.flat().sort()).toEqual([...keys].sort());
      expect(stage.store.shards.flatMap(({ outbox }) => outbox)).toEqual([]);
      journal.crash();
    }),
    { numRuns: 60 },
  );
});
