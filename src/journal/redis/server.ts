/**
 * What the adapter asks of servers before it uses them, and what people are told about them: that each has Redis Functions
 * and sharded pub/sub, never evicts keys, and is as durable as required. What a server can do is found out by doing it;
 * its version is only for the sentence that says what is missing. What a server does not tell (CONFIG is forbidden on
 * many hosted ones) is said to be unknown, never assumed.
 */

import { messageOf, TroupeError } from '../../errors.ts';
import type { Reply } from './connection.ts';
import { librarySource } from './library.ts';
import type { RedisDurability } from './replication.ts';
import { commandOf } from './resp.ts';
import type { Wire } from './wire.ts';

/** Settings of one server, value by name; empty when CONFIG is not allowed. */
type Settings = ReadonlyMap<string, string>;

export interface ServerFacts {
  /** Of each primary. */
  readonly servers: readonly Settings[];
}

const settings = ['appendonly', 'appendfsync', 'maxmemory', 'maxmemory-policy'];

/** Throws JOURNAL_INCOMPATIBLE when a primary lacks something, or forbids it; afterwards each has the function library. */
export async function prepareServers(
  wire: Wire,
  durability: RedisDurability | undefined,
  probeChannel: string,
): Promise<void> {
  await need(wire, 'Redis Functions, in which a commit is one atomic step', ['FUNCTION', 'LOAD', librarySource]);
  await need(wire, 'sharded pub/sub, by which nodes talk to each other', ['SPUBLISH', probeChannel, ''], probeChannel);
  if (durability === 'replica-disk') {
    await need(wire, 'WAITAOF, which the durability "replica-disk" rests on', ['WAITAOF', '0', '0', '0']);
  }
}

/** Tries a command, on the primary of `key` or on all of them. */
async function need(wire: Wire, what: string, command: readonly string[], key?: string): Promise<void> {
  const bytes = commandOf(...command).done();
  try {
    await (key === undefined ? wire.sendToAll(bytes) : wire.send(key, bytes));
  } catch (error) {
    const message = messageOf(error);
    if (message.includes('already exists')) return;
    if (/unknown command/i.test(message)) throw await tooOld(wire, what, command[0] as string);
    // Without a right to some channel only messages are missing; without the library everything is.
    if (message.startsWith('NOPERM') && key !== undefined) return;
    if (message.startsWith('NOPERM')) {
      throw new TroupeError(
        'JOURNAL_INCOMPATIBLE',
        `The Redis user may not use ${what}; allow it ${command[0]} and FCALL (${message}).`,
      );
    }
    throw error;
  }
}

async function tooOld(wire: Wire, what: string, command: string): Promise<TroupeError> {
  const infos = await wire.sendToAll(commandOf('INFO', 'server').done()).catch(() => []);
  const info = String(infos[0] ?? '');
  const [, valkey] = /valkey_version:(\S+)/.exec(info) ?? [];
  const [, redis] = /redis_version:(\S+)/.exec(info) ?? [];
  const version = valkey ?? redis ?? 'of an unknown version';
  const since = command === 'WAITAOF' ? 'Redis 7.2 or newer, or Valkey 7.2 or newer' : 'Redis 7.0 or newer, or Valkey';
  return new TroupeError(
    'JOURNAL_INCOMPATIBLE',
    `This ${valkey === undefined ? 'Redis' : 'Valkey'} (${version}) has no ${what}; use ${since}.`,
    { version, command },
  );
}

export async function serverFacts(wire: Wire): Promise<ServerFacts> {
  try {
    const replies = await wire.sendToAll(commandOf('CONFIG', 'GET', ...settings).done());
    return { servers: replies.map(settingsOf) };
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'ReplyError') throw error;
    return { servers: [new Map()] };
  }
}

function settingsOf(reply: Reply): Settings {
  const flat = (reply as readonly Buffer[]).map(String);
  return new Map(flat.flatMap((name, i) => (i % 2 === 0 ? [[name, flat[i + 1] as string]] : [])));
}

/** A sentence when a primary has fewer replicas than each commit waits for. */
export async function replicaWarning(wire: Wire, replicas: number): Promise<string | undefined> {
  const infos = await wire.sendToAll(commandOf('INFO', 'replication').done()).catch(() => []);
  const connected = infos.map((info) => Number(/connected_slaves:(\d+)/.exec(String(info))?.[1] ?? replicas));
  const least = Math.min(...connected);
  if (least >= replicas) return undefined;
  return `A commit waits for ${replicas} replicas, but Redis has ${least}: no commit will be answered until they are there.`;
}

/** Throws JOURNAL_INCOMPATIBLE when the server may delete keys by itself; a sentence when it only might one day. */
export function evictionWarning({ servers }: ServerFacts): string | undefined {
  return servers.map(evictionOf).find((warning) => warning !== undefined);
}

function evictionOf(config: Settings): string | undefined {
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
export function assertDurability({ servers }: ServerFacts, durability: RedisDurability | undefined): void {
  if (durability === undefined || durability === 'replica') return;
  for (const config of servers) assertSettings(config, durability);
}

function assertSettings(config: Settings, durability: Exclude<RedisDurability, 'replica'>): void {
  const [appendonly, appendfsync] = [config.get('appendonly'), config.get('appendfsync')];
  if (durability === 'replica-disk') {
    // Whoever does not tell is asked by each WAITAOF, which fails without an append-only file.
    if (appendonly === undefined || appendonly === 'yes') return;
    throw new TroupeError(
      'JOURNAL_INCOMPATIBLE',
      `The durability "${durability}" is required, but Redis has appendonly ${appendonly}. Set appendonly yes, there and on the replicas.`,
      { appendonly, durability },
    );
  }
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

/** What an answered commit survives, for people. Of several servers the weakest counts. */
export function durabilitySentence(
  { servers }: ServerFacts,
  durability: RedisDurability | undefined,
  replicas: number,
): string {
  const weakest = servers.map((config) => ({ config, rank: rankOf(config) })).sort((a, b) => a.rank - b.rank)[0];
  const own = settingsSentence(weakest?.config ?? new Map());
  const count = `${replicas} ${replicas === 1 ? 'replica' : 'replicas'}`;
  if (durability === 'replica') return `in memory of ${count} before the answer; ${own}`;
  if (durability === 'replica-disk') return `on disk here and at ${count} before the answer; ${own}`;
  return own;
}

const levels = ['no', 'everysec', 'always'];

function rankOf(config: Settings): number {
  const appendonly = config.get('appendonly');
  if (appendonly === undefined) return -2;
  return appendonly === 'yes' ? levels.indexOf(config.get('appendfsync') ?? '') : -1;
}

function settingsSentence(config: Settings): string {
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
