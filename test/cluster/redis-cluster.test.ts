/**
 * The chat, in use, over a Redis Cluster of three primaries with a replica each, which are killed, exchanged and joined by
 * others under it. Each commit waits for a replica (`DURABILITY=replica`), and each primary has one: so whoever takes over
 * has everything that was ever answered. A part of the cluster takes no command while one of its two servers is away.
 *
 * The tests share the nodes and the people who use them; each ends with everything in its place, and the last one audits.
 */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { libraryName } from '../../src/journal/redis/library.ts';
import { slotOf } from '../../src/journal/redis/slots.ts';
import { RedisCluster } from '../redis-cluster.ts';
import { askServer, isFollowing, until } from '../redis-sentinel.ts';
import type { RedisServer } from '../redis-server.ts';
import { Cluster } from './cluster.ts';
import { Load } from './load.ts';
import { auditLoad } from './load-audit.ts';

const slowlyMs = 240_000;
const shards = 12;
const slots = Array.from({ length: shards }, (_, shard) => slotOf(`{${shard}}`));

let servers: RedisCluster;
let cluster: Cluster;
let load: Load;

beforeAll(async () => {
  servers = await RedisCluster.start();
  const environment = { DURABILITY: 'replica' };
  cluster = await Cluster.start({
    program: 'chat',
    nodes: 3,
    leaseMs: 3_000,
    shards,
    journal: servers.url,
    environment,
  });
  await cluster.placed();
  load = new Load({ doors: () => cluster.live, seed: 41, people: 6 });
  await load.gather();
  load.start();
  await load.goesOn(30);
}, slowlyMs);

afterAll(async () => {
  await load?.stop();
  await cluster?.dispose();
  await servers?.dispose();
}, slowlyMs);

/** The servers that have slots. */
async function primaries(): Promise<readonly RedisServer[]> {
  const nodes = String(await askServer(servers.servers[0]!, 'CLUSTER', 'NODES'));
  const ports = [...nodes.matchAll(/:(\d+)@\d+\S* (?:myself,)?master - \d+ \d+ \d+ connected \d/g)].map(
    ([, port]) => port,
  );
  return servers.servers.filter(({ port }) => ports.includes(String(port)));
}

async function keysOn(server: RedisServer): Promise<readonly string[]> {
  const keys: string[] = [];
  let cursor = '0';
  do {
    const [next, page] = (await askServer(server, 'SCAN', cursor, 'COUNT', '10000')) as readonly [string, string[]];
    keys.push(...page);
    cursor = next;
  } while (cursor !== '0');
  return keys;
}

/** Slots in which keys of a shard are, by shard; a key without one is under its own name. */
async function slotsInUse(): Promise<ReadonlyMap<string, ReadonlySet<number>>> {
  const found = new Map<string, Set<number>>();
  for (const server of await primaries()) {
    for (const key of await keysOn(server)) {
      const shard = /\{(\d+)\}/.exec(key)?.[1] ?? key;
      const slot = Number(await askServer(server, 'CLUSTER', 'KEYSLOT', key));
      found.set(shard, (found.get(shard) ?? new Set()).add(slot));
    }
  }
  return found;
}

async function hasLibrary(server: RedisServer): Promise<boolean> {
  const libraries = await askServer(server, 'FUNCTION', 'LIST', 'LIBRARYNAME', libraryName);
  return (libraries as readonly unknown[]).length === 1;
}

/** Outcomes that take every primary. */
async function expectGoingOn(): Promise<void> {
  await load.goesOn(30);
  expect(load.ledger.violations).toEqual([]);
  expect(cluster.crashes).toEqual([]);
}

test('goes on when a primary is killed', { timeout: slowlyMs }, async () => {
  const slot = slots[0]!;

  const dead = await servers.killPrimary(slot);
  const next = await servers.primaryAfter(slot, dead);
  await dead.restart();
  await isFollowing(dead);
  await expectGoingOn();

  expect(await servers.primaryOf(slot)).toBe(next);
});

test('goes on over an orderly failover', { timeout: slowlyMs }, async () => {
  const slot = slots[1]!;
  const before = await servers.primaryOf(slot);

  const next = await servers.failover(slot);
  await isFollowing(before);
  await expectGoingOn();

  expect(next).not.toBe(before);
});

test('shards move to a primary that just joined', { timeout: slowlyMs }, async () => {
  const fresh = await servers.addPrimary();
  expect(await hasLibrary(fresh)).toBe(false);

  for (const slot of slots.slice(0, 3)) await servers.migrateSlot(slot, fresh);
  await expectGoingOn();
  await until(() => hasLibrary(fresh));

  const owners = await Promise.all(slots.slice(0, 3).map((slot) => servers.primaryOf(slot)));
  expect(new Set(owners)).toEqual(new Set([fresh]));
});

test('every shard has all its keys in one slot', { timeout: slowlyMs }, async () => {
  await expectGoingOn();

  const found = await slotsInUse();

  for (const [shard, slot] of slots.entries())
    expect([shard, [...(found.get(String(shard)) ?? [])]]).toEqual([shard, [slot]]);
  expect(Math.max(...[...found.values()].map(({ size }) => size))).toBe(1);
});

test('every primary has the functions', { timeout: slowlyMs }, async () => {
  await expectGoingOn();

  const having = await Promise.all((await primaries()).map(hasLibrary));

  expect(having.length).toBeGreaterThanOrEqual(3);
  expect(having).toEqual(having.map(() => true));
});

test('everything is as people were told', { timeout: slowlyMs }, async () => {
  await load.stop();

  process.stdout.write(`${load.summary}\n`);
  expect(await auditLoad(load, servers.url)).toEqual([]);
  expect((await cluster.statuses()).filter(({ rewinds }) => rewinds > 0)).toEqual([]);
  expect(cluster.crashes).toEqual([]);
});
