/** The harness itself: nodes can be killed, paused and started again, and none is left over. */

import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Random } from '../crash/random.ts';
import { createRoom, write } from '../e2e/commands.ts';
import { poll } from '../e2e/deadline.ts';
import { request } from '../e2e/http-client.ts';
import { Cluster, type ClusterOptions } from './cluster.ts';
import { type Door, Load, RoamingClient } from './load.ts';
import { auditLoad, auditOrder } from './load-audit.ts';

/** For machines with better things to do. */
const slowlyMs = 180_000;

async function start(options: Partial<ClusterOptions> = {}): Promise<Cluster> {
  const cluster = await Cluster.start({ program: 'counter', nodes: 1, leaseMs: 1_000, shards: 4, ...options });
  onTestFinished(() => cluster.dispose());
  return cluster;
}

async function add(url: string, id: string): Promise<unknown> {
  const { body } = await request<{ readonly sum?: number; readonly code?: string }>(
    `${url}/counters/${id}`,
    'POST',
    {},
  );
  return body.sum ?? body.code;
}

async function read(url: string, id: string, how: '' | '?look'): Promise<unknown> {
  return (await request<{ readonly sum?: number }>(`${url}/counters/${id}${how}`, 'GET', {})).body.sum;
}

test('a counter survives kill -9 and an orderly restart', { timeout: slowlyMs }, async () => {
  const cluster = await start();
  const [node] = cluster.nodes;
  const id = randomUUID();

  expect(await add(node!.url, id)).toBe(1);
  await node!.kill();
  expect(cluster.live).toEqual([]);
  await node!.restart();
  expect(await add(node!.url, id)).toBe(2);
  await node!.restart();

  expect([await read(node!.url, id, ''), await read(node!.url, id, '?look')]).toEqual([2, 2]);
  expect(await cluster.stop()).toEqual([0]);
  expect(cluster.crashes).toEqual([]);
});

test('a paused node answers when it is resumed', { timeout: slowlyMs }, async () => {
  const cluster = await start();
  const [node] = cluster.nodes;
  const id = randomUUID();
  await add(node!.url, id);

  node!.pause();
  let isAnswered = false;
  const late = add(node!.url, id).finally(() => {
    isAnswered = true;
  });
  expect(cluster.live).toEqual([]);
  expect(isAnswered).toBe(false);
  node!.resume();

  expect(await late).toBe(2);
});

test('a node reaches redis through its proxy alone', { timeout: slowlyMs }, async () => {
  const cluster = await start({ proxied: true });
  const [node] = cluster.nodes;
  const id = randomUUID();
  await add(node!.url, id);

  node!.proxy!.partition();
  const late = add(node!.url, id);
  expect(node!.proxy!.connections.length).toBeGreaterThan(0);
  node!.proxy!.heal();

  expect(await late).toBe(2);
});

test('a node that ends by itself is told', { timeout: slowlyMs }, async () => {
  const cluster = await start();
  const [node] = cluster.nodes;

  process.kill(node!.pid!, 'SIGKILL');
  const told = await poll(async () => (cluster.crashes.length > 0 ? cluster.crashes : undefined), 'nothing is told');

  expect(told).toEqual([expect.stringContaining('a: The server ended with SIGKILL')]);
});

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('nothing outlives the process of its test', { timeout: slowlyMs }, async () => {
  const file = join(import.meta.dirname, 'cluster.ts');
  const script = `
    const { Cluster } = await import(${JSON.stringify(file)});
    const cluster = await Cluster.start({ program: 'counter', nodes: 1, shards: 4 });
    cluster.nodes[0].pause();
    console.log('pid', cluster.nodes[0].pid);
    setInterval(() => undefined, 1000);
  `;
  const args = ['--import', import.meta.resolve('tsx/esm'), '--input-type=module', '--eval', script];
  const owner = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void owner.kill('SIGKILL'));
  const [line] = (await once(owner.stdout, 'data')) as readonly Buffer[];
  const pid = Number(/pid (\d+)/.exec(String(line))?.[1]);
  expect(isThere(pid)).toBe(true);

  owner.kill('SIGKILL');

  await poll(async () => (isThere(pid) ? undefined : true), 'the node is left over');
});

test('a load is audited over kills and restarts', { timeout: slowlyMs }, async () => {
  const cluster = await start({ program: 'chat', shards: 8 });
  const [node] = cluster.nodes;
  const load = new Load({ doors: () => cluster.live, seed: 7, people: 4 });
  await load.gather();

  load.start();
  await load.goesOn(30);
  await node!.kill();
  await node!.restart();
  await load.goesOn(30);
  await node!.restart();
  await load.goesOn(30);
  await load.stop();

  expect(await auditLoad(load, cluster.redis.url)).toEqual([]);
  process.stdout.write(`${load.summary}\n`);
  expect(load.ledger.count('COMPLETED')).toBeGreaterThan(60);
  expect(load.ledger.completed('MESSAGE_CREATE').length).toBeGreaterThan(5);
});

test('an audit finds what was lost or done twice', { timeout: slowlyMs }, async () => {
  const cluster = await start({ program: 'chat', shards: 8 });
  const load = new Load({ doors: () => cluster.live, seed: 8, people: 2 });
  await load.gather();
  load.start();
  await load.goesOn(20);
  await load.stop();
  expect(await auditLoad(load, cluster.redis.url)).toEqual([]);
  const [created] = load.ledger.completed('ROOM_CREATE');
  const [roomId, client] = [created!.outcome!.result!.id, load.clientOf(created!.who.email)];

  // Once more behind the ledger's back, and one that was acknowledged and is not there.
  const intent = { who: created!.who, mayFailWith: [], mustFail: false };
  const twice = { ...load.ledger.open({ ...intent, command: write(roomId, 'twice') }), key: 'other' };
  load.ledger.entries.pop();
  await client.perform(twice);
  const lost = load.ledger.open({ ...intent, command: write(roomId, 'lost') });
  load.ledger.identified(lost, randomUUID());
  load.ledger.ended(lost, { state: 'COMPLETED', result: { id: 'lost' } });
  const found = await auditLoad(load, cluster.redis.url);

  expect(found).toEqual([
    expect.stringContaining('was accepted, and is not there: 404'),
    `room ${roomId} lacks lost, which completed`,
    `room ${roomId} has ${twice.outcome?.result?.id}, which did not complete`,
    `MESSAGE_CREATE/${twice.operationId} is there, and nobody knows of it`,
  ]);
});

/** A node that shows a room's messages in some order. */
async function doorThatShows(id: string, order: readonly string[]): Promise<Door> {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(order.map((id) => ({ id }))));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { id, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

test('an audit finds an order that differs between nodes', { timeout: slowlyMs }, async () => {
  const doors = [await doorThatShows('a', ['one', 'two']), await doorThatShows('b', ['two', 'one'])];
  const load = new Load({ doors: () => doors, seed: 9 });
  const who = { email: 'person', id: randomUUID(), token: '' };
  load.clients.push(new RoamingClient(who, new Random(1), { options: load.options, ledger: load.ledger }));
  const created = load.ledger.open({ who, command: createRoom(randomUUID()), mayFailWith: [], mustFail: false });
  load.ledger.ended(created, { state: 'COMPLETED', result: { id: 'room' } });
  load.world.learn(created);

  await auditOrder(load);

  expect(load.ledger.violations).toEqual([
    'room room is one two for person through a, and two one for person through b',
  ]);
});
