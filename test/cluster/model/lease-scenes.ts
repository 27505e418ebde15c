/**
 * The scenes in which the lease model is explored. Together they have every step of the model; apart, each is small
 * enough to be explored completely.
 */

import type { Property, Rule, Scene } from './lease-rules.ts';

const nothingLate = { acquire: 0, renew: 0, release: 0, commit: 0 } as const;

export const scenes = {
  /** Reads, while processes die, sleep and lose their connections, and the shard is handed over. */
  takeover: { envelopes: 1 },
  /** An inbox of two envelopes under the same faults. */
  inbox: { envelopes: 2, leaseMs: 1, reads: false },
  /** Leases that are renewed, also by calls that come late. */
  renewals: { envelopes: 1, renewals: true, kills: false, breaks: false, late: { ...nothingLate, renew: 1 } },
  /** Two commits under way at once, both of which may come late. */
  pipeline: { commitsInFlight: 2, leaseMs: 1, reads: false, kills: false, late: { ...nothingLate, commit: 2 } },
  /** A command that is given to an owner directly, and so only lives in its memory, beside one in the inbox. */
  commands: { envelopes: 1, commands: 1, leaseMs: 1, reads: false, kills: false },
  /** Acquisitions and releases that come late, of nodes that are stopped while they acquire. */
  stops: { envelopes: 1, leaseMs: 1, stops: true, breaks: false, late: { ...nothingLate, acquire: 1, release: 1 } },
  /** Pages of the inbox that come late. */
  pages: { envelopes: 1, leaseMs: 1, latePages: true, late: { ...nothingLate, commit: 1 } },
  /** Three nodes that sleep. */
  three: { nodes: 3, envelopes: 1, leaseMs: 1, reads: false, kills: false, breaks: false, late: nothingLate },
} as const satisfies Readonly<Record<string, Partial<Scene>>>;

export interface Mutation {
  readonly left: Rule;
  readonly scene: Partial<Scene>;
  readonly breaks: Property;
}

/** Each rule of the protocol, a scene that needs it, and what breaks without it. */
export const mutations: readonly Mutation[] = [
  { left: 'commitComparesEpoch', scene: scenes.takeover, breaks: 'fenced' },
  { left: 'commitComparesEpoch', scene: scenes.takeover, breaks: 'fresh' },
  { left: 'commitComparesEpoch', scene: scenes.pipeline, breaks: 'once' },
  { left: 'commitComparesHead', scene: scenes.pipeline, breaks: 'kept' },
  { left: 'commitComparesHead', scene: scenes.pipeline, breaks: 'once' },
  { left: 'commitCarriesInbox', scene: scenes.inbox, breaks: 'once' },
  { left: 'acquireRaisesEpoch', scene: scenes.takeover, breaks: 'fresh' },
  { left: 'acquireRaisesEpoch', scene: scenes.pipeline, breaks: 'once' },
  { left: 'acquireWaitsForExpiry', scene: scenes.takeover, breaks: 'fresh' },
  { left: 'leasesExpire', scene: scenes.takeover, breaks: 'alive' },
  { left: 'renewComparesEpoch', scene: scenes.renewals, breaks: 'fresh' },
  { left: 'releaseComparesEpoch', scene: scenes.stops, breaks: 'fresh' },
  { left: 'leaseCountsFromAsk', scene: scenes.takeover, breaks: 'fresh' },
  { left: 'leaseCountsFromAsk', scene: scenes.renewals, breaks: 'fresh' },
  { left: 'readChecksLease', scene: scenes.takeover, breaks: 'fresh' },
  { left: 'readWaitsInLine', scene: scenes.takeover, breaks: 'durable' },
  { left: 'answerWaitsForCommit', scene: scenes.takeover, breaks: 'durable' },
  { left: 'unknownIsNotDone', scene: scenes.takeover, breaks: 'durable' },
  { left: 'unknownIsResolved', scene: scenes.commands, breaks: 'answered' },
  { left: 'unknownIsResolved', scene: scenes.takeover, breaks: 'durable' },
  { left: 'fateComparesId', scene: scenes.commands, breaks: 'durable' },
  { left: 'drainFinishesFlights', scene: scenes.commands, breaks: 'answered' },
  { left: 'pageBelongsToLease', scene: scenes.pages, breaks: 'once' },
  { left: 'inboxStartsAfterDone', scene: scenes.takeover, breaks: 'alive' },
  { left: 'inboxStartsAfterDone', scene: scenes.inbox, breaks: 'once' },
];
