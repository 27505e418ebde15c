/**
 * Projections: read models built from the journal. A projection is a pure function from one journaled step (the entry's
 * event and the actor's state after it) to rows; its rows are written by the commit of that very step. So a view never
 * lags behind its shard, a crash can neither lose nor repeat an update, and whoever saw an operation's outcome sees it
 * in the next read. A projection that is new or whose `version` changed is rebuilt from the journal, shard by shard,
 * before the shard takes its first envelope.
 *
 * An actor that is retired (its definition's `retire`) is projected once more, from the state that is kept of it: with an
 * event of type `troupe.retired`, nothing emitted, no operation and `at` 0. So its rows can shrink with it.
 *
 * Rows live on the shard of the actor that caused them. What a view shows therefore never depends on the order of
 * events across shards.
 */

import type { SnapshotFrom } from 'xstate';
import type { Address } from '../actor/address.ts';
import type { ActorDefinition, EventOf } from '../actor/definition.ts';

export interface Row {
  /** The view the row belongs to. */
  readonly view: string;
  /** ASCII, 1 to 200 characters; rows of a view and shard are ordered by it. */
  readonly key: string;
  /** Plain data; undefined deletes the row. */
  readonly value: unknown;
}

export interface Step<TState, TEvent> {
  readonly self: Address;
  readonly id: string;
  readonly version: number;
  readonly event: TEvent;
  readonly emitted: readonly string[];
  /** The machine's snapshot after the event. */
  readonly state: TState;
  readonly operation: string | undefined;
  readonly at: number;
}

/** Type of the event that a retirement is to projections. */
export const retiredEvent = 'troupe.retired';

/** Whether a step is an actor's retirement: its rows may go, if what is kept of the actor tells the same. */
export function isRetirement({ event }: { readonly event: { readonly type: string } }): boolean {
  return event.type === retiredEvent;
}

export interface Projection {
  readonly name: string;
  /** Changing it rebuilds the projection's views. */
  readonly version: string;
  /** The views whose rows it writes; no other projection writes them. */
  readonly views: readonly string[];
  /** Per actor type. */
  readonly rules: Readonly<Record<string, (step: Step<never, never>) => readonly Row[]>>;
}

/** One rule of a projection, typed by the actor whose steps it reads. */
export function rule<TDefinition extends ActorDefinition>(
  definition: TDefinition,
  rows: (step: Step<SnapshotFrom<TDefinition['machine']>, EventOf<TDefinition>>) => readonly Row[],
): readonly [type: string, rows: (step: Step<never, never>) => readonly Row[]] {
  return [definition.type, rows as (step: Step<never, never>) => readonly Row[]];
}

export function defineProjection(options: {
  readonly name: string;
  readonly version: string;
  readonly views: readonly string[];
  readonly rules: readonly (readonly [type: string, rows: (step: Step<never, never>) => readonly Row[]])[];
}): Projection {
  return { ...options, rules: Object.fromEntries(options.rules) };
}
