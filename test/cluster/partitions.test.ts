/**
 * A node of a chat in use is separated from Redis for longer than its lease: cut (connections are reset and refused),
 * slowed beyond the lease, or half open (nothing arrives, in one direction). It answers nothing from its shards any more, tells
 * whoever asks that it cannot, and soon; the others take over; and when the network is whole it takes part again by itself.
 *
 * The tests share the nodes and the people who use them, through whichever node; the last one audits. What a counter's
 * clients see of the same partitions is in linearizability.test.ts.
 */

import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { shardOf } from '../../src/index.ts';
import { write } from '../e2e/commands.ts';
import { poll } from '../e2e/deadline.ts';
import { type Answer, type Problem, type RequestHeaders, request } from '../e2e/http-client.ts';
import type { ChaosProxy } from './chaos-proxy.ts';
import { Cluster } from './cluster.ts';
import { Load } from './load.ts';
import { auditLoad } from './load-audit.ts';
import type { ClusterNode } from './node.ts';

const slowlyMs = 240_000;
const leaseMs = 2_000;
const shards = 12;
/** Even a slow machine answers sooner than this what it answers at all. */
const answerMs = 20_000;

let cluster: Cluster;
let load: Load;
/** Nodes that people do not try meanwhile: what those are told is looked at here. */
const avoided = new Set<string>();

beforeAll(async () => {
  cluster = await Cluster.start({
    program: 'chat',
    nodes: 3,
    leaseMs,
    shards,
    proxied: true,
    environment: { LOG_LEVEL: 'info' },
  });
  await cluster.placed();
  load = new Load({ doors: () => cluster.live.filter(({ id }) => !avoided.has(id)), seed: 51, people: 5 });
  await load.gather();
  load.start();
  await load.goesOn(40);
  const { id } = load.clients[0]!.account;
  await poll(async () => load.world.roomsOf(id)[0], 'the first of the people has no room');
}, slowlyMs);

afterAll(async () => {
  await load?.stop();
  await cluster?.dispose();
}, slowlyMs);

async function ownersOf(): Promise<readonly string[]> {
  return (await cluster.statuses()).map(({ node, expiresInMs }) => (expiresInMs > 0 ? node : ''));
}

/** Resolves when others own every shard. */
function takenFrom(node: ClusterNode): Promise<true> {
  const look = async () => {
    const owners = await ownersOf();
    return owners.every((owner) => owner !== node.id && owner !== '') ? (true as const) : undefined;
  };
  return poll(look, `nobody takes over from ${node.id}`);
}

async function isReady(node: ClusterNode): Promise<boolean> {
  return (await request(`${node.url}/readyz`, 'GET', {}, undefined, answerMs)).status === 200;
}

/** The sum of a metric's samples over all shards, as the node itself tells it. */
async function counted(node: ClusterNode, metric: string): Promise<number> {
  const { body } = await request<string>(`${node.url}/metrics`, 'GET', {}, undefined, answerMs);
  const samples = [...body.matchAll(new RegExp(`^${metric}\\{[^}]*\\} (\\d+)$`, 'gm'))];
  return samples.reduce((sum, [, value]) => sum + Number(value), 0);
}

type Told = Answer<Partial<Problem>>;

/** As one of the people, through one node, once. */
async function through(
  node: ClusterNode,
  method: string,
  path: string,
  body?: unknown,
  extra: RequestHeaders = {},
): Promise<Told> {
  const { token } = load.clients[0]!.account;
  const headers = { authorization: `Bearer ${token}`, prefer: 'wait=5', ...extra };
  return request<Partial<Problem>>(`${node.url}${path}`, method, headers, body, answerMs);
}

/** Writes to a room through one node, once; the audit finds out what became of it. */
async function writeThrough(node: ClusterNode, roomId: string): Promise<Told> {
  const intent = { who: load.clients[0]!.account, mayFailWith: [], mustFail: false };
  const entry = load.ledger.open({ ...intent, command: write(roomId, `through ${node.id}`) });
  load.unanswered.push(entry);
  const { method, path, body } = entry.command.request;
  return through(node, method, path, body, { 'idempotency-key': entry.key });
}

/** A room of the first of the people, and the node that owns its shard. */
async function aRoom(): Promise<{ readonly roomId: string; readonly node: ClusterNode }> {
  const [room] = load.world.roomsOf(load.clients[0]!.account.id);
  const owner = (await ownersOf())[shardOf(room!.id, shards)]!;
  return { roomId: room!.id, node: cluster.node(owner) };
}

/** A message in a room, written through any node but one: its operation and itself. */
async function writtenElsewhere(node: ClusterNode, roomId: string): Promise<{ operationId: string; id: string }> {
  const client = load.clients[0]!;
  const entry = load.ledger.open({
    who: client.account,
    command: write(roomId, 'meanwhile'),
    mayFailWith: [],
    mustFail: false,
  });
  avoided.add(node.id);
  await client.insist(entry);
  load.world.learn(entry);
  return { operationId: entry.operationId!, id: entry.outcome!.result!.id };
}

const partitions: readonly (readonly [string, (proxy: ChaosProxy) => void])[] = [
  [
    'cut off',
    (proxy) => {
      proxy.refuse();
      proxy.cut('rst');
    },
  ],
  ['slowed beyond its lease', (proxy) => proxy.flow('both', { kind: 'delay', ms: 2 * leaseMs })],
  ['not heard', (proxy) => proxy.flow('toServer', { kind: 'hold' })],
  ['not answered', (proxy) => proxy.flow('toClient', { kind: 'hold' })],
];

test.for(partitions)('a node that is %s lets others go on', { timeout: slowlyMs }, async ([, separate], { task }) => {
  await cluster.placed();
  const { roomId, node } = await aRoom();
  onTestFinished(() => {
    node.proxy!.heal();
    avoided.clear();
  });
  const lostBefore = await counted(node, 'troupe_leases_lost_total');
  const linesBefore = node.lines(/has not reached the store/).length;

  // What it is asked right then, and after others have gone on.
  separate(node.proxy!);
  const askedAt = performance.now();
  const early = writeThrough(node, roomId).then(() => performance.now() - askedAt);
  await takenFrom(node);
  const { operationId } = await writtenElsewhere(node, roomId);
  const lateAt = performance.now();
  const late = await Promise.all([
    through(node, 'GET', `/v1/operations/${operationId}`),
    through(node, 'GET', `/v1/rooms/${roomId}/messages`),
    through(node, 'GET', '/v1/users/currentUser'),
    writeThrough(node, roomId),
  ]);
  const lateMs = performance.now() - lateAt;
  const readiness = await isReady(node);
  await load.goesOn(20);
  process.stdout.write(
    `${task.name}: answers after ${Math.round(await early)} ms, and later after ${Math.round(lateMs)} ms\n`,
  );

  for (const { status, body } of late) {
    expect([status, body.code, body.retryable]).toEqual([503, 'JOURNAL_UNAVAILABLE', true]);
  }
  expect(readiness).toBe(false);
  expect(await counted(node, 'troupe_shard_owned')).toBe(0);
  expect(node.lines(/has not reached the store/).length).toBeGreaterThan(linesBefore);
  expect(node.lines(/lease/).length).toBeGreaterThan(0);

  node.proxy!.heal();
  avoided.clear();
  await cluster.placed();
  await poll(async () => ((await isReady(node)) ? true : undefined), `${node.id} does not come back`);
  expect(await ownersOf()).toContain(node.id);
  // Also those that were lost while it was starting again from its journal, for a commit that nobody answered.
  expect(await counted(node, 'troupe_leases_lost_total')).toBeGreaterThan(lostBefore);
  await load.goesOn(20);
  expect(cluster.crashes).toEqual([]);
});

test('everything is as people were told', { timeout: slowlyMs }, async () => {
  await load.stop();

  process.stdout.write(`${load.summary}\n`);
  expect(await auditLoad(load, cluster.journal)).toEqual([]);
  expect(cluster.crashes).toEqual([]);
});
