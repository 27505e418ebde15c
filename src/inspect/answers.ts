/**
 * What `/inspect/api` answers and what `/inspect/ws` adds to its frames, as JSON has them. The page imports these types and
 * nothing else of the inspection, so that both sides of the wire are checked against one text. There is no code in here.
 */

import type { StateValue } from 'xstate';
import type { Address } from '../actor/address.ts';
import type { AnyEvent } from '../actor/envelope.ts';

export type { AnyEvent, StateValue };

export interface NodeRow {
  readonly id: string;
  /** `all`, `gateway` or `worker`. */
  readonly role: string;
  readonly isDraining: boolean;
  /** Null for a node that nobody else could take the place of. */
  readonly expiresInMs: number | null;
  readonly about: string;
}

export interface ShardRow {
  readonly shard: number;
  /** Null while nobody holds it. */
  readonly owner: string | null;
  readonly epoch: number;
  readonly commits: number;
  readonly seq: number;
  readonly inboxLag: number;
  /** Whether the node that answers owns it. */
  readonly isHere: boolean;
  /** Deliveries that wait, and actors in memory: of shards that are here. */
  readonly mailbox?: number;
  readonly resident?: number;
}

export interface DeadLetterRow {
  readonly shard: number;
  /** An address, unless it is the letter of a publication: then it is a topic. */
  readonly address: string;
  readonly event: AnyEvent;
  readonly code: string;
  readonly reason: string;
  readonly at: number;
}

export interface Overview {
  readonly nodes: readonly NodeRow[];
  readonly shards: readonly ShardRow[];
  /** `total` counts those read; `isMore`: there are more. */
  readonly deadLetters: {
    readonly total: number;
    readonly isMore: boolean;
    readonly recent: readonly DeadLetterRow[];
  };
}

export interface TypeRow {
  readonly type: string;
  /** The config of its machine, as JSON. */
  readonly definition: unknown;
  readonly version: string;
  /** Whether its actors come to an end and are retired, as those of operations are. */
  readonly ends: boolean;
}

export interface ActorRow {
  readonly address: Address;
  /** Null when it cannot be read without its whole history, or at all. */
  readonly value: StateValue | null;
  readonly status: string;
  readonly version: number;
  /** Null when its shard is another node's. */
  readonly isResident: boolean | null;
}

export interface Actor {
  readonly address: Address;
  readonly type: string;
  readonly version: number;
  readonly value: StateValue;
  readonly status: string;
  readonly context: unknown;
  readonly output?: unknown;
  /** Version at which it was retired. */
  readonly retired?: number;
  readonly isResident: boolean | null;
  readonly shard: number;
  readonly owner: string | null;
}

export interface HistoryStep {
  /** Of the actor, after this step. */
  readonly version: number;
  /** Position in the journal of its shard. */
  readonly shardSeq: number;
  /** Wall-clock time, ms since 1970. */
  readonly at: number;
  readonly event: AnyEvent;
  readonly operation?: string;
  /** The sending actor; absent when the event came from outside. */
  readonly from?: Address;
  readonly value: StateValue;
  readonly status: string;
  readonly context: unknown;
  /** What the machine emitted, as it is, and then its timers: `timer.set` and `timer.cancel`. */
  readonly effects: readonly { readonly type: string }[];
  /** The transitions it took, by the ids that its chart gives them. */
  readonly taken: readonly string[];
}

/** A state without an event that led to it. */
export interface InitialState {
  readonly version: number;
  readonly value: StateValue;
  readonly status: string;
  readonly context: unknown;
}

export interface HistoryPage {
  readonly address: Address;
  readonly type: string;
  readonly shard: number;
  /** Version after its newest event; 0 for an actor that never accepted one. */
  readonly version: number;
  /** Oldest first. */
  readonly steps: readonly HistoryStep[];
  /** There are steps after these. */
  readonly more: boolean;
  /** As it was before the first of these steps. */
  readonly initial?: InitialState;
  /** The first version that can still be seen, and why it is not 1. */
  readonly begins?: { readonly version: number; readonly reason: string };
  /** Version at which it was retired: what came later grew out of a reduced state. */
  readonly retired?: number;
  /** Why the history cannot be followed any further. */
  readonly problem?: string;
}

/** A transition that names the event in one of the states the actor is in. */
export interface AttemptCandidate {
  /** By the id that the chart gives it. */
  readonly transition: string;
  /** Id of the state that has it. */
  readonly state: string;
  readonly guard?: string;
  readonly passed: boolean;
  /** What its guard threw. */
  readonly error?: string;
}

export interface Refusal {
  /** The states the actor is in, from the outside in, for people: `open`, or `left.on, right.off`. */
  readonly state: string;
  /** A sentence. */
  readonly reason: string;
  readonly candidates: readonly AttemptCandidate[];
}

/** What a machine would do with an event, on a fork that nothing hears of. */
export interface Attempt {
  /** The version at which it was tried. */
  readonly version: number;
  readonly event: AnyEvent;
  /** Some transition takes it. */
  readonly accepted: boolean;
  /** The state changes, or something is emitted or timed; else it is taken and nothing comes of it. */
  readonly changes: boolean;
  readonly value: StateValue;
  readonly status: string;
  readonly context: unknown;
  /** As those of a `HistoryStep`. */
  readonly effects: readonly { readonly type: string }[];
  /** The transitions that it takes, by the ids that the chart gives them. */
  readonly taken: readonly string[];
  readonly refusal?: Refusal;
}

/** A step of an operation, at one of the actors that took part in it. */
export interface OperationStep {
  readonly address: Address;
  readonly version: number;
  readonly shard: number;
  readonly shardSeq: number;
  readonly at: number;
  readonly event: AnyEvent;
  /** The sending actor; absent when the event came from outside. */
  readonly from?: Address;
  /** Types of what the machine emitted on it. */
  readonly emitted: readonly string[];
}

export interface OperationTrace {
  readonly operationId: string;
  /** Causes before their effects. */
  readonly steps: readonly OperationStep[];
  /** False: there was more to read than may be read for one answer, or entries on the way were damaged or trimmed. */
  readonly isComplete: boolean;
}

/** What a frame of `/inspect/ws` says beyond the vocabulary of @statelyai/inspect: its field `_troupe`. */
export interface FrameNote {
  /** Of the actor, after the step. */
  readonly version: number;
  readonly shard: number;
  readonly node: string;
  readonly operation?: string;
  /** What the machine emitted. */
  readonly emitted?: readonly string[];
  /** Nothing took the event. */
  readonly refused?: true;
  /** Nothing changed; the actor said something all the same. */
  readonly answered?: true;
  /** Of an event that was refused or only answered: the state it met. */
  readonly state?: StateValue;
  /** Of an event that was refused with an error. */
  readonly code?: string;
}
