/**
 * The Redis adapter of the journal port, for many nodes. A commit is one call of a Redis Function (redis/commit.lua), so
 * that it is atomic, fenced and in order on the server itself; leases run on the server's clock. All keys of a shard
 * share a hash tag, and no call leaves it.
 *
 * How durable an answered commit is, is the server's setting (`appendfsync`); `description` says what it is, and
 * `durability` refuses a server with less, or has each commit wait for replicas. Still a failover may lose answered commits. A head
 * that went backwards is found at the next renewal or acquisition by whoever knows it ahead; it is counted in the shard's
 * key (`rewinds`) and remembered there (`answered`) until the owner has appended the commits again or declared them lost.
 *
 * Which connections there are is the wire's affair (redis/wire.ts). It deliberately has no blocking read: the owner of a
 * shard knows what it committed.
 */

import type { Address } from '../actor/address.ts';
import { type Clock, systemClock } from '../clock.ts';
import { messageOf, TroupeError } from '../errors.ts';
import { type Ids, systemIds } from '../ids.ts';
import { boundsFrom, type JournalBounds } from './bounds.ts';
import { assertShard, assertShards, commitsMissing, contractBreach } from './checks.ts';
import type {
  AcquireOutcome,
  ActorIndex,
  Commit,
  CommitOutcome,
  Head,
  Journal,
  Known,
  Lease,
  Owner,
  TrimOutcome,
} from './journal.ts';
import { RedisClusterStore } from './redis/cluster-store.ts';
import { callBytesMax, commitCall } from './redis/commit-call.ts';
import type { Reply } from './redis/connection.ts';
import { parseLocation } from './redis/endpoint.ts';
import { channelName, metaKey, type ShardKeys, shardKeys, topicKey, viewKey } from './redis/keys.ts';
import { type FunctionName, functionName } from './redis/library.ts';
import { ActorListing } from './redis/listing.ts';
import { mergedRows, rowRanges } from './redis/ranges.ts';
import { actorField, rowKeyBytes } from './redis/records.ts';
import { assertReplicas, confirmationOf, defaultReplicas, type RedisDurability } from './redis/replication.ts';
import {
  actorOf,
  deadLetterOf,
  entriesOf,
  headOf,
  indexOr,
  rowOf,
  shardStateOf,
  topicPageOf,
  trimOutcomeOf,
} from './redis/replies.ts';
import { commandOf } from './redis/resp.ts';
import {
  assertDurability,
  durabilitySentence,
  evictionWarning,
  prepareServers,
  replicaWarning,
  serverFacts,
} from './redis/server.ts';
import { openWire } from './redis/servers.ts';
import { openStore } from './redis/store.ts';
import type { SendOptions, Wire } from './redis/wire.ts';

export interface RedisJournalOptions extends Partial<JournalBounds> {
  /**
   * `redis://[user[:password]@]host[:port][/db]`, `redis+sentinel://[user:password@]host:port,host:port/<primary>[/db]` or
   * `redis+cluster://[user:password@]host:port,host:port`; `rediss` instead of `redis` for TLS.
   */
  readonly url: string;
  /** A new store gets this many (default 64); an existing one must have as many. Left out, the store decides. */
  readonly shards?: number;
  /** Before every key. Default `troupe`. */
  readonly prefix?: string;
  /** What the server's `appendfsync` must at least be, or what each commit waits for. Default: nothing is required. */
  readonly durability?: RedisDurability;
  /** How many replicas a commit waits for, with a durability of replicas. Default 1. */
  readonly replicas?: number;
  /** Told about what harms nobody yet, or was survived. Default: nobody. */
  readonly warn?: (message: string, params: Readonly<Record<string, unknown>>) => void;
  readonly clock?: Clock;
  readonly ids?: Ids;
}

/** Addresses of one call of read_actors: a large one would hold up everybody else. */
const actorsPerCall = 100;
const rowsPerCall = 1_000;
/** Losses that are kept of a shard; the oldest go first. */
const lossesMax = 100;

/** What this process has seen of a shard: what the server may not be behind. */
interface Seen {
  epoch: number;
  commits: number;
  commitId: string;
}

/**
 * Opens the store behind `url`, and makes it if there is none. Throws CONFIG_INVALID (the URL or an option),
 * JOURNAL_INCOMPATIBLE (too old a server, one that evicts keys, another layout or number of shards, less durable than
 * required) or JOURNAL_UNAVAILABLE (no connection within the deadline).
 */
export async function openRedisJournal(options: RedisJournalOptions): Promise<Journal> {
  const { url, prefix = 'troupe', clock = systemClock, ids = systemIds } = options;
  const location = parseLocation(url);
  if (!/^[\x21-\x7a]{1,100}$/.test(prefix)) {
    throw new TroupeError(
      'CONFIG_INVALID',
      `"${prefix}" cannot be the prefix of keys: 1 to 100 ASCII characters, no {.`,
    );
  }
  if (options.shards !== undefined) assertShards(options.shards);
  const bounds = boundsFrom(options);
  const { durability, replicas = defaultReplicas } = options;
  assertReplicas(replicas);
  const confirmation = confirmationOf(durability, replicas);
  const wire = await openWire(location, { deadlineMs: bounds.deadlineMs, clock, confirmation }).catch((error) => {
    throw unavailable(location, error);
  });
  try {
    const facts = await serverFacts(wire);
    const fewReplicas = confirmation && (await replicaWarning(wire, replicas));
    for (const warning of [evictionWarning(facts), fewReplicas]) if (warning !== undefined) options.warn?.(warning, {});
    assertDurability(facts, durability);
    await prepareServers(wire, durability, `${prefix}:probe`);
    const { shards, id } = await openStore(wire, prefix, options.shards, ids);
    const description = `${wire.name}, ${durabilitySentence(facts, durability, replicas)}`;
    return new RedisJournal({ ...options, ids }, wire, bounds, { prefix, shards, id, description });
  } catch (error) {
    await wire.close();
    throw error instanceof TroupeError ? error : unavailable(wire, error);
  }
}

interface Store {
  readonly prefix: string;
  readonly shards: number;
  readonly id: string;
  readonly description: string;
}

class RedisJournal implements Journal {
  readonly kind = 'redis';
  readonly id: string;
  readonly description: string;
  readonly shards: number;
  readonly cluster: RedisClusterStore;
  readonly #options: RedisJournalOptions & { readonly ids: Ids };
  readonly #wire: Wire;
  readonly #bounds: JournalBounds;
  readonly #store: Store;
  readonly #keys: readonly ShardKeys[];
  readonly #listing: ActorListing;
  readonly #seen = new Map<number, Seen>();
  #open = true;

  constructor(options: RedisJournalOptions & { ids: Ids }, wire: Wire, bounds: JournalBounds, store: Store) {
    this.#options = options;
    this.#wire = wire;
    this.#bounds = bounds;
    this.#store = store;
    this.id = store.id;
    this.description = store.description;
    this.shards = store.shards;
    const { clock = systemClock, warn = () => {} } = options;
    const send = (key: string, bytes: Buffer): Promise<Reply> => this.#send(key, bytes);
    this.#listing = new ActorListing({ send, clock, ids: options.ids, deadlineMs: bounds.deadlineMs });
    this.#keys = Array.from({ length: store.shards }, (_, shard) => shardKeys(store.prefix, shard));
    const { prefix } = store;
    const { recordBytesMax } = bounds;
    this.cluster = new RedisClusterStore({ wire, prefix, keys: this.#keys, recordBytesMax, warn });
  }

  async acquire(shard: number, { node, nonce }: Owner, ttlMs: number, known?: Known): Promise<AcquireOutcome> {
    const { shard: key, journal } = this.#keysOf(shard);
    const seen = this.#seenOf(shard);
    const call = commandOf('FCALL', functionName('acquire'), 2, key, journal, node, nonce, ttlMs, seen.epoch);
    call.number(seen.commits).text(seen.commitId);
    call
      .number(known?.epoch ?? 0)
      .number(known?.commits ?? 0)
      .text(this.#store.id);
    // The head that it gives may hold commits that no replica has confirmed yet; with this call they are.
    const reply = (await this.#send(key, call.done(), { isReplicated: true })) as readonly (Buffer | number)[];
    const [kind, ...rest] = reply.map(String) as [string, ...string[]];
    if (kind === 'held') return { kind: 'held', by: rest[0] as string, expiresInMs: Number(rest[1]) };
    if (kind === 'damaged') {
      throw new TroupeError(
        'JOURNAL_DAMAGED',
        `The journal of shard ${shard} ends with entry ${rest[0]}, but its head says ${rest[1]}: it can be read, not written.`,
        { shard, last: rest[0], seq: Number(rest[1]) },
      );
    }
    const head = headOf(shard, (reply as readonly Buffer[]).slice(2, 6));
    const epoch = { number: Number(rest[0]), nonce };
    const lease = { shard, epoch };
    if (rest[5] === '') {
      this.#saw(shard, head, epoch.number);
      return { kind: 'acquired', lease, head };
    }
    // What was seen stays until it is there again or given up: the server may go back once more.
    seen.epoch = Math.max(seen.epoch, epoch.number);
    const before = { number: Number(rest[6]), nonce: rest[7] as string };
    return { kind: 'acquired', lease, head, lost: { answered: Number(rest[5]), before } };
  }

  async renew({ shard, epoch }: Lease, ttlMs: number): Promise<boolean> {
    const { shard: key } = this.#keysOf(shard);
    const { commits } = this.#seenOf(shard);
    return (await this.#call('renew', [key], [epoch.number, epoch.nonce, ttlMs, commits])) === 1;
  }

  async release({ shard, epoch }: Lease): Promise<void> {
    const { shard: key } = this.#keysOf(shard);
    const channel = channelName(this.#store.prefix, { kind: 'shard', shard });
    await this.#call('release', [key], [epoch.number, epoch.nonce, channel]);
  }

  async commit(commit: Commit): Promise<CommitOutcome> {
    if (!this.#open) throw closed();
    const breach = contractBreach(commit, this.shards, this.#bounds);
    if (breach !== undefined) return { kind: 'invalid', message: `Commit ${commit.id} is not taken: ${breach}.` };
    const place = { prefix: this.#store.prefix, keys: this.#keysOf(commit.shard) };
    const { bytes, outcomeOf } = commitCall(commit, place, this.#bounds);
    if (bytes.length > callBytesMax) {
      const message = `Commit ${commit.id} is not taken: it has ${bytes.length} bytes; at most ${callBytesMax} are sent.`;
      return { kind: 'invalid', message };
    }
    try {
      const outcome = outcomeOf(await this.#wire.send(place.keys.shard, bytes, { isReplicated: true }));
      if (outcome.kind === 'done') {
        const seq = commit.firstSeq + commit.entries.length - 1;
        this.#saw(commit.shard, { commits: commit.number, seq, commitId: commit.id }, commit.epoch.number);
      }
      return outcome;
    } catch (error) {
      return { kind: 'unknown', message: `Commit ${commit.id} may not have been applied: ${messageOf(error)}` };
    }
  }

  async declareLost({ shard, epoch }: Lease, answered: number): Promise<boolean> {
    const { shard: key } = this.#keysOf(shard);
    const topics = `${this.#store.id}.${this.#options.ids.nonce()}`;
    const args = [epoch.number, epoch.nonce, answered, topics, lossesMax];
    const isDone = (await this.#call('declare_lost', [key], args)) === 1;
    if (isDone) this.#seenOf(shard).commits = 0;
    return isDone;
  }

  async trim(lease: Lease, upto: number): Promise<TrimOutcome> {
    const { shard, epoch } = lease;
    const { shard: key, journal } = this.#keysOf(shard);
    const reply = await this.#call('trim', [key, journal], [epoch.number, epoch.nonce, upto]);
    return trimOutcomeOf(lease, upto, reply);
  }

  async readShard(shard: number): ReturnType<Journal['readShard']> {
    const { shard: key, timers, outbox, marks, projections } = this.#keysOf(shard);
    return shardStateOf(shard, await this.#call('read_shard', [key, timers, outbox, marks, projections], []));
  }

  async readActors(shard: number, actors: readonly Address[]): ReturnType<Journal['readActors']> {
    const { actors: key, snapshots, journal, shard: head } = this.#keysOf(shard);
    const read = async (some: readonly Address[]) => {
      const args = [this.#seenOf(shard).commits, ...some.map(actorField)];
      const replies = await this.#call('read_actors', [key, snapshots, journal, head], args);
      if (replies === null) throw commitsMissing(shard);
      return some.map((actor, i) => actorOf(shard, actor, (replies as readonly Reply[])[i] as Reply));
    };
    return (await Promise.all(slices(actors, actorsPerCall).map(read))).flat();
  }

  async readEntries(shard: number, after: number, limit: number): ReturnType<Journal['readEntries']> {
    const { shard: key, journal } = this.#keysOf(shard);
    if (limit < 1) return [];
    const first = Math.max(0, after) + 1;
    const range = commandOf('XRANGE', journal, `${first}-0`, '+', 'COUNT', limit).done();
    const asked = [this.#send(journal, range), this.#send(key, commandOf('HGET', key, 'trimmed').done())] as const;
    return entriesOf(shard, first, await Promise.all(asked));
  }

  async readIndexes(shard: number, actors: readonly Address[]): ReturnType<NonNullable<Journal['readIndexes']>> {
    const { actors: key } = this.#keysOf(shard);
    const command = commandOf('HMGET', key);
    for (const actor of actors) command.bytes(actorField(actor));
    const records = actors.length === 0 ? [] : ((await this.#send(key, command.done())) as readonly (Buffer | null)[]);
    return actors.map((actor, i) => indexOr(shard, actor, records[i] ?? null));
  }

  async listActors(...[shard, range]: Parameters<Journal['listActors']>): Promise<readonly ActorIndex[]> {
    return this.#listing.page(shard, this.#keysOf(shard), range);
  }

  async readTopic(...[shard, topic, after, limit]: Parameters<Journal['readTopic']>): ReturnType<Journal['readTopic']> {
    const { shard: key, topics } = this.#keysOf(shard);
    const keys = [key, topics, topicKey(this.#store.prefix, shard, topic)];
    const reply = await this.#call('read_topic', keys, [topic, Math.max(0, after), limit]);
    return topicPageOf(shard, topic, this.#store.id, reply);
  }

  async readDeadLetters(shard: number, limit: number): ReturnType<Journal['readDeadLetters']> {
    const { dead } = this.#keysOf(shard);
    if (limit < 1) return [];
    const records = (await this.#send(dead, commandOf('LRANGE', dead, -limit, -1).done())) as readonly Buffer[];
    return records.map((record) => deadLetterOf(shard, record)).reverse();
  }

  async readRows(shard: number, view: string, keys: readonly string[]): ReturnType<Journal['readRows']> {
    this.#keysOf(shard);
    const key = viewKey(this.#store.prefix, shard, view);
    const read = async (some: readonly string[]) => {
      const members = (await this.#call('read_rows', [key], some.map(rowKeyBytes))) as readonly (Buffer | null)[];
      return members.map((member) => (member === null ? undefined : rowOf(shard, view, member).payload));
    };
    return (await Promise.all(slices(keys, rowsPerCall).map(read))).flat();
  }

  async readRange(...[shard, view, range]: Parameters<Journal['readRange']>): ReturnType<Journal['readRange']> {
    this.#keysOf(shard);
    if (range.limit < 1) return [];
    const key = viewKey(this.#store.prefix, shard, view);
    const parts = rowRanges(range).map(async ({ command, from, to }) => {
      const call = commandOf(command, key).bytes(from).bytes(to).text('LIMIT').text('0').number(range.limit);
      return ((await this.#send(key, call.done())) as readonly Buffer[]).map((member) => rowOf(shard, view, member));
    });
    return mergedRows(await Promise.all(parts), range);
  }

  async readMeta(key: string): Promise<string | undefined> {
    const meta = metaKey(this.#store.prefix);
    const value = await this.#send(meta, commandOf('HGET', meta, `value:${key}`).done());
    return value === null ? undefined : String(value);
  }

  async initMeta(key: string, value: string): Promise<string> {
    const meta = metaKey(this.#store.prefix);
    const written = this.#send(meta, commandOf('HSETNX', meta, `value:${key}`, value).done());
    const [, there] = await Promise.all([written, this.readMeta(key)]);
    return there as string;
  }

  async close(): Promise<void> {
    this.#open = false;
    this.cluster.close();
    await this.#wire.close();
  }

  #call(name: FunctionName, keys: readonly string[], args: readonly (string | number | Uint8Array)[]): Promise<Reply> {
    const fcall = name.startsWith('read_') ? 'FCALL_RO' : 'FCALL';
    return this.#send(keys[0] as string, commandOf(fcall, functionName(name), keys.length, ...keys, ...args).done());
  }

  async #send(key: string, bytes: Buffer, options?: SendOptions): Promise<Reply> {
    if (!this.#open) throw closed();
    try {
      return await this.#wire.send(key, bytes, options);
    } catch (error) {
      throw unavailable(this.#wire, error);
    }
  }

  #keysOf(shard: number): ShardKeys {
    assertShard(shard, this.shards);
    return this.#keys[shard] as ShardKeys;
  }

  #seenOf(shard: number): Seen {
    let seen = this.#seen.get(shard);
    if (seen === undefined) {
      seen = { epoch: 0, commits: 0, commitId: '' };
      this.#seen.set(shard, seen);
    }
    return seen;
  }

  #saw(shard: number, { commits, commitId }: Head, epoch: number): void {
    const seen = this.#seenOf(shard);
    seen.epoch = Math.max(seen.epoch, epoch);
    seen.commits = commits;
    seen.commitId = commitId;
  }
}

function unavailable({ name }: { readonly name: string }, error: unknown): TroupeError {
  if (error instanceof TroupeError) return error;
  const message = `Redis at ${name} cannot be used: ${messageOf(error)}`;
  return new TroupeError('JOURNAL_UNAVAILABLE', message, {}, error);
}

function closed(): TroupeError {
  return new TroupeError('STOPPED', 'The journal is closed.');
}

function slices<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  const parts: (readonly T[])[] = [];
  for (let i = 0; i < items.length; i += size) parts.push(items.slice(i, i + size));
  return parts;
}
