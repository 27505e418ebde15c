/**
 * Every bound of the runtime, in one place. Each is a default that `openSystem({ limits })` can change.
 */

export interface Limits {
  /** Commands from outside that wait in one shard's mailbox; one more is answered MAILBOX_FULL. */
  readonly mailboxMax: number;
  /** Envelopes taken into one turn. */
  readonly turnEnvelopesMax: number;
  /** A turn takes no further envelope after this many milliseconds. */
  readonly turnMs: number;
  /** Same-shard tells run inside one turn; the rest leaves with its commit. */
  readonly turnTellsMax: number;
  /** Commits of one shard that may be under way at once. */
  readonly commitsInFlightMax: number;
  /** Unacknowledged outbox messages of a shard at which it takes no new commands from outside (OUTBOX_FULL). */
  readonly outboxMax: number;
  /** Cells resident in one process. */
  readonly cellsMax: number;
  /** Encoded bytes of one event. */
  readonly eventBytesMax: number;
  /** Encoded bytes of one snapshot. */
  readonly snapshotBytesMax: number;
  /** Events of an actor whose state is too large for a snapshot; one more is refused. */
  readonly tailEventsMax: number;
  /** Publications kept per topic. */
  readonly topicHistoryMax: number;
  /** Dead letters kept per shard; the oldest go first. */
  readonly deadLettersMax: number;
  /** Attempts at reading an actor or committing a turn before waiting envelopes from outside are answered with the error. */
  readonly storeAttemptsMax: number;
  /** Envelopes of other nodes that wait in one shard's inbox; one more is answered MAILBOX_FULL. */
  readonly inboxMax: number;
  /** Questions to other nodes that wait for their answer; one more is answered MAILBOX_FULL. */
  readonly questionsMax: number;
  /** Entries of a shard that stay in its journal, whatever their age, when the others go to an archive. */
  readonly journalEntriesMin: number;
  /** Entries younger than this stay in the journal. Longer than a failover takes to show what it lost. */
  readonly archiveAfterMs: number;
  /** Entries of one segment of the archive: fewer wait for more, more make another one. */
  readonly segmentEntriesMin: number;
  readonly segmentEntriesMax: number;
  /** Payload bytes after which a segment takes no further entry. */
  readonly segmentBytesMax: number;
  /** An actor that has nothing left to do is retired when its last event is this old, unless its definition says otherwise. */
  readonly retentionMs: number;
  /** What a shard keeps of its newest commits, to append them again if the store loses them: entries, bytes, and age. */
  readonly tailEntriesMax: number;
  readonly tailBytesMax: number;
  readonly tailMs: number;
  /** Time to live of a lease. */
  readonly leaseMs: number;
  /** Default deadline of an `ask`. */
  readonly askMs: number;
}

export const defaultLimits: Limits = {
  mailboxMax: 10_000,
  turnEnvelopesMax: 256,
  turnMs: 5,
  turnTellsMax: 2_000,
  commitsInFlightMax: 2,
  outboxMax: 50_000,
  cellsMax: 200_000,
  eventBytesMax: 256 * 1024,
  snapshotBytesMax: 4 * 1024 * 1024,
  tailEventsMax: 10_000,
  topicHistoryMax: 1_000,
  deadLettersMax: 10_000,
  storeAttemptsMax: 5,
  inboxMax: 10_000,
  questionsMax: 20_000,
  journalEntriesMin: 1_000,
  archiveAfterMs: 60_000,
  segmentEntriesMin: 1_000,
  segmentEntriesMax: 5_000,
  segmentBytesMax: 8 * 1024 * 1024,
  retentionMs: 24 * 3_600_000,
  tailEntriesMax: 1_000,
  tailBytesMax: 4 * 1024 * 1024,
  tailMs: 30_000,
  leaseMs: 5_000,
  askMs: 5_000,
};
