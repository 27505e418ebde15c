/**
 * A shard's hold on its lease, as this process may believe in it. It counts the lease's time on the monotonic clock from
 * *before* the store was asked, so that it always ends here before it ends there, and calls `expired` when it has not been
 * prolonged in time. A process that was asleep finds out by `holds`, which asks the clock and not a timer.
 *
 * It guarantees nothing about commits: those are fenced by the epoch.
 */

import type { Clock } from '../clock.ts';
import type { Epoch, Journal, Lease } from '../journal/journal.ts';

/**
 * The part of a lease that is given up, so that it ends here first even if the store's clock runs faster than ours by as
 * much. Quartz clocks differ by less than a ten-thousandth; virtual machines have been seen to be off by percents.
 */
const leaseMargin = 0.05;

/** How long a lease may be believed in. The store counts in whole milliseconds, so one more is given up. */
export function heldMsOf(leaseMs: number): number {
  return leaseMs * (1 - leaseMargin) - 1;
}

export class Tenure {
  readonly #clock: Clock;
  readonly #leaseMs: number;
  readonly #expired: () => void;
  #lease: Lease | undefined;
  #until = 0;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, leaseMs: number, expired: () => void) {
    this.#clock = clock;
    this.#leaseMs = leaseMs;
    this.#expired = expired;
  }

  get lease(): Lease | undefined {
    return this.#lease;
  }

  get epoch(): Epoch | undefined {
    return this.#lease?.epoch;
  }

  /** Whether the lease is certainly ours still. */
  get holds(): boolean {
    return this.#lease !== undefined && !this.isOver;
  }

  /** Whether the time is up of the lease that is held or was held last. */
  get isOver(): boolean {
    return this.#clock.monotonic() >= this.#until;
  }

  /** `askedAt`: monotonic ms at which the store was asked for it. */
  begin(lease: Lease, askedAt: number): void {
    this.#lease = lease;
    this.#prolong(askedAt);
  }

  end(): Lease | undefined {
    const lease = this.#lease;
    this.#lease = undefined;
    this.#cancel?.();
    this.#cancel = undefined;
    return lease;
  }

  /** Prolongs the lease. False: it is not ours any more. Rejects when the store cannot be asked, twice. */
  async renew(journal: Journal): Promise<boolean> {
    const lease = this.#lease;
    if (lease === undefined) return true;
    let askedAt = this.#clock.monotonic();
    const ask = (): Promise<boolean> => journal.renew(lease, this.#leaseMs);
    const isRenewed = await ask().catch((error: unknown) => {
      if (this.#lease !== lease || !this.holds) throw error;
      // What did not answer may have been the connection alone. There is a new one, and the lease's time is running out.
      askedAt = this.#clock.monotonic();
      return ask();
    });
    if (this.#lease !== lease) return true;
    if (isRenewed) this.#prolong(askedAt);
    return isRenewed;
  }

  #prolong(askedAt: number): void {
    this.#until = Math.max(this.#until, askedAt + heldMsOf(this.#leaseMs));
    this.#watch();
  }

  #watch(): void {
    this.#cancel?.();
    this.#cancel = this.#clock.after(this.#until - this.#clock.monotonic(), () => this.#late());
  }

  #late(): void {
    this.#cancel = undefined;
    if (this.#lease === undefined) return;
    // A timer of Node's may fire a moment before its time.
    if (this.holds) this.#watch();
    else this.#expired();
  }
}
