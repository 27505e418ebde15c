/**
 * The trace of an operation: what all its actors accepted in its name, in the order in which one thing led to another. No
 * index leads from an operation to its entries, and none is needed: the actor that is called like the operation lives on
 * the shard of its id, and what it concerns is named in its events. So the shard of the id is read from its newest entry
 * backwards, until the operation's own first event has gone by, and then every shard of an id or sender that turned up,
 * found by time, since entries of a shard are in the order of time.
 *
 * It guarantees that it reads a bounded number of entries, and says when that was not enough (`isComplete`). What it
 * cannot find: steps on a shard that no event of the operation names, and those more than a minute from all others.
 */

import { type Address, idOf, isUuid, shardOf } from '../actor/address.ts';
import type { AnyEvent } from '../actor/envelope.ts';
import type { HostedMachine } from '../actor/logic.ts';
import { TroupeError } from '../errors.ts';
import { decode } from '../journal/codec.ts';
import type { Journal, JournalEntry } from '../journal/journal.ts';
import type { OperationStep, OperationTrace } from './answers.ts';
import { inCausalOrder } from './causal-order.ts';
import type { Scans } from './scans.ts';
import type { TravelLimits } from './travel-limits.ts';

export interface TracerOptions {
  readonly journal: Journal;
  readonly hosts: ReadonlyMap<string, HostedMachine>;
  readonly scans: Scans;
  readonly limits: TravelLimits;
}

export class OperationTracer {
  readonly #options: TracerOptions;

  constructor(options: TracerOptions) {
    this.#options = options;
  }

  /** Rejects with ADDRESS_INVALID when `id` is not a UUID, and with what the journal rejects with. */
  trace(id: string): Promise<OperationTrace> {
    if (!isUuid(id)) {
      const message = `"${id}" is not the id of an operation; one is a UUID in lower case.`;
      return Promise.reject(new TroupeError('ADDRESS_INVALID', message, { operation: id }));
    }
    return this.#options.scans.run(() => new Search(this.#options, id).run());
  }
}

/** One search: which shards were read, which are to be, and what was found. */
class Search {
  readonly #options: TracerOptions;
  readonly #operation: string;
  readonly #found: OperationStep[] = [];
  readonly #waiting: number[] = [];
  readonly #known = new Set<number>();
  #left: number;
  #isComplete = true;
  #first = Number.POSITIVE_INFINITY;
  #last = Number.NEGATIVE_INFINITY;

  constructor(options: TracerOptions, operation: string) {
    this.#options = options;
    this.#operation = operation;
    this.#left = options.limits.operationEntriesMax;
  }

  async run(): Promise<OperationTrace> {
    const { journal } = this.#options;
    const home = shardOf(this.#operation, journal.shards);
    this.#known.add(home);
    await this.#read(home, await this.#beginning(home));
    for (let shard = this.#waiting.shift(); shard !== undefined; shard = this.#waiting.shift()) {
      await this.#read(shard, await this.#seqAt(shard, this.#first - this.#options.limits.operationMarginMs));
    }
    const steps = inCausalOrder(this.#found);
    return { operationId: this.#operation, steps, isComplete: this.#isComplete };
  }

  /**
   * From which entry of the home shard on the operation can be: where its own actor begins, as its index says, or else as
   * a look backwards through the shard finds it.
   */
  async #beginning(shard: number): Promise<number> {
    const { journal, hosts } = this.#options;
    const addresses = [...hosts.keys()].map((type) => `${type}/${this.#operation}` as Address);
    const records = await journal.readActors(shard, addresses);
    for (const record of records) {
      if (record === undefined || record instanceof Error || record.index.snapshotVersion > 0) continue;
      const [first] = record.tail;
      if (first === undefined) continue;
      return this.#seqAt(shard, first.at - this.#options.limits.operationMarginMs);
    }
    return this.#birthOf(shard, new Set(addresses));
  }

  /**
   * Reads backwards until the first event of one of `actors` is found; the number before it, with room for what led to it.
   * Without such an event, the number before the operation's first entry, or the head.
   */
  async #birthOf(shard: number, actors: ReadonlySet<Address>): Promise<number> {
    const { journal, limits } = this.#options;
    const { head } = await journal.readShard(shard);
    let earliest = head.seq;
    for (let upto = head.seq; upto > 0; upto -= limits.pageEntries) {
      const after = Math.max(0, upto - limits.pageEntries);
      const page = this.#left > 0 ? await this.#page(shard, after, upto - after) : undefined;
      if (page === undefined) {
        this.#isComplete = false;
        break;
      }
      const entries = page.filter((entry): entry is JournalEntry => !(entry instanceof Error));
      const birth = entries.find(({ version, actor }) => version === 1 && actors.has(actor));
      if (birth !== undefined) return this.#seqAt(shard, birth.at - limits.operationMarginMs);
      const first = entries.find(({ operation }) => operation === this.#operation);
      if (first !== undefined) earliest = first.seq - 1;
    }
    return earliest;
  }

  /** The entries of one shard from `from` on, until they are too late to belong to the operation. */
  async #read(shard: number, from: number): Promise<void> {
    const { limits } = this.#options;
    for (let after = from; this.#left > 0; ) {
      const page = await this.#page(shard, after, limits.pageEntries);
      if (page === undefined || page.length === 0) return;
      for (const entry of page) {
        if (entry instanceof Error) this.#isComplete = false;
        else this.#take(shard, entry);
      }
      after += page.length;
      const last = page.findLast((entry) => !(entry instanceof Error)) as JournalEntry | undefined;
      if (last !== undefined && last.at > this.#last + limits.operationMarginMs && this.#found.length > 0) return;
    }
    this.#isComplete = false;
  }

  #take(shard: number, entry: JournalEntry): void {
    if (entry.operation !== this.#operation) return;
    const event = decode<AnyEvent>(entry.payload);
    const { actor: address, version, seq: shardSeq, at, from, emitted } = entry;
    this.#found.push({
      address,
      version,
      shard,
      shardSeq,
      at,
      event,
      ...(from === undefined ? {} : { from }),
      emitted,
    });
    this.#first = Math.min(this.#first, at);
    this.#last = Math.max(this.#last, at);
    if (from !== undefined) this.#add(idOf(from));
    for (const id of uuidsIn(event)) this.#add(id);
  }

  #add(id: string): void {
    const shard = shardOf(id, this.#options.journal.shards);
    if (this.#known.has(shard)) return;
    if (this.#known.size >= this.#options.limits.operationShardsMax) {
      this.#isComplete = false;
      return;
    }
    this.#known.add(shard);
    this.#waiting.push(shard);
  }

  /** The number of the last entry of the shard before the time `at`, by bisection; a clock that was set back costs a margin. */
  async #seqAt(shard: number, at: number): Promise<number> {
    const { head, first } = await this.#options.journal.readShard(shard);
    let low = this.#options.journal.archive === undefined ? first - 1 : 0;
    let high = head.seq;
    while (low < high && this.#left > 0) {
      const middle = Math.floor((low + high) / 2);
      const [entry] = (await this.#page(shard, middle, 1)) ?? [];
      if (entry === undefined || entry instanceof Error || entry.at >= at) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Undefined where entries were trimmed and are in no archive. */
  async #page(shard: number, after: number, limit: number): Promise<readonly (JournalEntry | Error)[] | undefined> {
    const { journal, scans } = this.#options;
    try {
      const page = await journal.readEntries(shard, after, limit);
      this.#left -= Math.max(1, page.length);
      await scans.rest();
      return page;
    } catch (error) {
      if (!(error instanceof TroupeError) || error.code !== 'JOURNAL_TRIMMED') throw error;
      this.#isComplete = false;
      return undefined;
    }
  }
}

/** The UUIDs in plain data, at any depth; of an event, those it concerns. */
function* uuidsIn(value: unknown): Generator<string> {
  if (typeof value === 'string') {
    if (isUuid(value)) yield value;
  } else if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array)) {
    for (const part of Object.values(value)) yield* uuidsIn(part);
  }
}
