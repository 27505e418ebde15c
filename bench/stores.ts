/** The stores a workload runs on: memory, a folder for LMDB, or a Redis server of its own on a loopback port. */

import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { type Durability, openJournal } from '../src/index.ts';
import type { Journal } from '../src/journal/journal.ts';
import { RedisServer } from '../test/redis-server.ts';
import type { CpuMeter } from './load.ts';

export const storeNames = ['memory', 'lmdb-disk', 'lmdb-process', 'redis-everysec', 'redis-always'] as const;
export type StoreName = (typeof storeNames)[number];

/** What another process needs to open a store. */
export interface StoreAddress {
  readonly name: StoreName;
  /** For `JOURNAL`. */
  readonly url: string;
  readonly durability?: Durability;
}

export interface Store extends StoreAddress {
  remove(): Promise<void>;
}

/** What an answered commit survives, for people. */
export const durabilityTexts: Readonly<Record<StoreName, string>> = {
  memory: 'nothing',
  'lmdb-disk': 'a crash of the machine (sync before the answer)',
  'lmdb-process': 'a crash of the process (written, not synced)',
  'redis-everysec': 'a crash of the process; of Redis or the machine but for the last second',
  'redis-always': 'a crash of Redis or the machine (sync before the answer)',
};

let made = 0;

/** An empty store; LMDB's lies in `folder`. */
export async function makeStore(name: StoreName, folder: string): Promise<Store> {
  if (name === 'memory') return { name, url: 'memory:', remove: async () => undefined };
  if (name === 'redis-everysec' || name === 'redis-always') {
    const durability = name === 'redis-always' ? 'always' : 'everysec';
    const server = await RedisServer.start({ appendfsync: durability });
    return { name, url: server.url, durability, remove: () => server.dispose() };
  }
  const path = join(folder, `${name}-${++made}`);
  await mkdir(path, { recursive: true });
  return {
    name,
    url: `lmdb:${join(path, 'data')}`,
    durability: name === 'lmdb-process' ? 'process' : 'disk',
    remove: () => rm(path, { recursive: true, force: true }),
  };
}

export function openStore({ url, durability }: StoreAddress): Promise<Journal> {
  return openJournal(url, durability === undefined ? {} : { durability });
}

/** Meters of processes that a store runs beside ours: Redis counts its own CPU time. */
export function storeCpu({ url }: StoreAddress): {
  readonly meters: Readonly<Record<string, CpuMeter>>;
  close(): void;
} {
  if (!url.startsWith('redis:')) return { meters: {}, close: () => undefined };
  const client = new Redis(url);
  const used = async (): Promise<number> => {
    const info = await client.info('cpu');
    const seconds = ['used_cpu_user', 'used_cpu_sys'].map((field) => Number(infoField(info, field)));
    return seconds.reduce((sum, value) => sum + value, 0) * 1e6;
  };
  return { meters: { store: used }, close: () => client.disconnect() };
}

function infoField(info: string, field: string): string | undefined {
  return new RegExp(`^${field}:(.*)$`, 'm').exec(info)?.[1]?.trim();
}

export interface StoreBytes {
  /** Pages of LMDB that hold data, or memory of Redis in use. */
  readonly used: number;
  /** LMDB's file, or Redis's append-only file. */
  readonly file: number;
}

/** How much a store holds. Undefined for memory, which keeps objects. */
export async function bytesOf({ url }: StoreAddress): Promise<StoreBytes | undefined> {
  if (url.startsWith('redis:')) return redisBytes(url);
  if (url.startsWith('lmdb:')) return lmdbBytes(url.slice('lmdb:'.length));
  return undefined;
}

async function redisBytes(url: string): Promise<StoreBytes> {
  const client = new Redis(url);
  try {
    const info = await client.info();
    return {
      used: Number(infoField(info, 'used_memory')),
      file: Number(infoField(info, 'aof_current_size')),
    };
  } finally {
    client.disconnect();
  }
}

interface LmdbStats {
  readonly pageSize: number;
  readonly treeBranchPageCount: number;
  readonly treeLeafPageCount: number;
  readonly overflowPages: number;
}

async function lmdbBytes(path: string): Promise<StoreBytes> {
  const { open } = await import('lmdb');
  const root = open({ path, readOnly: true, encoding: 'binary', keyEncoding: 'binary', maxDbs: 64, noSubdir: false });
  try {
    // The root holds the named databases; each keeps its own pages.
    const names = [...root.getKeys()].map((key) => String(key)).filter((key) => /^[a-z][a-z-]*\0?$/.test(key));
    const databases = names.map((name) => root.openDB({ name: name.replace('\0', ''), encoding: 'binary' }));
    const pages = [root, ...databases].map((database) => {
      const stats = database.getStats() as unknown as LmdbStats;
      return stats.pageSize * (stats.treeBranchPageCount + stats.treeLeafPageCount + stats.overflowPages);
    });
    const files = await Promise.all((await readdir(path)).map((file) => stat(join(path, file))));
    return {
      used: pages.reduce((sum, bytes) => sum + bytes, 0),
      file: files.reduce((sum, file) => sum + file.blocks * 512, 0),
    };
  } finally {
    await root.close();
  }
}
