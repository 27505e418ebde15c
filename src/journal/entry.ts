/**
 * An entry of a journal: what a journal (journal.ts) and an archive (archive/archive.ts) both hold, and neither changes. It
 * knows neither of them.
 */

import type { Address } from '../actor/address.ts';

/** One accepted event of one actor. */
export interface JournalEntry {
  /** Position in the shard, from 1. */
  readonly seq: number;
  readonly actor: Address;
  /** Position in the actor's own history, from 1 without gaps. */
  readonly version: number;
  /** Type of the accepted event. */
  readonly type: string;
  /** Types of what the machine emitted on it, in order. */
  readonly emitted: readonly string[];
  readonly from?: Address | undefined;
  readonly operation?: string | undefined;
  /** Wall-clock time of the turn, ms since 1970. */
  readonly at: number;
  /** The encoded event. */
  readonly payload: Uint8Array;
}
