/**
 * Deliveries: envelopes as they wait in a mailbox, together with what the runtime must do about them afterwards. A
 * command comes from outside and somebody waits for its answer; a parcel comes from another shard's outbox and moves
 * that shard's mark; a timer is fed back by this shard; a local one was told within the turn that handles it.
 */

import type { AnyMachineSnapshot } from 'xstate';
import type { Address } from '../actor/address.ts';
import type { Envelope } from '../actor/envelope.ts';
import type { TimerKey } from '../journal/journal.ts';

/** What crosses between shards, encoded in an outbox record. */
export interface Parcel {
  readonly envelope?: Envelope;
  readonly publication?: { readonly topic: string; readonly data: unknown };
  readonly operation?: string;
  /** Leaves only when everything its operation sent before it has been acknowledged. */
  readonly settled?: boolean;
  /** Rises with every parcel of the sending shard, whoever it is for. */
  readonly order: number;
}

export interface Waiting<T> {
  resolve(value: T): void;
  reject(error: Error): void;
}

export interface Command {
  readonly kind: 'command';
  readonly envelope: Envelope;
  readonly wantsReply: boolean;
  readonly waiting: Waiting<unknown>;
  attempts: number;
}

export interface ReadState {
  readonly version: number;
  readonly state: AnyMachineSnapshot;
}

export interface Read {
  readonly kind: 'read';
  readonly address: Address;
  readonly waiting: Waiting<ReadState | undefined>;
  attempts: number;
}

/** Resolves once everything committed before it was asked has been released. */
export interface Barrier {
  readonly kind: 'barrier';
  readonly waiting: Waiting<void>;
  attempts: number;
}

export interface Arrival {
  readonly kind: 'parcel';
  readonly from: number;
  readonly n: number;
  readonly parcel: Parcel;
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
