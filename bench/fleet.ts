/**
 * Several node processes of the chat on one store, as `npm start` runs them, with all users online: each user's socket is
 * at a node that its id picks, and rooms live on shards that theirs pick. So of n nodes that have the same share of the
 * shards, one in n is the owner of what a command it is sent is about.
 */

import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { placementOf } from '../src/cluster/placement.ts';
import { type Journal, openJournal } from '../src/index.ts';
import { contentOf } from './chat-users.ts';
import { forEach } from './load.ts';
import { type NodeOptions, type ServerProcess, startServer } from './processes.ts';
import { RedisServers } from './redis-servers.ts';
import { messageBytes } from './sagas.ts';
import { SocketUsers } from './socket-users.ts';

export interface FleetOptions extends NodeOptions {
  readonly nodes: number;
  readonly primaries: number;
  readonly users: number;
  readonly logLevel: string;
}

/** What all of it has used so far: microseconds of CPU, and how often things were done. */
export interface FleetUse {
  readonly nodes: number;
  readonly redis: number;
  readonly commits: number;
  /** Functions called, and messages published, by whomever. */
  readonly calls: number;
  readonly messages: number;
}

const setupInFlight = 32;
const startingAtOnce = 2;
const companionStep = 7;
const placedMs = 60_000;
const lookMs = 50;

export class Fleet {
  readonly nodes: number;
  readonly #redis: RedisServers;
  readonly #servers: readonly ServerProcess[];
  readonly #users: SocketUsers;
  readonly #journal: Journal;
  readonly #roomIds: string[] = [];

  private constructor(redis: RedisServers, servers: readonly ServerProcess[], users: SocketUsers, journal: Journal) {
    this.nodes = servers.length;
    this.#redis = redis;
    this.#servers = servers;
    this.#users = users;
    this.#journal = journal;
  }

  /** Resolves when every shard is where it is to be, every user is registered, and each has made a room. */
  static async start(options: FleetOptions, say: (doing: string) => void): Promise<Fleet> {
    const redis = await RedisServers.start(options.primaries);
    const servers: ServerProcess[] = [];
    try {
      const authSecret = randomBytes(32).toString('base64url');
      const { nodeFlags, logLevel } = options;
      await forEach(options.nodes, startingAtOnce, async (i) => {
        say(`starting node ${i + 1} of ${options.nodes}`);
        const settings = { NODE_ID: `node-${i + 1}`, JOURNAL: redis.url, LOG_LEVEL: logLevel, PORT: '0' };
        const env = { AUTH_SECRET: authSecret, ...settings };
        servers.push(await startServer({ args: ['actors/cli/troupe.js', 'start'], env, nodeFlags }));
      });
      const journal = await openJournal(redis.url);
      await placed(journal, options.nodes);
      const ports = servers.map(({ port }) => port);
      const users = await SocketUsers.connect({ ports, path: '/ws/chat', users: options.users, authSecret });
      const fleet = new Fleet(redis, servers, users, journal);
      say(`making users and rooms of ${options.nodes} nodes`);
      await fleet.#prepare();
      return fleet;
    } catch (error) {
      await Promise.all(servers.map((server) => server.stop()));
      await redis.remove();
      throw error;
    }
  }

  /** A MESSAGE_CREATE saga, to its outcome at the requester's socket. */
  async createMessage(i: number): Promise<void> {
    const room = i % this.#roomIds.length;
    const data = { roomId: this.#roomIds[room], content: contentOf(i, messageBytes) };
    await this.#users.send(room, 'MESSAGE_CREATE', data, 'outcome').catch((error: unknown) => {
      const said = this.#servers.map((server) => server.said().slice(-1_000)).join('\n');
      throw new Error(`${error instanceof Error ? error.message : String(error)}\nThe nodes said:\n${said}`);
    });
  }

  async use(): Promise<FleetUse> {
    const shards = Array.from({ length: this.#journal.shards }, (_, shard) => shard);
    const cpu = await Promise.all(this.#servers.map((server) => server.cpu()));
    const { micros, calls, messages } = await this.#redis.use();
    const statuses = (await this.#journal.cluster?.statuses(shards)) ?? [];
    const commits = statuses.reduce((sum, status) => sum + status.commits, 0);
    return { nodes: cpu.reduce((sum, one) => sum + one, 0), redis: micros, commits, calls, messages };
  }

  async stop(): Promise<void> {
    this.#users.close();
    await this.#journal.close();
    await Promise.all(this.#servers.map((server) => server.stop()));
    await this.#redis.remove();
  }

  async #prepare(): Promise<void> {
    const { userIds } = this.#users;
    const user = (i: number) => ({ type: 'REGULAR_USER', username: `user ${i}`, primaryLanguage: 'ENGLISH' });
    await forEach(userIds.length, setupInFlight, (i) => this.#users.send(i, 'USER_CREATE', user(i), 'outcome'));
    await forEach(userIds.length, setupInFlight, async (i) => {
      const companionUserId = userIds[(i + companionStep) % userIds.length];
      this.#roomIds[i] = (await this.#users.send(i, 'ROOM_CREATE', { companionUserId }, 'outcome'))?.id as string;
    });
  }
}

/** Until that many nodes are there, and each shard is held by the one it is to be held by. */
async function placed({ cluster, shards }: Journal, nodes: number): Promise<void> {
  if (cluster === undefined) throw new Error('The journal is not for several nodes.');
  const giveUpAt = performance.now() + placedMs;
  while (performance.now() < giveUpAt) {
    const view = await cluster.view();
    const statuses = await cluster.statuses(Array.from({ length: shards }, (_, shard) => shard));
    const isHome = statuses.every(
      (status) => status.expiresInMs > 0 && status.node === placementOf(status.shard, view),
    );
    if (view.nodes.length === nodes && isHome) return;
    await pause(lookMs);
  }
  throw new Error(`The shards are not where they are to be after ${placedMs} ms.`);
}
