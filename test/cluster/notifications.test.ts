/**
 * Sockets on three nodes hear every message of a busy room once and in order, whatever happens between the nodes: their
 * subscriptions are killed again and again, shards are handed over by `troupe drain` and `troupe shards move`, nodes are
 * restarted one after the other. A socket that its node closes is opened again elsewhere, and its client reads what it
 * may have missed over HTTP; what it has already seen it knows by its id.
 */

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { MessageDto } from '../../actors/contract.ts';
import { shardOf } from '../../src/index.ts';
import { signIn } from '../crash/crash-client.ts';
import { addMember, type Command, createRoom, createUser, write } from '../e2e/commands.ts';
import { poll } from '../e2e/deadline.ts';
import { type Answer, type Operation, type Problem, request } from '../e2e/http-client.ts';
import type { Signed } from '../e2e/person.ts';
import { SocketClient } from '../e2e/socket-client.ts';
import { askServer } from '../redis-sentinel.ts';
import { Cluster } from './cluster.ts';
import type { ClusterNode } from './node.ts';

const slowlyMs = 240_000;
const shards = 12;
const patienceMs = 60_000;
const messagesMax = 2_000;
const bin = join(import.meta.dirname, '../../actors/cli/troupe.js');

/** Until it is answered, by whichever node there is. */
async function complete(
  cluster: Cluster,
  who: Signed,
  command: Command,
  key: string,
): Promise<{ readonly id: string }> {
  const { method, path, body } = command.request;
  const headers = { authorization: `Bearer ${who.token}`, 'idempotency-key': key, prefer: 'wait=5' };
  let turn = 0;
  const look = async (): Promise<{ readonly id: string } | undefined> => {
    const { live } = cluster;
    const door = live[turn++ % Math.max(1, live.length)];
    if (door === undefined) return undefined;
    try {
      const url = `${door.url}${path}`;
      const answer = await request<Operation<{ id: string }> & Problem>(url, method, headers, body, 15_000);
      return answer.status === 200 ? answer.body.result : undefined;
    } catch {
      return undefined;
    }
  };
  return poll(look, `${command.type} ${key} does not complete`, patienceMs);
}

/** Somebody who listens on one node, and on another one when that goes. */
class Listener {
  readonly who: Signed;
  /** Ids of the room's messages, as this client shows them; it begins with the newest one that there was. */
  readonly shown: string[];
  /** Of each socket, what it brought; in order. */
  readonly heard: string[][] = [];
  reconnects = 0;
  readonly #roomId: string;
  readonly #nodes: () => readonly ClusterNode[];
  #socket: SocketClient | undefined;
  #isOver = false;
  #running: Promise<void> = Promise.resolve();

  constructor(who: Signed, roomId: string, first: string, nodes: () => readonly ClusterNode[]) {
    this.who = who;
    this.shown = [first];
    this.#roomId = roomId;
    this.#nodes = nodes;
  }

  async start(): Promise<void> {
    await this.#connect();
    this.#running = this.#stay();
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    this.#socket?.close();
    await this.#running;
  }

  /** Until it shows so many behind the first one. */
  async shows(count: number): Promise<void> {
    await poll(
      async () => (this.#take().length > count ? true : undefined),
      `${this.who.email} misses something`,
      patienceMs,
    );
  }

  async #stay(): Promise<void> {
    while (!this.#isOver) {
      await this.#socket!.closed;
      this.#take();
      if (this.#isOver) return;
      this.reconnects += 1;
      await this.#connect();
      await this.#readGap();
    }
  }

  /** A socket that is fed, on the first node that is there. */
  async #connect(): Promise<void> {
    const open = async (): Promise<SocketClient | undefined> => {
      const [node] = this.#nodes();
      if (node === undefined) return undefined;
      try {
        const url = `${node.url.replace('http', 'ws')}/ws/chat/${this.who.id}?access_token=${this.who.token}`;
        const socket = await SocketClient.open(url);
        await socket.ping();
        return socket;
      } catch {
        return undefined;
      }
    };
    this.#socket = await poll(open, `${this.who.email} cannot connect`, patienceMs);
    this.heard.push([]);
  }

  /** What came on the socket, behind what was shown before. */
  #take(): readonly string[] {
    const frames = this.#socket?.all<MessageDto>('MESSAGE_UPDATED', ({ roomId }) => roomId === this.#roomId) ?? [];
    const ids = frames.map(({ id }) => id);
    this.heard[this.heard.length - 1] = ids;
    for (const id of ids) if (!this.shown.includes(id)) this.shown.push(id);
    return this.shown;
  }

  /** The socket is open: what it brings may be in here, too. */
  async #readGap(): Promise<void> {
    const missed: string[] = [];
    for (let path: string | undefined = `/v1/rooms/${this.#roomId}/messages?limit=200`; path !== undefined; ) {
      const { body, headers }: Answer<readonly MessageDto[]> = await this.#get(path);
      const unseen = body.map(({ id }) => id).filter((id) => !this.shown.includes(id));
      missed.unshift(...unseen);
      path = unseen.length < body.length ? undefined : /<([^>]+)>/.exec(headers.get('link') ?? '')?.[1];
    }
    this.shown.push(...missed);
  }

  #get(path: string): Promise<Answer<readonly MessageDto[]>> {
    const headers = { authorization: `Bearer ${this.who.token}` };
    const read = async (): Promise<Answer<readonly MessageDto[]> | undefined> => {
      for (const node of this.#nodes()) {
        const url = `${node.url}${path}`;
        const answer = await request<readonly MessageDto[]>(url, 'GET', headers).catch(() => undefined);
        if (answer?.status === 200) return answer;
      }
      return undefined;
    };
    return poll(read, `${this.who.email} cannot read the gap`, patienceMs);
  }
}

interface Stage {
  readonly cluster: Cluster;
  readonly roomId: string;
  readonly listeners: readonly Listener[];
  /** Resolves when so many more messages were written. */
  goesOn(count: number): Promise<void>;
  /** Ends writing; gives all messages in the room's order. */
  stop(): Promise<readonly string[]>;
}

async function start(): Promise<Stage> {
  const cluster = await Cluster.start({ program: 'chat', nodes: 3, leaseMs: 3_000, shards });
  onTestFinished(() => cluster.dispose());
  await cluster.placed();
  const [a] = cluster.nodes;
  const people = await Promise.all([0, 1, 2].map((n) => signIn(a!.url, `listener-${n}@example.com`)));
  const user = createUser({ type: 'REGULAR_USER', primaryLanguage: 'ENGLISH' });
  await Promise.all(people.map((who, n) => complete(cluster, who, user, `user-${n}`)));
  const [alice, bob, carol] = people as unknown as readonly [Signed, Signed, Signed];
  const { id: roomId } = await complete(cluster, alice, createRoom(bob.id), 'room');
  await complete(cluster, alice, addMember(roomId, carol.id), 'member');
  const { id: first } = await complete(cluster, bob, write(roomId, 'first'), 'first');

  // Each begins on another node, and goes to the next one that is there.
  const listeners = people.map((who, n) => {
    const nodes = (): readonly ClusterNode[] => {
      const { live } = cluster;
      return [...live.slice(n), ...live.slice(0, n)];
    };
    return new Listener(who, roomId, first, nodes);
  });
  await Promise.all(listeners.map((listener) => listener.start()));
  let isOver = false;
  let written = 0;
  const lane = async (who: Signed, name: string): Promise<void> => {
    for (let n = 0; !isOver && n < messagesMax; n++) {
      await complete(cluster, who, write(roomId, `${name} ${n}`), `${name}-${n}`);
      written += 1;
    }
  };
  const lanes = Promise.all(people.map((who, n) => lane(who, `writer-${n}`)));
  onTestFinished(async () => {
    isOver = true;
    await Promise.all(listeners.map((listener) => listener.stop()));
  });
  return {
    cluster,
    roomId,
    listeners,
    goesOn: async (count) => {
      const target = written + count;
      await poll(async () => (written >= target ? true : undefined), 'nothing is written any more', patienceMs);
    },
    stop: async () => {
      isOver = true;
      await lanes;
      return ordered(cluster, alice, roomId);
    },
  };
}

/** All messages of the room but the first one, oldest first. */
async function ordered(cluster: Cluster, who: Signed, roomId: string): Promise<readonly string[]> {
  const ids: string[] = [];
  let path: string | undefined = `/v1/rooms/${roomId}/messages?limit=200`;
  while (path !== undefined) {
    const url: string = `${cluster.live[0]!.url}${path}`;
    const answer = await request<readonly MessageDto[]>(url, 'GET', { authorization: `Bearer ${who.token}` });
    ids.unshift(...answer.body.map(({ id }) => id));
    path = /<([^>]+)>/.exec(answer.headers.get('link') ?? '')?.[1];
  }
  return ids.slice(1);
}

/** Ends every subscriber's connection. */
function killSubscribers({ cluster }: Stage): Promise<unknown> {
  return askServer(cluster.redis, 'CLIENT', 'KILL', 'TYPE', 'pubsub');
}

function troupe({ cluster }: Stage, ...args: readonly string[]): Promise<void> {
  const env = { PATH: process.env.PATH ?? '', JOURNAL: cluster.journal };
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [bin, ...args], { env }, (error, stdout, stderr) => {
      if (error === null) resolve();
      else reject(new Error(`troupe ${args.join(' ')}: ${stdout}${stderr}`));
    });
  });
}

/** What each socket brought is a piece of the room's history, whole and in order. */
function expectPieces(heard: readonly (readonly string[])[], all: readonly string[]): void {
  for (const piece of heard) {
    const from = piece.length === 0 ? 0 : all.indexOf(piece[0]!);
    expect(piece).toEqual(all.slice(from, from + piece.length));
  }
}

test('killed subscriptions lose no message', { timeout: slowlyMs }, async () => {
  const stage = await start();

  let killed = 0;
  // On a quick machine not all are back when the next round begins.
  for (let round = 0; round < 12 || killed <= 12; round++) {
    killed += Number(await killSubscribers(stage));
    await stage.goesOn(4);
  }
  const all = await stage.stop();
  for (const listener of stage.listeners) await listener.shows(all.length);

  for (const { heard, reconnects } of stage.listeners) {
    expect(reconnects).toBe(0);
    expect(heard).toEqual([all]);
  }
  expect(stage.cluster.crashes).toEqual([]);
});

test('handed-over shards lose no message', { timeout: slowlyMs }, async () => {
  const stage = await start();
  const { cluster, roomId, listeners } = stage;
  const shard = shardOf(roomId, shards);
  const owner = async () => (await cluster.statuses())[shard]!.node;
  const owners = [await owner()];

  const to = ['a', 'b', 'c'].find((id) => id !== owners[0])!;
  await troupe(stage, 'shards', 'move', String(shard), to);
  owners.push(await owner());
  await stage.goesOn(10);
  await killSubscribers(stage);
  await troupe(stage, 'drain', to);
  owners.push(await owner());
  await stage.goesOn(10);
  await troupe(stage, 'drain', to, '--undo');
  await stage.goesOn(10);
  const all = await stage.stop();
  for (const listener of listeners) await listener.shows(all.length);

  expect(owners[1]).toBe(to);
  expect(owners[2]).not.toBe(to);
  for (const { heard, reconnects } of listeners) {
    expect(reconnects).toBe(0);
    expect(heard).toEqual([all]);
  }
  expect(cluster.crashes).toEqual([]);
});

test('a rolling restart loses no message', { timeout: slowlyMs }, async () => {
  const stage = await start();
  const { cluster, listeners } = stage;

  for (const node of cluster.nodes) {
    await node.restart();
    await stage.goesOn(10);
    await killSubscribers(stage);
  }
  const all = await stage.stop();
  for (const listener of listeners) await listener.shows(all.length);

  expect(Math.min(...listeners.map(({ reconnects }) => reconnects))).toBeGreaterThan(0);
  for (const { heard, shown } of listeners) {
    expect(shown.slice(1)).toEqual(all);
    expectPieces(heard, all);
  }
  expect(cluster.crashes).toEqual([]);
});
