/**
 * What the README says of several nodes, with the commands that it gives: three servers on one Redis, which a call may
 * reach in any way.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { poll } from '../e2e/deadline.ts';
import { RedisServer } from '../redis-server.ts';
import { type Typed, troupe } from './command-line.ts';
import { ServerProcess } from './server-process.ts';

interface Shown {
  readonly summary: Readonly<Record<'total' | 'owned' | 'moving' | 'withoutOwner', number>>;
  readonly nodes: readonly { readonly id: string; readonly owned: number; readonly belonging: number }[];
  readonly shards: readonly { readonly shard: number; readonly owner?: string }[];
}

const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');
/** The ids of the nodes that the README starts. */
const named = [...readme.matchAll(/^JOURNAL=redis:\/\/127\.0\.0\.1:6379 PORT=\d+ NODE_ID=(\S+) npm start$/gm)].map(
  ([, id]) => id!,
);

let redis: RedisServer;
let processes: Map<string, ServerProcess>;
let urls: Map<string, string>;

async function start(id: string, environment: Readonly<Record<string, string>> = {}): Promise<ServerProcess> {
  const server = new ServerProcess({ JOURNAL: redis.url, SHARDS: '16', NODE_ID: id, ...environment });
  processes.set(id, server);
  const [url] = await server.prints(/Troupe listens on (http:\S+)/);
  urls.set(id, url!);
  return server;
}

beforeAll(async () => {
  redis = await RedisServer.start();
  processes = new Map();
  urls = new Map();
  await Promise.all(named.map((id) => start(id)));
});
/** Nodes of one test go in order. */
afterEach(async () => {
  const guests = [...processes].filter(([id]) => !named.includes(id));
  for (const [, server] of guests) server.kill('SIGTERM');
  await Promise.all(guests.map(([, server]) => server.ended()));
  for (const [id] of guests) processes.delete(id);
});
afterAll(async () => {
  for (const one of processes.values()) one.kill('SIGKILL');
  await Promise.all([...processes.values()].map((one) => one.ended()));
  await redis.dispose();
});

function type(...args: readonly string[]): Promise<Typed> {
  return troupe(args, { JOURNAL: redis.url });
}

async function shown(): Promise<Shown> {
  return JSON.parse((await type('shards', '--json')).out[0]!) as Shown;
}

/** The cluster once it is as wanted and no shard is on its way. */
function settledWhen(isSo: (seen: Shown) => boolean, what: string): Promise<Shown> {
  return poll(async () => {
    const seen = await shown();
    const { total, owned, moving } = seen.summary;
    return owned === total && moving === 0 && isSo(seen) ? seen : undefined;
  }, what);
}

function ownedBy(id: string, { nodes }: Shown): number {
  return nodes.find((node) => node.id === id)?.owned ?? -1;
}

/** A call of that person, whose token every node accepts. */
async function call(id: string, name: string, init: RequestInit = {}): Promise<Response> {
  const token = (await type('token', `${name}@example.com`)).out.at(-1);
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', prefer: 'wait=20' };
  return fetch(`${urls.get(id)}/v1/users/currentUser`, { ...init, headers });
}

/** The status and outcome of making a user through a node. */
async function createUser(id: string, username: string): Promise<unknown> {
  const body = JSON.stringify({ type: 'REGULAR_USER', username, primaryLanguage: 'ENGLISH' });
  const answer = await call(id, username, { method: 'POST', body });
  return { status: answer.status, ...((await answer.json()) as object) };
}

async function currentUser(id: string, username: string): Promise<unknown> {
  return (await call(id, username)).json();
}

function created(username: string): object {
  return { status: 200, state: 'COMPLETED', result: { username } };
}

function ready(id: string): Promise<number> {
  return fetch(`${urls.get(id)}/readyz`).then(({ status }) => status);
}

describe('the nodes of the README', () => {
  const [first, second, third] = named as [string, string, string];
  const there = (count: number) => settledWhen(({ nodes }) => nodes.length === count, `there are not ${count} nodes`);

  test('share the shards as placement says', async () => {
    expect(named).toHaveLength(3);

    const seen = await there(3);

    expect(seen.nodes.map(({ id }) => id)).toEqual(named);
    expect(seen.nodes.every(({ owned, belonging }) => owned > 0 && owned === belonging)).toBe(true);
  });

  test('serve what another one of them did', async () => {
    await there(3);

    const outcome = await createUser(first, 'alice');

    expect(outcome).toMatchObject(created('alice'));
    for (const id of named) expect(await currentUser(id, 'alice'), id).toMatchObject({ username: 'alice' });
  });

  test('a gateway serves clients and owns nothing', async () => {
    await start('door', { ROLE: 'gateway' });
    const seen = await there(4);

    const outcome = await createUser('door', 'bob');

    expect(outcome).toMatchObject(created('bob'));
    expect(await currentUser(second, 'bob')).toMatchObject({ username: 'bob' });
    expect(ownedBy('door', seen)).toBe(0);
  });

  test('a node of more weight gets more shards', async () => {
    await start('big', { WEIGHT: '100', ROLE: 'worker' });

    const seen = await there(4);

    expect(ownedBy('big', seen)).toBeGreaterThan(12);
  });

  test('a drained node goes on answering without shards', async () => {
    const before = await there(3);

    const drained = await type('drain', second);

    expect(drained).toMatchObject({ code: 0, err: [] });
    const had = ownedBy(second, before);
    expect(drained.out[0]).toMatch(new RegExp(`^Node ${second} owns no shard: ${had} shards? given away`));
    expect(await ready(second)).toBe(503);
    expect(await createUser(second, 'carol')).toMatchObject(created('carol'));
    expect(await currentUser(first, 'carol')).toMatchObject({ username: 'carol' });

    await type('drain', second, '--undo');

    const after = await settledWhen((seen) => ownedBy(second, seen) > 0, 'the node took nothing again');
    expect(after.shards.map(({ owner }) => owner)).toEqual(before.shards.map(({ owner }) => owner));
    expect(await ready(second)).toBe(200);
  });

  test('a shard moves to the node that is named', async () => {
    const before = await there(3);
    const target = named.find((id) => id !== before.shards[3]!.owner)!;

    const moved = await type('shards', 'move', '3', target);

    expect(moved).toEqual({ code: 0, out: [`Shard 3 is pinned to ${target}; ${target} owns it.`], err: [] });
    await type('shards', 'move', '3', '--auto');
    expect((await shown()).shards.map(({ owner }) => owner)).toEqual(before.shards.map(({ owner }) => owner));
  });

  test('a node that is stopped leaves its shards', async () => {
    const before = await there(3);
    const server = await start('guest', { WEIGHT: '3' });
    expect(ownedBy('guest', await there(4))).toBeGreaterThan(0);
    expect(await createUser('guest', 'dave')).toMatchObject(created('dave'));

    server.kill('SIGTERM');

    expect(await server.ended(), server.output).toBe(0);
    const after = await there(3);
    expect(after.shards.map(({ owner }) => owner)).toEqual(before.shards.map(({ owner }) => owner));
    expect(await currentUser(third, 'dave')).toMatchObject({ username: 'dave' });
  });

  test('a second process of one name is refused', async () => {
    const twin = new ServerProcess({ JOURNAL: redis.url, NODE_ID: first, LEASE_MS: '1000' });
    processes.set('twin', twin);

    expect(await twin.ended()).toBe(1);
    expect(twin.output).toContain(`Another process is running as node "${first}"; give this one a NODE_ID of its own.`);
  });
});
