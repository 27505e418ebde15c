/**
 * The observer that counts what the runtime tells, in plain numbers: one record per shard, found by its index. Nothing
 * here is formatted, named or sent; prometheus.ts reads the numbers when it is asked for them. Bounded by the number of
 * shards and by the closed lists of words in observer.ts.
 */

import type { ErrorCode } from '../errors.ts';
import type { CommitEnd, Observer, RecoveryReason, RemoteAskEnd, ShardGauges, TakeoverReason } from '../observer.ts';
import { Distribution } from './distribution.ts';

/** Upper bounds in ms, for what is over within a turn. */
const turnBoundsMs = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100];
/** Upper bounds in ms, for what waits for a store or another node. */
export const waitBoundsMs = [0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000];
const envelopeBounds = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024];

export class ShardTally {
  readonly turnMs = new Distribution(turnBoundsMs);
  readonly turnEnvelopes = new Distribution(envelopeBounds);
  readonly commitMs = new Distribution(waitBoundsMs);
  readonly commits: Record<CommitEnd, number> = { done: 0, refused: 0, invalid: 0, unknown: 0 };
  entries = 0;
  takeovers = 0;
  leasesLost = 0;
  rewinds = 0;
  rewoundCommits = 0;
  mendedCommits = 0;
  inboxEnvelopes = 0;
  archiveLagMs = 0;
  compactionFailures = 0;
}

function waits(): Distribution {
  return new Distribution(waitBoundsMs);
}

export class RuntimeTally implements Observer {
  /** By number; a shard that was neither heard of nor asked about has none. */
  readonly shards: ShardTally[] = [];
  readonly takeoverMs: Readonly<Record<TakeoverReason, Distribution>> = {
    opened: waits(),
    'handed-over': waits(),
    expired: waits(),
    recovered: waits(),
  };
  readonly handoverMs = waits();
  readonly recoveries: Record<RecoveryReason, number> = {
    'commit-refused': 0,
    'commit-invalid': 0,
    'commit-unknown': 0,
    'commit-repeated': 0,
    'lease-lost': 0,
    'turn-failed': 0,
    'read-failed': 0,
  };
  readonly parcels: Record<'repeated' | 'gap', number> = { repeated: 0, gap: 0 };
  /** The usual causes are there from the beginning, so that a first one is seen as an increase. */
  readonly deadLetters = new Map<ErrorCode, number>([
    ['MACHINE_FAILED', 0],
    ['ACTOR_DAMAGED', 0],
    ['ACTOR_TYPE_UNKNOWN', 0],
    ['EVENT_REFUSED', 0],
    ['LIMIT_EXCEEDED', 0],
  ]);
  readonly remoteAskMs: Readonly<Record<RemoteAskEnd, Distribution>> = {
    answered: waits(),
    timeout: waits(),
    full: waits(),
    failed: waits(),
  };
  nodes = 0;
  archivedEntries = 0;
  archivedBytes = 0;
  archiveSegments = 0;
  trimmedEntries = 0;
  retiredActors = 0;
  #gauges: () => readonly ShardGauges[] = () => [];

  /** What the system that opened last says of its shards; each of them has a tally from then on. */
  gauges(): readonly ShardGauges[] {
    const gauges = this.#gauges();
    for (const { shard } of gauges) this.#of(shard);
    return gauges;
  }

  watch(gauges: () => readonly ShardGauges[]): void {
    this.#gauges = gauges;
  }

  turn(shard: number, envelopes: number, ms: number): void {
    const tally = this.#of(shard);
    tally.turnMs.observe(ms);
    tally.turnEnvelopes.observe(envelopes);
  }

  commit(shard: number, end: CommitEnd, ms: number, entries: number): void {
    const tally = this.#of(shard);
    tally.commits[end] += 1;
    tally.commitMs.observe(ms);
    if (end === 'done') tally.entries += entries;
  }

  takeover(shard: number, reason: TakeoverReason, ms: number): void {
    const tally = this.#of(shard);
    tally.takeovers += 1;
    // What it was when the shard was last here says nothing any more.
    tally.archiveLagMs = 0;
    this.takeoverMs[reason].observe(ms);
  }

  recovered(_shard: number, reason: RecoveryReason): void {
    this.recoveries[reason] += 1;
  }

  leaseLost(shard: number): void {
    this.#of(shard).leasesLost += 1;
  }

  handedOver(_shard: number, ms: number): void {
    this.handoverMs.observe(ms);
  }

  rewound(shard: number, lostCommits: number, mendedCommits: number): void {
    const tally = this.#of(shard);
    tally.rewinds += 1;
    tally.rewoundCommits += lostCommits;
    tally.mendedCommits += mendedCommits;
  }

  archived(_shard: number, entries: number, bytes: number): void {
    this.archivedEntries += entries;
    this.archivedBytes += bytes;
    this.archiveSegments += 1;
  }

  trimmed(_shard: number, entries: number): void {
    this.trimmedEntries += entries;
  }

  retired(_shard: number, actors: number): void {
    this.retiredActors += actors;
  }

  archiveLag(shard: number, ms: number): void {
    this.#of(shard).archiveLagMs = ms;
  }

  compactionFailed(shard: number): void {
    this.#of(shard).compactionFailures += 1;
  }

  inboxTaken(shard: number, envelopes: number): void {
    this.#of(shard).inboxEnvelopes += envelopes;
  }

  parcel(_shard: number, oddity: 'repeated' | 'gap'): void {
    this.parcels[oddity] += 1;
  }

  deadLetter(_shard: number, code: ErrorCode): void {
    this.deadLetters.set(code, (this.deadLetters.get(code) ?? 0) + 1);
  }

  remoteAsk(ms: number, end: RemoteAskEnd): void {
    this.remoteAskMs[end].observe(ms);
  }

  members(nodes: number): void {
    this.nodes = nodes;
  }

  #of(shard: number): ShardTally {
    const known = this.shards[shard];
    if (known !== undefined) return known;
    const fresh = new ShardTally();
    this.shards[shard] = fresh;
    return fresh;
  }
}
