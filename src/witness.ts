/**
 * What the runtime shows whoever inspects it: each step of each actor, as long as somebody watches. A step is shown after
 * the commit that holds it, and all earlier ones of its shard, are done, in the order in which they happened; a step of a
 * turn that is discarded is never shown, so nothing that is seen here can be undone.
 *
 * It guarantees that nothing depends on it, and that it costs one look at a boolean per envelope while nobody watches. An
 * implementation returns at once and never throws, since it is called where a turn lets out its effects. It deliberately
 * keeps no history (the journal does) and hides nothing: what personal fields are hidden is the inspection's work
 * (inspect/), and so is every bound.
 */

import type { AnyMachineSnapshot } from 'xstate';
import type { Address } from './actor/address.ts';
import type { AnyEvent } from './actor/envelope.ts';
import type { HostedMachine } from './actor/logic.ts';
import type { Clock } from './clock.ts';
import type { ErrorCode } from './errors.ts';
import type { Ids } from './ids.ts';
import type { Journal } from './journal/journal.ts';
import type { Log } from './log.ts';
import type { ShardGauges } from './observer.ts';

/** What became of an event. */
export type StepEnd =
  /** It is in the journal. */
  | 'accepted'
  /** Nothing has changed; the actor said something all the same. */
  | 'answered'
  /** The machine has no transition for it in this state, or a guard was against it. */
  | 'refused'
  /** The machine or an effect rule threw: the actor is as it was, and the envelope is a dead letter. */
  | 'failed';

export interface WitnessedStep {
  readonly shard: number;
  readonly actor: Address;
  readonly hosted: HostedMachine;
  /** Wall-clock time of its turn, ms since 1970. */
  readonly at: number;
  readonly event: AnyEvent;
  /** The sending actor; undefined when it came from outside or is a timer's. */
  readonly from: Address | undefined;
  readonly operation: string | undefined;
  readonly end: StepEnd;
  /** Of a step that failed. */
  readonly code: ErrorCode | undefined;
  /** After the step. */
  readonly state: AnyMachineSnapshot;
  /** Events that the actor has accepted, this one included. */
  readonly version: number;
  /** Types of what the machine emitted. */
  readonly emitted: readonly string[];
}

/** Where a shard stands: what its owner says of it, and its newest commit that is done. */
export interface ShardStanding extends ShardGauges {
  readonly commits: number;
  readonly seq: number;
}

/** An open system, as whoever inspects it sees it. */
export interface Inspected {
  /** Name of this node. */
  readonly node: string;
  readonly journal: Journal;
  readonly hosted: ReadonlyMap<string, HostedMachine>;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  /** All shards in order; of those that are elsewhere only the number is worth anything. */
  standings(): readonly ShardStanding[];
  /** Whether the actor is in memory; undefined when its shard is not owned by this process. */
  isResident(shard: number, actor: Address): boolean | undefined;
}

export interface Witness {
  /** Whether anybody watches anything. */
  readonly isWatched: boolean;
  /** Whether somebody wants to see steps of this actor that belong to this operation. Asked while `isWatched`. */
  wants(actor: Address, operation: string | undefined): boolean;
  stepped(step: WitnessedStep): void;
  /** A system has opened. */
  opened(system: Inspected): void;
  /** It stops, and shows nothing more. */
  closed(): void;
}

const nothing = (): void => undefined;

/** Sees nothing. */
export const silentWitness: Witness = {
  isWatched: false,
  wants: () => false,
  stepped: nothing,
  opened: nothing,
  closed: nothing,
};
