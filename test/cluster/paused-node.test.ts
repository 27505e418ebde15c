/**
 * A process that sleeps beyond its lease (SIGSTOP) while others go on: when it wakes up it neither writes nor answers
 * from what it knew, and it takes part again by itself.
 */

import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { shardOf } from '../../src/index.ts';
import { poll } from '../e2e/deadline.ts';
import { Cluster } from './cluster.ts';
import { CounterClients } from './counters.ts';
import type { ClusterNode } from './node.ts';

const shards = 12;
const slowlyMs = 180_000;
/** Longer than any test takes. */
const hourMs = 3_600_000;

let cluster: Cluster;

beforeAll(async () => {
  const environment = { LOG_LEVEL: 'info' };
  cluster = await Cluster.start({ program: 'counter', nodes: 2, leaseMs: 1_000, shards, proxied: true, environment });
}, slowlyMs);

afterAll(() => cluster.dispose());

/** A commit names its actors as text or as the bytes of their ids. */
function mentions(bytes: Buffer, id: string): boolean {
  return bytes.includes(id) || bytes.includes(Buffer.from(id.replaceAll('-', ''), 'hex'));
}

interface Stage {
  readonly sleeper: ClusterNode;
  readonly other: ClusterNode;
  readonly clients: CounterClients;
  /** Counters that the sleeper owns, each 1. */
  readonly keys: readonly string[];
}

async function shardsOf(node: ClusterNode): Promise<readonly number[]> {
  const statuses = await cluster.statuses();
  return statuses.filter((one) => one.node === node.id && one.expiresInMs > 0).map(({ shard }) => shard);
}

async function start(): Promise<Stage> {
  const [sleeper, other] = cluster.nodes as readonly [ClusterNode, ClusterNode];
  onTestFinished(() => cluster.heal());
  await cluster.placed();
  const clients = new CounterClients({ doors: () => cluster.live, seed: 1, keys: 60 });
  await clients.served(() => [sleeper]);
  const owned = await shardsOf(sleeper);
  const keys = clients.keys.filter((key) => owned.includes(shardOf(key, shards)));
  expect(keys.length).toBeGreaterThan(0);
  return { sleeper, other, clients, keys };
}

/** Adds through a node until it is done once. */
function added({ clients }: Stage, node: ClusterNode, key: string): Promise<number> {
  return poll(() => clients.call('patient', node, key, 'add'), `${node.id} does not add to ${key}`);
}

/** Until what was asked just now is in the kernel's hands. */
async function sent(): Promise<void> {
  for (let rounds = 0; rounds < 20; rounds++) await new Promise((resolve) => setImmediate(resolve));
}

test('answers nothing from before its sleep', { timeout: slowlyMs }, async () => {
  const stage = await start();
  const { sleeper, other, clients, keys } = stage;
  const asked = keys.flatMap((key) => (['ask', 'look'] as const).map((call) => ({ key, call })));
  const askAll = (client: string) =>
    Promise.all(asked.map(async ({ key, call }) => ({ key, sum: await clients.call(client, sleeper, key, call) })));
  // So that it has all of them in memory, and a connection for each question: that it reads from one before it sees
  // what time it is.
  for (const { sum } of await askAll('early')) expect(sum).toBe(1);

  sleeper.pause();
  const sums = new Map(await Promise.all(keys.map(async (key) => [key, await added(stage, other, key)] as const)));
  const answers = askAll('late');
  await sent();
  sleeper.resume();

  for (const { key, sum } of await answers) expect([sums.get(key), undefined]).toContain(sum);
  expect(Math.min(...sums.values())).toBe(2);
  expect(clients.verdict()).toMatch(/^linearizable/);
});

test.for([
  ['before its next owner has written', 0],
  ['behind what its next owner wrote', 2],
] as const)('refuses its late commit %s', { timeout: slowlyMs }, async ([, writes]) => {
  const stage = await start();
  const { sleeper, other, clients, keys } = stage;
  const key = keys[0] as string;
  const { connections } = sleeper.proxy!;
  const carrierNow = async () => connections.find((one) => mentions(one.waiting('toServer'), key));
  const status = async () => (await cluster.statuses())[shardOf(key, shards)]!;

  sleeper.proxy!.flow('toServer', { kind: 'delay', ms: hourMs });
  const late = clients.call('late', sleeper, key, 'add');
  const carrier = await poll(carrierNow, 'no commit is on its way');
  sleeper.pause();
  await poll(async () => ((await status()).node === other.id ? true : undefined), 'nobody takes over');
  for (let n = 0; n < writes; n++) expect(await added(stage, other, key)).toBe(2 + n);
  const before = await status();
  const replied = () => carrier.bytes('toClient').taken;
  const repliedBefore = replied();
  sleeper.proxy!.heal();
  await poll(async () => (replied() > repliedBefore ? true : undefined), 'redis does not answer');
  const after = await status();
  sleeper.resume();

  const { commits, seq, epoch, node } = before;
  expect(node).toBe(other.id);
  expect(after).toMatchObject({ commits, seq, epoch, node });
  expect([2 + writes, undefined]).toContain(await late);
  expect(clients.verdict()).toMatch(/^linearizable/);
});

test('takes its shards again by itself', { timeout: slowlyMs }, async () => {
  const stage = await start();
  const { sleeper, other, clients, keys } = stage;
  const [pid, owned] = [sleeper.pid, await shardsOf(sleeper)];

  sleeper.pause();
  await Promise.all(keys.map((key) => added(stage, other, key)));
  expect(await shardsOf(sleeper)).toEqual([]);
  sleeper.resume();
  await cluster.placed();

  expect(await shardsOf(sleeper)).toEqual(owned);
  expect(sleeper.pid).toBe(pid);
  expect(await Promise.all(keys.map((key) => added(stage, sleeper, key)))).toEqual(keys.map(() => 3));
  expect(clients.verdict()).toMatch(/^linearizable/);
  expect(cluster.crashes).toEqual([]);
});
