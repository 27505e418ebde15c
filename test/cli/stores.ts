/** Stores for the commands: a fresh folder, or a Redis server of its own. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RedisServer } from '../redis-server.ts';

export interface TestStore {
  /** For `JOURNAL`. */
  readonly url: string;
  remove(): Promise<void>;
}

export async function lmdbStore(): Promise<TestStore> {
  const folder = await mkdtemp(join(tmpdir(), 'troupe-cli-'));
  return { url: `lmdb:${join(folder, 'data')}`, remove: () => rm(folder, { recursive: true, force: true }) };
}

export async function redisStore(): Promise<TestStore> {
  const server = await RedisServer.start();
  return { url: server.url, remove: () => server.dispose() };
}

export const storeKinds = [
  { kind: 'lmdb', make: lmdbStore },
  { kind: 'redis', make: redisStore },
] as const;
