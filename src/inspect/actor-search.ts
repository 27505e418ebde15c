/**
 * Finds actors in the journal, resident or not, in order of their address. A search looks at a bounded number of actors; one
 * that has not come to an end says where to go on. What it shows is committed. It reads indexes, snapshots and tails, never
 * the history: an actor whose snapshot another version of its machine has made is found, and shown without a state.
 */

import type { AnyMachineSnapshot } from 'xstate';
import { type Address, addressOf, idOf, isUuid, shardOf, typeOf } from '../actor/address.ts';
import type { HostedMachine } from '../actor/logic.ts';
import type { ActorIndex, ActorRecord, Journal } from '../journal/journal.ts';
import { eventOf } from '../shard/cell.ts';

export interface Search {
  readonly types: readonly string[];
  /** The beginning of its id, or all of it. */
  readonly id?: string;
  /** A path of the machine's value, such as `open` or `open.asking`; also what leads to a longer one. */
  readonly state?: string;
  /** Only these. */
  readonly among?: readonly Address[];
}

export interface FoundActor {
  readonly address: Address;
  readonly hosted: HostedMachine;
  readonly version: number;
  /** Undefined when it cannot be read without its whole history, or at all. */
  readonly state: AnyMachineSnapshot | undefined;
}

export interface Found {
  readonly actors: readonly FoundActor[];
  /** The address to go on after; undefined at the end. */
  readonly next: string | undefined;
}

/** Index records read of one shard at once. */
const shardPage = 32;
/** Actors whose state is read at once. */
const batchMax = 64;

/** The indexes of one shard's actors of one type, read in pages. */
class Run {
  readonly #journal: Journal;
  readonly #shard: number;
  readonly #prefix: string;
  #rows: readonly ActorIndex[] = [];
  #at = 0;
  #after: string | undefined;
  #isLast = false;

  constructor(journal: Journal, shard: number, prefix: string, after: string | undefined) {
    this.#journal = journal;
    this.#shard = shard;
    this.#prefix = prefix;
    this.#after = after;
  }

  get head(): ActorIndex | undefined {
    return this.#rows[this.#at];
  }

  get isUsedUp(): boolean {
    return !this.#isLast && this.#at === this.#rows.length;
  }

  take(): void {
    this.#at += 1;
  }

  async read(): Promise<void> {
    const range = {
      prefix: this.#prefix,
      limit: shardPage,
      ...(this.#after === undefined ? {} : { after: this.#after }),
    };
    this.#rows = await this.#journal.listActors(this.#shard, range);
    this.#at = 0;
    this.#after = this.#rows.at(-1)?.actor;
    this.#isLast = this.#rows.length < shardPage;
  }
}

/** Addresses of one type in order, over all shards. */
async function* addressesOf(journal: Journal, prefix: string, after: string | undefined): AsyncGenerator<Address> {
  const runs = Array.from({ length: journal.shards }, (_, shard) => new Run(journal, shard, prefix, after));
  await Promise.all(runs.map((run) => run.read()));
  for (;;) {
    let first: Run | undefined;
    for (const run of runs) {
      if (run.head !== undefined && (first?.head === undefined || run.head.actor < first.head.actor)) first = run;
    }
    if (first?.head === undefined) return;
    yield first.head.actor;
    first.take();
    if (first.isUsedUp) await first.read();
  }
}

/** The paths of a machine's value: `{ a: { b: {} } }` has `a` and `a.b`. */
export function pathsOf(value: unknown, before = ''): readonly string[] {
  if (typeof value === 'string') return [before + value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, part]) => [before + key, ...pathsOf(part, `${before}${key}.`)]);
}

export class ActorSearch {
  readonly #journal: Journal;
  readonly #hosted: ReadonlyMap<string, HostedMachine>;
  readonly #searchedMax: number;

  constructor(journal: Journal, hosted: ReadonlyMap<string, HostedMachine>, searchedMax: number) {
    this.#journal = journal;
    this.#hosted = hosted;
    this.#searchedMax = searchedMax;
  }

  /** At most `limit` actors after `after` that match. */
  async find(search: Search, after: string | undefined, limit: number): Promise<Found> {
    const actors: FoundActor[] = [];
    let searched = 0;
    /** The last actor of the page, and the last one that was looked at. */
    let [last, looked] = [after, after];
    let batch: Address[] = [];
    const take = async (): Promise<boolean> => {
      const addresses = batch;
      batch = [];
      for (const found of await this.read(addresses)) {
        if (found === undefined || !matches(found, search)) continue;
        if (actors.length === limit) return true;
        actors.push(found);
        last = found.address;
      }
      return false;
    };
    for await (const address of this.#candidates(search, after)) {
      if (searched >= this.#searchedMax) {
        return { actors, next: (await take()) ? last : looked };
      }
      searched++;
      looked = address;
      batch.push(address);
      if (batch.length >= Math.min(batchMax, limit + 1) && (await take())) return { actors, next: last };
    }
    return { actors, next: (await take()) ? last : undefined };
  }

  /** These actors as the journal has them, in order; undefined for one that does not exist. */
  async read(addresses: readonly Address[]): Promise<readonly (FoundActor | undefined)[]> {
    const byShard = new Map<number, Address[]>();
    for (const address of addresses) {
      const shard = this.shardOf(address);
      if (shard === undefined) continue;
      const near = byShard.get(shard);
      if (near === undefined) byShard.set(shard, [address]);
      else near.push(address);
    }
    const found = new Map<Address, FoundActor>();
    await Promise.all(
      [...byShard].map(async ([shard, near]) => {
        const records = await this.#journal.readActors(shard, near);
        for (const [index, address] of near.entries()) {
          const record = records[index];
          if (record !== undefined) found.set(address, this.#foundOf(address, record));
        }
      }),
    );
    return addresses.map((address) => found.get(address));
  }

  /** The shard of an address; undefined when nobody knows its type. */
  shardOf(address: Address): number | undefined {
    const definition = this.#hosted.get(typeOf(address))?.definition;
    return definition === undefined ? undefined : shardOf(definition.shardKey(idOf(address)), this.#journal.shards);
  }

  #foundOf(address: Address, record: ActorRecord | Error): FoundActor {
    const hosted = this.#hosted.get(typeOf(address))!;
    if (record instanceof Error) return { address, hosted, version: 0, state: undefined };
    const { index, snapshot, tail } = record;
    const found = { address, hosted, version: index.version };
    try {
      const base = snapshot === undefined ? undefined : hosted.restore(snapshot.payload);
      if (index.snapshotVersion > 0 && base === undefined) return { ...found, state: undefined };
      return { ...found, state: hosted.fold(idOf(address), base, tail.map(eventOf)) };
    } catch {
      return { ...found, state: undefined };
    }
  }

  async *#candidates({ types, id, among }: Search, after: string | undefined): AsyncGenerator<Address> {
    if (among !== undefined) {
      yield* [...among].sort().filter((address) => after === undefined || address > after);
      return;
    }
    const cursor = after === undefined ? undefined : typeOf(after as Address);
    for (const type of [...types].sort()) {
      if (id !== undefined && isUuid(id)) {
        if (cursor === undefined || type > cursor) yield addressOf(type, id);
        continue;
      }
      // All of a type before the cursor's have been looked at.
      if (cursor !== undefined && type < cursor) continue;
      const isCursors = type === cursor;
      yield* addressesOf(this.#journal, `${type}/${id ?? ''}`, isCursors ? after : undefined);
    }
  }
}

function matches({ address, state }: FoundActor, search: Search): boolean {
  const { types, id } = search;
  if (!types.includes(typeOf(address)) || (id !== undefined && !idOf(address).startsWith(id))) return false;
  return search.state === undefined || (state !== undefined && pathsOf(state.value).includes(search.state));
}
