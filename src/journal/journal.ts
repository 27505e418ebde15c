/**
 * The journal port: the only thing the runtime knows of a store. A journal keeps `shards` shards; each has one stream of
 * entries, and beside it what is committed together with them: the actors' index and snapshots, timers, outbox, marks,
 * topics, dead letters and view rows. One `commit` is one atomic step.
 *
 * It guarantees:
 * - **Atomic.** A commit is applied whole or not at all, also when an argument is refused or the process dies halfway.
 * - **Fenced.** A commit is applied only under the epoch that holds the shard, and only as the next one
 *   (`number === stored + 1`, `firstSeq === stored seq + 1`). Repeating the *last applied* one (same number and id) answers
 *   `done` again and changes nothing. The epoch is looked at first, so under a stale one a repetition is refused too.
 * - **Durable before it answers**, at the level the adapter was opened with.
 * - **In order.** Commits of one shard that were handed over in order, without waiting, are applied in that order.
 * - **Bounded in time.** Every call settles within the adapter's deadline (default 5,000 ms); a commit whose fate is not known then is
 *   `unknown`, everything else rejects with `JOURNAL_UNAVAILABLE`.
 * - **Checked.** Each record carries a checksum. A damaged one rejects with `ACTOR_DAMAGED` or `JOURNAL_DAMAGED` and names
 *   itself in the message and in `params`; everything else stays readable.
 *
 * What is deliberately not part of it: codecs (payloads are bytes; see codec.ts), what an actor is, waiting for news
 * (the owner of a shard knows what it committed), and delivery between shards (that is the transport's).
 *
 * Entries may leave a journal for an archive (`trim`); whoever reads from the beginning then reads both as one through
 * `ArchivedJournal`, and a journal without its archive refuses to skip what is missing.
 *
 * Adapters: memory.ts, lmdb.ts, redis.ts. Each passes test/journal/conformance.ts, given nothing but a factory.
 */

import type { Address } from '../actor/address.ts';
import type { Archive } from '../archive/archive.ts';
import type { ClusterStore } from '../cluster/cluster-store.ts';
import type { JournalEntry } from './entry.ts';

/** The fencing token of a shard: a number that rises with every acquisition, and a nonce of the owner. Both are compared. */
export interface Epoch {
  readonly number: number;
  readonly nonce: string;
}

/** Where a shard stands. `commits` and `seq` are 0 before the first commit; entries are numbered from 1 without gaps. */
export interface Head {
  /** Commits applied so far. */
  readonly commits: number;
  /** `seq` of the last entry. */
  readonly seq: number;
  /** Id of the last applied commit; '' before the first. */
  readonly commitId: string;
}

export type { JournalEntry };

/** What finds an actor's state without scanning: always present for an actor that has entries. */
export interface ActorIndex {
  readonly actor: Address;
  /** Version after its last entry. */
  readonly version: number;
  /** Version of its newest snapshot, 0 if it has none. */
  readonly snapshotVersion: number;
  /** `seq` of its entries after that snapshot, in order: entries `snapshotVersion + 1` to `version`. */
  readonly tail: readonly number[];
}

/** A derived cache of an actor's state. `payload` is opaque here; its stamp is inside. */
export interface SnapshotRecord {
  readonly actor: Address;
  readonly version: number;
  readonly payload: Uint8Array;
}

/** What `readActors` gives: enough to rebuild the cell. `snapshot` may be missing though the index names one. */
export interface ActorRecord {
  readonly index: ActorIndex;
  readonly snapshot?: SnapshotRecord;
  /** The entries of `index.tail`. */
  readonly tail: readonly JournalEntry[];
}

export interface TimerKey {
  readonly actor: Address;
  /** Unique within its actor. */
  readonly id: string;
}

export interface TimerRecord extends TimerKey {
  /** Absolute wall-clock time, ms since 1970. */
  readonly dueAt: number;
  /** `seq` of the entry that armed it. */
  readonly generation: number;
  /** The encoded event that is fed back. */
  readonly payload: Uint8Array;
  readonly operation?: string;
}

/** A message that leaves a shard. `n` numbers the messages of this pair of shards, from 1 without gaps. */
export interface OutboxRecord {
  readonly to: number;
  readonly n: number;
  /** The encoded parcel (an envelope or a publication). */
  readonly payload: Uint8Array;
}

/** "Everything up to `n` has arrived": from a sending shard in `marks`, at a receiving shard in `outboxAcked`. */
export interface Mark {
  readonly shard: number;
  readonly n: number;
}

/** A publication to a topic of this shard. The store numbers it: offsets rise by one per topic, from 1. */
export interface PublicationRecord {
  readonly topic: string;
  readonly payload: Uint8Array;
}

export interface DeadLetterRecord {
  readonly at: number;
  /** A stable code, see errors.ts. */
  readonly code: string;
  readonly reason: string;
  /** The encoded envelope. */
  readonly payload: Uint8Array;
}

/** One row of a view of this shard; no payload deletes it. Rows of a view are ordered by the bytes of their key (ASCII, 1 to 200 characters). */
export interface ViewChange {
  readonly view: string;
  readonly key: string;
  readonly payload?: Uint8Array;
}

export interface Commit {
  readonly shard: number;
  readonly epoch: Epoch;
  /** `head.commits + 1`. */
  readonly number: number;
  /** Unique; what a repetition is recognised by. */
  readonly id: string;
  /** `head.seq + 1`, also when there are no entries. */
  readonly firstSeq: number;
  readonly entries: readonly JournalEntry[];
  readonly actors: readonly ActorIndex[];
  readonly snapshots: readonly SnapshotRecord[];
  readonly timersSet: readonly TimerRecord[];
  readonly timersCleared: readonly TimerKey[];
  readonly outbox: readonly OutboxRecord[];
  readonly outboxAcked: readonly Mark[];
  readonly marks: readonly Mark[];
  /** Everything in the shard's inbox up to this number was handled, and leaves it; 0 says nothing. */
  readonly inbox: number;
  readonly publications: readonly PublicationRecord[];
  readonly deadLetters: readonly DeadLetterRecord[];
  /** Views whose rows are dropped before `views` is applied. */
  readonly viewsCleared: readonly string[];
  readonly views: readonly ViewChange[];
  /** Name to version of the projections that are complete at this commit; '' while one is being rebuilt. */
  readonly projections: Readonly<Record<string, string>>;
}

export type CommitOutcome =
  | {
      readonly kind: 'done';
      /** The offsets of `publications`, in order; undefined for a repetition. */
      readonly offsets: readonly number[] | undefined;
    }
  /** Somebody else's epoch, or not the next commit: nothing was written, and nothing this writer knows of the shard may be trusted. */
  | { readonly kind: 'refused'; readonly reason: 'epoch' | 'head'; readonly message: string }
  /** An argument breaks a limit or the contract: nothing was written; the same commit will never succeed. */
  | { readonly kind: 'invalid'; readonly message: string }
  /** It may or may not have been applied, and may still be. Acquire again (which fences it) and look at the head. */
  | { readonly kind: 'unknown'; readonly message: string };

export interface Owner {
  /** Id of the node. */
  readonly node: string;
  readonly nonce: string;
}

export interface Lease {
  readonly shard: number;
  readonly epoch: Epoch;
}

/** What somebody knows of a shard: under this epoch so many of its commits had been answered `done`. */
export interface Known {
  readonly epoch: number;
  readonly commits: number;
}

/** Answered commits that the store does not have: it was put in the place of one that was ahead of it. */
export interface Rewind {
  /** Number of the last commit that is known to have been answered. It is the head's own when that is another commit. */
  readonly answered: number;
  /** Who held the shard last, by what the store knows: nonce '' for nobody. */
  readonly before: Epoch;
}

/** A range of answered commits that nobody could append again. */
export interface Loss {
  readonly from: number;
  readonly to: number;
  /** `seq` of the last entry before the range. */
  readonly seq: number;
  /** Number of the epoch under which it was declared. */
  readonly epoch: number;
  /** The store's wall-clock time then, ms since 1970. */
  readonly at: number;
}

export type AcquireOutcome =
  | {
      readonly kind: 'acquired';
      readonly lease: Lease;
      readonly head: Head;
      /** Left out unless the store has gone backwards. The owner is to append what it can, or to `declareLost` the rest. */
      readonly lost?: Rewind;
    }
  | { readonly kind: 'held'; readonly by: string; readonly expiresInMs: number };

export type TrimOutcome =
  | { readonly kind: 'done' }
  /** Somebody else's epoch, or entries that do not exist: nothing was removed. */
  | { readonly kind: 'refused'; readonly reason: 'epoch' | 'head'; readonly message: string };

/** What a new owner of a shard reads first: its open work. No actor is read. */
export interface ShardState {
  readonly head: Head;
  /** `seq` of the first entry that was not trimmed; `head.seq + 1` when all were. */
  readonly first: number;
  readonly timers: readonly TimerRecord[];
  /** Not yet acknowledged, by pair in order of `n`. */
  readonly outbox: readonly OutboxRecord[];
  /** The highest `n` ever handed out per receiving shard, acknowledged ones included. */
  readonly outboxLast: readonly Mark[];
  readonly marks: readonly Mark[];
  /** Number of the last envelope of the inbox that was handled; 0 where there is no inbox. */
  readonly inbox: number;
  readonly projections: Readonly<Record<string, string>>;
  /** What was declared as lost, the oldest first; a store keeps a bounded number. Left out where nothing ever was. */
  readonly losses?: readonly Loss[];
  /**
   * The newest epoch before which parcels may have been sent that the store knows nothing of: numbers of a shard's outbox
   * are to be far beyond them from then on. Left out where that never was.
   */
  readonly numbers?: number;
}

export interface TopicPage {
  /** Changes when offsets seen before have lost their meaning. */
  readonly epoch: string;
  /** Offset of the newest publication, 0 if there never was one. */
  readonly head: number;
  /** Offset of the oldest one kept; `head + 1` if none is. */
  readonly oldest: number;
  readonly publications: readonly { readonly offset: number; readonly payload: Uint8Array }[];
}

export interface RangeOptions {
  /** Only keys that begin with this. Default ''. */
  readonly prefix?: string;
  /** Only keys after (or, in reverse, before) this one, exclusive. */
  readonly after?: string;
  readonly reverse?: boolean;
  readonly limit: number;
}

export interface ViewRow {
  readonly key: string;
  readonly payload: Uint8Array;
}

export interface Journal {
  /** 'memory', 'lmdb' or 'redis'. */
  readonly kind: string;
  /** Of the store, given at its creation: what an archive knows its store by. */
  readonly id: string;
  /** For people: where it is and what an answered commit survives. Never holds a password. */
  readonly description: string;
  /** Kept by the store from its creation on. */
  readonly shards: number;
  /** What several nodes need; a store of one process has none. */
  readonly cluster?: ClusterStore;
  /** Where trimmed entries are, for a journal that reads them from there (archive/archived-journal.ts). */
  readonly archive?: Archive;

  /**
   * Takes the shard for `owner` under a new epoch, when nobody else's lease is alive. The same owner (same nonce) may
   * acquire again at any time: its earlier commits that are still under way are fenced by that.
   *
   * `lost` compares the head with what this journal was answered itself, with `known` (what others have seen), and with
   * what an earlier acquisition found and nobody has mended. What was known under an epoch before a declared loss is void.
   */
  acquire(shard: number, owner: Owner, ttlMs: number, known?: Known): Promise<AcquireOutcome>;
  /** Prolongs a lease. False: it is not ours any more, or the store lacks commits that this journal was answered. */
  renew(lease: Lease, ttlMs: number): Promise<boolean>;
  /** Gives a lease back: commits under it are refused from then on. Does nothing when it is not ours any more. */
  release(lease: Lease): Promise<void>;

  commit(commit: Commit): Promise<CommitOutcome>;

  /**
   * Gives up the commits after the head up to `answered`, in one atomic step: the loss is kept with the shard, its topics
   * get another epoch, and `acquire` speaks of it no more. False: the lease is not ours any more. Left out by a store that
   * cannot go backwards under a running process.
   */
  declareLost?(lease: Lease, answered: number): Promise<boolean>;

  /**
   * Removes the entries up to `upto`, in one atomic step that is fenced as a commit is. Repeating it changes nothing. The
   * numbers go on as if nothing had happened. Whoever calls it has made sure that an archive holds them and that no
   * index names them in its tail. Left out by a store that keeps everything.
   */
  trim?(lease: Lease, upto: number): Promise<TrimOutcome>;

  readShard(shard: number): Promise<ShardState>;
  /**
   * One result per address, in order; undefined for an actor without entries. A damaged one is an error in its place.
   * Rejects with JOURNAL_UNAVAILABLE when the store lacks commits that this journal was answered: it would show the past.
   */
  readActors(shard: number, actors: readonly Address[]): Promise<readonly (ActorRecord | Error | undefined)[]>;
  /** Of what `readActors` gives, the indexes alone. Left out by a store for which that is no less to read. */
  readIndexes?(shard: number, actors: readonly Address[]): Promise<readonly (ActorIndex | Error | undefined)[]>;
  /**
   * Entries with `seq > after`, at most `limit`. A damaged entry is an error in its place. Rejects with JOURNAL_TRIMMED
   * (and `params.first`) when the next one was trimmed.
   */
  readEntries(shard: number, after: number, limit: number): Promise<readonly (JournalEntry | Error)[]>;
  /** Index records in order of their address, for listings; a page of at most `limit` after `after`. */
  listActors(shard: number, options: RangeOptions): Promise<readonly ActorIndex[]>;
  /** Publications with `offset > after`, oldest first, at most `limit`. */
  readTopic(shard: number, topic: string, after: number, limit: number): Promise<TopicPage>;
  /** The newest ones first, at most `limit`. */
  readDeadLetters(shard: number, limit: number): Promise<readonly DeadLetterRecord[]>;
  /** One result per key, in order. */
  readRows(shard: number, view: string, keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]>;
  readRange(shard: number, view: string, options: RangeOptions): Promise<readonly ViewRow[]>;

  /** A small value that belongs to the store (not to a shard), for example the development secret. */
  readMeta(key: string): Promise<string | undefined>;
  /** Writes it if it is absent, and gives what is there then. */
  initMeta(key: string, value: string): Promise<string>;

  close(): Promise<void>;
}

/** A commit without anything in it, to build others from. */
export const emptyCommit = {
  entries: [],
  actors: [],
  snapshots: [],
  timersSet: [],
  timersCleared: [],
  outbox: [],
  outboxAcked: [],
  marks: [],
  inbox: 0,
  publications: [],
  deadLetters: [],
  viewsCleared: [],
  views: [],
  projections: {},
} as const satisfies Partial<Commit>;
