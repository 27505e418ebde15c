import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chatActors, chatProjections, user } from '../../actors/chat.ts';
import { type ActorSystem, openJournal, openSystem } from '../../src/index.ts';
import { emptyCommit } from '../../src/journal/journal.ts';
import { alice, bob, fillChatStore } from './chat-store.ts';
import { troupe } from './command-line.ts';
import { lmdbStore, storeKinds, type TestStore } from './stores.ts';

describe.each(storeKinds)('the reading commands on $kind', ({ make }) => {
  let store: TestStore;
  let system: ActorSystem;
  let JOURNAL: string;
  beforeAll(async () => {
    store = await make();
    JOURNAL = store.url;
    await fillChatStore(JOURNAL);
    // All of them read beside a system that has the store open.
    system = await openSystem({
      journal: await openJournal(JOURNAL),
      actors: chatActors,
      projections: chatProjections,
    });
  });
  afterAll(async () => {
    await system?.stop();
    await store?.remove();
  });

  test('actors are listed in order of their address', async () => {
    const { code, out, err } = await troupe(['actors'], { JOURNAL });

    expect(code).toBe(0);
    expect(out[0]).toMatch(/^ADDRESS +VERSION +SNAPSHOT +SHARD$/);
    expect(out.slice(1).map((line) => line.split('/')[0])).toEqual(['USER_CREATE', 'USER_CREATE', 'user', 'user']);
    expect(out[3]).toMatch(new RegExp(`^user/${bob} +2 +0 +1$`));
    expect(err).toEqual(['4 actors.']);
  });

  test('actors are paged by type and address', async () => {
    const first = await troupe(['actors', '--type', 'user', '--limit', '1', '--json'], { JOURNAL });
    const after = await troupe(['actors', '--type', 'user', '--after', `user/${bob}`, '--json'], { JOURNAL });
    const text = await troupe(['actors', '--limit', '1', '--type', 'user'], { JOURNAL });

    expect(JSON.parse(first.out[0]!)).toEqual([{ address: `user/${bob}`, version: 2, snapshotVersion: 0, shard: 1 }]);
    expect(JSON.parse(after.out[0]!)).toMatchObject([{ address: `user/${alice}` }]);
    expect(text.err).toEqual([`1 actor; the next ones with --after user/${bob}.`]);
  });

  test('an actor is shown as the system has it', async () => {
    const { code, out } = await troupe(['show', `user/${alice}`, '--json'], { JOURNAL });

    const live = await system.actor(user, alice).snapshot();
    expect(code).toBe(0);
    expect(JSON.parse(out.join(''))).toEqual({
      address: `user/${alice}`,
      version: live!.version,
      shard: 0,
      status: 'active',
      value: live!.state.value,
      context: JSON.parse(JSON.stringify(live!.state.context)),
    });
  });

  test('an actor is shown to people too', async () => {
    const { out } = await troupe(['show', `user/${alice}`], { JOURNAL });

    expect(out[0]).toBe(`user/${alice}  version 2, shard 0, active`);
    expect(out.join('\n')).toContain('"username": "alice"');
  });

  test('a history names event, sender and operation', async () => {
    const { code, out } = await troupe(['history', `user/${alice}`], { JOURNAL });
    const json = await troupe(['history', `user/${alice}`, '--json'], { JOURNAL });

    expect(code).toBe(0);
    expect(out[0]).toMatch(/^SEQ +VERSION +TIME +TYPE +EMITTED +FROM +OPERATION$/);
    expect(out[1]).toMatch(
      / 1 +\d{4}-\S+Z +USER_CREATE_INITIATED +USER_CREATE_APPROVED +USER_CREATE\/\S+ +[0-9a-f-]{36}$/,
    );
    expect(JSON.parse(json.out[0]!)).toMatchObject([
      { version: 1, event: { type: 'USER_CREATE_INITIATED' } },
      { version: 2, event: { type: 'USER_CREATE_COMPLETED' } },
    ]);
  });

  test('a limited history has the newest events', async () => {
    const { out, err } = await troupe(['history', `user/${alice}`, '--limit', '1'], { JOURNAL });

    expect(out).toHaveLength(2);
    expect(out[1]).toContain('USER_CREATE_COMPLETED');
    expect(err).toEqual(['1 earlier; see them with --limit 2.']);
  });

  test.each(['show', 'history'])('%s of an unknown actor creates nothing', async (command) => {
    const unknown = `user/${alice.slice(0, -1)}1`;

    const { code, out, err } = await troupe([command, unknown], { JOURNAL });

    expect({ code, out, err }).toEqual({ code: 1, out: [], err: [`${unknown} has never accepted an event.`] });
    expect((await troupe(['actors'], { JOURNAL })).err).toEqual(['4 actors.']);
  });

  test.each([
    ['room', '"room" is not an address; one looks like room/<uuid in lower case>.'],
    [`ghost/${alice}`, 'There are no actors of type "ghost"; there are user, room, message'],
  ])('the address %s is refused', async (address, sentence) => {
    const { code, err } = await troupe(['show', address], { JOURNAL });

    expect(code).toBe(2);
    expect(err.join('\n')).toContain(sentence);
  });

  test('verify agrees beside a running system', async () => {
    const { code, out, err } = await troupe(['verify'], { JOURNAL });

    expect({ code, err }).toEqual({ code: 0, err: [] });
    expect(out.at(-1)).toMatch(/^4 shards, 8 entries, 4 actors, .*: everything agrees with the journal\.$/);
  });

  test('verify counts as JSON too', async () => {
    const { out } = await troupe(['verify', '--json'], { JOURNAL });

    expect(JSON.parse(out[0]!)).toMatchObject({ ok: true, shards: 4, entries: 8, actors: 4, differences: [] });
  });

  test('another number of shards is refused', async () => {
    const { code, err } = await troupe(['actors'], { JOURNAL, SHARDS: '8' });

    expect(code).toBe(1);
    expect(err.join('\n')).toContain('The store was made with 4 shards and cannot be opened with 8');
  });
});

describe('a store that is not there', () => {
  test.each(['actors', 'verify'])('%s says so and makes none', async (command) => {
    const { url, remove } = await lmdbStore();

    const { code, out, err } = await troupe([command], { JOURNAL: url });
    await remove();

    expect({ code, out }).toEqual({ code: 1, out: [] });
    expect(err).toHaveLength(1);
  });

  test('an unreachable server is one sentence', async () => {
    const { code, out, err } = await troupe(['actors'], { JOURNAL: 'redis://127.0.0.1:1' });

    expect({ code, out }).toEqual({ code: 1, out: [] });
    expect(err).toHaveLength(1);
  });
});

describe('verify', () => {
  test('names what differs and exits with 1', async () => {
    const { url: JOURNAL, remove } = await lmdbStore();
    await fillChatStore(JOURNAL);
    const journal = await openJournal(JOURNAL);
    const taken = await journal.acquire(0, { node: 'vandal', nonce: 'vandal' }, 60_000);
    if (taken.kind !== 'acquired') throw new Error('the shard is held');
    const { head, lease } = taken;
    const view = { view: 'users', key: alice };
    await journal.commit({
      ...emptyCommit,
      shard: 0,
      epoch: lease.epoch,
      number: head.commits + 1,
      id: 'vandal',
      firstSeq: head.seq + 1,
      views: [view],
    });
    await journal.close();

    const { code, out, err } = await troupe(['verify'], { JOURNAL });
    const json = await troupe(['verify', '--json'], { JOURNAL });
    await remove();

    expect(code).toBe(1);
    expect(out[0]).toBe(`shard 0: row ${alice} of users is in the projection of the journal and not in the store`);
    expect(err).toEqual(['The store differs from its journal in 1 place.']);
    expect(json.code).toBe(1);
    expect(JSON.parse(json.out[0]!)).toMatchObject({ ok: false, differenceCount: 1 });
  });
});
