/**
 * One timer for many deadlines: it rings when the earliest of them has come. Deadlines of calls that are answered in time
 * therefore cost no timer each; whoever it rings for looks at what is still open, and says when to ring next.
 */

import type { Clock } from './clock.ts';

export class Alarm {
  readonly #clock: Clock;
  readonly #ring: () => void;
  readonly #keepAlive: boolean;
  #at = Number.POSITIVE_INFINITY;
  #cancel: (() => void) | undefined;

  /** It keeps the process alive while it is set only if `keepAlive`. */
  constructor(clock: Clock, ring: () => void, { keepAlive = false } = {}) {
    this.#clock = clock;
    this.#ring = ring;
    this.#keepAlive = keepAlive;
  }

  /** Rings at this monotonic time, in milliseconds, or earlier. */
  by(at: number): void {
    if (at >= this.#at) return;
    this.#cancel?.();
    this.#at = at;
    const rung = (): void => {
      this.cancel();
      this.#ring();
    };
    this.#cancel = this.#clock.after(at - this.#clock.monotonic(), rung, { keepAlive: this.#keepAlive });
  }

  cancel(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#at = Number.POSITIVE_INFINITY;
  }
}
