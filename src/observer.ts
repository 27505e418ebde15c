/**
 * What the runtime tells whoever wants to measure it: one plain call per thing that happened, and one question ("how
 * much waits where?") that is answered when it is asked. Numbers and words from closed lists only: no address, no event,
 * nothing that a user wrote.
 *
 * It guarantees that nothing depends on it: calls are made beside the work, in the order in which things happened to one
 * shard, and `silentObserver` is as good as any other. An implementation returns at once and never throws, since it runs
 * inside the turn. It deliberately knows no exporter (metrics/ has one) and keeps no history.
 *
 * Durations are milliseconds of the monotonic clock, fractions included.
 */

import type { ErrorCode } from './errors.ts';

/** How a commit ended; see `CommitOutcome`. */
export type CommitEnd = 'done' | 'refused' | 'invalid' | 'unknown';

/** Why a shard was taken: the process starts; its owner gave it away; its owner's lease ran out; it was ours all along. */
export type TakeoverReason = 'opened' | 'handed-over' | 'expired' | 'recovered';

/** What made a shard drop its cells and read its journal again. */
export type RecoveryReason =
  | 'commit-refused'
  | 'commit-invalid'
  | 'commit-unknown'
  /** The answer to a repetition, which lacks the offsets. */
  | 'commit-repeated'
  | 'lease-lost'
  | 'turn-failed'
  | 'read-failed';

/** How a question to another node's shard ended. */
export type RemoteAskEnd = 'answered' | 'timeout' | 'full' | 'failed';

/** How one command or query of a client ended; `refused` is the caller's fault, `failed` is ours. */
export type CommandEnd = 'done' | 'refused' | 'rate-limited' | 'failed';

/** Where one shard stands as this process sees it. What only the owner knows is 0 when `owned` is false. */
export interface ShardGauges {
  readonly shard: number;
  /** This process holds its lease and answers from it. */
  readonly owned: boolean;
  /** Number of the epoch it is held under; 0 when it is not. */
  readonly epoch: number;
  /** Deliveries that wait. */
  readonly mailbox: number;
  /** Envelopes of the shard's inbox that were sent and are not handled by a commit yet. */
  readonly inboxLag: number;
  /** Parcels that their receivers have not acknowledged. */
  readonly outbox: number;
  /** Resident actors. */
  readonly cells: number;
  /** Timers that are armed. */
  readonly timers: number;
}

/** What the runtime tells. */
export interface Observer {
  /** A system has opened. `gauges` may be asked at any time from then on, also after it has stopped. */
  watch(gauges: () => readonly ShardGauges[]): void;

  /** A turn was run; `envelopes` counts what it took and what it told itself. */
  turn(shard: number, envelopes: number, ms: number): void;
  /** A commit has its answer, `ms` after it was handed to the journal. */
  commit(shard: number, end: CommitEnd, ms: number, entries: number): void;

  /** A shard was opened, `ms` after it was first wanted (or lost). */
  takeover(shard: number, reason: TakeoverReason, ms: number): void;
  /** A shard begins again from its journal. */
  recovered(shard: number, reason: RecoveryReason): void;
  /** A lease was found not to be ours any more, or could not be renewed in time. */
  leaseLost(shard: number): void;
  /** A shard was given away: from the decision to the release. */
  handedOver(shard: number, ms: number): void;
  /** The head was behind what had been answered: so many commits were gone, and so many of them were appended again. */
  rewound(shard: number, lostCommits: number, mendedCommits: number): void;

  /** So many entries, one segment of so many bytes, are in the archive. */
  archived(shard: number, entries: number, bytes: number): void;
  /** Entries left the journal. */
  trimmed(shard: number, entries: number): void;
  /** Actors were reduced to what their definition keeps. */
  retired(shard: number, actors: number): void;
  /** For so long enough entries have been old enough for a segment, and are still in the journal alone; 0: none are. */
  archiveLag(shard: number, ms: number): void;
  /** The shard could not be compacted, and will be tried again later. */
  compactionFailed(shard: number): void;

  /** Envelopes were read from the shard's inbox. */
  inboxTaken(shard: number, envelopes: number): void;
  /** A parcel came that had been handled before, or one that leaves a gap behind the last one. */
  parcel(shard: number, oddity: 'repeated' | 'gap'): void;
  deadLetter(shard: number, code: ErrorCode): void;
  /** A command or read that this node sent to a shard of another one has ended. */
  remoteAsk(ms: number, end: RemoteAskEnd): void;
  /** The nodes that a beat has listed, this one included. */
  members(nodes: number): void;
}

/** What the gateway tells. */
export interface GatewayObserver {
  /** How many sockets are open may be asked at any time from here on. */
  watchSockets(open: () => number): void;
  /** An HTTP request was answered. `route` is a template; undefined when nothing is there. */
  request(method: string, route: string | undefined, status: number, ms: number): void;
  /** A command, over HTTP or a socket, has ended. `command` is its declared type. */
  command(command: string, end: CommandEnd, ms: number): void;
  rateLimited(): void;
  frames(sent: number): void;
  /** A socket reads too slowly: it is no longer fed live, and reads on from the topics' histories later. */
  fellBehind(): void;
  /** A socket was given so many publications from a topic's history instead of live. */
  readAgain(publications: number): void;
  /** A socket was closed by this side. */
  socketClosed(code: number): void;
}

const nothing = (): void => undefined;

/** Hears nothing. */
export const silentObserver: Observer = {
  watch: nothing,
  turn: nothing,
  commit: nothing,
  takeover: nothing,
  recovered: nothing,
  leaseLost: nothing,
  handedOver: nothing,
  rewound: nothing,
  archived: nothing,
  trimmed: nothing,
  retired: nothing,
  archiveLag: nothing,
  compactionFailed: nothing,
  inboxTaken: nothing,
  parcel: nothing,
  deadLetter: nothing,
  remoteAsk: nothing,
  members: nothing,
};

/** Hears nothing. */
export const silentGatewayObserver: GatewayObserver = {
  watchSockets: nothing,
  request: nothing,
  command: nothing,
  rateLimited: nothing,
  frames: nothing,
  fellBehind: nothing,
  readAgain: nothing,
  socketClosed: nothing,
};
