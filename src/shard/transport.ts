/**
 * The transport port: how parcels get from one shard's outbox to another shard's mailbox. It may lose, repeat and
 * reorder; the marks and the outbox make up for all three. What it may not do is invent.
 */

import type { Parcel } from './parcel.ts';

export interface Transport {
  /** Towards the receiver `to`. Patient: nothing waits for its acknowledgement. */
  deliver(to: number, from: number, n: number, parcel: Parcel, isPatient?: boolean): void;
  /**
   * Towards the sender: `receiver` has committed everything of it up to `n`. `gatherFor` is what a patient parcel came with: its
   * acknowledgement may be said later, together with others.
   */
  acknowledge(sender: number, receiver: number, n: number, gatherFor?: string): void;
  /** Towards the sender: `receiver` stands at mark `n` and wants everything after it again. */
  resend(sender: number, receiver: number, n: number): void;
}
