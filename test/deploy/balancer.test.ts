/** Two nodes on one Redis behind haproxy as deploy/ configures it: what its clients see while one of the nodes stops. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { signToken } from '../../src/gateway/tokens.ts';
import { ServerProcess } from '../cli/server-process.ts';
import { poll } from '../e2e/deadline.ts';
import { Person, secret } from '../gateway/chat.ts';
import type { SocketClient } from '../gateway/socket-client.ts';
import { parseExposition, total } from '../metrics/exposition.ts';
import { RedisServer } from '../redis-server.ts';
import { type BalancedNode, Haproxy } from './haproxy-process.ts';
import { StandInNode } from './stand-in-node.ts';

interface Node extends BalancedNode {
  readonly process: ServerProcess;
}

let redis: RedisServer;
let nodes: readonly [Node, Node];
let balancer: Haproxy;
let standIn: StandInNode;

/** Until the balancer goes by what the stand-in says: when it asks a third time it has made up its mind. */
async function heard(): Promise<void> {
  await poll(async () => (standIn.checks > 2 ? true : undefined), 'the balancer does not ask');
}

async function startNode(id: string): Promise<Node> {
  const environment = { JOURNAL: redis.url, SHARDS: '16', NODE_ID: id, AUTH_SECRET: secret, METRICS: '0' };
  const process = new ServerProcess(environment);
  const [port] = await process.prints(/Troupe listens on http:\S+:(\d+)/);
  const [operatorsPort] = await process.prints(/Metrics: http:\S+:(\d+)\/metrics/);
  return { process, port: port!, operatorsPort: operatorsPort! };
}

async function register(name: string): Promise<Person> {
  const email = `${name}@example.com`;
  const person = new Person(email, await signToken(secret, email, Date.now()), balancer.url);
  const profile = { type: 'REGULAR_USER', username: name, primaryLanguage: 'ENGLISH' };
  const { status } = await person.command('POST', '/v1/users/currentUser', profile, { 'idempotency-key': name });
  expect(status).toBe(200);
  return person;
}

async function socketsOf(node: Node): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${node.operatorsPort}/metrics`)).text();
  return total(parseExposition(text), 'troupe_sockets');
}

beforeAll(async () => {
  redis = await RedisServer.start();
  nodes = [await startNode('node-1'), await startNode('node-2')];
  standIn = await StandInNode.start();
  balancer = await Haproxy.start([...nodes, standIn]);
  await heard();
});

afterAll(async () => {
  await balancer?.end();
  standIn?.end();
  for (const { process } of nodes ?? []) process.kill('SIGKILL');
  await Promise.all((nodes ?? []).map(({ process }) => process.ended()));
  await redis?.dispose();
});

describe('two nodes behind a balancer', () => {
  test('serve one chat, over sockets of both', async () => {
    const [alice, bob] = [await register('alice'), await register('bob')];
    const roomId = await alice.room(bob);
    const sockets: SocketClient[] = [];
    for (let i = 0; i < 6; i++) sockets.push(await bob.socket());

    await alice.message(roomId, 'to both nodes');

    for (const socket of sockets) {
      await socket.frame(
        ({ type, data }) => type === 'MESSAGE_UPDATED' && JSON.stringify(data).includes('to both nodes'),
      );
    }
    const [first, second] = await Promise.all(nodes.map(socketsOf));
    expect(first).toBeGreaterThan(0);
    expect(second).toBeGreaterThan(0);
    expect(first! + second!).toBe(6);
    for (const { socket } of sockets) socket.close();
  });

  test('keep their metrics from the clients', async () => {
    const answer = await fetch(`${balancer.url}/metrics`);

    expect(answer.status).toBe(404);
  });

  test('lose no call while one of them stops', async () => {
    const carol = await register('carol');
    const [leaving, staying] = nodes;
    const sockets: SocketClient[] = [];
    for (let i = 0; i < 4; i++) sockets.push(await carol.socket());
    const [toClose, before] = [await socketsOf(leaving), await socketsOf(staying)];
    const statuses: number[] = [];
    let isOver = false;
    const calls = Array.from({ length: 4 }, async () => {
      while (!isOver) statuses.push((await carol.get('/v1/users/currentUser')).status);
    });

    leaving.process.kill('SIGTERM');
    await poll(async () => {
      const answer = await fetch(`http://127.0.0.1:${leaving.operatorsPort}/readyz`).catch(() => undefined);
      return answer?.status === 200 ? undefined : true;
    }, 'it goes on being ready');
    const again = [await carol.socket(), await carol.socket()];
    const exitCode = await leaving.process.ended();
    isOver = true;
    await Promise.all(calls);

    expect(exitCode).toBe(0);
    expect(statuses.filter((status) => status !== 200)).toEqual([]);
    expect(await socketsOf(staying)).toBe(before + again.length);
    const told = await Promise.all(sockets.filter(({ socket }) => socket.readyState > 1).map(({ closed }) => closed));
    expect(toClose).toBeGreaterThan(0);
    expect(told).toEqual(Array.from({ length: toClose }, () => 1012));
    for (const { socket } of [...sockets, ...again]) socket.close();
  });

  test('get nobody while they say that they are not ready', async () => {
    const visit = async (): Promise<void> => {
      for (let i = 0; i < 10; i++) await (await fetch(`${balancer.url}/livez`)).text();
    };
    standIn.say(true);
    await heard();
    await visit();
    const whileReady = standIn.requests;
    standIn.say(false);
    await heard();
    standIn.requests = 0;

    await visit();

    expect(whileReady).toBeGreaterThan(0);
    expect(standIn.requests).toBe(0);
  });
});
