/**
 * The chat, in use, over a primary that Sentinels watch. Redis replicates asynchronously: what survives a failover is what
 * the replica had. With `DURABILITY=replica` and one replica that is everything that was ever answered, however the primary
 * goes; the chat pays for it by taking no command while one of the two is away. With `everysec` it is everything answered
 * only where nothing is written between the replica's last byte and the end of the primary: so for an orderly failover
 * with writes paused (CLIENT PAUSE) until the replica has all of them, and for no other one.
 */

import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { askServer, isFollowing, RedisSentinel, until } from '../redis-sentinel.ts';
import type { RedisServer } from '../redis-server.ts';
import { Cluster } from './cluster.ts';
import { Load } from './load.ts';
import { auditLoad } from './load-audit.ts';

const slowlyMs = 240_000;
/** Longer than any pause is to last; it is ended by hand. */
const pausedMs = 60_000;

let group: RedisSentinel;

beforeAll(async () => {
  group = await RedisSentinel.start();
}, slowlyMs);

afterAll(() => group.dispose());

interface Used {
  readonly cluster: Cluster;
  readonly load: Load;
}

/** Three nodes of a chat that is in use, on an empty store. */
async function use(durability: string, seed: number): Promise<Used> {
  await askServer(await group.primary(), 'FLUSHALL');
  const environment = { DURABILITY: durability };
  const cluster = await Cluster.start({
    program: 'chat',
    nodes: 3,
    leaseMs: 3_000,
    shards: 12,
    journal: group.url,
    environment,
  });
  onTestFinished(() => cluster.dispose());
  await cluster.placed();
  const load = new Load({ doors: () => cluster.live, seed, people: 6 });
  await load.gather();
  load.start();
  await load.goesOn(30);
  return { cluster, load };
}

async function whole(): Promise<void> {
  for (const replica of await group.replicas()) await isFollowing(replica);
}

/** Everything acknowledged is there, and no head was ever found to be behind what had been answered. */
async function expectNothingLost({ cluster, load }: Used): Promise<void> {
  await load.stop();
  process.stdout.write(`${load.summary}\n`);
  expect(await auditLoad(load, group.url)).toEqual([]);
  expect((await cluster.statuses()).filter(({ rewinds }) => rewinds > 0)).toEqual([]);
  expect(cluster.crashes).toEqual([]);
}

function offsetIn(info: unknown, name: string): number {
  return Number(new RegExp(`${name}:(\\d+)`).exec(String(info))?.[1]);
}

/** No write gets in, and the replica has all that were answered. */
async function pauseWrites(primary: RedisServer): Promise<void> {
  const [replica] = await group.replicas();
  await askServer(primary, 'CLIENT', 'PAUSE', String(pausedMs), 'WRITE');
  const written = offsetIn(await askServer(primary, 'INFO', 'replication'), 'master_repl_offset');
  await until(async () => {
    const has = offsetIn(await askServer(replica!, 'INFO', 'replication'), 'slave_repl_offset');
    return has >= written;
  });
}

test('a killed primary takes nothing that was confirmed', { timeout: slowlyMs }, async () => {
  const used = await use('replica', 31);

  const dead = await group.killPrimary();
  const next = await group.primaryAfter(dead);
  await dead.restart();
  await used.load.goesOn(30);

  expect(next).not.toBe(dead);
  await expectNothingLost(used);
  await whole();
});

test('a forced failover takes nothing that was confirmed', { timeout: slowlyMs }, async () => {
  await whole();
  const used = await use('replica', 32);
  const before = await group.primary();

  const next = await group.failover();
  await used.load.goesOn(30);

  expect(next).not.toBe(before);
  await expectNothingLost(used);
  await whole();
});

test('an orderly failover with writes paused loses nothing', { timeout: slowlyMs }, async () => {
  await whole();
  const used = await use('everysec', 33);
  const before = await group.primary();

  await pauseWrites(before);
  const next = await group.failover();
  await used.load.goesOn(30);

  expect(next).not.toBe(before);
  await expectNothingLost(used);
});
