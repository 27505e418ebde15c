/**
 * A journal that wraps another one and fails on request: commits are held at a gate, answered wrongly, applied and denied,
 * or end the process; reads fail or take their time. What it lets through, it lets through unchanged.
 */

import type { Address } from '../../src/actor/address.ts';
import type { Archive } from '../../src/archive/archive.ts';
import type { Clock } from '../../src/clock.ts';
import { TroupeError } from '../../src/errors.ts';
import type {
  AcquireOutcome,
  ActorIndex,
  ActorRecord,
  Commit,
  CommitOutcome,
  DeadLetterRecord,
  Journal,
  JournalEntry,
  Known,
  Lease,
  Owner,
  RangeOptions,
  ShardState,
  TopicPage,
  TrimOutcome,
  ViewRow,
} from '../../src/journal/journal.ts';
import { FaultyClusterStore } from '../cluster/faulty-cluster-store.ts';

export type CommitFault =
  /** Not applied, and said so as to a writer that lost its shard. */
  | 'refused'
  | 'unknown, applied'
  | 'unknown, dropped'
  /** Handed to the store only after `lateMs`: the new epoch must fence it. */
  | 'unknown, late'
  /** Applied at once, and answered after `lateMs`: later commits are answered before it. */
  | 'done, late'
  /** Applied, and answered, after `lateMs`. */
  | 'slow'
  /** Applied, and answered as a repetition is. */
  | 'repeated'
  /** The process dies before, or after, the store applied it. */
  | 'crash before'
  | 'crash after';

export type Call = keyof Omit<Journal, 'kind' | 'id' | 'description' | 'shards' | 'cluster' | 'archive'>;

interface Gate {
  readonly opened: Promise<void>;
  open(): void;
}

const lateMs = 100;

export class FaultyJournal implements Journal {
  readonly kind = 'faulty';
  readonly id: string;
  readonly description: string;
  readonly shards: number;
  /** That of the journal inside, faulty as well: it dies with this one. */
  readonly cluster?: FaultyClusterStore;
  readonly archive?: Archive;
  /** Everything that was handed over to be committed, in order. */
  readonly commits: Commit[] = [];
  /** How often each call was made. */
  readonly calls = new Map<Call, number>();
  /** Decides what becomes of a commit; `nth` counts all commits from 1. */
  onCommit: (commit: Commit, nth: number) => CommitFault | undefined = () => undefined;
  /** Decides whether a call other than `commit` rejects. */
  onCall: (call: Call, shard: number) => Error | undefined = () => undefined;
  /** What every call takes, on the given clock. */
  delayMs = 0;
  readonly #inner: Journal;
  readonly #clock: Clock;
  #gate: Gate | undefined;
  #isDead = false;

  constructor(inner: Journal, clock: Clock) {
    this.#inner = inner;
    this.#clock = clock;
    this.description = `faulty ${inner.description}`;
    this.id = inner.id;
    this.shards = inner.shards;
    if (inner.archive !== undefined) this.archive = inner.archive;
    if (inner.cluster !== undefined) this.cluster = new FaultyClusterStore(inner.cluster, clock);
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /** From here on commits wait, unapplied. Gives what lets them go on, in order. */
  hold(): () => void {
    if (this.#gate === undefined) {
      let open = (): void => undefined;
      const opened = new Promise<void>((resolve) => {
        open = resolve;
      });
      this.#gate = { opened, open };
    }
    const { open } = this.#gate;
    return () => {
      this.#gate = undefined;
      open();
    };
  }

  /** The process dies: nothing that it still does reaches the store. */
  crash(): void {
    this.#isDead = true;
    this.cluster?.crash();
  }

  async commit(commit: Commit): Promise<CommitOutcome> {
    this.commits.push(commit);
    const fault = this.onCommit(commit, this.commits.length);
    await this.#gate?.opened;
    this.#count('commit');
    await this.#delay();
    switch (fault) {
      case 'refused':
        return { kind: 'refused', reason: 'epoch', message: 'refused on purpose' };
      case 'unknown, applied':
        await this.#inner.commit(commit);
        return { kind: 'unknown', message: 'unknown on purpose, applied' };
      case 'unknown, dropped':
        return { kind: 'unknown', message: 'unknown on purpose, dropped' };
      case 'unknown, late':
        // Its journal may be closed by then.
        this.#clock.after(lateMs, () => void this.#inner.commit(commit).catch(() => undefined));
        return { kind: 'unknown', message: 'unknown on purpose, late' };
      case 'done, late': {
        const outcome = await this.#inner.commit(commit);
        await new Promise<void>((resolve) => this.#clock.after(lateMs, resolve));
        return outcome;
      }
      case 'slow':
        await new Promise<void>((resolve) => this.#clock.after(lateMs, resolve));
        return this.#inner.commit(commit);
      case 'repeated': {
        const outcome = await this.#inner.commit(commit);
        return outcome.kind === 'done' ? { kind: 'done', offsets: undefined } : outcome;
      }
      case 'crash before':
        this.crash();
        return this.#die();
      case 'crash after':
        await this.#inner.commit(commit);
        this.crash();
        return this.#die();
      case undefined:
        return this.#inner.commit(commit);
    }
  }

  acquire(shard: number, owner: Owner, ttlMs: number, known?: Known): Promise<AcquireOutcome> {
    return this.#call('acquire', shard, () => this.#inner.acquire(shard, owner, ttlMs, known));
  }

  async declareLost(lease: Lease, answered: number): Promise<boolean> {
    return this.#call('declareLost', lease.shard, () => this.#inner.declareLost!(lease, answered));
  }

  renew(lease: Lease, ttlMs: number): Promise<boolean> {
    return this.#call('renew', lease.shard, () => this.#inner.renew(lease, ttlMs));
  }

  release(lease: Lease): Promise<void> {
    return this.#call('release', lease.shard, () => this.#inner.release(lease));
  }

  async trim(lease: Lease, upto: number): Promise<TrimOutcome> {
    return this.#call('trim', lease.shard, () => this.#inner.trim!(lease, upto));
  }

  readShard(shard: number): Promise<ShardState> {
    return this.#call('readShard', shard, () => this.#inner.readShard(shard));
  }

  readActors(shard: number, actors: readonly Address[]): Promise<readonly (ActorRecord | Error | undefined)[]> {
    return this.#call('readActors', shard, () => this.#inner.readActors(shard, actors));
  }

  readEntries(shard: number, after: number, limit: number): Promise<readonly (JournalEntry | Error)[]> {
    return this.#call('readEntries', shard, () => this.#inner.readEntries(shard, after, limit));
  }

  listActors(shard: number, options: RangeOptions): Promise<readonly ActorIndex[]> {
    return this.#call('listActors', shard, () => this.#inner.listActors(shard, options));
  }

  readTopic(shard: number, topic: string, after: number, limit: number): Promise<TopicPage> {
    return this.#call('readTopic', shard, () => this.#inner.readTopic(shard, topic, after, limit));
  }

  readDeadLetters(shard: number, limit: number): Promise<readonly DeadLetterRecord[]> {
    return this.#call('readDeadLetters', shard, () => this.#inner.readDeadLetters(shard, limit));
  }

  readRows(shard: number, view: string, keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]> {
    return this.#call('readRows', shard, () => this.#inner.readRows(shard, view, keys));
  }

  readRange(shard: number, view: string, options: RangeOptions): Promise<readonly ViewRow[]> {
    return this.#call('readRange', shard, () => this.#inner.readRange(shard, view, options));
  }

  readMeta(key: string): Promise<string | undefined> {
    return this.#call('readMeta', 0, () => this.#inner.readMeta(key));
  }

  initMeta(key: string, value: string): Promise<string> {
    return this.#call('initMeta', 0, () => this.#inner.initMeta(key, value));
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  async #call<T>(call: Call, shard: number, work: () => Promise<T>): Promise<T> {
    this.#count(call);
    const error = this.onCall(call, shard);
    if (error !== undefined) throw error;
    await this.#delay();
    if (this.#isDead) return this.#die();
    return work();
  }

  async #delay(): Promise<void> {
    if (this.delayMs > 0) await new Promise<void>((resolve) => this.#clock.after(this.delayMs, resolve));
    if (this.#isDead) this.#die();
  }

  readonly #die = (): never => {
    throw new TroupeError('STOPPED', 'The process is dead.');
  };

  #count(call: Call): void {
    this.calls.set(call, (this.calls.get(call) ?? 0) + 1);
  }
}

/** What a store that cannot be reached rejects with. */
export function unreachable(): TroupeError {
  return new TroupeError('JOURNAL_UNAVAILABLE', 'unreachable on purpose');
}
