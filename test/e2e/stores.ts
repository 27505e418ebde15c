/** Stores for servers under test: a fresh folder for LMDB, or a Redis server of its own. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RedisServer } from '../redis-server.ts';

export type StoreKind = 'lmdb' | 'redis';

export interface Store {
  readonly kind: StoreKind;
  /** For `JOURNAL`. */
  readonly url: string;
  /** The Redis behind it, if it is one. */
  readonly redis?: RedisServer;
  remove(): Promise<void>;
}

async function lmdbStore(): Promise<Store> {
  const folder = await mkdtemp(join(tmpdir(), 'troupe-e2e-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  return { kind: 'lmdb', url: `lmdb:${join(folder, 'data')}`, remove };
}

async function redisStore(appendfsync: 'always' | 'everysec'): Promise<Store> {
  const redis = await RedisServer.start({ appendfsync });
  return { kind: 'redis', url: redis.url, redis, remove: () => redis.dispose() };
}

/** `everyWrite`: whatever was answered survives also a kill of the store itself. */
export function createStore(kind: StoreKind, { everyWrite = false } = {}): Promise<Store> {
  return kind === 'lmdb' ? lmdbStore() : redisStore(everyWrite ? 'always' : 'everysec');
}
