/** What a Redis store looks like from outside, what it asks of its server, and what it costs. */

import { Socket } from 'node:net';
import type { Redis } from 'ioredis';
import { expect, test, vi } from 'vitest';
import type { ActorRecord } from '../../src/journal/journal.ts';
import { openRedisJournal } from '../../src/journal/redis.ts';
import { contentOf, openClient, openJournal, startServer } from './redis-store.ts';
import { actorOf, bytes, fullDraft, plain, takeShard } from './writer.ts';

test('entries are readable with redis-cli', async () => {
  const server = await startServer();
  const journal = await openJournal(server);
  const operation = '7d0cf3a4-6ff6-4a77-8a0a-7b0cf3a46ff6';
  const actor = actorOf('room', 1);
  const writer = await takeShard(journal);

  await writer.write({
    events: [
      { actor, type: 'OPENED', extra: { emitted: ['opened', 'greeted'], from: `saga/${operation}`, operation } },
      { actor: `saga/${operation}`, extra: { emitted: [], from: actor, operation } },
    ],
  });

  const entries = await openClient(server).xrange('troupe:{0}:journal', '-', '+');
  const fields = (i: number) =>
    Object.fromEntries(entries[i]![1].flatMap((_, j, all) => (j % 2 ? [] : [all.slice(j, j + 2)])));
  expect(entries.map(([id]) => id)).toEqual(['1-0', '2-0']);
  expect(fields(0)).toEqual({
    actor,
    version: '1',
    type: 'OPENED',
    emitted: 'opened,greeted',
    operation,
    from: 'saga/=',
    at: '1700000000001',
    payload: `event 1 of ${actor}`,
    check: expect.stringMatching(/^-?\d+$/),
  });
  expect(fields(1)).toMatchObject({ actor: `saga/${operation}`, operation: '=', from: actor });
});

test('gives back what its shorthand could be taken for', async () => {
  const server = await startServer();
  const journal = await openJournal(server);
  const writer = await takeShard(journal);
  const actor = actorOf('room', 1);
  const extras = [
    { emitted: [], operation: '' },
    { emitted: [''], operation: '=' },
    { emitted: ['a,b', 'c'], operation: '=:x', from: 'saga/=' as const },
    { emitted: ['[', ']'], operation: 'x', from: 'saga/=' as const },
    { emitted: ['a', ''], operation: 'x', from: '=:/x' as const },
    { emitted: ['ü – 🎭'], operation: 'ü – 🎭', from: 'saga/x' as const },
    { emitted: [], operation: actor.slice(5), from: actor },
    { emitted: [] },
  ];

  await writer.write({ events: extras.map((extra) => ({ actor, type: 'Ü'.repeat(300), extra })) });

  const entries = await journal.readEntries(0, 0, 10);
  const read = entries.map((entry) => {
    if (entry instanceof Error) return entry;
    const { emitted, operation, from } = entry;
    return plain({ emitted, operation, from });
  });
  expect(read).toEqual(extras);
});

test('every call stays in one slot of a cluster', async () => {
  const server = await startServer({ cluster: true });
  const client = openClient(server);
  await client.cluster('ADDSLOTSRANGE', 0, 16_383);
  await expect.poll(() => client.cluster('INFO'), { timeout: 10_000 }).toContain('cluster_state:ok');
  const journal = await openJournal(server);

  for (const shard of [0, 1]) {
    const writer = await takeShard(journal, shard);
    await writer.write(fullDraft(1));
    await writer.write({ ...fullDraft(2), outboxAcked: [{ shard: 1, n: 1 }], viewsCleared: ['people'] });
    await journal.renew(writer.lease, 1_000);
    expect(await journal.listActors(shard, { limit: 10 })).toHaveLength(4);
    expect(await journal.readActors(shard, [actorOf('room', 1)])).toHaveLength(1);
    expect((await journal.readTopic(shard, 'room:news', 0, 10)).head).toBe(2);
    expect(await journal.readRows(shard, 'rooms', ['room-1'])).toHaveLength(1);
    expect((await journal.readShard(shard)).outbox).toHaveLength(1);
    await journal.release(writer.lease);
  }
  await expect(client.mget('troupe:{0}:journal', 'troupe:{1}:journal')).rejects.toThrow('CROSSSLOT');
});

test('takes a commit of 20,000 records of each kind', { timeout: 120_000 }, async () => {
  const server = await startServer();
  const journal = await openJournal(server, { topicHistoryMax: 30_000, deadLettersMax: 30_000, deadlineMs: 60_000 });
  const writer = await takeShard(journal);
  const numbers = Array.from({ length: 20_000 }, (_, i) => i + 1);
  const payload = bytes('payload');
  await writer.write({ outbox: numbers.map((n) => ({ to: 1, n, payload })) });

  await writer.write({ events: numbers.map((n) => ({ actor: actorOf('room', n), snapshot: 'state' })) });
  const offsets = await writer.write({
    timersSet: numbers.map((n) => ({ actor: actorOf('room', n), id: 'x', dueAt: n, generation: 1, payload })),
    outboxAcked: [{ shard: 1, n: 19_999 }],
    publications: numbers.map(() => ({ topic: 'room:news', payload })),
    deadLetters: numbers.map((at) => ({ at, code: 'X', reason: 'x', payload })),
    views: numbers.map((n) => ({ view: 'rooms', key: `room-${n}`, payload })),
  });

  expect(offsets).toEqual(numbers);
  const state = await journal.readShard(0);
  expect(state.timers).toHaveLength(20_000);
  expect(plain(state.outbox)).toEqual([{ to: 1, n: 20_000, payload: 'payload' }]);
  expect(await journal.readEntries(0, 0, 30_000)).toHaveLength(20_000);
  expect(await journal.readRange(0, 'rooms', { limit: 30_000 })).toHaveLength(20_000);
  expect((await journal.readTopic(0, 'room:news', 0, 30_000)).publications).toHaveLength(20_000);
  expect(await journal.readDeadLetters(0, 30_000)).toHaveLength(20_000);
  expect(await journal.listActors(0, { limit: 30_000 })).toHaveLength(20_000);
});

test('commits of one tick leave in one write', async () => {
  const server = await startServer();
  const journal = await openJournal(server, { shards: 32 });
  const writers = await Promise.all(Array.from({ length: 32 }, (_, shard) => takeShard(journal, shard)));
  const spies = [vi.spyOn(Socket.prototype, '_write'), vi.spyOn(Socket.prototype, '_writev')];
  const sockets = () => spies.flatMap(({ mock }) => mock.contexts as Socket[]);

  const written = writers.map(async (writer, i) => {
    for (let turn = 0; turn < i % 4; turn++) await undefined;
    await writer.write({ events: [{ actor: actorOf('room', i) }] });
  });
  await Promise.all(written);

  expect(sockets().filter(({ remotePort }) => remotePort === server.port)).toHaveLength(1);
});

test('commits keep a listing that exists complete', async () => {
  const server = await startServer();
  const journal = await openJournal(server);
  const client = openClient(server);
  const writer = await takeShard(journal);
  await writer.write({ events: Array.from({ length: 3_000 }, (_, n) => ({ actor: actorOf('room', n) })) });
  expect(await client.exists('troupe:{0}:addresses')).toBe(0);

  const listing = journal.listActors(0, { limit: 10_000 });
  for (let n = 3_000; n < 3_020; n++) await writer.write({ events: [{ actor: actorOf('room', n) }] });
  const others = await Promise.all([openJournal(server), openJournal(server)]);
  await Promise.all([listing, ...others.map((other) => other.listActors(0, { limit: 1 }))]);
  await writer.write({ events: [{ actor: actorOf('room', 5_000) }, { actor: actorOf('room', 0) }] });

  expect(await journal.listActors(0, { limit: 10_000 })).toHaveLength(3_021);
  expect(await journal.listActors(0, { limit: 10, reverse: true, after: actorOf('room', 2) })).toHaveLength(2);
  expect(await client.ttl('troupe:{0}:addresses')).toBeGreaterThan(500);
});

/** Puts the keys back as they were, as a failover to a replica that lags does. */
async function goBack(client: Redis, content: ReadonlyMap<string, string>): Promise<void> {
  for (const key of await client.keys('troupe:{*')) await client.del(key);
  for (const [key, dump] of content) {
    if (key.startsWith('troupe:{')) await client.restore(key, 0, Buffer.from(dump, 'hex'));
  }
}

test('counts and remembers a head that went backwards', async () => {
  const server = await startServer();
  const journal = await openJournal(server);
  const client = openClient(server);
  const writer = await takeShard(journal);
  await writer.write(fullDraft(1));
  const old = await contentOf(client);
  await writer.write(fullDraft(2));
  const early = await takeShard(journal);

  await goBack(client, old);
  const refused = await journal.commit(early.draft(fullDraft(3)));
  const later = await takeShard(journal);
  const remembered = await client.hmget('troupe:{0}:shard', 'rewinds', 'answered');
  await takeShard(journal);
  await later.journal.declareLost!((await takeShard(journal)).lease, 2);

  expect(refused).toMatchObject({ kind: 'refused', reason: 'epoch' });
  expect(later.commits).toBe(1);
  expect(later.lease.epoch.number).toBeGreaterThan(early.lease.epoch.number);
  expect(remembered).toEqual(['1', '2']);
  expect(await client.hmget('troupe:{0}:shard', 'rewinds', 'answered')).toEqual(['1', null]);
});

test('an actor without a tail is one record', async () => {
  const server = await startServer();
  const journal = await openJournal(server);
  const client = openClient(server);
  const writer = await takeShard(journal);
  const actor = actorOf('room', 1);
  const kept = async () => {
    const [record] = await journal.readActors(0, [actor]);
    const [listed] = await journal.listActors(0, { limit: 1 });
    const { index, snapshot } = record as ActorRecord;
    expect(listed).toEqual(index);
    const records = await Promise.all(['actors', 'snapshots'].map((key) => client.hlen(`troupe:{0}:${key}`)));
    return [index.version, index.tail.length, snapshot?.version, ...records];
  };

  await writer.write({ events: [{ actor, snapshot: 'first' }] });
  const settled = await kept();
  await writer.write({ events: [{ actor }] });
  const going = await kept();
  await writer.write({ events: [{ actor }] });
  await writer.write({ events: [{ actor, snapshot: 'second' }] });
  const settledAgain = await kept();
  await writer.write({ events: [{ actor }, { actor, snapshot: 'third' }, { actor }] });
  const goingAgain = await kept();

  expect(settled).toEqual([1, 0, 1, 1, 0]);
  expect(going).toEqual([2, 1, 1, 1, 1]);
  expect(settledAgain).toEqual([4, 0, 4, 1, 0]);
  expect(goingAgain).toEqual([7, 1, 6, 1, 1]);
});

test('costs little memory per event', async () => {
  const server = await startServer();
  const journal = await openJournal(server, { deadlineMs: 60_000 });
  const client = openClient(server);
  const used = async () => Number(/used_memory_dataset:(\d+)/.exec(await client.info('memory'))![1]);
  const writer = await takeShard(journal);
  await writer.write({ events: [{ actor: actorOf('room', 0) }] });
  const before = await used();

  const payload = new Uint8Array(100).fill(65);
  for (let n = 1; n <= 100; n++) {
    await writer.write({
      events: Array.from({ length: 100 }, () => ({ actor: actorOf('room', n), payload, snapshot: 'x' })),
    });
  }

  expect(((await used()) - before) / 10_000).toBeLessThan(250);
});

test('refuses a server without functions', async () => {
  const server = await startServer({ settings: { 'rename-command': ['FUNCTION', ''] } });

  const attempt = openRedisJournal({ url: server.url });

  await expect(attempt).rejects.toMatchObject({
    code: 'JOURNAL_INCOMPATIBLE',
    message: expect.stringMatching(/7\.0\.\d+.*use Redis 7\.0 or newer/),
  });
});

test('refuses a server that evicts keys', async () => {
  const server = await startServer({ settings: { maxmemory: '100mb', 'maxmemory-policy': 'allkeys-lru' } });
  const said: string[] = [];

  const attempt = openRedisJournal({ url: server.url });

  await expect(attempt).rejects.toMatchObject({
    code: 'JOURNAL_INCOMPATIBLE',
    message: expect.stringContaining('noeviction'),
  });
  await openClient(server).config('SET', 'maxmemory', '0');
  await openJournal(server, { warn: (message) => said.push(message) });
  expect(said).toEqual([expect.stringContaining('allkeys-lru')]);
});

test('says what an answered commit survives', async () => {
  const server = await startServer({ appendfsync: 'always' });
  const client = openClient(server);
  const description = async () => (await openJournal(server)).description;

  expect(await description()).toMatch(/^redis:\/\/127\.0\.0\.1:\d+, AOF always: .* and of its machine$/);
  await client.config('SET', 'appendfsync', 'everysec');
  expect(await description()).toContain('AOF everysec');
  await expect(openJournal(server, { durability: 'always' })).rejects.toMatchObject({ code: 'JOURNAL_INCOMPATIBLE' });
  await openJournal(server, { durability: 'everysec' });
  await client.config('SET', 'appendonly', 'no');
  expect(await description()).toContain('no append-only file');
  await expect(openJournal(server, { durability: 'everysec' })).rejects.toMatchObject({ code: 'JOURNAL_INCOMPATIBLE' });
});

test('says so when a server hides its settings', async () => {
  const server = await startServer({ settings: { 'rename-command': ['CONFIG', ''] } });

  const journal = await openJournal(server);

  expect(journal.description).toContain('persistence unknown');
});

test('never shows a password', async () => {
  const server = await startServer({ settings: { requirepass: 'hush' } });
  const url = (password: string) => `redis://default:${password}@127.0.0.1:${server.port}/0`;

  const journal = await openJournal(server, { url: url('hush') });
  const error = await openJournal(server, { url: url('hash'), deadlineMs: 500 }).catch((reason: unknown) => reason);

  expect(journal.description).toMatch(/^redis:\/\/127\.0\.0\.1:\d+\/0, /);
  expect(error).toMatchObject({ code: 'JOURNAL_UNAVAILABLE', message: expect.stringContaining('WRONGPASS') });
  expect(String(error)).not.toContain('hash');
});

test('refuses a store of another layout', async () => {
  const server = await startServer();
  await openClient(server).hset('troupe:meta', 'layout', '1');

  await expect(openJournal(server)).rejects.toMatchObject({
    code: 'JOURNAL_INCOMPATIBLE',
    message: expect.stringContaining('the layout 1;'),
  });
});

test('a store is made once by many', async () => {
  const server = await startServer();
  const attempts = Array.from({ length: 8 }, (_, i) => openRedisJournal({ url: server.url, shards: 4 + (i % 2) }));

  const settled = await Promise.allSettled(attempts);

  const opened = settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  expect(opened).toHaveLength(4);
  expect(new Set(opened.map(({ shards }) => shards)).size).toBe(1);
  await Promise.all(opened.map((journal) => journal.close()));
});

test('keeps stores of two prefixes apart', async () => {
  const server = await startServer();
  const [one, other] = [await openJournal(server), await openJournal(server, { prefix: 'other', shards: 8 })];

  await (await takeShard(one)).write(fullDraft(1));

  expect((await other.readShard(0)).head.commits).toBe(0);
  expect(other.shards).toBe(8);
});

test('rejects with what keeps it from connecting', async () => {
  const server = await startServer();
  await server.kill();

  const attempt = openRedisJournal({ url: server.url, deadlineMs: 300 });

  await expect(attempt).rejects.toMatchObject({
    code: 'JOURNAL_UNAVAILABLE',
    message: expect.stringContaining('ECONNREFUSED'),
  });
  await expect(openRedisJournal({ url: 'http://localhost' })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
});
