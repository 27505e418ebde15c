/**
 * Groups of Redis servers for tests. Starting one takes seconds, so the tests of a file share it: each has a store with a
 * prefix of its own.
 */

import { Cluster, Redis } from 'ioredis';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import type { Journal } from '../../src/journal/journal.ts';
import { openRedisJournal, type RedisJournalOptions } from '../../src/journal/redis.ts';
import { RedisCluster, type RedisClusterOptions } from '../redis-cluster.ts';
import { RedisSentinel, type RedisSentinelOptions } from '../redis-sentinel.ts';
import type { RedisServer } from '../redis-server.ts';
import type { JournalAdapter } from './adapter.ts';
import { actorField, damage } from './redis-store.ts';

export interface Group {
  readonly url: string;
  readonly servers: readonly RedisServer[];
}

const startMs = 60_000;
let stores = 0;

/** A prefix that no other store of this process has. */
export function newPrefix(): string {
  stores += 1;
  return `store-${stores}`;
}

/** A cluster for all tests of the file. */
export function clusterForFile(options?: RedisClusterOptions): () => RedisCluster {
  return forFile(() => RedisCluster.start(options));
}

/** A primary with Sentinels for all tests of the file. */
export function sentinelForFile(options?: RedisSentinelOptions): () => RedisSentinel {
  return forFile(() => RedisSentinel.start(options));
}

function forFile<T extends { dispose(): Promise<void> }>(start: () => Promise<T>): () => T {
  let group: T | undefined;
  beforeAll(async () => {
    group = await start();
  }, startMs);
  afterAll(() => group?.dispose());
  return () => group as T;
}

/** A journal with 4 shards and a store of its own for the running test. */
export async function openGroupJournal({ url }: Group, options: Partial<RedisJournalOptions> = {}): Promise<Journal> {
  const journal = await openRedisJournal({ url, shards: 4, prefix: newPrefix(), ...options });
  onTestFinished(() => journal.close());
  return journal;
}

/** The conformance suite's adapter. The group must not take a pause for a failure. */
export function groupAdapter(kind: string, group: () => Group): JournalAdapter {
  return {
    kind,
    persistent: true,
    shared: true,
    damages: ['entry', 'index', 'snapshot', 'timer', 'outbox', 'publication', 'row'],
    losesSnapshots: true,
    stalls: true,
    create: async () => {
      const prefix = newPrefix();
      const { url, servers } = group();
      return {
        open: (options) => openRedisJournal({ ...options, url, prefix }),
        damage: (target) => withClient(group(), (client) => damage(client, prefix, target)),
        loseSnapshot: (shard, actor) =>
          withClient(group(), async (client) => {
            await client.hdel(`${prefix}:{${shard}}:snapshots`, actorField(actor));
          }),
        stall: async () => {
          for (const server of servers) server.pause();
          return async () => {
            for (const server of servers) server.resume();
          };
        },
        dispose: async () => {},
      };
    },
  };
}

async function withClient<T>(group: Group, work: (client: Redis | Cluster) => Promise<T>): Promise<T> {
  const ports = group.servers.map(({ port }) => ({ host: '127.0.0.1', port }));
  const client = group.url.startsWith('redis+cluster') ? new Cluster(ports) : new Redis(ports[0]!);
  try {
    return await work(client);
  } finally {
    client.disconnect();
  }
}
