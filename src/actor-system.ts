/**
 * The public face of the runtime: what an application sees of an open system. `openSystem` (system.ts) makes one.
 *
 * Every answer given here (a settled promise, a snapshot, a publication) shows committed state only.
 */

import type { Address } from './actor/address.ts';
import type { ActorDefinition, EventOf, SnapshotOf } from './actor/definition.ts';
import type { AnyEvent } from './actor/envelope.ts';
import type { Journal, RangeOptions } from './journal/journal.ts';
import type { Signals } from './topic/signals.ts';
import type { Publication, TopicHistory } from './topic/topic.ts';

export interface SendOptions {
  /** The operation (correlation) id; everything the event causes inherits it. */
  readonly operation?: string;
  /**
   * The actor recognises a repetition and answers as before: the event may be sent again when nobody can tell whether it
   * was handled, because its shard's owner died.
   */
  readonly isRepeatable?: boolean;
  /** W3C `traceparent`. */
  readonly trace?: string;
}

export interface ActorState<TState> {
  /** Number of events the actor has accepted. */
  readonly version: number;
  /** The machine's snapshot (`value`, `context`, `matches`, …). */
  readonly state: TState;
}

export interface HistoryEntry {
  readonly seq: number;
  readonly version: number;
  readonly event: AnyEvent;
  readonly emitted: readonly string[];
  readonly from: Address | undefined;
  readonly operation: string | undefined;
  readonly at: number;
}

export interface ActorRef<TDefinition extends ActorDefinition> {
  readonly address: Address;
  /**
   * Resolves when the event was handled and what it caused is committed. Rejects with a `TroupeError`: MAILBOX_FULL or
   * OUTBOX_FULL (nothing happened, try later), MACHINE_FAILED (the machine threw; the actor is unchanged), EVENT_REFUSED,
   * ACTOR_DAMAGED, JOURNAL_UNAVAILABLE (it may or may not have happened), STOPPED.
   */
  tell(event: EventOf<TDefinition>, options?: SendOptions): Promise<void>;
  /** As `tell`, and resolves with what the event's `reply` effect gave. Rejects with NO_REPLY when there was none, ASK_TIMEOUT after the deadline. */
  ask(event: EventOf<TDefinition>, options?: SendOptions & { readonly deadlineMs?: number }): Promise<unknown>;
  /** The state after everything committed; undefined for an actor that never accepted an event. Creates nothing. */
  snapshot(): Promise<ActorState<SnapshotOf<TDefinition>> | undefined>;
  /** The accepted events, oldest first. Reads the shard's journal: for people and tests, not for hot paths. */
  history(): Promise<readonly HistoryEntry[]>;
}

export interface ActorSystem {
  readonly journal: Journal;
  readonly shards: number;
  actor<TDefinition extends ActorDefinition>(definition: TDefinition, id: string): ActorRef<TDefinition>;
  /** A fresh UUID; with `near`, one on the same shard as that UUID. */
  mint(near?: string): string;
  /** Wall-clock time, ms since 1970. */
  now(): number;
  /** Calls `listener` for each publication committed from now on, in order. Returns the unsubscription. */
  subscribe(topic: string, listener: (publication: Publication) => void): () => void;
  /**
   * When a subscription made just now hears everything from then on; undefined: it does already (the topic's shard is on
   * this node). Resolves before any of that is heard, so that whoever waits for it can first read what was before.
   */
  listening(topic: string): Promise<void> | undefined;
  /** What is said to other gateways and kept nowhere. */
  readonly signals: Signals;
  /** Publications after `position.offset`, and whether nothing between was lost. */
  readTopic(
    topic: string,
    position: { readonly offset: number; readonly epoch?: string; readonly limit?: number },
  ): Promise<TopicHistory>;
  /** Rows of a view by key, on the shard of the UUID `near`; undefined where there is none. */
  rows<T>(view: string, near: string, keys: readonly string[]): Promise<readonly (T | undefined)[]>;
  /** Rows of a view in key order, on the shard of the UUID `near`. */
  range<T>(
    view: string,
    near: string,
    options: RangeOptions,
  ): Promise<readonly { readonly key: string; readonly value: T }[]>;
  /** As `range`, over all shards, merged in key order. */
  rangeOfAll<T>(view: string, options: RangeOptions): Promise<readonly { readonly key: string; readonly value: T }[]>;
  /** Resolves when everything that `operation` has sent from the shard of the UUID `near` so far is committed by its receivers. */
  settled(operation: string, near: string, deadlineMs?: number): Promise<void>;
  /** Every shard is owned and takes envelopes; among other nodes: every one that is to be owned by this node. */
  ready(): boolean;
  /** Takes no new commands, finishes the turns under way, commits, releases the shards and closes the journal. */
  stop(): Promise<void>;
}
