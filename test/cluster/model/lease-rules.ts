/**
 * The rules of the lease and inbox protocol, each of which can be left out, the properties that the rules are there for,
 * and the bounds within which a scene is explored.
 */

export type Property =
  /** 1. Every commit is applied under the newest epoch there is. */
  | 'fenced'
  /** 2. A commit is applied on exactly the state that it was computed from: none is lost, none comes twice. */
  | 'kept'
  /** 3. An envelope changes the state exactly once, and those of the inbox in their order. */
  | 'once'
  /** 4. A read shows all that the store held when it was asked, acknowledged or not. */
  | 'fresh'
  /** 5. Without any further fault, the shard can be had again and its inbox be emptied. */
  | 'alive'
  /** 6. Nothing is answered, and nothing shown, before its commit is applied. */
  | 'durable'
  /** 7. A command that an owner took is answered, if only with "unknown", unless its process dies. */
  | 'answered';

export const properties: readonly Property[] = ['fenced', 'kept', 'once', 'fresh', 'alive', 'durable', 'answered'];

/** The protocol, rule by rule. */
export const protocol = {
  /** The store applies a commit only under the epoch and nonce that hold the shard. */
  commitComparesEpoch: true,
  /** The store applies a commit only as the next one. */
  commitComparesHead: true,
  /** The commit itself says up to which number the inbox is handled; else a call after it does. */
  commitCarriesInbox: true,
  /** Every acquisition raises the epoch, also that of the process that holds the shard. */
  acquireRaisesEpoch: true,
  /** Somebody else's lease is waited for. */
  acquireWaitsForExpiry: true,
  /** A lease ends by itself. */
  leasesExpire: true,
  renewComparesEpoch: true,
  releaseComparesEpoch: true,
  /** The node counts the lease's time from before it asked; else from the reply. */
  leaseCountsFromAsk: true,
  /** The node looks at its lease's time before it answers a read. */
  readChecksLease: true,
  /** A read is answered after the commits that it was run on top of. */
  readWaitsInLine: true,
  /** A command is answered after its commit; else after its turn. */
  answerWaitsForCommit: true,
  /** An unknown commit is not taken for one that was done. */
  unknownIsNotDone: true,
  /** An unknown commit ends in acquiring again; else it is forgotten and the node goes on. */
  unknownIsResolved: true,
  /** Whether the last commit was applied is told by its id too; else by the number of commits alone. */
  fateComparesId: true,
  /** A shard that is handed over is released when nothing is under way any more. */
  drainFinishesFlights: true,
  /** A page of the inbox that was asked for under an older lease is not taken. */
  pageBelongsToLease: true,
  /** A new owner reads the inbox from what was handled on; else from what it holds on. */
  inboxStartsAfterDone: true,
  /** A timer lets go of the shard when the lease's time is over. */
  timerLetsGo: true,
} as const;

export type Rule = keyof typeof protocol;
export type Rules = Readonly<Record<Rule, boolean>>;

export function without(...left: readonly Rule[]): Rules {
  return { ...protocol, ...Object.fromEntries(left.map((rule) => [rule, false])) };
}

export interface Scene {
  readonly nodes: number;
  /** Envelopes that gateways put into the inbox. */
  readonly envelopes: number;
  /** Commands that are given to an owner directly. */
  readonly commands: number;
  readonly commitsInFlight: number;
  /** Whether reads are asked, processes die, and connections break. */
  readonly reads: boolean;
  readonly kills: boolean;
  readonly breaks: boolean;
  /** Whether leases are renewed, pages of the inbox may come late, and nodes are stopped while they acquire. */
  readonly renewals: boolean;
  readonly latePages: boolean;
  readonly stops: boolean;
  /** Calls of one node that may get to the store after nobody waits for them any more. */
  readonly late: Readonly<Record<'acquire' | 'renew' | 'release' | 'commit', number>>;
  readonly leaseMs: number;
  /** What the node takes off `leaseMs` for its own deadline. */
  readonly marginMs: number;
  /** The ways in which time passes: what the store's clock and the nodes' clocks go on by. */
  readonly rates: readonly (readonly [storeMs: number, nodeMs: number])[];
  /** The store's clock reads in steps of this; a lease may be shorter by one less. */
  readonly grainMs: number;
}

export const scene: Scene = {
  nodes: 2,
  envelopes: 2,
  commands: 0,
  commitsInFlight: 1,
  reads: true,
  kills: true,
  breaks: true,
  renewals: false,
  latePages: false,
  stops: false,
  late: { acquire: 0, renew: 0, release: 1, commit: 1 },
  leaseMs: 2,
  marginMs: 0,
  rates: [[1, 1]],
  grainMs: 1,
};
