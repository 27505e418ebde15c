/**
 * The definition of a persisted actor: which machine it runs, and what the world sees of it. It is plain data made once
 * by `defineActor`, which infers the event and emitted types from the machine, so that a wrong event is a type error.
 * What a machine may and may not do here is checked when a system is opened with it (actor/registration.ts).
 */

import type { AnyStateMachine, EmittedFrom, EventFromLogic, InputFrom, Snapshot, SnapshotFrom } from 'xstate';
import type { Address } from './address.ts';
import type { Effect } from './effect.ts';

/** What an effect rule may know beside the emitted event. */
export interface EffectContext {
  readonly self: Address;
  /** The id part of `self`. */
  readonly id: string;
  /** The actor whose envelope is being handled. */
  readonly from: Address | undefined;
  readonly operation: string | undefined;
}

export type EffectsOf<TEmitted extends { readonly type: string }> = {
  readonly [K in TEmitted['type']]?: (
    emitted: Extract<TEmitted, { readonly type: K }>,
    context: EffectContext,
  ) => Effect | readonly Effect[] | undefined;
};

/** When a snapshot is taken. The journal's tail after it is replayed at rehydration. */
export interface SnapshotPolicy {
  /** After this many events since the last one. Default 64. */
  readonly everyEvents: number;
  /** After this many journaled bytes since the last one. Default 16,384. */
  readonly everyBytes: number;
}

/** XState's persisted snapshot: plain data. */
export type PlainSnapshot = Snapshot<unknown> & { readonly context?: Readonly<Record<string, unknown>> };

/**
 * What is kept in the store of an actor that has nothing left to do, once its last event is old enough; its whole history
 * stays in the archive. Only a journal with an archive retires actors.
 */
export interface RetirementPolicy<TState> {
  /** Its last event is older than this. Default: `limits.retentionMs`. */
  readonly afterMs?: number;
  /** Whether it has nothing left to do, beside being in a final state. Without an archive it then leaves the memory at once. */
  readonly when?: (state: TState) => boolean;
  /**
   * A smaller snapshot. Pure. Whatever may still reach the actor must be handled as before (same answers, same views, same
   * emissions), so it keeps what its machine, effects and projections read from then on.
   */
  readonly reduce: (snapshot: PlainSnapshot) => PlainSnapshot;
}

export interface ActorOptions<TMachine extends AnyStateMachine> {
  /** The first part of its addresses: a letter, then letters, digits, `_`, `-`. */
  readonly type: string;
  readonly machine: TMachine;
  /** The machine's input for an actor that does not exist yet. Default `{ id }`. */
  readonly input?: (id: string) => InputFrom<TMachine>;
  /** Per emitted event type: what becomes of it. An emitted type without a rule has no effect but its name in the journal. */
  readonly effects?: EffectsOf<EmittedFrom<TMachine>>;
  readonly snapshots?: Partial<SnapshotPolicy>;
  readonly retire?: RetirementPolicy<SnapshotFrom<TMachine>>;
  /** An idle cell is dropped from memory after this. Default 300,000 ms. */
  readonly passivateAfterMs?: number;
  /** The id (a UUID) that decides the shard. Default: the actor's own id. */
  readonly shardKey?: (id: string) => string;
  /** Names of fields of its context and its events, at any depth, that inspection shows as "…". */
  readonly personal?: readonly string[];
}

/** A definition with its machine's types erased at run time and kept at compile time. */
export interface ActorDefinition<TMachine extends AnyStateMachine = AnyStateMachine> {
  readonly type: string;
  readonly machine: TMachine;
  readonly input: (id: string) => unknown;
  readonly effects: Readonly<
    Record<string, (emitted: never, context: EffectContext) => Effect | readonly Effect[] | undefined>
  >;
  readonly snapshots: SnapshotPolicy;
  readonly retire: RetirementPolicy<never> | undefined;
  readonly passivateAfterMs: number;
  readonly shardKey: (id: string) => string;
  readonly personal: readonly string[];
}

export type EventOf<TDefinition extends ActorDefinition> = EventFromLogic<TDefinition['machine']>;
export type SnapshotOf<TDefinition extends ActorDefinition> = SnapshotFrom<TDefinition['machine']>;

/** Binds a machine to a persisted actor type. Checks nothing but types; opening a system checks the machine. */
export function defineActor<TMachine extends AnyStateMachine>(
  options: ActorOptions<TMachine>,
): ActorDefinition<TMachine> {
  return {
    type: options.type,
    machine: options.machine,
    input: options.input ?? ((id) => ({ id })),
    effects: (options.effects ?? {}) as ActorDefinition['effects'],
    snapshots: { everyEvents: 64, everyBytes: 16_384, ...options.snapshots },
    retire: options.retire,
    passivateAfterMs: options.passivateAfterMs ?? 300_000,
    shardKey: options.shardKey ?? ((id) => id),
    personal: options.personal ?? [],
  };
}
