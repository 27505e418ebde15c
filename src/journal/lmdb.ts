/**
 * The embedded adapter of the journal port: one LMDB store in a folder, written by one process. The parts are lock.ts
 * (one writer), lmdb-store.ts (durability: redo-log.ts, memtable.ts, lmdb-tables.ts), lmdb-keys.ts and lmdb-records.ts
 * (the format), lmdb-shard.ts (what a commit writes), lmdb-writes.ts (groups of commits) and lmdb-reads.ts.
 *
 * It guarantees the port's contract with the process as the unit of ownership: the lock proves that a lease of another
 * process is dead, so leases live in memory and only epochs are stored.
 *
 * It does not watch for other processes' commits: a read-only journal sees them some milliseconds after they were
 * answered, and nobody is told.
 */

import { accessSync, constants, existsSync, mkdirSync } from 'node:fs';
import type { Address } from '../actor/address.ts';
import { type Clock, systemClock } from '../clock.ts';
import { messageOf, TroupeError } from '../errors.ts';
import { boundsFrom, type JournalBounds } from './bounds.ts';
import { assertShard, contractBreach, inboxBreach, verdictOn } from './checks.ts';
import type {
  AcquireOutcome,
  ActorIndex,
  ActorRecord,
  Commit,
  CommitOutcome,
  DeadLetterRecord,
  Epoch,
  Journal,
  JournalEntry,
  Lease,
  Owner,
  RangeOptions,
  ShardState,
  TopicPage,
  TrimOutcome,
  ViewRow,
} from './journal.ts';
import { entryKey, type Kind, kinds, shardKey } from './lmdb-keys.ts';
import {
  listActors,
  readActors,
  readDeadLetters,
  readEntries,
  readRange,
  readRows,
  readShard,
  readTopic,
} from './lmdb-reads.ts';
import { jsonRecord } from './lmdb-records.ts';
import { planCommit, planTrim, readBook, readTrimmed, type ShardBook } from './lmdb-shard.ts';
import { LmdbStore } from './lmdb-store.ts';
import { type ReadTables, readStored } from './lmdb-tables.ts';
import { LmdbWrites } from './lmdb-writes.ts';
import { lockStore, type StoreLock } from './lock.ts';
import { hasRedoLog, type Write } from './redo-log.ts';

export interface LmdbJournalOptions extends Partial<JournalBounds> {
  /** The folder of the store; made if it is not there. */
  readonly path: string;
  /** Default: the store's own, 64 for a new store. */
  readonly shards?: number;
  /** What an answered commit survives: a crash of the process, or of the machine too. */
  readonly durability: 'process' | 'disk';
  /** Opens beside a running writer, without its lock, and refuses to write. Default false. */
  readonly readOnly?: boolean;
  /** How long to wait for another writer to end. Default 5,000. */
  readonly lockWaitMs?: number;
  /** Address space taken at once, of which the store uses what it needs; it can grow past it. Default 64 GiB. */
  readonly mapBytes?: number;
  readonly clock?: Clock;
}

const defaultMapBytes = 2 ** 36;

/** Opens (or makes) a store. Rejects with JOURNAL_LOCKED, JOURNAL_INCOMPATIBLE, JOURNAL_DAMAGED or JOURNAL_UNAVAILABLE. */
export async function openLmdbJournal(options: LmdbJournalOptions): Promise<Journal> {
  const { path, shards, durability, readOnly = false, lockWaitMs = 5_000 } = options;
  const { clock = systemClock, mapBytes = defaultMapBytes } = options;
  if (readOnly) await applyWhatACrashLeft(path, mapBytes, clock);
  const lock = readOnly ? undefined : await lockFolder(path, lockWaitMs, clock);
  try {
    const store = new LmdbStore({ path, shards, durability, readOnly, mapBytes, clock });
    return new LmdbJournal({ path, durability, readOnly, bounds: boundsFrom(options), clock, store, lock });
  } catch (error) {
    await lock?.release();
    if (error instanceof TroupeError) throw error;
    throw new TroupeError(
      'JOURNAL_UNAVAILABLE',
      `The store in ${path} cannot be opened: ${messageOf(error)}`,
      { path },
      error,
    );
  }
}

/**
 * So that a reader sees every answered commit also when no writer has opened the store since a crash. Where somebody
 * writes it, or nobody may, it is read as it is.
 */
async function applyWhatACrashLeft(path: string, mapBytes: number, clock: Clock): Promise<void> {
  if (!existsSync(path) || !hasRedoLog(path)) return;
  let lock: StoreLock;
  try {
    accessSync(path, constants.W_OK);
    lock = await lockStore(path, 0, clock);
  } catch {
    // A running writer, or a folder that is not ours to write.
    return;
  }
  try {
    const store = new LmdbStore({ path, shards: undefined, durability: 'process', readOnly: false, mapBytes, clock });
    await store.close(new Promise(() => undefined));
  } finally {
    await lock.release();
  }
}

async function lockFolder(path: string, waitMs: number, clock: Clock): Promise<StoreLock> {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    throw new TroupeError(
      'JOURNAL_UNAVAILABLE',
      `The folder ${path} cannot be made: ${messageOf(error)}`,
      { path },
      error,
    );
  }
  return lockStore(path, waitMs, clock);
}

interface Parts {
  readonly path: string;
  readonly durability: 'process' | 'disk';
  readonly readOnly: boolean;
  readonly bounds: JournalBounds;
  readonly clock: Clock;
  readonly store: LmdbStore;
  readonly lock: StoreLock | undefined;
}

class LmdbJournal implements Journal {
  readonly kind = 'lmdb';
  readonly id: string;
  readonly description: string;
  readonly shards: number;
  readonly #parts: Parts;
  readonly #writes: LmdbWrites;
  readonly #books = new Map<number, ShardBook>();
  #open = true;
  #closing: Promise<void> | undefined;

  constructor(parts: Parts) {
    const { store, bounds, clock, path, readOnly } = parts;
    const survives = parts.durability === 'disk' ? 'a crash of the machine' : 'a crash of the process';
    this.#parts = parts;
    this.id = store.format.id;
    this.shards = store.format.shards;
    this.description = `lmdb in ${path}${readOnly ? ', read-only' : `; an answered commit survives ${survives}`}`;
    this.#writes = new LmdbWrites({
      clock,
      deadlineMs: bounds.deadlineMs,
      transact: (writes) => store.write(writes),
      applied: () => store.applied(),
      forget: () => this.#books.clear(),
    });
  }

  async acquire(shard: number, owner: Owner, ttlMs: number): Promise<AcquireOutcome> {
    this.#assertWritable();
    assertShard(shard, this.shards);
    return this.#writes.run<AcquireOutcome>({ plan: (writes) => this.#planAcquire(shard, owner, ttlMs, writes) });
  }

  async renew(lease: Lease, ttlMs: number): Promise<boolean> {
    this.#assertWritable();
    assertShard(lease.shard, this.shards);
    return this.#writes.run({
      plan: () => {
        const holder = this.#books.get(lease.shard)?.holder;
        if (holder === undefined || !sameEpoch(holder.epoch, lease.epoch)) return false;
        holder.expiresAt = this.#parts.clock.monotonic() + ttlMs;
        return true;
      },
    });
  }

  async release(lease: Lease): Promise<void> {
    this.#assertWritable();
    assertShard(lease.shard, this.shards);
    return this.#writes.run({
      plan: () => {
        const book = this.#books.get(lease.shard);
        if (book?.holder !== undefined && sameEpoch(book.holder.epoch, lease.epoch)) book.holder = undefined;
      },
    });
  }

  async commit(commit: Commit): Promise<CommitOutcome> {
    const { store, bounds } = this.#parts;
    this.#assertWritable();
    const breach = contractBreach(commit, this.shards, bounds) ?? inboxBreach(commit);
    if (breach !== undefined) return { kind: 'invalid', message: `Commit ${commit.id} is not taken: ${breach}.` };
    return this.#writes.run<CommitOutcome>({
      plan: (writes) => {
        const book = this.#book(commit.shard);
        const verdict = verdictOn(commit, book.holder?.epoch, book.head);
        if (verdict !== 'apply') return verdict;
        return { kind: 'done', offsets: planCommit(store.latest, book, commit, bounds, writes) };
      },
      unknown: (message) => ({ kind: 'unknown', message }),
      // The rows of a cleared view are looked up, and those of a commit just before it are not there to be seen.
      alone: commit.viewsCleared.length > 0,
    });
  }

  async trim(lease: Lease, upto: number): Promise<TrimOutcome> {
    this.#assertWritable();
    assertShard(lease.shard, this.shards);
    return this.#writes.run<TrimOutcome>({
      plan: (writes) => planTrim(this.#parts.store.latest, this.#book(lease.shard), lease, upto, writes),
      // Where the last trim ended is read from the store, and another one of the same group would not be seen.
      alone: true,
    });
  }

  async readShard(shard: number): Promise<ShardState> {
    const first = (await this.#latest(shard, (tables) => readTrimmed(tables, shard))) + 1;
    return { ...(await this.#range(shard, 'state', kinds.head, (tables) => readShard(tables, shard))), first };
  }

  async readActors(shard: number, actors: readonly Address[]): Promise<readonly (ActorRecord | Error | undefined)[]> {
    return this.#latest(shard, (tables) => readActors(tables, shard, actors));
  }

  async readEntries(shard: number, after: number, limit: number): Promise<readonly (JournalEntry | Error)[]> {
    return this.#range(shard, 'journal', 0, (tables) => readEntries(tables, shard, after, limit));
  }

  async listActors(shard: number, options: RangeOptions): Promise<readonly ActorIndex[]> {
    return this.#range(shard, 'state', kinds.index, (tables) => listActors(tables, shard, options));
  }

  async readTopic(shard: number, topic: string, after: number, limit: number): Promise<TopicPage> {
    const page = await this.#range(shard, 'state', kinds.topic, (tables) =>
      readTopic(tables, shard, topic, after, limit),
    );
    return { epoch: this.#parts.store.topicEpoch, ...page };
  }

  async readDeadLetters(shard: number, limit: number): Promise<readonly DeadLetterRecord[]> {
    return this.#range(shard, 'state', kinds.deadLetter, (tables) => readDeadLetters(tables, shard, limit));
  }

  async readRows(shard: number, view: string, keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]> {
    return this.#latest(shard, (tables) => readRows(tables, shard, view, keys));
  }

  async readRange(shard: number, view: string, options: RangeOptions): Promise<readonly ViewRow[]> {
    return this.#range(shard, 'state', kinds.row, (tables) => readRange(tables, shard, view, options));
  }

  async readMeta(key: string): Promise<string | undefined> {
    return this.#latest(0, (tables) => readStored<string>(tables, metaName(key), this.#parts.path));
  }

  async initMeta(key: string, value: string): Promise<string> {
    this.#assertWritable();
    const { store, path } = this.#parts;
    const stored = Buffer.from(metaName(key));
    return this.#writes.run({
      plan: (writes) => {
        const there = readStored<string>(store.latest, metaName(key), path);
        if (there === undefined) writes.push({ table: 'store', key: stored, value: jsonRecord(stored, value) });
        return there ?? value;
      },
      // Another one of the same group would not be seen.
      alone: true,
    });
  }

  close(): Promise<void> {
    this.#open = false;
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { clock, bounds, store, lock } = this.#parts;
    const alarm = alarmAfter(clock, bounds.deadlineMs);
    // Should LMDB hang, the log has what was answered, and the lock goes with the process.
    await Promise.race([this.#writes.idle(), alarm.rings]);
    await store.close(alarm.rings);
    alarm.cancel();
    await lock?.release();
  }

  /** A read of single keys: it sees everything answered, at once. */
  async #latest<T>(shard: number, read: (tables: ReadTables) => T): Promise<T> {
    this.#assertOpen();
    assertShard(shard, this.shards);
    return readOrThrow(() => read(this.#parts.store.latest));
  }

  /** A read of a range: LMDB first takes what was answered in it. */
  async #range<T>(
    shard: number,
    table: 'journal' | 'state',
    kind: Kind | 0,
    read: (tables: ReadTables) => T,
  ): Promise<T> {
    this.#assertOpen();
    assertShard(shard, this.shards);
    const { store, clock, bounds } = this.#parts;
    const applied = store.applied({ table, key: kind === 0 ? entryKey(shard, 0) : shardKey(kind, shard) });
    if (applied !== undefined) {
      const alarm = alarmAfter(clock, bounds.deadlineMs);
      const inTime = await Promise.race([applied.then(() => true), alarm.rings.then(() => false)]);
      alarm.cancel();
      if (!inTime) throw behind(bounds.deadlineMs, store.failure);
      this.#assertOpen();
    }
    return readOrThrow(() => read(store.tables));
  }

  #planAcquire(shard: number, owner: Owner, ttlMs: number, writes: Write[]): AcquireOutcome {
    const { clock } = this.#parts;
    const book = this.#book(shard);
    const expiresInMs = (book.holder?.expiresAt ?? 0) - clock.monotonic();
    if (book.holder !== undefined && book.holder.epoch.nonce !== owner.nonce && expiresInMs > 0) {
      return { kind: 'held', by: book.holder.node, expiresInMs };
    }
    const epoch: Epoch = { number: book.epochNumber + 1, nonce: owner.nonce };
    const key = shardKey(kinds.epoch, shard);
    writes.push({ table: 'state', key, value: jsonRecord(key, { ...epoch, node: owner.node }) });
    book.epochNumber = epoch.number;
    book.holder = { epoch, node: owner.node, expiresAt: clock.monotonic() + ttlMs };
    return { kind: 'acquired', lease: { shard, epoch }, head: book.head };
  }

  #book(shard: number): ShardBook {
    const known = this.#books.get(shard);
    if (known !== undefined) return known;
    const book = readBook(this.#parts.store.tables, shard);
    this.#books.set(shard, book);
    return book;
  }

  #assertOpen(): void {
    if (!this.#open) throw new TroupeError('STOPPED', 'The journal is closed.');
  }

  #assertWritable(): void {
    this.#assertOpen();
    if (this.#parts.readOnly) throw readOnlyError(this.#parts.path);
  }
}

function alarmAfter(clock: Clock, ms: number): { readonly rings: Promise<void>; readonly cancel: () => void } {
  let cancel = (): void => {};
  const rings = new Promise<void>((resolve) => {
    cancel = clock.after(ms, resolve, { keepAlive: true });
  });
  return { rings, cancel };
}

function readOrThrow<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof TroupeError) throw error;
    throw new TroupeError('JOURNAL_UNAVAILABLE', `The store cannot be read: ${messageOf(error)}`, {}, error);
  }
}

function behind(deadlineMs: number, failure: unknown): TroupeError {
  const why = failure === undefined ? '' : `: ${messageOf(failure)}`;
  return new TroupeError(
    'JOURNAL_UNAVAILABLE',
    `LMDB did not take what was answered within ${deadlineMs} ms${why}`,
    {},
    failure,
  );
}

function metaName(key: string): string {
  return `meta:${key}`;
}

function sameEpoch(a: Epoch, b: Epoch): boolean {
  return a.number === b.number && a.nonce === b.nonce;
}

function readOnlyError(path: string): TroupeError {
  return new TroupeError('JOURNAL_LOCKED', `The journal in ${path} was opened read-only and takes no writes.`, {
    path,
  });
}
