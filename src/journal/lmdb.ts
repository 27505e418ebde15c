/**
 * The embedded adapter of the journal port: one LMDB store in a folder, written by one process. The parts are
 * lmdb-tables.ts (opening), lmdb-keys.ts and lmdb-records.ts (the format), lmdb-shard.ts (what a commit writes),
 * lmdb-writes.ts (transactions), lmdb-reads.ts, and lock.ts (one writer).
 *
 * It guarantees the port's contract with the process as the unit of ownership: the lock proves that a lease of another
 * process is dead, so leases live in memory and only epochs are stored. Should a second process get past the lock
 * (lock.ts says how), it takes the store over: the owner's number is a condition of every transaction, and the first
 * process's commits are refused from then on.
 *
 * It does not watch for other processes' commits: a read-only journal sees them, but nobody is told.
 */

import { mkdirSync } from 'node:fs';
import { type Clock, systemClock } from '../clock.ts';
import { messageOf, TroupeError } from '../errors.ts';
import { boundsFrom, type JournalBounds } from './bounds.ts';
import { assertShard, contractBreach, verdictOn } from './checks.ts';
import type { AcquireOutcome, Commit, CommitOutcome, Epoch, Journal, Lease, Owner } from './journal.ts';
import { kinds, shardKey } from './lmdb-keys.ts';
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
import { planCommit, readBook, type ShardBook } from './lmdb-shard.ts';
import { openTables, readStored, type StoreFormat, type Tables } from './lmdb-tables.ts';
import { LmdbWrites, type Write } from './lmdb-writes.ts';
import { lockStore, type StoreLock } from './lock.ts';

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
  const {
    path,
    durability,
    readOnly = false,
    lockWaitMs = 5_000,
    clock = systemClock,
    mapBytes = defaultMapBytes,
  } = options;
  const lock = readOnly ? undefined : await lockFolder(path, lockWaitMs, clock);
  try {
    const { tables, format } = openTables({ path, shards: options.shards, readOnly, mapBytes });
    const ownerVersion = readOnly ? undefined : takeOver(tables);
    return new LmdbJournal({
      path,
      durability,
      bounds: boundsFrom(options),
      clock,
      tables,
      format,
      lock,
      ownerVersion,
    });
  } catch (error) {
    await lock?.release();
    throw error;
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

const ownerKey = Buffer.from('owner');

/** Makes this process the owner of the store, by the next number. */
function takeOver(tables: Tables): number {
  return tables.store.transactionSync(() => {
    const version = (tables.store.getEntry(ownerKey)?.version ?? 0) + 1;
    tables.store.put(ownerKey, jsonRecord(ownerKey, { pid: process.pid }), version);
    return version;
  });
}

interface Parts {
  readonly path: string;
  readonly durability: 'process' | 'disk';
  readonly bounds: JournalBounds;
  readonly clock: Clock;
  readonly tables: Tables;
  readonly format: StoreFormat;
  readonly lock: StoreLock | undefined;
  /** Undefined for a read-only journal. */
  readonly ownerVersion: number | undefined;
}

class LmdbJournal implements Journal {
  readonly kind = 'lmdb';
  readonly description: string;
  readonly shards: number;
  readonly #parts: Parts;
  readonly #writes: LmdbWrites;
  readonly #books = new Map<number, ShardBook>();
  #open = true;
  #closing: Promise<void> | undefined;

  constructor(parts: Parts) {
    const survives = parts.durability === 'disk' ? 'a crash of the machine' : 'a crash of the process';
    this.#parts = parts;
    this.shards = parts.format.shards;
    this.description =
      parts.ownerVersion === undefined
        ? `lmdb in ${parts.path}, read-only`
        : `lmdb in ${parts.path}; an answered commit survives ${survives}`;
    this.#writes = new LmdbWrites({
      clock: parts.clock,
      deadlineMs: parts.bounds.deadlineMs,
      transact: (writes) => this.#transact(writes),
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
    const { tables, bounds } = this.#parts;
    this.#assertWritable();
    const breach = contractBreach(commit, this.shards, bounds);
    if (breach !== undefined) return { kind: 'invalid', message: `Commit ${commit.id} is not taken: ${breach}.` };
    return this.#writes.run<CommitOutcome>({
      plan: (writes) => {
        const book = this.#book(commit.shard);
        const verdict = verdictOn(commit, book.holder?.epoch, book.head);
        if (verdict !== 'apply') return verdict;
        return { kind: 'done', offsets: planCommit(tables, book, commit, bounds, writes) };
      },
      unknown: (message) => ({ kind: 'unknown', message }),
      // The rows of a cleared view are looked up, and those of a commit just before it are not there to be seen.
      alone: commit.viewsCleared.length > 0,
    });
  }

  readShard = (shard: number) => this.#read(shard, (tables) => readShard(tables, shard));
  readActors: Journal['readActors'] = (shard, actors) =>
    this.#read(shard, (tables) => readActors(tables, shard, actors));
  readEntries: Journal['readEntries'] = (shard, after, limit) =>
    this.#read(shard, (tables) => readEntries(tables, shard, after, limit));
  listActors: Journal['listActors'] = (shard, options) =>
    this.#read(shard, (tables) => listActors(tables, shard, options));
  readTopic: Journal['readTopic'] = (shard, topic, after, limit) =>
    this.#read(shard, (tables) => ({ epoch: this.#parts.format.id, ...readTopic(tables, shard, topic, after, limit) }));
  readDeadLetters: Journal['readDeadLetters'] = (shard, limit) =>
    this.#read(shard, (tables) => readDeadLetters(tables, shard, limit));
  readRows: Journal['readRows'] = (shard, view, keys) =>
    this.#read(shard, (tables) => readRows(tables, shard, view, keys));
  readRange: Journal['readRange'] = (shard, view, options) =>
    this.#read(shard, (tables) => readRange(tables, shard, view, options));
  readMeta: Journal['readMeta'] = (key) => this.#read(0, (tables) => this.#meta(tables, key));

  async initMeta(key: string, value: string): Promise<string> {
    this.#assertWritable();
    const { tables } = this.#parts;
    const stored = Buffer.from(metaName(key));
    return this.#writes.run({
      plan: (writes) => {
        const there = this.#meta(tables, key);
        if (there === undefined) writes.push({ table: tables.store, key: stored, value: jsonRecord(stored, value) });
        return there ?? value;
      },
      alone: true,
    });
  }

  close(): Promise<void> {
    this.#open = false;
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { clock, bounds, tables, lock } = this.#parts;
    let cancel = (): void => {};
    const deadline = new Promise<void>((resolve) => {
      cancel = clock.after(bounds.deadlineMs, resolve, { keepAlive: true });
    });
    // A transaction that hangs keeps its table open: the process is on its way out then, and the lock goes with it.
    await Promise.race([this.#writes.idle().then(() => tables.root.close()), deadline]);
    cancel();
    await lock?.release();
  }

  async #read<T>(shard: number, read: (tables: Tables) => T): Promise<T> {
    this.#assertOpen();
    assertShard(shard, this.shards);
    try {
      return read(this.#parts.tables);
    } catch (error) {
      if (error instanceof TroupeError) throw error;
      throw new TroupeError('JOURNAL_UNAVAILABLE', `The store cannot be read: ${messageOf(error)}`, { shard }, error);
    }
  }

  #planAcquire(shard: number, owner: Owner, ttlMs: number, writes: Write[]): AcquireOutcome {
    const { clock, tables } = this.#parts;
    const book = this.#book(shard);
    const expiresInMs = (book.holder?.expiresAt ?? 0) - clock.monotonic();
    if (book.holder !== undefined && book.holder.epoch.nonce !== owner.nonce && expiresInMs > 0) {
      return { kind: 'held', by: book.holder.node, expiresInMs };
    }
    const epoch: Epoch = { number: book.epochNumber + 1, nonce: owner.nonce };
    const key = shardKey(kinds.epoch, shard);
    writes.push({ table: tables.state, key, value: jsonRecord(key, { ...epoch, node: owner.node }) });
    book.epochNumber = epoch.number;
    book.holder = { epoch, node: owner.node, expiresAt: clock.monotonic() + ttlMs };
    return { kind: 'acquired', lease: { shard, epoch }, head: book.head };
  }

  #book(shard: number): ShardBook {
    const known = this.#books.get(shard);
    if (known !== undefined) return known;
    const book = readBook(this.#parts.tables, shard);
    this.#books.set(shard, book);
    return book;
  }

  /** One transaction on LMDB's thread, on condition that this process still owns the store. */
  async #transact(writes: readonly Write[]): Promise<boolean> {
    const { tables, ownerVersion } = this.#parts;
    try {
      return await tables.store.ifVersion(ownerKey, ownerVersion as number, () => {
        for (const { table, key, value } of writes) {
          if (value === undefined) void table.remove(key);
          else void table.put(key, value);
        }
      });
    } catch (error) {
      throw await causeOf(error);
    }
  }

  #meta(tables: Tables, key: string): string | undefined {
    return readStored<string>(tables, metaName(key), this.#parts.path);
  }

  #assertOpen(): void {
    if (!this.#open) throw new TroupeError('STOPPED', 'The journal is closed.');
  }

  #assertWritable(): void {
    this.#assertOpen();
    if (this.#parts.ownerVersion === undefined) throw readOnlyError(this.#parts.path);
  }
}

/** lmdb-js tells why a transaction failed in a second promise, which nobody else may leave unhandled. */
async function causeOf(error: unknown): Promise<unknown> {
  const later = error instanceof Error && 'commitError' in error ? error.commitError : undefined;
  try {
    await later;
    return error;
  } catch (cause) {
    return cause;
  }
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
