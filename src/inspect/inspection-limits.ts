/** Every bound of the inspection, in one place. */

export interface InspectionLimits {
  /** Watchers of one node at once. */
  readonly watchersMax: number;
  /** Steps that one watcher is shown; more are skipped, and it is told how many. */
  readonly stepsPerSecond: number;
  readonly stepsAtOnce: number;
  /** Unread bytes of a watcher at which steps are skipped. */
  readonly unreadBytesMax: number;
  /** Actors that a watcher knows; it is told again of others. */
  readonly knownMax: number;
  /** Actors whose newest state is shown when steps of them were skipped. */
  readonly latestMax: number;
  /** Actors that a new watcher is told of at once. */
  readonly introducedMax: number;
  /** Between looks whether what was skipped can be told. */
  readonly tellMs: number;
  /** Steps and characters that wait to be sent to another node, and steps sent to it. */
  readonly relayedMax: number;
  readonly relayedCharactersMax: number;
  readonly relayedPerSecond: number;
  /** What is watched is said again this often to other nodes, which forget it when they have not heard it three times. */
  readonly wishMs: number;
  /** A watcher is not told of what there is before other nodes have heard what it watches, or this time has passed. */
  readonly heardMs: number;
  /** Actors that one search looks at. */
  readonly searchedMax: number;
  /** Entries that are read to find what an operation has done. */
  readonly operationEntriesMax: number;
  /** Dead letters that are shown, and those read of each shard. */
  readonly deadLettersMax: number;
}

export const defaultInspectionLimits: InspectionLimits = {
  watchersMax: 32,
  stepsPerSecond: 500,
  stepsAtOnce: 1_000,
  unreadBytesMax: 256 * 1024,
  knownMax: 10_000,
  latestMax: 100,
  introducedMax: 100,
  tellMs: 250,
  relayedMax: 500,
  relayedCharactersMax: 1024 * 1024,
  relayedPerSecond: 1_000,
  wishMs: 2_000,
  heardMs: 500,
  searchedMax: 1_000,
  operationEntriesMax: 200_000,
  deadLettersMax: 50,
};
