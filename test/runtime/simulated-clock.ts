/**
 * Time that moves when a test says so. `advance` runs what is due in order and lets promises settle in between; nothing
 * else makes time pass. `soon` runs after the work at hand, as the system clock's does, and takes no time.
 */

import type { Clock } from '../../src/clock.ts';

interface Due {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
}

/** Rounds of the event loop without work after which everything is taken to have settled. */
const quietRounds = 3;
/** Rounds after which a test that never settles is given up. */
const roundsMax = 200_000;

export class SimulatedClock implements Clock {
  #elapsed = 0;
  #wall = 1_700_000_000_000;
  #order = 0;
  #due: Due[] = [];
  #soon = 0;

  now(): number {
    return this.#wall + this.#elapsed;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  /** Callbacks that wait for their time. */
  get waiting(): number {
    return this.#due.length;
  }

  after(ms: number, callback: () => void): () => void {
    const due: Due = { at: this.#elapsed + Math.max(0, ms), order: this.#order++, callback };
    this.#due.push(due);
    return () => {
      this.#due = this.#due.filter((other) => other !== due);
    };
  }

  soon(callback: () => void): void {
    this.#soon++;
    setImmediate(() => {
      this.#soon--;
      callback();
    });
  }

  /** Moves the wall clock alone, as an operator or a time server does. */
  adjustWall(ms: number): void {
    this.#wall += ms;
  }

  /** Until nothing happens any more without time passing. */
  async settle(): Promise<void> {
    for (let quiet = 0, rounds = 0; quiet < quietRounds; rounds++) {
      if (rounds > roundsMax) throw new Error('It does not settle.');
      await new Promise((resolve) => setImmediate(resolve));
      quiet = this.#soon === 0 ? quiet + 1 : 0;
    }
  }

  /** Lets `ms` pass. */
  async advance(ms: number): Promise<void> {
    const until = this.#elapsed + ms;
    await this.settle();
    for (let next = this.#next(until); next !== undefined; next = this.#next(until)) {
      this.#elapsed = Math.max(this.#elapsed, next.at);
      this.#due = this.#due.filter((due) => due !== next);
      next.callback();
      await this.settle();
    }
    this.#elapsed = until;
  }

  /** Lets time pass until `promise` settles, at most `ms`. */
  async until<T>(promise: Promise<T>, ms = 60_000): Promise<T> {
    let isSettled = false;
    const done = (): void => {
      isSettled = true;
    };
    promise.then(done, done);
    await this.settle();
    for (let passed = 0; !isSettled && passed < ms; ) {
      const step = Math.max(1, (this.#next(Number.POSITIVE_INFINITY)?.at ?? this.#elapsed + 1) - this.#elapsed);
      await this.advance(step);
      passed += step;
    }
    if (!isSettled) throw new Error(`It has not settled after ${ms} ms.`);
    return promise;
  }

  #next(until: number): Due | undefined {
    let next: Due | undefined;
    for (const due of this.#due) {
      if (due.at > until) continue;
      if (next === undefined || due.at < next.at || (due.at === next.at && due.order < next.order)) next = due;
    }
    return next;
  }
}
