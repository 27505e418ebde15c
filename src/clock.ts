/**
 * Time as a port. Everything in the runtime that waits or reads the time does it here, so that a simulator can own
 * both. The wall clock gives the times written into the journal; the monotonic one measures deadlines and leases and
 * is not moved by an adjusted wall clock.
 */

export interface Clock {
  /** Wall-clock time, milliseconds since 1970. */
  now(): number;
  /** Milliseconds from an arbitrary start, never going back. */
  monotonic(): number;
  /** Calls `callback` once after `ms`; returns its cancellation. A pending call keeps the process alive only if `keepAlive`. */
  after(ms: number, callback: () => void, options?: { readonly keepAlive?: boolean }): () => void;
  /** Calls `callback` once the work at hand is done, after pending I/O was polled. */
  soon(callback: () => void): void;
}

/** The longest delay a Node timer can hold; longer ones are taken in steps. */
const nodeTimerMsMax = 2_147_483_647;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, callback, options) {
    let handle: NodeJS.Timeout;
    const arm = (left: number): void => {
      const step = Math.min(Math.max(0, left), nodeTimerMsMax);
      handle = setTimeout(() => (left > step ? arm(left - step) : callback()), step);
      if (options?.keepAlive !== true) handle.unref();
    };
    arm(ms);
    return () => clearTimeout(handle);
  },
  soon: (callback) => {
    setImmediate(callback);
  },
};

/** Resolves after `ms` on the given clock, and keeps the process alive meanwhile. */
export function sleep(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(ms, resolve, { keepAlive: true });
  });
}
