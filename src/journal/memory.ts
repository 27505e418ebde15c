/**
 * The memory adapter of the journal port, for the simulator and for unit tests. It keeps the whole contract but
 * durability: its data lives in a `MemoryStore`, and opening a second journal on the same store is what a restart, or
 * another node, is to a real one. A commit is applied within the call, in one synchronous step.
 *
 * It does no I/O, waits for nothing and copies nothing: payloads are kept as they were handed over, so nobody may write to
 * them afterwards. Records added to the store's `damaged` set read as damaged, as a failed checksum does elsewhere.
 */

import type { Address } from '../actor/address.ts';
import { type Clock, systemClock } from '../clock.ts';
import {
  createMemoryCluster,
  handleInbox,
  type MemoryCluster,
  MemoryClusterStore,
  ringShard,
} from '../cluster/memory-store.ts';
import { type ErrorCode, TroupeError } from '../errors.ts';
import { systemIds } from '../ids.ts';
import { boundsFrom, defaultShards, type JournalBounds } from './bounds.ts';
import {
  assertShard,
  assertShards,
  commitsMissing,
  contractBreach,
  entriesTrimmed,
  shardsDiffer,
  verdictOn,
  verdictOnTrim,
} from './checks.ts';
import type {
  ActorIndex,
  ActorRecord,
  CommitOutcome,
  DeadLetterRecord,
  Epoch,
  Head,
  Journal,
  JournalEntry,
  Loss,
  OutboxRecord,
  RangeOptions,
  SnapshotRecord,
  TimerRecord,
  TrimOutcome,
} from './journal.ts';
import { applyCommit } from './memory-commit.ts';
import { acquireShard, declareShardLost, type MemorySeen, renewShard, sameEpoch } from './memory-leases.ts';

export interface MemoryTopic {
  head: number;
  readonly publications: { readonly offset: number; readonly payload: Uint8Array }[];
}

export interface MemoryShard {
  /** Number of the last epoch given out. */
  epochNumber: number;
  holder: { readonly epoch: Epoch; readonly node: string; expiresAt: number } | undefined;
  head: Head;
  /** `seq` of the last entry that was trimmed; 0 before. */
  trimmed: number;
  /** The entry of `seq` is at index `seq - 1 - trimmed`. */
  readonly entries: JournalEntry[];
  readonly actors: Map<Address, ActorIndex>;
  /** Any of them may be deleted at any time. */
  readonly snapshots: Map<Address, SnapshotRecord>;
  readonly timers: Map<string, TimerRecord>;
  outbox: readonly OutboxRecord[];
  readonly outboxLast: Map<number, number>;
  inbox: number;
  readonly marks: Map<number, number>;
  projections: Readonly<Record<string, string>>;
  readonly topics: Map<string, MemoryTopic>;
  readonly deadLetters: DeadLetterRecord[];
  readonly views: Map<string, Map<string, Uint8Array>>;
  /** Last commit that is known to have been answered, while the head is behind it; else 0. */
  answered: number;
  rewinds: number;
  losses: readonly Loss[];
  /** Epoch since which parcels are numbered anew; 0 when they never were. */
  numbers: number;
  /** Undefined until something was lost: the store's id. */
  topicsEpoch: string | undefined;
}

/** What outlives a journal: hand it to the next one. */
export interface MemoryStore {
  /** The epoch of all topics whose shards never lost anything. */
  readonly id: string;
  /** An element may be put back to what it was before (memory-leases.ts). */
  readonly shards: MemoryShard[];
  readonly meta: Map<string, string>;
  /** What the nodes that use it share. */
  readonly cluster: MemoryCluster;
  /** Records (or rows' and publications' payloads) that read as damaged. */
  readonly damaged: WeakSet<object>;
}

export interface MemoryJournalOptions extends Partial<JournalBounds> {
  /** Default: that of `store`, else 64. */
  readonly shards?: number;
  /** Data of an earlier journal. Default: none. */
  readonly store?: MemoryStore;
  /** The store's clock, which leases expire on: the same one for all journals of a store. */
  readonly clock?: Clock;
}

/** A store without data. `id` tells it from others; it is random unless given. */
export function createMemoryStore(shards: number = defaultShards, id: string = systemIds.nonce()): MemoryStore {
  assertShards(shards);
  return {
    id,
    shards: Array.from({ length: shards }, emptyShard),
    meta: new Map(),
    cluster: createMemoryCluster(),
    damaged: new WeakSet(),
  };
}

/** Opens a journal on `store`, or on a new store. Throws JOURNAL_INCOMPATIBLE when the store has another number of shards. */
export function openMemoryJournal(options: MemoryJournalOptions = {}): Journal {
  const store = options.store ?? createMemoryStore(options.shards);
  if (options.shards !== undefined && options.shards !== store.shards.length) {
    throw shardsDiffer(store.shards.length, options.shards);
  }
  const bounds = boundsFrom(options);
  const clock = options.clock ?? systemClock;
  const cluster = new MemoryClusterStore({ ...store, recordBytesMax: bounds.recordBytesMax, clock });
  const seen = new Map<number, MemorySeen>();
  const seenOf = (shard: number): MemorySeen => {
    const known = seen.get(shard) ?? { epoch: 0, commits: 0, commitId: '' };
    seen.set(shard, known);
    return known;
  };
  let open = true;

  /** Runs one call: at once, and as a promise also where it throws. */
  const call = async <T>(shard: number, work: (data: MemoryShard) => T): Promise<T> => {
    if (!open) throw new TroupeError('STOPPED', 'The journal is closed.');
    assertShard(shard, store.shards.length);
    return work(store.shards[shard] as MemoryShard);
  };
  const intact = <T extends object>(record: T, code: ErrorCode, what: string, params: Record<string, unknown>): T => {
    if (store.damaged.has(record)) throw new TroupeError(code, `${what} is damaged.`, params);
    return record;
  };
  const entryAt = (shard: number, seq: number): JournalEntry => {
    const data = store.shards[shard] as MemoryShard;
    const entry = data.entries[seq - 1 - data.trimmed];
    const what = `Entry ${seq} of shard ${shard}`;
    if (entry === undefined) throw new TroupeError('JOURNAL_DAMAGED', `${what} is missing.`, { shard, seq });
    return intact(entry, 'JOURNAL_DAMAGED', what, { shard, seq });
  };

  return {
    kind: 'memory',
    id: store.id,
    description: 'memory; an answered commit survives nothing',
    shards: store.shards.length,
    cluster,

    acquire: (shard, owner, ttlMs, known) =>
      call(shard, (data) => {
        const now = clock.monotonic();
        return acquireShard(data, { shard, owner, expiresAt: now + ttlMs, now }, seenOf(shard), known);
      }),
    renew: (lease, ttlMs) =>
      call(lease.shard, (data) => renewShard(data, lease, clock.monotonic() + ttlMs, seenOf(lease.shard))),
    release: (lease) =>
      call(lease.shard, (data) => {
        if (data.holder === undefined || !sameEpoch(data.holder.epoch, lease.epoch)) return;
        data.holder = undefined;
        ringShard(store.cluster, lease.shard, clock);
      }),

    async commit(commit): Promise<CommitOutcome> {
      if (!open) throw new TroupeError('STOPPED', 'The journal is closed.');
      const breach = contractBreach(commit, store.shards.length, bounds);
      if (breach !== undefined) return { kind: 'invalid', message: `Commit ${commit.id} is not taken: ${breach}.` };
      const data = store.shards[commit.shard] as MemoryShard;
      const verdict = verdictOn(commit, data.holder?.epoch, data.head);
      if (verdict !== 'apply') return verdict;
      handleInbox(store.cluster, commit.shard, commit.inbox);
      Object.assign(seenOf(commit.shard), { commits: commit.number, commitId: commit.id });
      return { kind: 'done', offsets: applyCommit(data, commit, bounds) };
    },

    declareLost: (lease, answered) =>
      call(lease.shard, (data) => {
        const topicsEpoch = `${store.id}.${lease.epoch.number}`;
        return declareShardLost(data, lease, { answered, topicsEpoch, at: clock.now() }, seenOf(lease.shard));
      }),

    trim: (lease, upto) =>
      call(lease.shard, (data): TrimOutcome => {
        const verdict = verdictOnTrim(lease, upto, data.holder?.epoch, data.head);
        if (verdict !== undefined) return verdict;
        data.entries.splice(0, upto - data.trimmed);
        data.trimmed = Math.max(data.trimmed, upto);
        return { kind: 'done' };
      }),

    readShard: (shard) =>
      call(shard, (data) => ({
        head: intact(data.head, 'JOURNAL_DAMAGED', `The head of shard ${shard}`, { shard }),
        first: data.trimmed + 1,
        timers: [...data.timers.values()].map((timer) =>
          intact(timer, 'JOURNAL_DAMAGED', `Timer ${timer.id} of ${timer.actor}`, {
            shard,
            actor: timer.actor,
            timer: timer.id,
          }),
        ),
        outbox: data.outbox.map((message) =>
          intact(message, 'JOURNAL_DAMAGED', `Outbox message ${message.n} from shard ${shard} to ${message.to}`, {
            shard,
            to: message.to,
            n: message.n,
          }),
        ),
        outboxLast: marksOf(data.outboxLast),
        inbox: data.inbox,
        marks: marksOf(data.marks),
        projections: data.projections,
        ...(data.losses.length === 0 ? undefined : { losses: data.losses }),
        ...(data.numbers === 0 ? undefined : { numbers: data.numbers }),
      })),
    readActors: (shard, actors) =>
      call(shard, (data) => {
        const read = (actor: Address): ActorRecord | undefined => {
          const index = data.actors.get(actor);
          if (index === undefined) return undefined;
          intact(index, 'ACTOR_DAMAGED', `The index of ${actor}`, { shard, actor, record: 'index' });
          const tail = index.tail.map((seq) => entryAt(shard, seq));
          const snapshot = index.snapshotVersion === 0 ? undefined : data.snapshots.get(actor);
          if (snapshot === undefined) return { index, tail };
          return {
            index,
            tail,
            snapshot: intact(snapshot, 'ACTOR_DAMAGED', `The snapshot of ${actor}`, {
              shard,
              actor,
              record: 'snapshot',
            }),
          };
        };
        if (data.head.commits < seenOf(shard).commits) throw commitsMissing(shard);
        return actors.map((actor) =>
          inPlace(
            () => read(actor),
            (error) => damagedActor(shard, actor, error),
          ),
        );
      }),
    readEntries: (shard, after, limit) =>
      call(shard, (data) => {
        if (after < data.trimmed && limit > 0) throw entriesTrimmed(shard, Math.max(0, after) + 1, data.trimmed + 1);
        const start = Math.max(0, after) - data.trimmed;
        const seqs = data.entries.slice(start, start + limit).map((entry) => entry.seq);
        return seqs.map((seq) =>
          inPlace(
            () => entryAt(shard, seq),
            (error) => error,
          ),
        );
      }),
    listActors: (shard, range) =>
      call(shard, (data) =>
        keysIn([...data.actors.keys()], range).map((actor) =>
          intact(data.actors.get(actor) as ActorIndex, 'ACTOR_DAMAGED', `The index of ${actor}`, {
            shard,
            actor,
            record: 'index',
          }),
        ),
      ),
    readTopic: (shard, topic, after, limit) =>
      call(shard, ({ topics, topicsEpoch }) => {
        const { head, publications } = topics.get(topic) ?? { head: 0, publications: [] };
        const wanted = publications.filter(({ offset }) => offset > after).slice(0, limit);
        for (const { offset, payload } of wanted) {
          intact(payload, 'JOURNAL_DAMAGED', `Publication ${offset} of ${topic}`, { shard, topic, offset });
        }
        return {
          epoch: topicsEpoch ?? store.id,
          head,
          oldest: publications[0]?.offset ?? head + 1,
          publications: wanted,
        };
      }),
    readDeadLetters: (shard, limit) =>
      call(shard, ({ deadLetters }) =>
        deadLetters
          .slice(Math.max(0, deadLetters.length - limit))
          .reverse()
          .map((letter) =>
            intact(letter, 'JOURNAL_DAMAGED', `A dead letter of shard ${shard}`, { shard, at: letter.at }),
          ),
      ),
    readRows: (shard, view, keys) =>
      call(shard, ({ views }) =>
        keys.map((key) => {
          const payload = views.get(view)?.get(key);
          return payload && intact(payload, 'JOURNAL_DAMAGED', `Row ${key} of view ${view}`, { shard, view, key });
        }),
      ),
    readRange: (shard, view, range) =>
      call(shard, ({ views }) => {
        const rows = views.get(view) ?? new Map<string, Uint8Array>();
        return keysIn([...rows.keys()], range).map((key) => {
          const payload = rows.get(key) as Uint8Array;
          return {
            key,
            payload: intact(payload, 'JOURNAL_DAMAGED', `Row ${key} of view ${view}`, { shard, view, key }),
          };
        });
      }),

    readMeta: (key) => call(0, () => store.meta.get(key)),
    initMeta: (key, value) =>
      call(0, () => {
        if (!store.meta.has(key)) store.meta.set(key, value);
        return store.meta.get(key) as string;
      }),
    async close() {
      open = false;
      cluster.close();
    },
  };
}

function emptyShard(): MemoryShard {
  return {
    epochNumber: 0,
    holder: undefined,
    head: { commits: 0, seq: 0, commitId: '' },
    trimmed: 0,
    entries: [],
    actors: new Map(),
    snapshots: new Map(),
    timers: new Map(),
    outbox: [],
    outboxLast: new Map(),
    inbox: 0,
    marks: new Map(),
    projections: {},
    topics: new Map(),
    deadLetters: [],
    views: new Map(),
    answered: 0,
    rewinds: 0,
    losses: [],
    numbers: 0,
    topicsEpoch: undefined,
  };
}

function keysIn<K extends string>(keys: K[], { prefix = '', after, reverse = false, limit }: RangeOptions): K[] {
  const wanted = keys.filter(
    (key) => key.startsWith(prefix) && (after === undefined || (reverse ? key < after : key > after)),
  );
  wanted.sort();
  if (reverse) wanted.reverse();
  return wanted.slice(0, limit);
}

function marksOf(marks: ReadonlyMap<number, number>): { readonly shard: number; readonly n: number }[] {
  return [...marks].map(([shard, n]) => ({ shard, n })).sort((a, b) => a.shard - b.shard);
}

/** What `read` gives, or its damage as a value. */
function inPlace<T>(read: () => T, name: (error: TroupeError) => Error): T | Error {
  try {
    return read();
  } catch (error) {
    if (error instanceof TroupeError) return name(error);
    throw error;
  }
}

function damagedActor(shard: number, actor: Address, error: TroupeError): TroupeError {
  if (error.code === 'ACTOR_DAMAGED') return error;
  return new TroupeError(
    'ACTOR_DAMAGED',
    `${actor} cannot be read: ${error.message}`,
    { ...error.params, shard, actor, record: 'entry' },
    error,
  );
}
