/**
 * Reads actors straight from a journal, without a system: for the command line and for tools that look at a store beside
 * the server that writes it. What it gives is committed state, folded from snapshot and tail exactly as a server would.
 *
 * It takes no lease, writes nothing and keeps nothing in memory between two calls.
 */

import { type Address, parseAddress, shardOf } from '../actor/address.ts';
import type { ActorDefinition } from '../actor/definition.ts';
import type { HostedMachine } from '../actor/logic.ts';
import { register } from '../actor/registration.ts';
import type { ActorState, HistoryEntry } from '../actor-system.ts';
import { TroupeError } from '../errors.ts';
import { rehydrate } from '../shard/cell.ts';
import { decode } from './codec.ts';
import type { ActorIndex, Journal } from './journal.ts';

export interface ReadActor extends ActorState<unknown> {
  readonly shard: number;
  readonly value: unknown;
  readonly context: unknown;
  /** XState's `active`, `done`, `error` or `stopped`. */
  readonly status: string;
}

/** Entries read from the journal at once. */
const pageEntries = 1_000;

export class JournalReader {
  readonly #journal: Journal;
  readonly #hosts: ReadonlyMap<string, HostedMachine>;

  constructor(journal: Journal, definitions: readonly ActorDefinition[]) {
    this.#journal = journal;
    this.#hosts = register(definitions);
  }

  /** The shard of an address. Throws ADDRESS_INVALID or ACTOR_TYPE_UNKNOWN. */
  shardOf(address: string): number {
    const { type, id } = parseAddress(address);
    return shardOf(this.#host(type).definition.shardKey(id), this.#journal.shards);
  }

  /** Indices of actors in order of their address, over all shards: at most `limit` of those after `after`. */
  async actors(options: {
    readonly type?: string;
    readonly after?: string;
    readonly limit: number;
  }): Promise<readonly ActorIndex[]> {
    if (options.type !== undefined) this.#host(options.type);
    const range = {
      limit: options.limit,
      ...(options.type === undefined ? {} : { prefix: `${options.type}/` }),
      ...(options.after === undefined ? {} : { after: options.after }),
    };
    let found: ActorIndex[] = [];
    for (let shard = 0; shard < this.#journal.shards; shard++) {
      found.push(...(await this.#journal.listActors(shard, range)));
      if (found.length > 4 * options.limit) found = byAddress(found).slice(0, options.limit);
    }
    return byAddress(found).slice(0, options.limit);
  }

  /** The actor as of everything committed; undefined when it never accepted an event. Rejects with ACTOR_DAMAGED. */
  async actor(address: string): Promise<ReadActor | undefined> {
    const shard = this.shardOf(address);
    const [record] = await this.#journal.readActors(shard, [address as Address]);
    if (record === undefined) return undefined;
    const hosted = this.#host(parseAddress(address).type);
    const { version, state } = await rehydrate(this.#journal, shard, hosted, address as Address, record);
    return { shard, version, state, value: state.value, context: state.context, status: state.status };
  }

  /**
   * The newest `limit` accepted events of an actor, oldest first. Reads the shard's whole journal. Rejects with
   * JOURNAL_DAMAGED when an entry on the way cannot be read.
   */
  async history(address: string, limit: number): Promise<readonly HistoryEntry[]> {
    const shard = this.shardOf(address);
    const found: HistoryEntry[] = [];
    for (let after = 0; ; ) {
      const page = await this.#journal.readEntries(shard, after, pageEntries);
      for (const entry of page) {
        if (entry instanceof Error) throw entry;
        after = entry.seq;
        if (entry.actor !== address) continue;
        const { seq, version, emitted, from, operation, at } = entry;
        found.push({ seq, version, event: decode(entry.payload), emitted, from, operation, at });
        if (found.length > limit) found.shift();
      }
      if (page.length < pageEntries) return found;
    }
  }

  #host(type: string): HostedMachine {
    const hosted = this.#hosts.get(type);
    if (hosted !== undefined) return hosted;
    const known = [...this.#hosts.keys()].join(', ');
    throw new TroupeError('ACTOR_TYPE_UNKNOWN', `There are no actors of type "${type}"; there are ${known}.`, { type });
  }
}

function byAddress(actors: ActorIndex[]): ActorIndex[] {
  return actors.sort((a, b) => (a.actor < b.actor ? -1 : 1));
}
