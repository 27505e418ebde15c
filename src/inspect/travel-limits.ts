/** The bounds of time travel: each is a default that `new TimeTravel({ limits })` can change. */

export interface TravelLimits {
  /** Steps of one answer. */
  readonly stepsMax: number;
  /** Entries read from a journal at once. */
  readonly pageEntries: number;
  /** Work goes on for so long before others have their turn on the event loop. */
  readonly sliceMs: number;
  /** Reads of whole journals that are under way at once, and that wait; one more is refused. */
  readonly scansMax: number;
  readonly scansWaitingMax: number;
  /** Actors whose way through the journal is remembered, and places remembered of each. */
  readonly actorsRemembered: number;
  readonly bookmarksMax: number;
  /** What looking for an operation reads at most: entries, and shards. */
  readonly operationEntriesMax: number;
  readonly operationShardsMax: number;
  /** An operation's steps on other shards are looked for within so much of those that are known. */
  readonly operationMarginMs: number;
}

export const defaultTravelLimits: TravelLimits = {
  stepsMax: 500,
  pageEntries: 250,
  sliceMs: 5,
  scansMax: 2,
  scansWaitingMax: 32,
  actorsRemembered: 64,
  bookmarksMax: 16,
  operationEntriesMax: 1_000_000,
  operationShardsMax: 64,
  operationMarginMs: 60_000,
};
