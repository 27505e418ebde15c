/**
 * Places in the journal where an actor's fold has been before, so that the next page of a long history does not begin at
 * the first entry again. A place is looked at before it is used: a store that went backwards may have another entry there.
 * Of each actor a few are kept, thinned out as they get more, and of the actors those that were used last.
 */

import type { AnyMachineSnapshot } from 'xstate';
import type { Address } from '../actor/address.ts';
import { Lru } from '../gateway/lru.ts';
import type { Journal, JournalEntry } from '../journal/journal.ts';
import type { ReplayedActor } from '../projection/replay.ts';
import type { TravelLimits } from './travel-limits.ts';

interface Bookmark {
  readonly seq: number;
  readonly version: number;
  readonly at: number;
  readonly state: AnyMachineSnapshot;
  /** What was known of its retirement: states behind one grew out of the reduced state. */
  readonly retired: number | undefined;
}

export class Bookmarks {
  readonly #places: Lru<Address, Bookmark[]>;
  readonly #max: number;

  constructor({ actorsRemembered, bookmarksMax }: TravelLimits) {
    this.#places = new Lru(actorsRemembered);
    this.#max = bookmarksMax;
  }

  /** `actor` as it stands after `entry`. */
  add(
    address: Address,
    { state, version }: ReplayedActor,
    { seq, at }: JournalEntry,
    retired: number | undefined,
  ): void {
    const places = this.#places.get(address) ?? [];
    if (places.some((place) => place.version === version)) return;
    const all = [...places, { seq, version, at, state, retired }].sort((a, b) => a.version - b.version);
    // Every other one goes, so that what is kept stays spread over the history.
    this.#places.set(address, all.length > this.#max ? all.filter((_, i) => i % 2 === all.length % 2) : all);
  }

  /** The last place that is not behind `version` and still holds. */
  async find(
    journal: Journal,
    shard: number,
    address: Address,
    version: number,
    retired: number | undefined,
  ): Promise<Bookmark | undefined> {
    const places = this.#places.get(address) ?? [];
    const fits = (place: Bookmark): boolean =>
      place.version <= version && (place.retired === retired || place.version < (retired ?? 0));
    const found = places.findLast(fits);
    if (found === undefined) return undefined;
    const [entry] = await journal.readEntries(shard, found.seq - 1, 1);
    if (entry !== undefined && !(entry instanceof Error)) {
      if (entry.actor === address && entry.version === found.version && entry.at === found.at) return found;
    }
    this.#places.delete(address);
    return undefined;
  }
}
