/** Redis stores for tests: the conformance suite's adapter, and a plain client that reaches behind the port. */

import { type Cluster, Redis } from 'ioredis';
import { onTestFinished } from 'vitest';
import type { Address } from '../../src/actor/address.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { actorField as fieldOf } from '../../src/journal/redis/records.ts';
import { openRedisJournal, type RedisJournalOptions } from '../../src/journal/redis.ts';
import { RedisServer, type RedisServerOptions } from '../redis-server.ts';
import type { DamageTarget, JournalAdapter } from './adapter.ts';

export const redisAdapter: JournalAdapter = {
  kind: 'redis',
  persistent: true,
  shared: true,
  damages: ['entry', 'index', 'snapshot', 'timer', 'outbox', 'publication', 'row'],
  losesSnapshots: true,
  stalls: true,
  rewinds: true,
  create: async () => {
    const server = await RedisServer.start();
    return {
      open: (options) => openRedisJournal({ ...options, url: server.url }),
      damage: (target) => withClient(server, (client) => damage(client, 'troupe', target)),
      loseSnapshot: (shard, actor) =>
        withClient(server, async (client) => {
          await client.hdel(`troupe:{${shard}}:snapshots`, actorField(actor));
        }),
      stall: async () => {
        server.pause();
        return async () => server.resume();
      },
      remember: (shard) => withClient(server, (client) => remember(client, shard, server)),
      dispose: () => server.dispose(),
    };
  },
};

/** A server for the running test. */
export async function startServer(options?: RedisServerOptions): Promise<RedisServer> {
  const server = await RedisServer.start(options);
  onTestFinished(() => server.dispose());
  return server;
}

/** A journal with 4 shards for the running test. */
export async function openJournal(server: RedisServer, options: Partial<RedisJournalOptions> = {}): Promise<Journal> {
  const journal = await openRedisJournal({ url: server.url, shards: 4, ...options });
  onTestFinished(() => journal.close());
  return journal;
}

/** A plain client for the running test. */
export function openClient(server: RedisServer): Redis {
  const client = new Redis(server.url);
  client.on('error', () => {});
  onTestFinished(() => client.disconnect());
  return client;
}

/** Every key but the library, as the bytes Redis would dump. */
export async function contentOf(client: Redis): Promise<ReadonlyMap<string, string>> {
  const keys = (await client.keys('*')).sort();
  const dumps = await Promise.all(keys.map((key) => client.dumpBuffer(key)));
  return new Map(keys.map((key, i) => [key, dumps[i]!.toString('hex')]));
}

/** What a failover to a replica that lags does to the keys of one shard. */
async function remember(client: Redis, shard: number, server: RedisServer): Promise<() => Promise<void>> {
  const before = [...(await contentOf(client))].filter(([key]) => key.includes(`{${shard}}`));
  return () =>
    withClient(server, async (later) => {
      const change = later.multi();
      for (const key of await later.keys(`*{${shard}}*`)) change.del(key);
      for (const [key, dump] of before) change.restore(key, 0, Buffer.from(dump, 'hex'));
      await change.exec();
    });
}

async function withClient<T>(server: RedisServer, work: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(server.url);
  try {
    return await work(client);
  } finally {
    client.disconnect();
  }
}

/** What damages records can be done with, of one server or of a cluster. */
type AnyClient = Redis | Cluster;

/** Breaks one record of the store with that prefix. */
export async function damage(client: AnyClient, prefix: string, target: DamageTarget): Promise<void> {
  const key = (name: string) => `${prefix}:{${target.shard}}:${name}`;
  switch (target.kind) {
    case 'entry':
      return damageEntry(client, key('journal'), target.seq);
    case 'index':
      return damageField(client, key('actors'), actorField(target.actor));
    case 'snapshot':
      return damageField(client, key('snapshots'), actorField(target.actor));
    case 'timer':
      return damageField(client, key('timers'), `${target.actor}\0${target.id}`);
    case 'outbox':
      return damageField(client, key('outbox'), `${target.to}:${target.n}`);
    case 'publication': {
      const list = key(`topic:${target.topic}`);
      const head = Number(await client.hget(key('topics'), target.topic));
      const position = target.offset - head - 1;
      await client.lset(list, position, flipped((await client.lindexBuffer(list, position))!));
      return;
    }
    case 'row': {
      const view = key(`view:${target.view}`);
      const range = [`[${target.key}\0`, `(${target.key}\x01`] as const;
      const [member] = await client.zrangebylexBuffer(view, ...range);
      await client.zrem(view, member!);
      await client.zadd(view, 0, flipped(member!));
    }
  }
}

/** The field of an actor in its hashes. */
export function actorField(actor: Address): Buffer {
  return Buffer.from(fieldOf(actor));
}

async function damageField(client: AnyClient, hash: string, field: string | Buffer): Promise<void> {
  await client.hset(hash, field, flipped((await client.hgetBuffer(hash, field))!));
}

/** An entry of a stream never changes, so the stream is written again. */
async function damageEntry(client: AnyClient, journal: string, seq: number): Promise<void> {
  const entries = await client.xrangeBuffer(journal, '-', '+');
  await client.del(journal);
  for (const [id, fields] of entries) {
    const payload = fields.length - 3;
    const broken = fields.map((value, i) => (i === payload && String(id) === `${seq}-0` ? flipped(value) : value));
    await client.xadd(journal, String(id), ...broken);
  }
}

/** The same bytes with the last one changed. */
function flipped(record: Buffer): Buffer {
  const copy = Buffer.from(record);
  copy[copy.length - 1]! ^= 1;
  return copy;
}
