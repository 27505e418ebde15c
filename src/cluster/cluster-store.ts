/**
 * What several nodes need of a store beside the journal: who is there, an inbox per shard, and messages that may get
 * lost. A journal that has it (`Journal.cluster`) can be used by many nodes at once; nodes talk to each other through it
 * alone.
 *
 * It guarantees:
 * - **Membership by the store's clock.** A node is listed until `ttlMs` after its last beat, and every beat gives the list.
 * - **A durable inbox per shard.** `send` numbers an envelope (from 1, without gaps) and keeps it until a commit of the
 *   shard says that it was handled (`Commit.inbox`), in the same atomic step as what it caused. So an envelope is handled
 *   once, whoever owns the shard by then, and in the order in which it came.
 * - **Order per sender.** What one process sends to one inbox, or publishes to one channel, arrives in that order.
 * - **Bounded.** A full inbox is said to be full; a message that no one hears is forgotten.
 *
 * `publish` may lose a message (nobody listens, a connection breaks) but does not repeat or reorder what one process
 * says on one channel. Whoever needs more reads again when `active` is called: from then on nothing is lost until it is
 * called the next time. An *empty* message on a shard's channel comes from the store itself: the shard's inbox or its
 * lease has changed; look. So does one that brings a new envelope along (ring.ts), for as long as few wait and nobody was
 * told to look in vain.
 *
 * Adapters: memory (nodes of one process, for tests), redis. Each passes test/cluster/conformance.ts.
 */

import type { Address } from '../actor/address.ts';

/** `all` owns shards and serves clients, `gateway` only serves, `worker` only owns. */
export type Role = 'all' | 'gateway' | 'worker';

/** What a node says of itself. */
export interface NodeInfo {
  readonly id: string;
  /** Differs between two processes that were given the same id. */
  readonly nonce: string;
  readonly role: Role;
  /** Share of the shards relative to other nodes; 0 takes none. */
  readonly weight: number;
  /** It stops: its shards go elsewhere. */
  readonly isDraining: boolean;
  /** Wall-clock ms since 1970. */
  readonly startedAt: number;
  /** For people: where it listens, its version. */
  readonly about: string;
  /** Where its shards stand: commits by shard. A store whose head is behind one of them has lost answered commits. */
  readonly heads: Readonly<Record<number, number>>;
  /** The epochs that it holds them under. */
  readonly epochs?: Readonly<Record<number, number>>;
  /** Epochs and commits of other shards, as it has heard of them: so that a node which comes later knows as well. */
  readonly heard?: Readonly<Record<number, readonly [epoch: number, commits: number]>>;
}

export interface LiveNode extends NodeInfo {
  /** Ms until it is taken for dead, unless it beats. */
  readonly expiresInMs: number;
}

export interface ClusterView {
  /** In order of their ids. `isDraining` is also true for a node that was told to by `drain`. */
  readonly nodes: readonly LiveNode[];
  /** Shards that were moved by hand, to the id of a node. */
  readonly pins: ReadonlyMap<number, string>;
}

/** What is written at a shard's key; for people, and for whoever wants to know an owner. */
export interface ShardStatus {
  readonly shard: number;
  readonly epoch: number;
  /** Id of the node that holds or held it last; '' for none. */
  readonly node: string;
  /** Ms left of its lease; 0 when it has none. */
  readonly expiresInMs: number;
  readonly commits: number;
  readonly seq: number;
  /** Number of the last envelope sent to its inbox, and of the last one handled. */
  readonly inboxLast: number;
  readonly inboxDone: number;
  /** How often its head was found to be behind what had been answered. */
  readonly rewinds: number;
}

export interface InboxRecord {
  readonly n: number;
  readonly payload: Uint8Array;
  /** Whether the actor that `send` was given was absent from the shard when this was read. */
  readonly isAbsent?: boolean;
}

export type Channel =
  /** To the owner of a shard, whoever that is; those who want to own it listen too. */
  | { readonly kind: 'shard'; readonly shard: number }
  /** Publications of a topic, which lives on that shard. */
  | { readonly kind: 'topic'; readonly shard: number; readonly topic: string }
  /** What is said about a topic to whoever listens, and kept nowhere. */
  | { readonly kind: 'signal'; readonly shard: number; readonly topic: string }
  | { readonly kind: 'node'; readonly node: string }
  | { readonly kind: 'everyone' }
  /** What is watched at which node (inspect/relay.ts): to everyone. */
  | { readonly kind: 'watch' }
  /** What is to be shown at a node. */
  | { readonly kind: 'watcher'; readonly node: string };

export interface ChannelListener {
  message(payload: Uint8Array): void;
  /** From here on messages arrive. Called once after `listen`, and again after every interruption. */
  active(): void;
}

export interface ClusterStore {
  /** Says that the node is alive for `ttlMs`, and gives who else is. False: another process beats under its id. */
  beat(node: NodeInfo, ttlMs: number): Promise<ClusterView | false>;
  view(): Promise<ClusterView>;
  /** Takes the node off the list, unless another process has its id by now. */
  leave(id: string, nonce: string): Promise<void>;
  /** Tells a node to give its shards away, or to take them again. False: there is no such node. */
  drain(id: string, isDraining: boolean): Promise<boolean>;
  /** Gives a shard to a node for as long as that node is there; undefined takes that back. */
  pin(shard: number, node: string | undefined): Promise<void>;
  /** The shards asked for, in order. */
  statuses(shards: readonly number[]): Promise<readonly ShardStatus[]>;

  /**
   * Puts an envelope into a shard's inbox. 'full': it holds `max` already, and nothing happened. Rejects with
   * JOURNAL_UNAVAILABLE; its `params.sent` is false when nothing can have happened. Of `actor`, whoever reads the
   * envelope is told whether it exists by then, and whom a ring brings it, whether it existed when it was sent: to be named
   * only the first time that an envelope is sent, and if nobody else can make the actor.
   */
  send(shard: number, payload: Uint8Array, max: number, actor?: Address): Promise<'sent' | 'full'>;
  /** Envelopes with `n > after`, at most `limit`, oldest first. */
  readInbox(shard: number, after: number, limit: number): Promise<readonly InboxRecord[]>;

  /** `lost` is called when the message may not have left this process. */
  publish(channel: Channel, payload: Uint8Array, lost?: () => void): void;
  /** Calls the listener until the returned function is called. Listeners of one channel in one process share a subscription. */
  listen(channel: Channel, listener: ChannelListener): () => void;
}
