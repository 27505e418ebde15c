/** Several nodes on one store: who owns what, and that every node serves every actor. */

import { expect, test, vi } from 'vitest';
import { fleet, join, owners } from './fleet.ts';
import { idOn, note, notebook } from './notebook.ts';
import { notesOf, Stage, watch } from './stage.ts';

const leaseMs = 5_000;
/** Longer than a cell stays without being used. */
const idleMs = 600_000;

test('one node alone owns every shard', async () => {
  const stage = new Stage({ shards: 8 });

  const [a] = await fleet(stage, 'a');

  expect(owners(stage)).toEqual(Array.from({ length: 8 }, () => 'a'));
  expect(a!.system.ready()).toBe(true);
  await a!.system.actor(notebook, idOn(1, 1)).tell(note('x'));
  expect(await notesOf(a!.system, idOn(1, 1))).toEqual(['x']);
});

test('a second node takes its share at once', async () => {
  const stage = new Stage({ shards: 16 });
  const first = await join(stage, 'a');
  const since = stage.clock.monotonic();

  const second = await join(stage, 'b');

  expect(stage.clock.monotonic() - since).toBeLessThan(1_000);
  expect(new Set(owners(stage))).toEqual(new Set(['a', 'b']));
  expect([first.system.ready(), second.system.ready()]).toEqual([true, true]);
  expect(await stage.differences()).toEqual([]);
});

test('every node serves the actors of every shard', async () => {
  const stage = new Stage({ shards: 8 });
  const nodes = await fleet(stage, 'a', 'b', 'c');

  for (let shard = 0; shard < 8; shard++) {
    for (const [index, { system }] of nodes.entries()) {
      await stage.clock.until(system.actor(notebook, idOn(shard, 1)).tell(note(`${index}`)));
    }
  }

  for (const { system } of nodes) {
    for (let shard = 0; shard < 8; shard++) {
      expect(await stage.clock.until(notesOf(system, idOn(shard, 1)))).toEqual(['0', '1', '2']);
    }
  }
  expect(await stage.differences()).toEqual([]);
});

test('a fresh actor elsewhere is made without looking for it', async () => {
  const stage = new Stage({ shards: 8 });
  const [a, b] = await fleet(stage, 'a', 'b');
  vi.spyOn(stage.ids, 'mint').mockReturnValue(idOn(owners(stage).indexOf('b'), 1));
  const id = a!.system.mint();
  const looked = vi.spyOn(b!.system.journal, 'readActors');

  await stage.clock.until(a!.system.actor(notebook, id).tell(note('x')));

  expect(looked).not.toHaveBeenCalled();
  expect(await stage.clock.until(notesOf(a!.system, id))).toEqual(['x']);
  expect(await stage.differences()).toEqual([]);
});

test('an actor that exists is never taken for a fresh one', async () => {
  const stage = new Stage({ shards: 8 });
  const [a, b] = await fleet(stage, 'a', 'b');
  vi.spyOn(stage.ids, 'mint').mockReturnValue(idOn(owners(stage).indexOf('b'), 1));
  const id = a!.system.mint();
  await stage.clock.until(b!.system.actor(notebook, id).tell(note('earlier')));
  await stage.clock.advance(idleMs);

  await stage.clock.until(a!.system.actor(notebook, id).tell(note('later')));
  await stage.clock.advance(idleMs);

  expect(await stage.clock.until(notesOf(a!.system, id))).toEqual(['earlier', 'later']);
  expect(await stage.differences()).toEqual([]);
});

test('a stopping node hands over before it goes', async () => {
  const stage = new Stage({ shards: 8 });
  const [a, b] = await fleet(stage, 'a', 'b');
  await stage.clock.until(a!.system.actor(notebook, idOn(3, 1)).tell(note('before')));
  const since = stage.clock.monotonic();

  await stage.clock.until(a!.system.stop());
  await stage.clock.until(b!.system.actor(notebook, idOn(3, 1)).tell(note('after')));

  expect(stage.clock.monotonic() - since).toBeLessThan(1_000);
  await stage.clock.advance(1_000);
  expect(new Set(owners(stage))).toEqual(new Set(['b']));
  expect(await stage.clock.until(notesOf(b!.system, idOn(3, 1)))).toEqual(['before', 'after']);
});

test('a dead node is followed within a lease', async () => {
  const stage = new Stage({ shards: 8 });
  const [a, b] = await fleet(stage, 'a', 'b');
  const shard = owners(stage).indexOf('a');
  await stage.clock.until(b!.system.actor(notebook, idOn(shard, 1)).tell(note('before')));

  a!.journal.crash();
  const waiting = watch(b!.system.actor(notebook, idOn(shard, 1)).ask({ type: 'ASK' }, { deadlineMs: 60_000 }));
  await stage.clock.advance(leaseMs + 1_000);

  expect(waiting().kind).toBe('resolved');
  expect(new Set(owners(stage))).toEqual(new Set(['b']));
});
