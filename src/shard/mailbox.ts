/**
 * A shard's mailbox: first in, first out. Only what clients of this node ask meets its bound; parcels, timers and what was
 * read from the inbox always get in, because the store holds them and they are bounded themselves (outbox, live timers,
 * the inbox's window).
 */

import type { Delivery } from './delivery.ts';

/** Slots freed at the front before the backing array is compacted. */
const compactAt = 1_024;

export class Mailbox {
  readonly #bound: number;
  #queue: Delivery[] = [];
  #front = 0;
  #bounded = 0;

  constructor(bound: number) {
    this.#bound = bound;
  }

  get length(): number {
    return this.#queue.length - this.#front;
  }

  /** False: it is full, and the delivery was not taken. */
  offer(delivery: Delivery): boolean {
    const bounded = isBounded(delivery);
    if (bounded && this.#bounded >= this.#bound) return false;
    if (bounded) this.#bounded++;
    this.#queue.push(delivery);
    return true;
  }

  take(max: number): Delivery[] {
    const taken = this.#queue.slice(this.#front, this.#front + max);
    this.#front += taken.length;
    if (this.#front === this.#queue.length) {
      this.#queue = [];
      this.#front = 0;
    } else if (this.#front >= compactAt) {
      this.#queue = this.#queue.slice(this.#front);
      this.#front = 0;
    }
    for (const delivery of taken) if (isBounded(delivery)) this.#bounded--;
    return taken;
  }

  /** Puts deliveries that were taken back before everything else, in their order. */
  putBack(deliveries: readonly Delivery[]): void {
    if (deliveries.length === 0) return;
    this.#queue = [...deliveries, ...this.#queue.slice(this.#front)];
    this.#front = 0;
    for (const delivery of deliveries) if (isBounded(delivery)) this.#bounded++;
  }

  /** Removes what `keep` does not want and gives it back. */
  sift(keep: (delivery: Delivery) => boolean): Delivery[] {
    const all = this.take(this.length);
    this.putBack(all.filter(keep));
    return all.filter((delivery) => !keep(delivery));
  }
}

/** Whether it comes from a client of this node. What the inbox gave must not be lost: a later one's commit would say that it was handled. */
function isBounded(delivery: Delivery): boolean {
  const { kind } = delivery;
  return (kind === 'command' || kind === 'read' || kind === 'barrier') && delivery.inbox === undefined;
}
