/**
 * The bounds every journal adapter keeps, in one place, so that the adapters cannot drift apart. An adapter takes any of
 * them as an option and fills in the rest from here. What a bound means for the caller is said in journal.ts; what only
 * one technology needs (map sizes, connection timeouts) stays with its adapter.
 */

import { defaultLimits } from '../limits.ts';

export interface JournalBounds {
  /** Encoded bytes of one record of any kind; a larger one makes its commit `invalid`. */
  readonly recordBytesMax: number;
  /** Publications kept per topic. */
  readonly topicHistoryMax: number;
  /** Dead letters kept per shard; the oldest go first. */
  readonly deadLettersMax: number;
  /** Every call settles within this. */
  readonly deadlineMs: number;
}

export const defaultBounds: JournalBounds = {
  recordBytesMax: 2 * defaultLimits.snapshotBytesMax,
  topicHistoryMax: defaultLimits.topicHistoryMax,
  deadLettersMax: defaultLimits.deadLettersMax,
  deadlineMs: 5_000,
};

/** Shards of a store that is made without saying how many. */
export const defaultShards = 64;

/** The bounds of an adapter's options, with defaults for those that are missing. */
export function boundsFrom(options: Partial<JournalBounds>): JournalBounds {
  return {
    recordBytesMax: options.recordBytesMax ?? defaultBounds.recordBytesMax,
    topicHistoryMax: options.topicHistoryMax ?? defaultBounds.topicHistoryMax,
    deadLettersMax: options.deadLettersMax ?? defaultBounds.deadLettersMax,
    deadlineMs: options.deadlineMs ?? defaultBounds.deadlineMs,
  };
}
