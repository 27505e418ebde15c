/**
 * What the adapter asks of a server before it uses it, and what people are told about it: that it has Redis Functions,
 * never evicts keys, writes an append-only file as often as required. What a server does not tell (CONFIG is forbidden
 * on many hosted ones) is said to be unknown, never assumed.
 */

import { messageOf, TroupeError } from '../../errors.ts';
import type { Reply } from './connection.ts';
import { librarySource } from './library.ts';

/** What `appendfsync` must at least be. */
export type RedisDurability = 'everysec' | 'always';

export interface ServerFacts {
  /** Value by name; empty when CONFIG is not allowed. */
  readonly config: ReadonlyMap<string, string>;
}

/** Sends a command and gives its reply; rejects with the server's error. */
export type Ask = (...args: readonly string[]) => Promise<Reply>;

const settings = ['appendonly', 'appendfsync', 'maxmemory', 'maxmemory-policy'];

/** Loads the function library. Throws JOURNAL_INCOMPATIBLE when the server is too old or forbids it. */
export async function loadLibrary(ask: Ask): Promise<void> {
  try {
    await ask('FUNCTION', 'LOAD', librarySource);
  } catch (error) {
    const message = messageOf(error);
    if (message.includes('already exists')) return;
    if (/unknown command/i.test(message)) throw await tooOld(ask);
    if (message.startsWith('NOPERM')) {
      throw new TroupeError(
        'JOURNAL_INCOMPATIBLE',
        `The Redis user may not load functions; allow it FUNCTION and FCALL (${message}).`,
      );
    }
    throw error;
  }
}

async function tooOld(ask: Ask): Promise<TroupeError> {
  const info = await ask('INFO', 'server').then(String, () => '');
  const version = /redis_version:(\S+)/.exec(info)?.[1] ?? 'of an unknown version';
  return new TroupeError(
    'JOURNAL_INCOMPATIBLE',
    `This Redis (${version}) has no Redis Functions, in which a commit is one atomic step; use Redis 7.0 or newer, or Valkey.`,
    { version },
  );
}

export async function serverFacts(ask: Ask): Promise<ServerFacts> {
  const config = new Map<string, string>();
  for (const name of settings) {
    try {
      const pair = (await ask('CONFIG', 'GET', name)) as readonly Buffer[];
      if (pair[1] !== undefined) config.set(name, String(pair[1]));
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'ReplyError') throw error;
    }
  }
  return { config };
}

/**
 * Throws JOURNAL_INCOMPATIBLE when the server has only a part of a cluster's slots. The keys and functions would do on a
 * cluster; this adapter has one connection.
 */
export async function assertWhole(ask: Ask): Promise<void> {
  const info = await ask('CLUSTER', 'INFO').then(String, (error: Error) => {
    if (error.name === 'ReplyError') return '';
    throw error;
  });
  const nodes = Number(/cluster_size:(\d+)/.exec(info)?.[1] ?? 0);
  if (nodes <= 1) return;
  throw new TroupeError(
    'JOURNAL_INCOMPATIBLE',
    `This is a Redis Cluster of ${nodes} nodes; a journal needs one server that has all slots. Use a single Redis or Valkey.`,
    { nodes },
  );
}

/** Throws JOURNAL_INCOMPATIBLE when the server may delete keys by itself; a sentence when it only might one day. */
export function evictionWarning({ config }: ServerFacts): string | undefined {
  const policy = config.get('maxmemory-policy');
  if (policy === undefined || !policy.startsWith('allkeys')) return undefined;
  if (config.get('maxmemory') === '0') {
    return `Redis has maxmemory-policy ${policy}: it will delete journals as soon as maxmemory is set. Set the policy to noeviction.`;
  }
  throw new TroupeError(
    'JOURNAL_INCOMPATIBLE',
    `Redis has maxmemory-policy ${policy}: it deletes journals when memory is short. Set it to noeviction.`,
    { policy },
  );
}

/** Throws JOURNAL_INCOMPATIBLE when the server writes its append-only file less often than required. */
export function assertDurability({ config }: ServerFacts, durability: RedisDurability | undefined): void {
  if (durability === undefined) return;
  const [appendonly, appendfsync] = [config.get('appendonly'), config.get('appendfsync')];
  const enough = appendfsync === 'always' || (durability === 'everysec' && appendfsync === 'everysec');
  if (appendonly === 'yes' && enough) return;
  const is =
    appendonly === undefined
      ? 'does not tell its settings'
      : `has appendonly ${appendonly}, appendfsync ${appendfsync}`;
  throw new TroupeError(
    'JOURNAL_INCOMPATIBLE',
    `The durability "${durability}" is required, but Redis ${is}. Set appendonly yes and appendfsync ${durability}.`,
    { appendonly, appendfsync, durability },
  );
}

/** What an answered commit survives, for people. */
export function durabilitySentence({ config }: ServerFacts): string {
  const [appendonly, appendfsync] = [config.get('appendonly'), config.get('appendfsync')];
  const survives = 'an answered commit survives a crash of this process';
  if (appendonly === undefined) return `persistence unknown (CONFIG is not allowed): ${survives}`;
  if (appendonly !== 'yes')
    return `no append-only file: ${survives}, and a restart of Redis loses everything since its last dump, if it makes any`;
  if (appendfsync === 'always') return `AOF always: ${survives}, of Redis and of its machine`;
  if (appendfsync === 'everysec')
    return `AOF everysec: ${survives}; a crash of Redis or of its machine may lose the last second`;
  return `AOF fsync left to the operating system: ${survives} and of Redis; a crash of its machine may lose the last half minute`;
}
