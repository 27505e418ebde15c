/**
 * What the redo log of an LMDB store holds and LMDB does not have yet. Writes are kept by key, the latest of each, and
 * brought into LMDB in batches of one transaction, one after the other: a record that is written by every commit (a
 * shard's head) is put once per batch. A batch begins when enough has gathered, when a short time has passed, or when
 * somebody waits for it.
 *
 * It guarantees that `get` gives the latest write of a key until LMDB has it, and that what `applied` waits for is in
 * LMDB afterwards. A batch that LMDB does not take is tried again until it is taken: its commits were answered, and they
 * are in the log.
 */

import type { Clock } from '../clock.ts';
import type { TableName, Write } from './redo-log.ts';

export interface Batch {
  readonly writes: readonly Write[];
  /** Number of the last group in it. */
  readonly last: number;
}

export interface MemtableOptions {
  readonly clock: Clock;
  /** Applies a batch in one transaction; rejects when LMDB did not take it. */
  readonly apply: (batch: Batch) => Promise<void>;
  /** After a batch was applied. */
  readonly onApplied: (last: number) => void;
}

/** Writes at which a batch begins at once. */
const batchWrites = 2_000;
/** A batch begins this long after its first write. */
const gatherMs = 20;
const retryMs = 500;
/** Writes and bytes that may wait beside the batch under way; more must wait for it. */
const waitingWritesMax = 40_000;
const waitingBytesMax = 64 * 1024 * 1024;

class Generation {
  readonly writes = new Map<string, Write>();
  /** Which ranges (see `rangeCode`) it writes to. */
  readonly ranges = new Set<number>();
  bytes = 0;
  last = 0;
}

export class Memtable {
  /** Why LMDB did not take the last batch; undefined when it did. */
  failure: unknown;
  readonly #options: MemtableOptions;
  #gathering = new Generation();
  #applying: Generation | undefined;
  #cancelGather: (() => void) | undefined;
  /** Apart from the other one: whoever waits begins a batch early, and must not end the wait for a failed one. */
  #cancelRetry: (() => void) | undefined;
  /** Who waits for the gathering or the applying generation. */
  readonly #waiters: { readonly last: number; readonly resolve: () => void }[] = [];
  #closed = false;

  constructor(options: MemtableOptions) {
    this.#options = options;
  }

  add(writes: readonly Write[], group: number): void {
    const generation = this.#gathering;
    generation.last = group;
    for (const write of writes) {
      generation.writes.set(nameOf(write.table, write.key), write);
      generation.ranges.add(rangeCode(write.table, write.key));
      generation.bytes += write.key.length + (write.value?.length ?? 0);
    }
    if (generation.writes.size >= batchWrites) this.#begin();
    else this.#gather();
  }

  /** The latest write of a key that LMDB does not have yet. */
  get(table: TableName, key: Buffer): Write | undefined {
    if (this.#applying === undefined && this.#gathering.writes.size === 0) return undefined;
    const name = nameOf(table, key);
    return this.#gathering.writes.get(name) ?? this.#applying?.writes.get(name);
  }

  /**
   * When everything that is here now is in LMDB; undefined when it is. With `range`, only what is in the range of that
   * key: its shard of the journal, its kind and shard of the state.
   */
  applied(range?: { readonly table: TableName; readonly key: Buffer }): Promise<void> | undefined {
    const code = range && rangeCode(range.table, range.key);
    const has = ({ writes, ranges }: Generation) => (code === undefined ? writes.size > 0 : ranges.has(code));
    const gathering = this.#gathering;
    if (has(gathering)) {
      this.#begin();
      return this.#whenApplied(gathering.last);
    }
    const applying = this.#applying;
    return applying !== undefined && has(applying) ? this.#whenApplied(applying.last) : undefined;
  }

  /** When there is room for more; undefined when there is. */
  room(): Promise<void> | undefined {
    const { writes, bytes } = this.#gathering;
    if (writes.size < waitingWritesMax && bytes < waitingBytesMax) return undefined;
    return this.#applying === undefined ? undefined : this.#whenApplied(this.#applying.last);
  }

  /** Begins no further batch. */
  close(): void {
    this.#closed = true;
    this.#cancelGather?.();
    this.#cancelRetry?.();
  }

  #whenApplied(last: number): Promise<void> {
    return new Promise((resolve) => this.#waiters.push({ last, resolve }));
  }

  #gather(): void {
    this.#cancelGather ??= this.#options.clock.after(gatherMs, () => this.#begin());
  }

  #begin(): void {
    this.#cancelGather?.();
    this.#cancelGather = undefined;
    if (this.#applying !== undefined || this.#gathering.writes.size === 0 || this.#closed) return;
    this.#applying = this.#gathering;
    this.#gathering = new Generation();
    void this.#apply(this.#applying);
  }

  async #apply(generation: Generation): Promise<void> {
    try {
      await this.#options.apply({ writes: [...generation.writes.values()], last: generation.last });
      this.failure = undefined;
    } catch (error) {
      this.failure = error;
      if (!this.#closed) this.#cancelRetry = this.#options.clock.after(retryMs, () => void this.#apply(generation));
      return;
    }
    this.#applying = undefined;
    this.#options.onApplied(generation.last);
    const waiting = this.#waiters.splice(0);
    for (const waiter of waiting) {
      if (waiter.last <= generation.last) waiter.resolve();
      else this.#waiters.push(waiter);
    }
    const { writes, last } = this.#gathering;
    if (writes.size >= batchWrites || this.#waiters.some((waiter) => waiter.last <= last)) this.#begin();
    else if (writes.size > 0) this.#gather();
  }
}

const tableMarks = { journal: 'j', state: 's', store: 'm' } as const;

function nameOf(table: TableName, key: Buffer): string {
  return tableMarks[table] + key.toString('latin1');
}

/** Keys that are read as one range have one code: a shard of the journal; a kind and shard of the state. */
function rangeCode(table: TableName, key: Buffer): number {
  if (table === 'journal') return key.readUInt16BE(0);
  return table === 'state' ? key.readUIntBE(0, 3) : -1;
}
