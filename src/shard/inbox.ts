/**
 * The inbox of one shard, as its owner reads it: envelopes that other nodes have sent, numbered by the store. They go
 * through the mailbox like everything else; the commit of the turn that took one says so (`due`), and with that the store
 * drops it. What was read and not committed is read again by the next owner, or by this one after a recovery.
 *
 * It reads only when it is rung or asked, at most `windowMax` ahead of the turns; the envelope behind the last one read may
 * also come along with the ring. A shard of a system of one node has one that never holds anything.
 */

import type { Barrier, Command, Delivery, Read } from './delivery.ts';

/** Where a shard's inbox is read; cluster/ has the one there is. */
export interface InboxSource {
  /** Envelopes with `n > after` in order, at most `limit`, one delivery for each. */
  read(after: number, limit: number): Promise<InboxPage>;
}

export interface InboxPage {
  readonly deliveries: readonly (Command | Read | Barrier)[];
  /** Number of the last envelope read, or `after` when there was none. */
  readonly last: number;
}

const pageMax = 256;
/** Envelopes that may wait in the mailbox; the others wait in the store. */
const windowMax = 1_024;
/** Handled envelopes that stay in the store until the next commit takes them along, at the most. */
const handledMax = 512;

export class Inbox {
  readonly #source: InboxSource | undefined;
  readonly #give: (deliveries: readonly Delivery[]) => void;
  readonly #failed: (error: unknown) => void;
  #isOpen = false;
  /** Rises with every restart: what an earlier one was reading is not wanted any more. */
  #round = 0;
  #isReading = false;
  #isRung = false;
  /** Numbers of the last envelope put into the mailbox, of the last one a turn took, and of the last one a commit named. */
  #read = 0;
  #taken = 0;
  #named = 0;
  #handledLimit = handledMax;

  constructor(
    source: InboxSource | undefined,
    give: (deliveries: readonly Delivery[]) => void,
    failed: (error: unknown) => void,
  ) {
    this.#source = source;
    this.#give = give;
    this.#failed = failed;
  }

  /** Whether there are other nodes that could send anything. */
  get exists(): boolean {
    return this.#source !== undefined;
  }

  /** Whether handled envelopes are to leave the store by a commit of their own. */
  get wantsCommit(): boolean {
    return this.#taken - this.#named >= this.#handledLimit;
  }

  get hasHandled(): boolean {
    return this.#taken > this.#named;
  }

  /** Envelopes that were read and are not handled by a turn yet. */
  get lag(): number {
    return this.#read - this.#taken;
  }

  /** Asks for that commit although they are few. */
  tidy(): void {
    this.#handledLimit = 1;
  }

  /** Begins after the last handled one. Gives everything that waited when that was asked, for the front of the mailbox. */
  async restart(handled: number): Promise<Delivery[]> {
    const round = this.close();
    this.#read = handled;
    this.#taken = handled;
    this.#named = handled;
    const waiting: Delivery[] = [];
    // A page that is not full ends it: what comes after rings, and a steady stream must not keep the shard closed.
    for (let isMore = this.#source !== undefined; isMore; ) {
      const { deliveries, last } = await this.#source!.read(this.#read, pageMax);
      if (this.#round !== round) return [];
      isMore = last - this.#read >= pageMax;
      this.#read = last;
      waiting.push(...deliveries);
    }
    return waiting;
  }

  /** Reads from here on when it is rung. */
  open(): void {
    this.#isOpen = true;
    if (this.#isRung) this.ring();
  }

  /** Reads nothing more until it is restarted. */
  close(): number {
    this.#isOpen = false;
    this.#isReading = false;
    return ++this.#round;
  }

  /** Something may have been sent. */
  ring(): void {
    if (this.#source === undefined) return;
    this.#isRung = true;
    if (!this.#isOpen || this.#isReading || this.#read - this.#taken >= windowMax) return;
    this.#isRung = false;
    this.#isReading = true;
    const round = this.#round;
    this.#source.read(this.#read, pageMax).then(
      (page) => {
        if (this.#round === round) this.#got(page);
      },
      (error) => {
        if (this.#round !== round) return;
        this.#isReading = false;
        this.#failed(error);
      },
    );
  }

  /** An envelope came along with its ring. It is read from the store after all if another one is missing before it. */
  came(n: number, deliveryOf: () => Delivery): void {
    if (n <= this.#read) return;
    const isNext = n === this.#read + 1 && this.#isOpen && !this.#isReading && this.#read - this.#taken < windowMax;
    if (!isNext) return this.ring();
    this.#read = n;
    this.#give([deliveryOf()]);
  }

  /** A turn has handled the envelope with this number. */
  took(n: number): void {
    this.#taken = n;
  }

  /** What the next commit names: everything up to it was handled. 0: nothing since the last one. */
  due(): number {
    this.#handledLimit = handledMax;
    if (this.#taken === this.#named) return 0;
    this.#named = this.#taken;
    return this.#taken;
  }

  /** Goes on where the window was full. */
  goOn(): void {
    if (this.#isRung) this.ring();
  }

  #got({ deliveries, last }: InboxPage): void {
    this.#isReading = false;
    // What comes after a page that is not full rings again.
    const isMore = last - this.#read >= pageMax;
    this.#read = last;
    if (deliveries.length > 0) this.#give(deliveries);
    if (isMore || this.#isRung) this.ring();
  }
}
