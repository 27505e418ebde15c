/**
 * The tables of an LMDB store and how they are opened: `journal` (entries), `state` (everything else a shard has) and
 * `store` (what belongs to the store as a whole: its format, its owner, meta values). It makes a new store, and refuses
 * one that it cannot read, with a sentence that says why.
 *
 * Commits are synced before they are visible (no overlapping sync, never `noSync`): a reader, also one in another process,
 * sees nothing that a crash of the machine can take back.
 */

import { closeSync, existsSync, mkdirSync, openSync, readSync } from 'node:fs';
import { endianness } from 'node:os';
import { join } from 'node:path';
import { type Database, open, type RootDatabase } from 'lmdb';
import { messageOf, TroupeError } from '../errors.ts';
import { systemIds } from '../ids.ts';
import { defaultShards } from './bounds.ts';
import { assertShards, shardsDiffer } from './checks.ts';
import { DamagedRecord, jsonRecord, readJson } from './lmdb-records.ts';

export type Table = Database<Buffer, Buffer>;

/** What reads need of a table. */
export type ReadTable = Pick<Table, 'getBinary' | 'getKeys' | 'getRange'>;

export interface ReadTables {
  readonly journal: ReadTable;
  readonly state: ReadTable;
  readonly store: ReadTable;
}

export interface Tables extends ReadTables {
  readonly root: RootDatabase;
  readonly journal: Table;
  readonly state: Table;
  /** Its records have versions, so that a transaction can depend on the owner's. */
  readonly store: Table;
}

export interface StoreFormat {
  readonly formatVersion: number;
  readonly shards: number;
  /** Tells this store from others. */
  readonly id: string;
}

/** Raise it with every change of keys or records. */
const formatVersion = 1;
const formatKey = Buffer.from('format');

/** Readers of one store, in all processes. */
const readersMax = 256;

export interface TableOptions {
  readonly path: string;
  readonly shards: number | undefined;
  readonly readOnly: boolean;
  readonly mapBytes: number;
}

/** Opens the tables of a store. Throws JOURNAL_INCOMPATIBLE, JOURNAL_DAMAGED or JOURNAL_UNAVAILABLE. */
export function openTables(options: TableOptions): { readonly tables: Tables; readonly format: StoreFormat } {
  const { path, readOnly } = options;
  if (readOnly && !existsSync(join(path, 'data.mdb'))) {
    throw new TroupeError('JOURNAL_INCOMPATIBLE', `There is no store in ${path}, and a read-only journal makes none.`, {
      path,
    });
  }
  if (options.shards !== undefined) assertShards(options.shards);
  assertLmdbFile(path);
  const tables = openEnvironment(options);
  try {
    return { tables, format: formatOf(tables, options) };
  } catch (error) {
    void tables.root.close();
    throw error;
  }
}

const lmdbMagic = 0xbeefc0de;
const magicAt = 24;
const pageSizeAt = 48;

/** Throws unless the data file is LMDB's, or none, or empty. LMDB itself takes the process down on any other file. */
function assertLmdbFile(path: string): void {
  const file = join(path, 'data.mdb');
  if (!existsSync(file) || endianness() !== 'LE') return;
  const descriptor = openSync(file, 'r');
  try {
    const page = Buffer.alloc(64);
    const read = readSync(descriptor, page, 0, page.length, 0);
    if (read === 0) return;
    const pageSize = page.readUInt32LE(pageSizeAt);
    const second = Buffer.alloc(64);
    readSync(descriptor, second, 0, second.length, pageSize);
    if (page.readUInt32LE(magicAt) === lmdbMagic && second.readUInt32LE(magicAt) === lmdbMagic) return;
  } finally {
    closeSync(descriptor);
  }
  throw new TroupeError('JOURNAL_DAMAGED', `The file ${file} is no LMDB database, or its first pages are damaged.`, {
    path,
  });
}

function openEnvironment({ path, readOnly, mapBytes }: TableOptions): Tables {
  try {
    if (!readOnly) mkdirSync(path, { recursive: true });
    const root = open({
      path,
      noSubdir: false,
      readOnly,
      mapSize: mapBytes,
      maxDbs: 8,
      maxReaders: readersMax,
      overlappingSync: false,
      // Else a failed transaction also rejects a promise that nobody can reach, which ends the process.
      eventTurnBatching: false,
      encoding: 'binary',
      keyEncoding: 'binary',
    });
    const table = (name: string, useVersions: boolean): Table =>
      root.openDB<Buffer, Buffer>({ name, encoding: 'binary', keyEncoding: 'binary', useVersions });
    return { root, journal: table('journal', false), state: table('state', false), store: table('store', true) };
  } catch (error) {
    const message = messageOf(error);
    const damaged = /MDB_(INVALID|CORRUPTED|VERSION_MISMATCH|PAGE_NOTFOUND|PANIC)/.test(message);
    throw new TroupeError(
      damaged ? 'JOURNAL_DAMAGED' : 'JOURNAL_UNAVAILABLE',
      `The store in ${path} cannot be opened: ${message}`,
      { path },
      error,
    );
  }
}

function formatOf(tables: Tables, { path, shards, readOnly }: TableOptions): StoreFormat {
  const stored = readStored<StoreFormat>(tables, 'format', path);
  if (stored === undefined && readOnly) {
    throw new TroupeError('JOURNAL_INCOMPATIBLE', `${path} holds an LMDB database, but no journal.`, { path });
  }
  if (stored === undefined) {
    const fresh = { formatVersion, shards: shards ?? defaultShards, id: systemIds.nonce() };
    tables.store.transactionSync(() => {
      tables.store.put(formatKey, jsonRecord(formatKey, fresh), 1);
    });
    return fresh;
  }
  if (stored.formatVersion !== formatVersion) {
    throw new TroupeError(
      'JOURNAL_INCOMPATIBLE',
      `The store in ${path} has format ${stored.formatVersion}; this program reads format ${formatVersion}.`,
      { path, stored: stored.formatVersion, known: formatVersion },
    );
  }
  if (shards !== undefined && shards !== stored.shards) throw shardsDiffer(stored.shards, shards);
  return stored;
}

/** A record of the `store` table. Throws JOURNAL_DAMAGED. */
export function readStored<T>(tables: ReadTables, name: string, path: string): T | undefined {
  const key = Buffer.from(name);
  const record = tables.store.getBinary(key);
  try {
    return record === undefined ? undefined : readJson<T>(key, record);
  } catch (error) {
    if (!(error instanceof DamagedRecord)) throw error;
    throw new TroupeError(
      'JOURNAL_DAMAGED',
      `The record "${name}" of the store in ${path} is damaged.`,
      { path, record: name },
      error,
    );
  }
}
