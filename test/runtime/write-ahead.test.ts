/** Invariant 1: nothing leaves a shard before the commit of the state it shows, and all earlier ones, are durable. */

import { expect, test } from 'vitest';
import type { Publication } from '../../src/topic/topic.ts';
import { idOn, note, notebook, notebookOn } from './notebook.ts';
import { notesOf, Stage, watch } from './stage.ts';

test('tells resolve after their commit is durable', async () => {
  const stage = new Stage();
  const { system, journal } = await stage.open();
  const open = journal.hold();

  const fate = watch(system.actor(notebook, idOn(1, 1)).tell(note('a')));
  await stage.clock.settle();

  expect(journal.commits).toHaveLength(1);
  expect(fate()).toEqual({ kind: 'pending' });
  open();
  await stage.clock.settle();
  expect(fate()).toEqual({ kind: 'resolved', value: undefined });
});

test('asks are answered after their commit is durable', async () => {
  const stage = new Stage();
  const { system, journal } = await stage.open();
  const open = journal.hold();

  const fate = watch(system.actor(notebook, idOn(1, 1)).ask(note('a', { kind: 'reply', value: 42 })));
  await stage.clock.settle();

  expect(fate()).toEqual({ kind: 'pending' });
  open();
  await stage.clock.settle();
  expect(fate()).toEqual({ kind: 'resolved', value: 42 });
});

test('questions wait for the state they show', async () => {
  const stage = new Stage();
  const { system, journal } = await stage.open();
  const actor = system.actor(notebook, idOn(1, 1));
  const open = journal.hold();

  void actor.tell(note('a'));
  await stage.clock.settle();
  const asked = watch(actor.ask({ type: 'ASK' }));
  await stage.clock.settle();

  expect(asked()).toEqual({ kind: 'pending' });
  open();
  await stage.clock.settle();
  expect(asked()).toEqual({ kind: 'resolved', value: ['a'] });
});

test('snapshots of speculative states wait for their commit', async () => {
  const stage = new Stage();
  const { system, journal } = await stage.open();
  const actor = system.actor(notebook, idOn(1, 1));
  const open = journal.hold();

  void actor.tell(note('a'));
  await stage.clock.settle();
  const read = watch(actor.snapshot());
  await stage.clock.settle();

  expect(read()).toEqual({ kind: 'pending' });
  open();
  await stage.clock.settle();
  expect(read()).toMatchObject({ kind: 'resolved', value: { version: 1 } });
});

test('refused reads and absent actors wait as well', async () => {
  const stage = new Stage();
  const { system, journal } = await stage.open();
  const open = journal.hold();

  void system.actor(notebook, idOn(1, 1)).tell(note('a'));
  await stage.clock.settle();
  const absent = watch(system.actor(notebook, idOn(1, 2)).snapshot());
  const unanswered = watch(system.actor(notebook, idOn(1, 2)).ask({ type: 'IGNORED' }));
  await stage.clock.settle();

  expect([absent(), unanswered()]).toEqual([{ kind: 'pending' }, { kind: 'pending' }]);
  open();
  await stage.clock.settle();
  expect(absent()).toEqual({ kind: 'resolved', value: undefined });
  expect(unanswered()).toEqual({ kind: 'rejected', code: 'NO_REPLY' });
});

test('publications reach subscribers after their commit', async () => {
  const stage = new Stage();
  const { system, journal } = await stage.open();
  const topic = `room:${idOn(1, 7)}`;
  const heard: Publication[] = [];
  system.subscribe(topic, (publication) => heard.push(publication));
  const open = journal.hold();

  void system.actor(notebook, idOn(1, 1)).tell(note('a', { kind: 'publish', topic, data: 'news' }));
  await stage.clock.settle();

  expect(heard).toEqual([]);
  open();
  await stage.clock.settle();
  expect(heard).toEqual([{ topic, offset: 1, data: 'news' }]);
});

test('parcels leave for other shards after their commit', async () => {
  const stage = new Stage();
  const { system, journal } = await stage.open();
  const open = journal.hold();

  void system.actor(notebook, idOn(1, 1)).tell(note('a', { kind: 'note', to: notebookOn(2, 1), key: 'b' }));
  await stage.clock.settle();

  expect(journal.commits.map(({ shard }) => shard)).toEqual([1]);
  open();
  await stage.clock.settle();
  expect(journal.commits.map(({ shard }) => shard).slice(0, 2)).toEqual([1, 2]);
  expect(await notesOf(system, idOn(2, 1))).toEqual(['b']);
});

test('parcels of a second commit wait for that one', async () => {
  const stage = new Stage();
  const { system, journal } = await stage.open();
  journal.onCommit = (commit) => {
    if (commit.shard !== 1) return undefined;
    return commit.number === 1 ? 'done, late' : 'slow';
  };
  const told = (key: string) => note(key, { kind: 'note', to: notebookOn(2, 1), key });

  void system.actor(notebook, idOn(1, 1)).tell(told('a'));
  await stage.clock.advance(50);
  void system.actor(notebook, idOn(1, 1)).tell(told('b'));
  await stage.clock.advance(60);
  const before = await notesOf(system, idOn(2, 1));
  await stage.clock.advance(1_000);

  expect(before).toEqual(['a']);
  expect(await notesOf(system, idOn(2, 1))).toEqual(['a', 'b']);
});

test('parcels are acknowledged after the receiving commit', async () => {
  const stage = new Stage();
  const acknowledged: number[] = [];
  const { system, journal } = await stage.open({
    transport: (inner) => ({
      ...inner,
      acknowledge: (sender, receiver, n) => {
        acknowledged.push(n);
        inner.acknowledge(sender, receiver, n);
      },
    }),
  });
  let open = (): void => undefined;
  journal.onCommit = (commit) => {
    if (commit.shard === 2) open = journal.hold();
    return undefined;
  };

  await system.actor(notebook, idOn(1, 1)).tell(note('a', { kind: 'note', to: notebookOn(2, 1), key: 'b' }));
  await stage.clock.settle();

  expect(acknowledged).toEqual([]);
  open();
  await stage.clock.settle();
  expect(acknowledged).toEqual([1]);
});

test('repeated parcels are acknowledged after the first one', async () => {
  const stage = new Stage();
  const acknowledged: number[] = [];
  const { system, journal } = await stage.open({
    transport: (inner) => ({
      ...inner,
      deliver: (to, from, n, parcel) => {
        inner.deliver(to, from, n, parcel);
        stage.clock.after(10, () => inner.deliver(to, from, n, parcel));
      },
      acknowledge: (sender, receiver, n) => {
        acknowledged.push(n);
        inner.acknowledge(sender, receiver, n);
      },
    }),
  });
  let open = (): void => undefined;
  journal.onCommit = (commit) => {
    if (commit.shard === 2) open = journal.hold();
    return undefined;
  };

  await system.actor(notebook, idOn(1, 1)).tell(note('a', { kind: 'note', to: notebookOn(2, 1), key: 'b' }));
  await stage.clock.advance(20);

  expect(acknowledged).toEqual([]);
  open();
  await stage.clock.settle();
  expect(acknowledged).toEqual([1, 1]);
  expect(await notesOf(system, idOn(2, 1))).toEqual(['b']);
});

test('later commits wait for earlier ones', async () => {
  const stage = new Stage();
  const { system, journal } = await stage.open();
  const actor = system.actor(notebook, idOn(1, 1));
  journal.onCommit = (_, nth) => (nth === 1 ? 'done, late' : undefined);

  const order: string[] = [];
  void actor.tell(note('a')).then(() => order.push('a'));
  await stage.clock.settle();
  void actor.tell(note('b')).then(() => order.push('b'));
  await stage.clock.settle();
  void actor.snapshot().then(() => order.push('read'));
  await stage.clock.settle();

  expect(stage.store.shards[1]?.head.commits).toBe(2);
  expect(order).toEqual([]);
  await stage.clock.advance(200);
  expect(order).toEqual(['a', 'b', 'read']);
});

test('nothing of a speculative turn leaves when the first fails', async () => {
  const stage = new Stage();
  const { system, journal } = await stage.open();
  const actor = system.actor(notebook, idOn(1, 1));
  const open = journal.hold();
  journal.onCommit = (_, nth) => (nth === 1 ? 'unknown, dropped' : undefined);

  const first = watch(actor.tell(note('a')));
  await stage.clock.settle();
  const second = watch(actor.ask(note('b', { kind: 'reply', value: 'b' })));
  await stage.clock.settle();
  const third = watch(actor.ask({ type: 'ASK' }));
  await stage.clock.settle();

  expect([first(), second(), third()].map(({ kind }) => kind)).toEqual(['pending', 'pending', 'pending']);
  open();
  await stage.clock.settle();
  expect(first().kind).toBe('resolved');
  expect(second()).toEqual({ kind: 'resolved', value: 'b' });
  expect(third()).toEqual({ kind: 'resolved', value: ['a', 'b'] });
  expect(await stage.differences()).toEqual([]);
});

test('dead letters are answered after they are kept', async () => {
  const stage = new Stage();
  const { system, journal } = await stage.open();
  const open = journal.hold();

  const fate = watch(system.actor(notebook, idOn(1, 1)).tell({ type: 'BREAK' }));
  await stage.clock.settle();

  expect(fate()).toEqual({ kind: 'pending' });
  open();
  await stage.clock.settle();
  expect(fate()).toEqual({ kind: 'rejected', code: 'MACHINE_FAILED' });
  expect(await journal.readDeadLetters(1, 10)).toHaveLength(1);
});

test('rows of views appear with their commit alone', async () => {
  const stage = new Stage();
  const { journal, system } = await stage.open({
    projections: [
      {
        name: 'notes',
        version: '1',
        views: ['notes'],
        rules: { notebook: ({ id, version }) => [{ view: 'notes', key: id, value: version }] },
      },
    ],
  });
  const open = journal.hold();

  void system.actor(notebook, idOn(1, 1)).tell(note('a'));
  await stage.clock.settle();

  expect(await system.rows('notes', idOn(1, 1), [idOn(1, 1)])).toEqual([undefined]);
  open();
  await stage.clock.settle();
  expect(await system.rows('notes', idOn(1, 1), [idOn(1, 1)])).toEqual([1]);
});
