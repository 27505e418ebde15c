/**
 * A rate limit: one bucket of tokens per caller, refilled steadily. A bucket that was not used for long is full, so the
 * ones used longest ago may be forgotten, and memory stays bounded.
 */

import type { Clock } from '../clock.ts';
import { Lru } from './lru.ts';

export interface RateLimit {
  /** Calls that may come at once. */
  readonly burst: number;
  readonly perSecond: number;
}

const callersMax = 100_000;

export class RateLimiter {
  readonly #limit: RateLimit;
  readonly #clock: Clock;
  readonly #buckets = new Lru<string, { tokens: number; at: number }>(callersMax);

  constructor(limit: RateLimit, clock: Clock) {
    this.#limit = limit;
    this.#clock = clock;
  }

  /** Takes one token: 0 when there was one, else the milliseconds until there is. */
  take(caller: string): number {
    const now = this.#clock.monotonic();
    let bucket = this.#buckets.get(caller);
    if (bucket === undefined) {
      bucket = { tokens: this.#limit.burst, at: now };
      this.#buckets.set(caller, bucket);
    }
    const refill = ((now - bucket.at) / 1000) * this.#limit.perSecond;
    bucket.tokens = Math.min(this.#limit.burst, bucket.tokens + refill);
    bucket.at = now;
    if (bucket.tokens < 1) return Math.ceil(((1 - bucket.tokens) / this.#limit.perSecond) * 1000);
    bucket.tokens -= 1;
    return 0;
  }
}
