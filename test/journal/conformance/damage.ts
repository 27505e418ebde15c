/** Conformance: a damaged record names itself, and the rest stays usable. A lost snapshot is none of it: it is a cache. */

import { expect } from 'vitest';
import type { Journal } from '../../../src/journal/journal.ts';
import { type DamageTarget, type FreshStore, freshStore, type JournalAdapter, testWhere } from '../adapter.ts';
import { actorOf, fullDraft, plain, storyOf, takeShard } from '../writer.ts';

const room = actorOf('room', 2);
const user = actorOf('user', 2);

/** A store with three commits, one record of them damaged, opened again. */
async function damaged(adapter: JournalAdapter, target: DamageTarget): Promise<Journal> {
  const store = await filled(adapter);
  await store.damage!(target);
  return store.open();
}

async function filled(adapter: JournalAdapter): Promise<FreshStore> {
  const store = await freshStore(adapter);
  const journal = await store.open();
  const writer = await takeShard(journal);
  for (const n of [1, 2, 3]) await writer.write(fullDraft(n));
  await journal.close();
  return store;
}

/** The shard without its damaged part still works: another shard too. */
async function expectUsable(journal: Journal): Promise<void> {
  const other = await takeShard(journal, 1);
  await other.write(fullDraft(1));
  expect((await journal.readShard(1)).head.commits).toBe(1);
  expect((await journal.readRows(0, 'people', ['newest']))[0]).toBeDefined();
}

export function damageTests(adapter: JournalAdapter): void {
  const has = (kind: DamageTarget['kind']) => testWhere(adapter.damages.includes(kind));

  has('entry')('gives a damaged entry as error in place', async () => {
    const journal = await damaged(adapter, { kind: 'entry', shard: 0, seq: 5 });

    const entries = await journal.readEntries(0, 3, 3);

    expect(entries.map((entry) => entry instanceof Error)).toEqual([false, true, false]);
    expect(entries[1]).toMatchObject({
      code: 'JOURNAL_DAMAGED',
      message: expect.stringContaining('5'),
      params: { shard: 0, seq: 5 },
    });
    await expectUsable(journal);
  });

  has('entry')('gives a damaged tail as damaged actor', async () => {
    const journal = await damaged(adapter, { kind: 'entry', shard: 0, seq: 4 });

    const [first, broken, third] = await journal.readActors(0, [actorOf('room', 1), room, actorOf('room', 3)]);

    expect(broken).toMatchObject({
      code: 'ACTOR_DAMAGED',
      message: expect.stringContaining(room),
      params: { actor: room },
    });
    expect(first).toMatchObject({ index: { version: 1 } });
    expect(third).toMatchObject({ index: { version: 1 } });
  });

  has('index')('gives a damaged index as damaged actor', async () => {
    const journal = await damaged(adapter, { kind: 'index', shard: 0, actor: room });

    const [broken, whole] = await journal.readActors(0, [room, user]);

    expect(broken).toMatchObject({
      code: 'ACTOR_DAMAGED',
      message: expect.stringContaining(room),
      params: { actor: room },
    });
    expect(whole).toMatchObject({ index: { actor: user } });
    await expect(journal.listActors(0, { limit: 10 })).rejects.toMatchObject({ code: 'ACTOR_DAMAGED' });
    await expectUsable(journal);
  });

  has('snapshot')('gives a damaged snapshot as damaged actor', async () => {
    const journal = await damaged(adapter, { kind: 'snapshot', shard: 0, actor: user });

    const [broken, whole] = await journal.readActors(0, [user, room]);

    expect(broken).toMatchObject({
      code: 'ACTOR_DAMAGED',
      message: expect.stringContaining(user),
      params: { actor: user },
    });
    expect(whole).toMatchObject({ index: { actor: room } });
    expect(await journal.listActors(0, { limit: 10 })).toHaveLength(6);
    await expectUsable(journal);
  });

  has('timer')('names a damaged timer', async () => {
    const timerOf = actorOf('room', 3);
    const journal = await damaged(adapter, { kind: 'timer', shard: 0, actor: timerOf, id: 'reminder' });

    await expect(journal.readShard(0)).rejects.toMatchObject({
      code: 'JOURNAL_DAMAGED',
      message: expect.stringMatching(/timer/i),
    });
    await expectUsable(journal);
  });

  has('outbox')('names a damaged outbox message', async () => {
    const journal = await damaged(adapter, { kind: 'outbox', shard: 0, to: 1, n: 2 });

    await expect(journal.readShard(0)).rejects.toMatchObject({
      code: 'JOURNAL_DAMAGED',
      message: expect.stringMatching(/outbox/i),
    });
    await expectUsable(journal);
  });

  has('publication')('names a damaged publication and reads on', async () => {
    const journal = await damaged(adapter, { kind: 'publication', shard: 0, topic: 'room:news', offset: 2 });

    await expect(journal.readTopic(0, 'room:news', 0, 10)).rejects.toMatchObject({
      code: 'JOURNAL_DAMAGED',
      message: expect.stringContaining('room:news'),
    });
    expect(plain((await journal.readTopic(0, 'room:news', 2, 10)).publications)).toEqual([
      { offset: 3, payload: 'news 3' },
    ]);
    await expectUsable(journal);
  });

  has('row')('names a damaged row and reads others', async () => {
    const journal = await damaged(adapter, { kind: 'row', shard: 0, view: 'rooms', key: 'room-2' });

    await expect(journal.readRows(0, 'rooms', ['room-1', 'room-2'])).rejects.toMatchObject({
      code: 'JOURNAL_DAMAGED',
      message: expect.stringContaining('room-2'),
    });
    await expect(journal.readRange(0, 'rooms', { limit: 10 })).rejects.toMatchObject({ code: 'JOURNAL_DAMAGED' });
    expect(await journal.readRange(0, 'rooms', { limit: 10, after: 'room-2' })).toHaveLength(1);
    await expectUsable(journal);
  });

  testWhere(adapter.losesSnapshots)('reads an actor whose snapshot is gone', async () => {
    const store = await filled(adapter);
    await store.loseSnapshot!(0, user);
    const journal = await store.open();

    const [record] = await journal.readActors(0, [user]);

    expect(plain(record)).toMatchObject({
      index: { version: 2, snapshotVersion: 1, tail: [6] },
      tail: [{ seq: 6, version: 2 }],
    });
    expect(record).not.toHaveProperty('snapshot');
    expect(await storyOf(journal)).toBeDefined();
  });
}
