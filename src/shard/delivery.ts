/**
 * Deliveries: envelopes as they wait in a mailbox, together with what the runtime must do about them afterwards. A
 * command comes from outside and somebody waits for its answer; a parcel comes from another shard's outbox and moves
 * that shard's mark; a timer is fed back by this shard; a local one was told within the turn that handles it.
 */

import type { AnyMachineSnapshot } from 'xstate';
import type { Address } from '../actor/address.ts';
import type { Envelope } from '../actor/envelope.ts';
import type { TimerKey } from '../journal/journal.ts';
import type { Parcel } from './parcel.ts';

export interface Waiting<T> {
  resolve(value: T): void;
  reject(error: Error): void;
}

export interface Command {
  readonly kind: 'command';
  readonly envelope: Envelope;
  /** Its event, encoded, if it has come so. */
  readonly payload?: Uint8Array | undefined;
  readonly wantsReply: boolean;
  readonly waiting: Waiting<unknown>;
  /** Its number in the shard's inbox, if it came from another node: the inbox has it until a commit says it was handled. */
  readonly inbox?: number | undefined;
  attempts: number;
}

export interface ReadState {
  readonly version: number;
  readonly state: AnyMachineSnapshot;
  /** Version at which it was retired, if it was. */
  readonly retired?: number | undefined;
}

export interface Compacting {
  /** The actor is retired (`ActorOptions.retire`) if it has accepted nothing after this version. */
  readonly retireAt: number | undefined;
}

export interface Read {
  readonly kind: 'read';
  readonly address: Address;
  readonly waiting: Waiting<ReadState | undefined>;
  /** The turn's commit has a snapshot of it, so that the entries before are not needed to rehydrate it. */
  readonly compact?: Compacting;
  readonly inbox?: number;
  attempts: number;
}

/** Has a snapshot made that nobody waits for. */
export function snapshotOf(address: Address): Read {
  const waiting = { resolve: () => undefined, reject: () => undefined };
  return { kind: 'read', address, compact: { retireAt: undefined }, waiting, attempts: 0 };
}

/** Resolves once everything committed before it was asked has been released. */
export interface Barrier {
  readonly kind: 'barrier';
  readonly waiting: Waiting<void>;
  /** Said in the turn's commit, beside the versions of the projections: how far compaction.ts came. */
  readonly progress?: Readonly<Record<string, string>>;
  readonly inbox?: number;
  attempts: number;
}

export interface Arrival {
  readonly kind: 'parcel';
  readonly from: number;
  readonly n: number;
  readonly parcel: Parcel;
  /** The node of the sending shard, if nothing waits there for the acknowledgement. */
  readonly gatherFor?: string | undefined;
}

export interface Firing {
  readonly kind: 'timer';
  readonly key: TimerKey;
  readonly generation: number;
}

export interface Local {
  readonly kind: 'local';
  readonly envelope: Envelope;
}

/** A settled publication to a topic of this shard: it comes after what its operation told near actors before. */
export interface News {
  readonly kind: 'news';
  readonly topic: string;
  readonly data: unknown;
  /** The envelope that caused it, with the operation the publication belongs to. */
  readonly cause: Envelope;
}

export type Delivery = Command | Read | Barrier | Arrival | Firing | Local | News;
