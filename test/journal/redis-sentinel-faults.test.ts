/** Failovers by Sentinels while commits are under way, and commits that wait for replicas. */

import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { parseLocation } from '../../src/journal/redis/endpoint.ts';
import { commandOf } from '../../src/journal/redis/resp.ts';
import { openWire } from '../../src/journal/redis/servers.ts';
import { askServer, isFollowing } from '../redis-sentinel.ts';
import type { RedisServer } from '../redis-server.ts';
import { eventually } from './adapter.ts';
import { expectWhole, numbered, Stream } from './commit-stream.ts';
import { Ear } from './ear.ts';
import { openGroupJournal, sentinelForFile } from './redis-groups.ts';
import { startServer } from './redis-store.ts';
import { takeShard } from './writer.ts';

const group = sentinelForFile();

/** A server and a replica that follows it. */
async function startPair(): Promise<[RedisServer, RedisServer]> {
  const server = await startServer({ settings: { 'repl-diskless-sync-delay': '0' } });
  const replica = await startServer({ settings: { replicaof: ['127.0.0.1', String(server.port)] } });
  await isFollowing(replica);
  return [server, replica];
}

async function backToWhole(): Promise<void> {
  for (const replica of await group().replicas()) await isFollowing(replica);
}

test('commits go on over an orderly failover', { timeout: 60_000 }, async () => {
  const journal = await openGroupJournal(group(), { durability: 'replica' });
  const stream = new Stream(journal);
  await stream.goesOn();

  await group().failover();
  await backToWhole();
  await stream.goesOn();

  await stream.stop();
});

test('answered commits survive the death of a primary', { timeout: 60_000 }, async () => {
  const journal = await openGroupJournal(group(), { durability: 'replica' });
  const wire = await openWire(parseLocation(group().url), { deadlineMs: 10_000, clock: systemClock });
  onTestFinished(() => wire.close());
  const ear = new Ear();
  wire.listen('news:{0}', ear);
  const stream = new Stream(journal);
  await stream.goesOn();
  await eventually(async () => ear.actives > 0 || undefined);

  const dead = await group().killPrimary();
  await group().primaryAfter(dead);
  await eventually(async () => ear.actives > 1 || undefined);
  await wire.send('news:{0}', commandOf('SPUBLISH', 'news:{0}', 'again').done());
  await eventually(async () => ear.heard.includes('again') || undefined);
  await dead.restart();
  await backToWhole();
  await stream.goesOn();

  expect(stream.interruptions).toBeGreaterThan(0);
  await stream.stop();
});

test('leaves a primary that hangs before its deadline', { timeout: 60_000 }, async () => {
  const journal = await openGroupJournal(group(), { deadlineMs: 30_000 });
  const writer = await takeShard(journal);
  await writer.write(numbered(1));

  const hung = await group().primary();
  hung.pause();
  onTestFinished(() => hung.resume());
  const lost = journal.commit(writer.draft(numbered(2)));
  await group().primaryAfter(hung);

  // By the Sentinels' word, not by the deadline.
  expect(await lost).toEqual({ kind: 'unknown', message: expect.stringContaining('The connection to Redis was lost') });
  expect(await journal.readMeta('color')).toBeUndefined();
  hung.resume();
  await backToWhole();
});

test('a commit without its replica is unknown, then done', { timeout: 30_000 }, async () => {
  const [server, replica] = await startPair();
  const journal = await openGroupJournal(
    { url: server.url, servers: [] },
    { durability: 'replica', deadlineMs: 2_000 },
  );
  const writer = await takeShard(journal);
  await writer.write(numbered(1));

  replica.pause();
  onTestFinished(() => replica.resume());
  const start = performance.now();
  const [second, third] = [2, 3].map((n) => journal.commit(writer.draft(numbered(n))));
  expect(await second).toEqual({ kind: 'unknown', message: expect.stringContaining('0 of 1 replicas have it') });
  expect((await third)?.kind).toBe('unknown');
  expect(performance.now() - start).toBeLessThan(2_000);
  await expect(takeShard(journal)).rejects.toMatchObject({ code: 'JOURNAL_UNAVAILABLE' });
  replica.resume();

  const next = await eventually(() => takeShard(journal).catch(() => undefined));
  expect(next.commits).toBe(3);
  await next.write(numbered(4));
  await expectWhole(journal, 4);
});

test('commits of one write share a wait', async () => {
  const [server] = await startPair();
  const journal = await openGroupJournal({ url: server.url, servers: [] }, { durability: 'replica', shards: 64 });
  const writers = await Promise.all(Array.from({ length: 64 }, (_, shard) => takeShard(journal, shard)));
  await askServer(server, 'CONFIG', 'RESETSTAT');

  await Promise.all(writers.flatMap((writer) => [1, 2].map((n) => writer.write(numbered(n)))));

  const stats = String(await askServer(server, 'INFO', 'commandstats'));
  expect(stats).toContain('cmdstat_fcall:calls=128,');
  expect(stats).toContain('cmdstat_wait:calls=1,');
  expect(journal.description).toContain('in memory of 1 replica before the answer');
});

test('tells of replicas that are missing', async () => {
  const server = await startServer();
  const said: string[] = [];
  const warn = (message: string) => said.push(message);

  const two = { durability: 'replica', replicas: 2, deadlineMs: 500, warn } as const;
  const journal = await openGroupJournal({ url: server.url, servers: [] }, two);

  expect(said).toEqual([expect.stringContaining('waits for 2 replicas, but Redis has 0')]);
  await expect(takeShard(journal)).rejects.toMatchObject({ code: 'JOURNAL_UNAVAILABLE' });
});

test.for([
  { name: 'FUNCTION', says: 'has no Redis Functions', options: {} },
  { name: 'SPUBLISH', says: 'has no sharded pub/sub', options: {} },
  { name: 'WAITAOF', says: 'has no WAITAOF', options: { durability: 'replica-disk' } },
] as const)('says what a server without $name lacks', async ({ name, says, options }) => {
  // The server of this machine may be too old to have the command that is hidden.
  const known = String(await askServer(await startServer(), 'COMMAND', 'INFO', name)) !== '';
  const server = await startServer(known ? { settings: { 'rename-command': [name, ''] } } : {});

  await expect(openGroupJournal({ url: server.url, servers: [] }, options)).rejects.toMatchObject({
    code: 'JOURNAL_INCOMPATIBLE',
    message: expect.stringMatching(new RegExp(`^This (Redis|Valkey) \\(\\d+\\.\\d+\\.\\d+\\) ${says}.*; use Redis 7`)),
  });
});

test('refuses a number of replicas that is none', async () => {
  const server = await startServer();

  for (const replicas of [0, 1.5, 101]) {
    await expect(openGroupJournal({ url: server.url, servers: [] }, { replicas })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
  }
});
