/**
 * The outbox of one shard, as it stands after the newest turn: parcels whose receiver has not acknowledged them. None
 * leaves before its commit is durable (`release`). Parcels of one
 * pair of shards leave in order and are numbered without gaps; the receiver's mark makes repeats harmless, so anything
 * unacknowledged may be sent again at any time (after a restart, a takeover, a lost delivery).
 *
 * A `settled` parcel waits until everything its operation sent from this shard before it has been acknowledged; whoever
 * sees it therefore sees the whole operation in every read. Waiting cannot deadlock: a parcel only ever waits for
 * parcels of lower order.
 */

import type { Address } from '../actor/address.ts';
import type { Mark } from '../journal/journal.ts';
import { type Parcel, unpacked } from './parcel.ts';
import type { Transport } from './transport.ts';

interface Pending {
  readonly n: number;
  /** Number of the commit that holds it. */
  readonly commit: number;
  readonly parcel: Parcel;
}

interface Pair {
  /** Unacknowledged, in order of `n`. */
  pending: Pending[];
  /** How many of `pending` have been handed to the transport. */
  sent: number;
  /** First unacknowledged parcel at the last look, and for how many looks it has been that one. */
  stalled: number;
  looks: number;
}

/** Parcels of one pair that are on their way at once; the others wait, so that a resend is never a flood. */
const windowMax = 1_024;
/** Up to so many of them can be patient. */
const patientMax = 256;

/** Who waits for an operation. */
interface Drain {
  done(): void;
  lost(): void;
}

/** Acknowledged parcels that stay in the store until the next commit takes them along, at the most. */
const ackedMax = 512;

export class Outbox {
  readonly #shard: number;
  readonly #transport: Transport;
  /** The highest number handed out per receiver. */
  readonly #last: ReadonlyMap<number, number>;
  readonly #pairs = new Map<number, Pair>();
  /** Orders of the unacknowledged parcels per operation, rising. */
  readonly #operations = new Map<string, number[]>();
  readonly #drained = new Map<string, Drain[]>();
  /** The parcel of an operation whose acknowledgement nothing waited for when it was sent. */
  readonly #patient = new Map<string, { readonly to: number; readonly pending: Pending }>();
  /** Pairs with parcels that nothing but their commit may keep from leaving. */
  readonly #unsent = new Set<number>();
  /** Pairs whose next parcel waits for its operation. */
  readonly #blocked = new Set<number>();
  /** How many parcels to this very shard one actor has for another: `from to`. */
  readonly #own = new Map<string, number>();
  #acked = new Map<number, number>();
  #ackedCount = 0;
  #ackedLimit = ackedMax;
  #size = 0;
  #released = 0;

  constructor(shard: number, transport: Transport, last: ReadonlyMap<number, number> = new Map()) {
    this.#shard = shard;
    this.#transport = transport;
    this.#last = last;
  }

  /** Unacknowledged parcels. */
  get size(): number {
    return this.#size;
  }

  /** Whether acknowledged parcels are to be removed from the store by a commit of their own. */
  get wantsCommit(): boolean {
    return this.#ackedCount >= this.#ackedLimit;
  }

  /** Asks for that commit although they are few. */
  tidy(): void {
    this.#ackedLimit = 1;
  }

  get hasAcked(): boolean {
    return this.#ackedCount > 0;
  }

  /** Takes in a parcel of the turn whose commit has this number. */
  add(to: number, n: number, parcel: Parcel, commit: number): void {
    let pair = this.#pairs.get(to);
    if (pair === undefined) {
      pair = { pending: [], sent: 0, stalled: 0, looks: 0 };
      this.#pairs.set(to, pair);
    }
    pair.pending.push({ n, parcel, commit });
    this.#unsent.add(to);
    this.#size++;
    if (to === this.#shard) this.#count(parcel, 1);
    if (parcel.operation === undefined) return;
    const orders = this.#operations.get(parcel.operation);
    if (orders === undefined) {
      this.#operations.set(parcel.operation, [parcel.order]);
      return;
    }
    // Loaded parcels come pair by pair, and so not in the order in which they were sent.
    let at = orders.length;
    while (at > 0 && orders[at - 1]! > parcel.order) at--;
    orders.splice(at, 0, parcel.order);
  }

  /** The commits up to this number are durable: what they hold may leave. */
  release(commit: number): void {
    this.#released = Math.max(this.#released, commit);
  }

  isPending(operation: string): boolean {
    return this.#operations.has(operation);
  }

  /** Whether something that `from` told `to`, an actor of this shard too, is still to arrive: what follows goes behind it. */
  isHolding(from: Address, to: Address): boolean {
    return this.#own.size > 0 && this.#own.has(`${from} ${to}`);
  }

  /** Calls `done` when nothing of the operation is unacknowledged any more, or `lost` when this shard goes elsewhere. */
  whenDrained(operation: string, done: () => void, lost: () => void = () => undefined): void {
    if (!this.#operations.has(operation)) return done();
    this.#hurry(operation);
    const waiting = this.#drained.get(operation);
    if (waiting === undefined) this.#drained.set(operation, [{ done, lost }]);
    else waiting.push({ done, lost });
  }

  /** Sends what may leave. */
  pump(): void {
    for (const to of this.#unsent) this.#pumpPair(to);
  }

  #pumpPair(to: number): void {
    const pair = this.#pairs.get(to);
    if (pair === undefined) return;
    for (let next = pair.pending[pair.sent]; next !== undefined; next = pair.pending[pair.sent]) {
      if (next.commit > this.#released || pair.sent >= windowMax) {
        this.#unsent.add(to);
        return;
      }
      if (this.#mustWait(next.parcel)) {
        this.#blocked.add(to);
        this.#unsent.delete(to);
        this.#hurry(next.parcel.operation as string);
        return;
      }
      this.#deliver(to, next, pair.sent++ < patientMax && this.#isPatient(next.parcel));
    }
    this.#unsent.delete(to);
  }

  #deliver(to: number, pending: Pending, isPatient: boolean): void {
    const { n, parcel } = pending;
    if (isPatient) this.#patient.set(parcel.operation as string, { to, pending });
    this.#transport.deliver(to, this.#shard, n, parcel, isPatient);
  }

  /** Whether it is the last word of an operation that nobody waits for, as they mostly are. */
  #isPatient({ settled, operation }: Parcel): boolean {
    if (settled !== true || operation === undefined || this.#drained.has(operation)) return false;
    return this.#operations.get(operation)?.length === 1;
  }

  /** Somebody waits for the operation now: its last parcel goes again, and a repeat is acknowledged at once. */
  #hurry(operation: string): void {
    const patient = this.#patient.get(operation);
    if (patient === undefined) return;
    this.#patient.delete(operation);
    this.#deliver(patient.to, patient.pending, false);
  }

  /** The receiver has committed everything up to `n`. Repeats and old ones change nothing. */
  acknowledge(to: number, n: number): void {
    this.#acknowledge(to, n);
    // The window may have been full.
    if (this.#unsent.has(to)) this.#pumpPair(to);
  }

  #acknowledge(to: number, n: number): void {
    const pair = this.#pairs.get(to);
    if (pair === undefined) return;
    let count = 0;
    while (count < pair.pending.length && pair.pending[count]!.n <= n) count++;
    if (count === 0) return;
    const gone = pair.pending.splice(0, count);
    pair.sent = Math.max(0, pair.sent - count);
    this.#size -= count;
    this.#ackedCount += count;
    this.#acked.set(to, n);
    for (const { parcel } of gone) {
      if (to === this.#shard) this.#count(parcel, -1);
      this.#forget(parcel);
    }
    const blocked = [...this.#blocked];
    this.#blocked.clear();
    for (const shard of blocked) this.#pumpPair(shard);
  }

  /**
   * The receiver stands at `mark` and has lost what was on its way: everything after it goes again. One that stands before
   * what it had acknowledged is told that those are gone, since it would wait for them; for any other that is a repeat.
   */
  resend(to: number, mark: number): void {
    this.#acknowledge(to, mark);
    const pair = this.#pairs.get(to);
    const first = pair?.pending[0];
    const gone = (first?.n ?? (this.#last.get(to) ?? 0) + 1) - 1;
    const isFollowed = first?.parcel.after !== undefined && first.parcel.after <= mark;
    if (gone > mark && !isFollowed) this.#transport.deliver(to, this.#shard, gone, unpacked({ order: 0, after: 0 }));
    if (pair === undefined) return;
    pair.sent = 0;
    this.#pumpPair(to);
  }

  /**
   * Called now and then. What was sent and not acknowledged since is sent again, at looks that lie ever further apart: it
   * may have been lost on the way, and a receiver that is only slow is not to be flooded with repeats.
   */
  retry(): void {
    for (const [to, pair] of this.#pairs) {
      const first = pair.sent === 0 ? undefined : pair.pending[0]?.n;
      if (first === undefined || first !== pair.stalled) {
        pair.stalled = first ?? 0;
        pair.looks = 0;
        continue;
      }
      pair.looks++;
      if ((pair.looks & (pair.looks - 1)) !== 0) continue;
      pair.sent = 0;
      this.#pumpPair(to);
    }
  }

  /** What the next commit removes from the store. */
  takeAcked(): Mark[] {
    this.#ackedLimit = ackedMax;
    if (this.#ackedCount === 0) return [];
    const marks = [...this.#acked].map(([shard, n]) => ({ shard, n }));
    this.#acked = new Map();
    this.#ackedCount = 0;
    return marks;
  }

  /** Forgets everything; the store has it. Waiting for an operation goes on when it is loaded again. */
  clear(): void {
    this.#pairs.clear();
    this.#operations.clear();
    this.#patient.clear();
    this.#blocked.clear();
    this.#unsent.clear();
    this.#own.clear();
    this.#acked = new Map();
    this.#ackedCount = 0;
    this.#size = 0;
    this.#released = 0;
  }

  /** The shard goes elsewhere: those who wait for an operation are to ask there. */
  failDrained(): void {
    const waiting = [...this.#drained.values()].flat();
    this.#drained.clear();
    for (const { lost } of waiting) lost();
  }

  /** Calls back those whose operation was not among what was loaded. */
  releaseDrained(): void {
    for (const operation of [...this.#drained.keys()]) {
      if (!this.#operations.has(operation)) this.#callDrained(operation);
    }
  }

  #count({ envelope }: Parcel, by: 1 | -1): void {
    if (envelope?.from === undefined) return;
    const pair = `${envelope.from} ${envelope.to}`;
    const count = (this.#own.get(pair) ?? 0) + by;
    if (count > 0) this.#own.set(pair, count);
    else this.#own.delete(pair);
  }

  #mustWait(parcel: Parcel): boolean {
    if (parcel.settled !== true || parcel.operation === undefined) return false;
    const orders = this.#operations.get(parcel.operation);
    return orders !== undefined && orders[0]! < parcel.order;
  }

  #forget(parcel: Parcel): void {
    if (parcel.operation === undefined) return;
    const orders = this.#operations.get(parcel.operation);
    if (orders === undefined) return;
    const at = orders.indexOf(parcel.order);
    if (at >= 0) orders.splice(at, 1);
    if (orders.length > 0) return;
    this.#operations.delete(parcel.operation);
    this.#patient.delete(parcel.operation);
    this.#callDrained(parcel.operation);
  }

  #callDrained(operation: string): void {
    const waiting = this.#drained.get(operation);
    if (waiting === undefined) return;
    this.#drained.delete(operation);
    for (const { done } of waiting) done();
  }
}
