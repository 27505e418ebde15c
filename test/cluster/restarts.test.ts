/** Nodes of a chat that is in use are restarted one after the other, are killed, come and go: nothing is lost or done twice. */

import { expect, onTestFinished, test } from 'vitest';
import WebSocket from 'ws';
import { poll } from '../e2e/deadline.ts';
import { request } from '../e2e/http-client.ts';
import { Cluster, type ClusterOptions } from './cluster.ts';
import { Load } from './load.ts';
import { auditLoad } from './load-audit.ts';

const leaseMs = 2_000;
const slowlyMs = 240_000;

async function start(options: Partial<ClusterOptions> = {}): Promise<Cluster> {
  const cluster = await Cluster.start({ program: 'chat', nodes: 3, leaseMs, shards: 12, ...options });
  onTestFinished(() => cluster.dispose());
  await cluster.placed();
  return cluster;
}

async function using(cluster: Cluster, seed: number): Promise<Load> {
  const load = new Load({ doors: () => cluster.live, seed, people: 6 });
  await load.gather();
  load.start();
  await load.goesOn(30);
  return load;
}

test('a rolling restart needs one retry at most', { timeout: slowlyMs }, async () => {
  const cluster = await start();
  const load = await using(cluster, 21);

  for (const node of cluster.nodes) {
    await node.restart();
    await load.goesOn(30);
  }
  await load.stop();

  process.stdout.write(`${load.summary}\n`);
  expect(load.unanswered).toEqual([]);
  expect(await auditLoad(load, cluster.redis.url)).toEqual([]);
  expect(cluster.crashes).toEqual([]);
});

test('what was acknowledged survives a killed node', { timeout: slowlyMs }, async () => {
  const cluster = await start();
  const load = await using(cluster, 22);

  for (const id of ['a', 'c']) {
    const killedAt = performance.now();
    await cluster.node(id).kill();
    const isTaken = async () => {
      const statuses = await cluster.statuses();
      return statuses.every(({ node, expiresInMs }) => node !== id && expiresInMs > 0) ? true : undefined;
    };
    await poll(isTaken, `shards of ${id} stay without an owner`, slowlyMs);
    process.stdout.write(
      `taken over ${Math.round(performance.now() - killedAt)} ms after the kill, leases of ${leaseMs} ms\n`,
    );
    await load.goesOn(30);
    await cluster.node(id).restart();
    await load.goesOn(20);
  }
  await load.stop();

  process.stdout.write(`${load.summary}\n`);
  expect(await auditLoad(load, cluster.redis.url)).toEqual([]);
  expect(cluster.crashes).toEqual([]);
});

test('sockets are told to connect elsewhere', { timeout: slowlyMs }, async () => {
  const cluster = await start({ nodes: 2 });
  const load = await using(cluster, 23);
  const { account } = load.clients[0]!;
  const [node] = cluster.nodes;
  const url = `${node!.url.replace('http', 'ws')}/ws/chat/${account.id}?access_token=${account.token}`;
  const socket = new WebSocket(url);
  const heard: string[] = [];
  const closed = new Promise<number>((resolve) => socket.on('close', resolve));
  socket.on('message', (text: Buffer) => heard.push(String(text)));
  await new Promise((resolve) => socket.on('open', resolve));

  await node!.stop();

  expect(await closed).toBe(1012);
  expect(heard.at(-1)).toContain('SERVER_RESTARTING');
  await load.goesOn(20);
  await load.stop();
  expect(await auditLoad(load, cluster.redis.url)).toEqual([]);
});

test('workers own the shards that gateways serve', { timeout: slowlyMs }, async () => {
  const nodes = [
    { id: 'g1', environment: { ROLE: 'gateway' } },
    { id: 'g2', environment: { ROLE: 'gateway' } },
    { id: 'w1', environment: { ROLE: 'worker' } },
    { id: 'w2', environment: { ROLE: 'worker' } },
  ];
  const cluster = await start({ nodes });
  const gateways = () => cluster.live.filter(({ id }) => id.startsWith('g'));
  const load = new Load({ doors: gateways, seed: 24, people: 4 });
  await load.gather();
  load.start();
  await load.goesOn(40);

  const [probe, refused] = await Promise.all(
    ['/readyz', '/v1/rooms'].map((path) => request(`${cluster.node('w1').url}${path}`, 'GET', {})),
  );
  await cluster.node('w1').stop();
  await load.goesOn(20);
  await load.stop();

  expect([probe!.status, refused!.status]).toEqual([200, 404]);
  expect(new Set((await cluster.statuses()).map(({ node }) => node))).toEqual(new Set(['w2']));
  expect(await auditLoad(load, cluster.redis.url)).toEqual([]);
});
