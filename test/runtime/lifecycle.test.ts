/** Opening and stopping a system: nothing is read early, nothing is left waiting, and leases are given back. */

import { expect, test } from 'vitest';
import { addressOf } from '../../src/actor/address.ts';
import { encode } from '../../src/journal/codec.ts';
import { alarm } from './alarm.ts';
import { unreachable } from './faulty-journal.ts';
import { idOn, note, notebook, notebookOn } from './notebook.ts';
import { notesOf, Stage, watch } from './stage.ts';

const id = idOn(1, 1);

test('opening a hundred thousand actors reads none', async () => {
  const stage = new Stage();
  const count = 100_000;
  for (let n = 1; n <= count; n++) {
    const shard = stage.store.shards[n % 4]!;
    const actor = notebookOn(n % 4, n);
    const seq = shard.entries.length + 1;
    const payload = encode(note(`${n}`));
    shard.entries.push({ seq, actor, version: 1, type: 'NOTE', emitted: ['noted'], at: 0, payload });
    shard.actors.set(actor, { actor, version: 1, snapshotVersion: 0, tail: [seq] });
    shard.head = { commits: seq, seq, commitId: `${seq}` };
  }

  const { system, journal } = await stage.open();

  expect([...journal.calls.keys()].sort()).toEqual(['acquire', 'readShard']);
  expect(await notesOf(system, idOn(3, 99_999))).toEqual(['99999']);
  expect(journal.calls.get('readActors')).toBe(1);
});

test('a stop finishes the work at hand', async () => {
  const stage = new Stage();
  const { system, journal } = await stage.open();
  journal.delayMs = 20;
  const told = Array.from({ length: 50 }, (_, n) => watch(system.actor(notebook, idOn(n % 4, n)).tell(note('a'))));

  await stage.clock.until(system.stop());

  expect(told.every((fate) => fate().kind === 'resolved')).toBe(true);
  expect(stage.store.shards.flatMap(({ entries }) => entries)).toHaveLength(50);
});

test('a stop gives the leases back at once', async () => {
  const stage = new Stage();
  const first = await stage.open();
  await first.system.stop();

  const stopped = stage.clock.monotonic();
  const { system } = await stage.open();

  expect(stage.clock.monotonic()).toBe(stopped);
  expect(system.ready()).toBe(true);
});

test('a stopping system takes no new commands', async () => {
  const stage = new Stage();
  const { system, journal } = await stage.open();
  const open = journal.hold();
  const before = watch(system.actor(notebook, id).tell(note('a')));
  await stage.clock.settle();

  const stopped = watch(system.stop());
  const late = [
    watch(system.actor(notebook, id).tell(note('b'))),
    watch(system.actor(notebook, id).snapshot()),
    watch(system.settled('o', id)),
  ];
  open();
  await stage.clock.settle();

  expect(before().kind).toBe('resolved');
  expect(stopped().kind).toBe('resolved');
  expect(late.map((fate) => fate())).toEqual(Array(3).fill({ kind: 'rejected', code: 'STOPPED' }));
  expect(system.ready()).toBe(false);
});

test('stopping twice is stopping once', async () => {
  const stage = new Stage();
  const { system } = await stage.open();

  const stops = [system.stop(), system.stop()];

  expect(stops[0]).toBe(stops[1]);
  await Promise.all(stops);
});

test('nothing keeps the clock after a stop', async () => {
  const stage = new Stage();
  const { system } = await stage.open({ actors: [notebook, alarm] });
  await system.actor(alarm, id).tell({ type: 'WAIT', ms: 60_000 });
  await system.actor(notebook, id).tell(note('a', { kind: 'note', to: notebookOn(2, 1), key: 'b' }));

  await system.stop();

  expect(stage.clock.waiting).toBe(0);
});

test('a stop during a recovery is prompt', async () => {
  const stage = new Stage();
  const { system, journal } = await stage.open();
  journal.onCommit = (_, nth) => (nth === 1 ? 'unknown, applied' : undefined);
  const open = journal.hold();
  const told = watch(system.actor(notebook, id).tell(note('a')));
  await stage.clock.settle();
  const started = stage.clock.monotonic();

  const stopping = system.stop();
  open();
  await stage.clock.until(stopping);

  expect(told().kind).toBe('resolved');
  expect(stage.clock.monotonic() - started).toBeLessThan(1_000);
});

test('a stop without a store ends and answers', async () => {
  const stage = new Stage();
  const { system, journal } = await stage.open();
  const open = journal.hold();
  const told = watch(system.actor(notebook, id).tell(note('a')));
  await stage.clock.settle();
  journal.onCommit = () => 'unknown, dropped';
  journal.onCall = () => unreachable();

  const stopping = system.stop();
  open();
  await stage.clock.until(stopping);
  await stage.clock.advance(10_000);

  expect(told().kind).not.toBe('pending');
  const after = watch(system.actor(notebook, id).tell(note('b')));
  await stage.clock.advance(10_000);
  expect(after().kind).toBe('rejected');
});

test('timers do not fire while a system stops', async () => {
  const stage = new Stage();
  const { system, journal } = await stage.open({ actors: [notebook, alarm] });
  await system.actor(alarm, id).tell({ type: 'WAIT', ms: 100 });
  const open = journal.hold();
  void system.actor(notebook, id).tell(note('a'));
  await stage.clock.settle();

  const stopping = system.stop();
  await stage.clock.advance(500);
  open();
  await stage.clock.until(stopping);

  expect(stage.store.shards[1]?.timers.size).toBe(1);
});

test('a shard recovers without its clients noticing', async () => {
  const stage = new Stage();
  const { system, journal } = await stage.open();
  journal.onCommit = (_, nth) => (nth % 2 === 1 ? 'unknown, applied' : undefined);

  const told = Promise.all(['a', 'b', 'c', 'd'].map((key) => system.actor(notebook, id).tell(note(key))));
  await stage.clock.until(told);

  expect(system.ready()).toBe(true);
  expect(await notesOf(system, id)).toEqual(['a', 'b', 'c', 'd']);
});

test('references are refused for unknown types and ids', async () => {
  const stage = new Stage();
  const { system } = await stage.open();

  expect(() => system.actor(alarm, id)).toThrow(/without the definition of "alarm"/);
  expect(() => system.actor(notebook, 'x')).toThrow(/not a UUID/);
  expect(system.actor(notebook, id).address).toBe(addressOf('notebook', id));
});

test('an actor lives on the shard of its key', async () => {
  const stage = new Stage();
  const guest = { ...notebook, type: 'guest', shardKey: () => idOn(3, 1) };
  const { system } = await stage.open({ actors: [notebook, guest] });

  await system.actor(guest, id).tell(note('a'));
  const order = { kind: 'event', to: addressOf('guest', id), event: { type: 'NOTE', key: 'b' } } as const;
  await system.actor(notebook, id).tell(note('x', order));
  await stage.clock.settle();

  expect(stage.store.shards[3]?.entries).toHaveLength(2);
  expect((await system.actor(guest, id).snapshot())?.state.context.notes).toEqual(['a', 'b']);
});
