/** What a store was: remembers its shards, with their inboxes, and puts some of them back, as a failover to a stale replica does. */

import type { MemoryShard, MemoryStore } from '../../src/journal/memory.ts';
import { shardAsOf } from '../../src/journal/memory-leases.ts';

type Inbox = MemoryStore['cluster']['inboxes'] extends Map<number, infer T> ? T : never;

interface Moment {
  readonly shards: MemoryShard[];
  readonly inboxes: Map<number, Inbox>;
}

export class StorePast {
  readonly #store: MemoryStore;
  readonly #momentsMax: number;
  readonly #moments: Moment[] = [];

  constructor(store: MemoryStore, momentsMax = 100) {
    this.#store = store;
    this.#momentsMax = momentsMax;
  }

  get length(): number {
    return this.#moments.length;
  }

  /** Remembers the store as it is. */
  remember(): void {
    const inboxes = [...this.#store.cluster.inboxes].map(([shard, inbox]) => [shard, { ...inbox }] as const);
    this.#moments.push({ shards: this.#store.shards.map(shardAsOf), inboxes: new Map(inboxes) });
    if (this.#moments.length > this.#momentsMax) this.#moments.shift();
  }

  /**
   * Puts a shard back to the moment that was remembered so many moments ago; 1 is the last one. What it has lost by that
   * does not come back: no replica follows a server that is gone.
   */
  goBack(shard: number, moments = 1): void {
    const { shards, inboxes } = this.#moments.at(-moments)!;
    this.#store.shards[shard] = shardAsOf(shards[shard]!);
    const inbox = inboxes.get(shard);
    if (inbox === undefined) this.#store.cluster.inboxes.delete(shard);
    else this.#store.cluster.inboxes.set(shard, { ...inbox });
    for (const moment of this.#moments.slice(-moments)) {
      moment.shards[shard] = shards[shard]!;
      if (inbox === undefined) moment.inboxes.delete(shard);
      else moment.inboxes.set(shard, inbox);
    }
  }

  /** Whether one process has held the shard at each of the last moments, and does. */
  isHeldSince(shard: number, moments: number): boolean {
    const nonce = this.#store.shards[shard]!.holder?.epoch.nonce;
    return (
      nonce !== undefined &&
      this.#moments.slice(-moments).every(({ shards }) => shards[shard]!.holder?.epoch.nonce === nonce)
    );
  }
}
