/**
 * Several nodes on a Redis server of their own, each in a process of its own and, if asked for, behind a proxy of its own;
 * or on servers that the test has started (a Sentinel group, a Redis Cluster), which stay the test's. All of it ends with
 * `dispose`, and also when the test's process is killed.
 */

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import type { ShardStatus } from '../../src/cluster/cluster-store.ts';
import { placementOf } from '../../src/cluster/placement.ts';
import { type Journal, openJournal } from '../../src/index.ts';
import { poll } from '../e2e/deadline.ts';
import { RedisServer, type RedisServerOptions } from '../redis-server.ts';
import { ChaosProxy } from './chaos-proxy.ts';
import { ClusterNode, type NodeSpec, type Program } from './node.ts';

export interface ClusterOptions {
  readonly program: Program;
  /** That many of equal weight, or these. */
  readonly nodes: number | readonly NodeSpec[];
  readonly leaseMs?: number;
  readonly shards?: number;
  /** Puts a proxy between each node and Redis. */
  readonly proxied?: boolean;
  /** For the proxies. */
  readonly seed?: number;
  /** For every node. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly redis?: RedisServerOptions;
  /** URL of a store that is there already. Then there is no server of its own, and nothing for proxies to stand before. */
  readonly journal?: string;
}

/** For slow machines. */
const placedMs = 60_000;
const bin = join(import.meta.dirname, '../../actors/cli/troupe.js');

export interface Verification {
  readonly code: number;
  readonly output: string;
}

/** a, b, c: ids whose placement on few shards leaves nobody without one. */
function nameOf(index: number): string {
  return String.fromCharCode('a'.charCodeAt(0) + index);
}

function statusesOf({ cluster, shards }: Journal): Promise<readonly ShardStatus[]> {
  return cluster!.statuses(Array.from({ length: shards }, (_, shard) => shard));
}

/** `troupe verify`, beside whatever runs on the store. */
export function verifyStore(journal: string, archive?: string): Promise<Verification> {
  const env = {
    PATH: process.env.PATH ?? '',
    JOURNAL: journal,
    ...(archive === undefined ? {} : { ARCHIVE: archive }),
  };
  return new Promise((resolve) => {
    execFile(process.execPath, [bin, 'verify'], { env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), output: `${stdout}${stderr}` });
    });
  });
}

export class Cluster {
  /** What the nodes share, without any proxy. */
  readonly journal: string;
  readonly #redis: RedisServer | undefined;
  readonly #nodes: ClusterNode[] = [];
  readonly #options: ClusterOptions;
  readonly #proxies: ChaosProxy[] = [];

  private constructor(options: ClusterOptions, redis: RedisServer | undefined) {
    this.#options = options;
    this.#redis = redis;
    this.journal = redis?.url ?? options.journal!;
  }

  /** All nodes at once, as after a power failure; resolves when each is ready. */
  static async start(options: ClusterOptions): Promise<Cluster> {
    const { nodes, journal, redis } = options;
    const cluster = new Cluster(options, journal === undefined ? await RedisServer.start(redis) : undefined);
    const specs: readonly NodeSpec[] =
      typeof nodes === 'number' ? Array.from({ length: nodes }, (_, index) => ({ id: nameOf(index) })) : nodes;
    try {
      await Promise.all(specs.map((spec) => cluster.add(spec)));
    } catch (error) {
      await cluster.dispose();
      throw error;
    }
    return cluster;
  }

  /** The server of its own. */
  get redis(): RedisServer {
    if (this.#redis === undefined) throw new Error('The nodes run on servers that are not theirs.');
    return this.#redis;
  }

  /** In the order of their ids. */
  get nodes(): readonly ClusterNode[] {
    return [...this.#nodes].sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** Those that can answer. */
  get live(): readonly ClusterNode[] {
    return this.nodes.filter(({ isLive }) => isLive);
  }

  node(id: string): ClusterNode {
    const node = this.#nodes.find((one) => one.id === id);
    if (node === undefined) throw new Error(`There is no node ${id}.`);
    return node;
  }

  /** What became of nodes that ended by themselves. */
  get crashes(): readonly string[] {
    return this.nodes.filter(({ hasCrashed }) => hasCrashed).map(({ fate }) => fate);
  }

  /** Another node joins; resolves when it is ready. */
  async add(spec: NodeSpec): Promise<ClusterNode> {
    const { program, leaseMs = 5_000, shards, proxied = false, seed = 1, environment } = this.#options;
    const index = this.#proxies.length;
    const proxy = proxied ? await ChaosProxy.start(this.redis.port, { seed: seed + index }) : undefined;
    if (proxy !== undefined) this.#proxies.push(proxy);
    const node = ClusterNode.launch({
      ...spec,
      program,
      leaseMs,
      proxy,
      journal: proxy?.url() ?? this.journal,
      environment: {
        ...(shards === undefined ? {} : { SHARDS: String(shards) }),
        ...environment,
        ...spec.environment,
      },
    });
    this.#nodes.push(node);
    await node.ready();
    return node;
  }

  /** What the store says of each shard. */
  statuses(): Promise<readonly ShardStatus[]> {
    return this.#looking(statusesOf);
  }

  /** Resolves when exactly the live nodes are known, and each holds the shards that are to be its own. */
  placed(): Promise<void> {
    const look = (): Promise<true | undefined> =>
      this.#looking(async (journal) => {
        const [view, statuses] = [await journal.cluster!.view(), await statusesOf(journal)];
        const live = this.live.map(({ id }) => id).join();
        if (view.nodes.map(({ id }) => id).join() !== live) return undefined;
        const isHome = ({ shard, node, expiresInMs }: ShardStatus) =>
          expiresInMs > 0 && node === placementOf(shard, view);
        return statuses.every(isHome) ? true : undefined;
        // A store may be failing over.
      }).catch(() => undefined);
    return poll(look, 'The shards are not where they are to be', placedMs).then(() => undefined);
  }

  async #looking<T>(look: (journal: Journal) => Promise<T>): Promise<T> {
    const journal = await openJournal(this.journal);
    try {
      return await look(journal);
    } finally {
      await journal.close();
    }
  }

  verify(): Promise<Verification> {
    return verifyStore(this.journal);
  }

  /** All nodes run again, and nothing is between them and Redis. */
  async heal(): Promise<void> {
    for (const { proxy } of this.#nodes) proxy?.heal();
    for (const node of this.#nodes) if (node.isPaused) node.resume();
    await Promise.all(this.#nodes.filter(({ isLive }) => !isLive).map((node) => node.restart()));
  }

  /** Ends a node for good. */
  async remove(node: ClusterNode): Promise<void> {
    await node.kill();
    this.#nodes.splice(this.#nodes.indexOf(node), 1);
  }

  /** SIGTERM to all that run, at once; gives their exit codes. */
  async stop(): Promise<readonly (number | null)[]> {
    const running = this.nodes.filter(({ isLive, isPaused }) => isLive || isPaused);
    return Promise.all(running.map((node) => node.stop()));
  }

  async dispose(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.kill()));
    await Promise.all(this.#proxies.map((proxy) => proxy.close()));
    await this.#redis?.dispose();
  }
}
