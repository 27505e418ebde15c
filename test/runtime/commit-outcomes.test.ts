/** The three outcomes of a commit: what was discarded runs again in order or is answered with an error; none vanishes. */

import { describe, expect, test } from 'vitest';
import { defaultLimits } from '../../src/limits.ts';
import type { Publication } from '../../src/topic/topic.ts';
import { type CommitFault, type FaultyJournal, unreachable } from './faulty-journal.ts';
import { idOn, note, notebook, notebookOn } from './notebook.ts';
import { notesOf, Stage, watch } from './stage.ts';

const id = idOn(1, 1);

/** The first `count` commits of a shard end in `fault`. */
function failFirst(journal: FaultyJournal, fault: CommitFault, count = 1): void {
  const start = journal.commits.length;
  journal.onCommit = (_, nth) => (nth <= start + count ? fault : undefined);
}

describe.each<CommitFault>(['unknown, applied', 'unknown, dropped', 'unknown, late', 'refused', 'repeated'])(
  'a commit that is %s',
  (fault) => {
    test('changes the state exactly once', async () => {
      const stage = new Stage();
      const { system, journal } = await stage.open();
      failFirst(journal, fault);

      const fate = watch(system.actor(notebook, id).ask(note('a', { kind: 'reply', value: 'a' })));
      await stage.clock.advance(1_000);

      expect(fate()).toEqual({ kind: 'resolved', value: 'a' });
      expect(await notesOf(system, id)).toEqual(['a']);
      expect(await stage.differences()).toEqual([]);
    });

    test('publishes once, under the right offset', async () => {
      const stage = new Stage();
      const { system, journal } = await stage.open();
      const topic = `room:${id}`;
      const other = `hall:${id}`;
      const heard: Publication[] = [];
      for (const name of [topic, other]) system.subscribe(name, (publication) => heard.push(publication));
      const publish = (name: string, data: string) => ({ kind: 'publish', topic: name, data }) as const;
      await system.actor(notebook, id).tell(note('a', publish(topic, '1')));
      failFirst(journal, fault);

      void system
        .actor(notebook, id)
        .tell(note('b', publish(topic, '2'), publish(other, 'x'), publish(topic, '3')))
        .catch(() => undefined);
      await stage.clock.advance(1_000);

      expect(heard).toEqual([
        { topic, offset: 1, data: '1' },
        { topic, offset: 2, data: '2' },
        { topic: other, offset: 1, data: 'x' },
        { topic, offset: 3, data: '3' },
      ]);
    });

    test('lets its parcels arrive exactly once', async () => {
      const stage = new Stage();
      const { system, journal } = await stage.open();
      failFirst(journal, fault);

      const told = note('a', { kind: 'note', to: notebookOn(2, 1), key: 'b' });
      void system.actor(notebook, id).tell(told);
      await stage.clock.advance(1_000);

      expect(await notesOf(system, idOn(2, 1))).toEqual(['b']);
    });

    test('keeps the order of what was pipelined', async () => {
      const stage = new Stage();
      const { system, journal } = await stage.open();
      failFirst(journal, fault);
      const open = journal.hold();
      const keys = ['a', 'b', 'c', 'd'];

      const fates: (() => unknown)[] = [];
      for (const key of keys) {
        fates.push(watch(system.actor(notebook, id).tell(note(key))));
        await stage.clock.settle();
      }
      open();
      await stage.clock.advance(1_000);

      expect(fates.map((fate) => fate())).toEqual(keys.map(() => ({ kind: 'resolved', value: undefined })));
      expect(await notesOf(system, id)).toEqual(keys);
    });
  },
);

test('a late commit is fenced by the new epoch', async () => {
  const stage = new Stage();
  const { system, journal } = await stage.open();
  failFirst(journal, 'unknown, late');

  await system.actor(notebook, id).tell(note('a'));
  await stage.clock.advance(1_000);

  expect(journal.commits).toHaveLength(2);
  expect(stage.store.shards[1]?.entries).toHaveLength(1);
});

test('commands are answered when commits keep failing', async () => {
  const stage = new Stage();
  const { system, journal } = await stage.open();
  failFirst(journal, 'unknown, dropped', 1_000);

  const fates = ['a', 'b'].map((key) => watch(system.actor(notebook, id).tell(note(key))));
  await stage.clock.advance(60_000);

  expect(fates.map((fate) => fate())).toEqual(Array(2).fill({ kind: 'rejected', code: 'JOURNAL_UNAVAILABLE' }));
  expect(journal.commits).toHaveLength(defaultLimits.storeAttemptsMax + 1);
});

test('the shard goes on when commits succeed again', async () => {
  const stage = new Stage();
  const { system, journal } = await stage.open();
  failFirst(journal, 'unknown, dropped', 3);

  const fate = watch(system.actor(notebook, id).tell(note('a')));
  await stage.clock.advance(60_000);

  expect(fate().kind).toBe('resolved');
  expect(await notesOf(system, id)).toEqual(['a']);
});

test('parcels wait for as long as commits fail', async () => {
  const stage = new Stage();
  const { system, journal } = await stage.open();
  journal.onCommit = (commit) => (commit.shard === 2 ? 'unknown, dropped' : undefined);

  await system.actor(notebook, id).tell(note('a', { kind: 'note', to: notebookOn(2, 1), key: 'b' }));
  await stage.clock.advance(60_000);
  const attempts = journal.commits.filter(({ shard }) => shard === 2).length;
  journal.onCommit = () => undefined;
  await stage.clock.advance(5_000);

  expect(attempts).toBeGreaterThan(10);
  expect(attempts).toBeLessThan(200);
  expect(await notesOf(system, idOn(2, 1))).toEqual(['b']);
});

test('failing reads of actors end in an answer', async () => {
  const stage = new Stage();
  const { system, journal } = await stage.open();
  journal.onCall = (call) => (call === 'readActors' ? unreachable() : undefined);

  const told = watch(system.actor(notebook, id).tell(note('a')));
  const read = watch(system.actor(notebook, id).snapshot());
  await stage.clock.advance(60_000);

  const unavailable = { kind: 'rejected', code: 'JOURNAL_UNAVAILABLE' };
  expect([told(), read()]).toEqual([unavailable, unavailable]);
  expect(journal.calls.get('readActors')).toBe(defaultLimits.storeAttemptsMax + 1);
});

test('failing reads do not make a hot loop', async () => {
  const stage = new Stage();
  const { system, journal } = await stage.open();
  journal.onCall = (call, shard) => (call === 'readActors' && shard === 2 ? unreachable() : undefined);

  await system.actor(notebook, id).tell(note('a', { kind: 'note', to: notebookOn(2, 1), key: 'b' }));
  await stage.clock.advance(60_000);

  expect(journal.calls.get('readActors')).toBeLessThan(200);
  journal.onCall = () => undefined;
  await stage.clock.advance(5_000);
  expect(await notesOf(system, idOn(2, 1))).toEqual(['b']);
});

test('a store that is gone answers everybody', async () => {
  const stage = new Stage();
  const { system, journal } = await stage.open();
  const actor = system.actor(notebook, id);
  const open = journal.hold();
  const fates = [watch(actor.tell(note('a')))];
  await stage.clock.settle();
  fates.push(watch(actor.tell(note('b'))));
  await stage.clock.settle();
  fates.push(watch(actor.tell(note('c'))), watch(actor.snapshot()), watch(system.settled('o', id, 600_000)));

  journal.onCall = () => unreachable();
  journal.crash();
  open();
  await stage.clock.advance(10_000);

  expect(fates.map((fate) => fate().kind)).toEqual(Array(5).fill('rejected'));
});

test('an actor that cannot be read refuses alone', async () => {
  const stage = new Stage();
  const first = await stage.open();
  await first.system.actor(notebook, id).tell(note('a'));
  await first.system.actor(notebook, idOn(1, 2)).tell(note('b'));
  await first.system.stop();
  for (const entry of stage.store.shards[1]!.entries.slice(0, 1)) stage.store.damaged.add(entry);

  const { system } = await stage.open();
  const fates = [watch(system.actor(notebook, id).tell(note('c'))), watch(system.actor(notebook, id).snapshot())];
  await stage.clock.settle();

  expect(fates.map((fate) => fate())).toEqual(Array(2).fill({ kind: 'rejected', code: 'ACTOR_DAMAGED' }));
  expect(await notesOf(system, idOn(1, 2))).toEqual(['b']);
});

test('a shard that is damaged refuses alone', async () => {
  const stage = new Stage();
  const first = await stage.open();
  await first.system.actor(notebook, id).tell(note('a'));
  await first.system.stop();
  stage.store.damaged.add(stage.store.shards[1]!.head);

  const { system } = await stage.open();

  expect(system.ready()).toBe(false);
  await expect(system.actor(notebook, id).tell(note('b'))).rejects.toMatchObject({ code: 'JOURNAL_DAMAGED' });
  await system.actor(notebook, idOn(2, 1)).tell(note('c'));
  await stage.clock.until(system.stop());
});
