/**
 * Counters on one Redis, served by several processes that are killed, paused, cut off, stopped and joined by others:
 * every counter's history is linearizable, whichever node a client talked to.
 */

import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { Random } from '../crash/random.ts';
import type { Direction, Flow } from './chaos-proxy.ts';
import { Cluster } from './cluster.ts';
import { CounterClients } from './counters.ts';
import type { ClusterNode } from './node.ts';

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1_000_000));
const random = new Random(seed);
/** For machines with better things to do. */
const slowlyMs = 240_000;

let cluster: Cluster;

beforeAll(async () => {
  process.stdout.write(`linearizability: SEED=${seed}\n`);
  // A node that hardly gets to run loses short leases for no other reason, again and again.
  const environment = { ASK_MS: '6000', DEADLINE_MS: '1250', LOG_LEVEL: 'info' };
  cluster = await Cluster.start({
    program: 'counter',
    nodes: 3,
    leaseMs: 2_500,
    shards: 12,
    proxied: true,
    seed,
    environment,
  });
}, slowlyMs);

afterAll(() => cluster.dispose());

/** Clients with counters of their own, for the running test. */
async function start(): Promise<CounterClients> {
  const clients = new CounterClients({ doors: () => cluster.live, seed });
  onTestFinished(async () => {
    await clients.stop();
    await cluster.heal();
  });
  clients.start();
  await clients.served();
  return clients;
}

function without(node: ClusterNode): () => readonly ClusterNode[] {
  return () => cluster.live.filter((other) => other !== node);
}

/** Ends the load, asks every node about every counter, and looks at the whole history. */
async function expectLinearizable(clients: CounterClients): Promise<void> {
  await clients.served();
  await clients.stop();
  for (const node of cluster.live) await clients.probe(node);
  process.stdout.write(`${clients.summary}\n`);
  expect(clients.verdict()).toMatch(/^linearizable/);
  expect(cluster.crashes).toEqual([]);
}

interface Disturbance {
  readonly begin: () => void;
  readonly end: () => void;
}

/**
 * Disturbs a node until the others serve every counter. Before that ends, the node is asked about all of them: whatever
 * it answers later was asked after the others had gone on.
 */
async function disturb(clients: CounterClients, node: ClusterNode, { begin, end }: Disturbance): Promise<void> {
  // Else it may have nothing to lose.
  await cluster.placed();
  await clients.probe(node);
  begin();
  await clients.served(without(node));
  const probes = clients.probe(node);
  await clients.served(without(node));
  end();
  await probes;
  await clients.served(() => [node]);
}

test('stays linearizable over kill -9 of any node', { timeout: slowlyMs }, async () => {
  const clients = await start();

  for (let kills = 0; kills < 3; kills++) {
    await cluster.placed();
    const node = random.pick(cluster.nodes);
    await node.kill();
    await clients.served();
    await node.restart();
  }

  await expectLinearizable(clients);
});

test('stays linearizable over nodes paused beyond their lease', { timeout: slowlyMs }, async () => {
  const clients = await start();

  for (const node of cluster.nodes) {
    await disturb(clients, node, { begin: () => node.pause(), end: () => node.resume() });
  }

  await expectLinearizable(clients);
});

test('stays linearizable over partitions from redis', { timeout: slowlyMs }, async () => {
  const clients = await start();
  const partitions: readonly (readonly [Direction | 'both', Flow])[] = [
    ['both', { kind: 'hold' }],
    ['toServer', { kind: 'hold' }],
    ['toClient', { kind: 'hold' }],
    ['toClient', { kind: 'swallow' }],
  ];

  for (const [direction, flow] of partitions) {
    const node = random.pick(cluster.nodes);
    const proxy = node.proxy!;
    await disturb(clients, node, { begin: () => proxy.flow(direction, flow), end: () => proxy.heal() });
  }

  await expectLinearizable(clients);
});

test('stays linearizable over cut and slow connections', { timeout: slowlyMs }, async () => {
  const clients = await start();

  for (const how of ['rst', 'fin'] as const) {
    const node = random.pick(cluster.nodes);
    const proxy = node.proxy!;
    proxy.cut(how);
    await clients.served();
    proxy.refuse();
    proxy.cut(how);
    await clients.served(without(node));
    proxy.heal();
    proxy.flow('both', { kind: 'delay', ms: 20, jitterMs: 40 });
    await clients.served(() => [node]);
    proxy.heal();
  }

  await expectLinearizable(clients);
});

test('stays linearizable while nodes join and leave', { timeout: slowlyMs }, async () => {
  const clients = await start();

  const node = await cluster.add({ id: 'late', weight: 2 });
  await clients.served();
  for (const leaving of [random.pick(cluster.nodes.filter((other) => other !== node)), node]) {
    expect(await leaving.stop()).toBe(0);
    await clients.served();
  }
  await cluster.remove(node);
  await cluster.heal();

  await expectLinearizable(clients);
});
