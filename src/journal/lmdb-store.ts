/**
 * The open store behind the LMDB adapter: LMDB's tables, the redo log in front of them, and the memtable between the two.
 * A group of writes is durable when it is in the log (synced, for the durability `disk`) and visible from then on; LMDB
 * has it some milliseconds later, in a transaction that is always synced. So the file that LMDB keeps is whole after any
 * crash, a commit waits for one append (and one sync) only, and pages that many commits touch are written once for all.
 *
 * One process owns a store, by lock.ts. Should a second one get past the lock, it takes the store over: it raises the
 * owner's number first and reads the log afterwards. The first one looks at the number after each append and before each
 * transaction, so whatever it answered before the takeover is read by the second one, and it answers nothing afterwards.
 */

import { readFileSync } from 'node:fs';
import type { Clock } from '../clock.ts';
import { systemIds } from '../ids.ts';
import { jsonRecord, numbersRecord, readNumbers } from './lmdb-records.ts';
import {
  openTables,
  type ReadTable,
  type ReadTables,
  readStored,
  type StoreFormat,
  type Tables,
} from './lmdb-tables.ts';
import { type Batch, Memtable } from './memtable.ts';
import { RedoLog, readRedoLog, removeRedoLog, type TableName, type Write } from './redo-log.ts';

export interface LmdbStoreOptions {
  readonly path: string;
  readonly shards: number | undefined;
  readonly durability: 'process' | 'disk';
  readonly readOnly: boolean;
  readonly mapBytes: number;
  readonly clock: Clock;
}

/** Who writes the store; kept in it. */
interface OwnerRecord {
  readonly pid: number;
  /** Of the machine's boot, where the system tells it. */
  readonly boot: string;
  readonly durability: 'process' | 'disk';
  /** It closed the store, everything applied. */
  readonly clean: boolean;
  readonly topicEpoch: string;
}

const ownerKey = Buffer.from('owner');
const appliedKey = Buffer.from('applied');

interface Writing {
  readonly version: number;
  readonly owner: OwnerRecord;
  readonly log: RedoLog;
  readonly memtable: Memtable;
}

export class LmdbStore {
  readonly format: StoreFormat;
  readonly topicEpoch: string;
  /** What LMDB has: for ranges. */
  readonly tables: ReadTables;
  /** With what the log has: for single keys. */
  readonly latest: ReadTables;
  readonly #options: LmdbStoreOptions;
  readonly #tables: Tables;
  readonly #writing: Writing | undefined;
  /** Another process took the store over. */
  #lost = false;

  /** Opens a store. A writer holds its lock. */
  constructor(options: LmdbStoreOptions) {
    const { tables, format } = openTables(options);
    this.#options = options;
    this.#tables = tables;
    this.tables = tables;
    this.format = format;
    try {
      this.#writing = options.readOnly ? undefined : this.#takeOver();
      const owner = this.#writing?.owner ?? readStored<OwnerRecord>(tables, 'owner', options.path);
      this.topicEpoch = owner?.topicEpoch ?? format.id;
    } catch (error) {
      void tables.root.close();
      throw error;
    }
    this.latest = { journal: this.#latest('journal'), state: this.#latest('state'), store: this.#latest('store') };
  }

  /** Writes a group: all of it or nothing, durable and visible when it resolves. False: another process owns the store. */
  async write(writes: readonly Write[]): Promise<boolean> {
    const { log, memtable } = this.#writing as Writing;
    if (this.#lost) return false;
    await memtable.room();
    const group = log.append(writes);
    if (this.#options.durability === 'disk') await log.sync();
    this.#lost = !this.#owns();
    if (!this.#lost) memtable.add(writes, group);
    return !this.#lost;
  }

  /** When LMDB has everything written so far (in the range of `key`); undefined when it has. */
  applied(range?: { readonly table: TableName; readonly key: Buffer }): Promise<void> | undefined {
    return this.#lost ? undefined : this.#writing?.memtable.applied(range);
  }

  /** Why LMDB falls behind the log; undefined when it does not. */
  get failure(): unknown {
    return this.#writing?.memtable.failure;
  }

  /** Nothing is written any more. Resolves when LMDB has everything, or leaves the rest to the log after `giveUp`. */
  async close(giveUp: Promise<void>): Promise<void> {
    const inTime = await Promise.race([Promise.resolve(this.applied()).then(() => true), giveUp.then(() => false)]);
    if (this.#writing !== undefined) this.#closeWriting(this.#writing, inTime && !this.#lost);
    await Promise.race([this.#tables.root.close(), giveUp]);
  }

  #closeWriting({ version, owner, log, memtable }: Writing, clean: boolean): void {
    memtable.close();
    if (clean && this.#owns()) {
      this.#tables.store.transactionSync(() => {
        this.#tables.store.put(ownerKey, jsonRecord(ownerKey, { ...owner, clean }), version);
      });
    }
    log.close(this.#applied());
  }

  /** Makes this process the owner, and brings LMDB up to date with the log of the last one. */
  #takeOver(): Writing {
    const { path, durability, clock } = this.#options;
    const { store } = this.#tables;
    const before = readStored<OwnerRecord>(this.#tables, 'owner', path);
    const boot = bootId();
    const mayHaveLost =
      before !== undefined && !before.clean && before.durability === 'process' && (boot === '' || boot !== before.boot);
    const topicEpoch = mayHaveLost ? systemIds.nonce() : (before?.topicEpoch ?? this.format.id);
    const owner: OwnerRecord = { pid: process.pid, boot, durability, clean: false, topicEpoch };
    const version = store.transactionSync(() => {
      const next = (store.getEntry(ownerKey)?.version ?? 0) + 1;
      store.put(ownerKey, jsonRecord(ownerKey, owner), next);
      return next;
    });
    for (const group of readRedoLog(path, this.#applied())) {
      store.transactionSync(() => this.#put({ writes: group.writes, last: group.number }));
    }
    removeRedoLog(path);
    const log = new RedoLog(path, version, this.#applied());
    const memtable = new Memtable({
      clock,
      apply: (batch) => this.#apply(batch, version),
      onApplied: (last) => {
        try {
          log.trim(last);
        } catch {
          // A file that stays costs disk only: its groups are known to be applied.
        }
      },
    });
    return { version, owner, log, memtable };
  }

  /**
   * One transaction on LMDB's own thread: the main thread only lists the puts. (The callback form runs them on the main
   * thread, and keeps those made before a throw.)
   */
  async #apply(batch: Batch, version: number): Promise<void> {
    try {
      const ours = await this.#tables.store.ifVersion(ownerKey, version, () => this.#put(batch));
      if (!ours) throw new Error('Another process took the store over.');
    } catch (error) {
      throw await causeOf(error);
    }
  }

  #put({ writes, last }: Batch): void {
    for (const { table, key, value } of writes) {
      if (value === undefined) void this.#tables[table].remove(key);
      else void this.#tables[table].put(key, value);
    }
    void this.#tables.store.put(appliedKey, numbersRecord(appliedKey, [last]));
  }

  /** Number of the last group that LMDB has. */
  #applied(): number {
    const record = this.#tables.store.getBinary(appliedKey);
    return record === undefined ? 0 : (readNumbers(appliedKey, record, 1)[0] as number);
  }

  /** Looks at the newest snapshot, not at the one reads of this tick share. */
  #owns(): boolean {
    this.#tables.store.resetReadTxn();
    return this.#tables.store.doesExist(ownerKey, this.#writing?.version as number);
  }

  #latest(name: TableName): ReadTable {
    const table = this.#tables[name];
    return {
      getBinary: (key) => {
        const pending = this.#writing?.memtable.get(name, key);
        return pending === undefined ? table.getBinary(key) : pending.value;
      },
      getKeys: (range) => table.getKeys(range),
      getRange: (range) => table.getRange(range),
    };
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

/** Changes with each boot of the machine; '' where the system does not tell. */
function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}
