/**
 * Reading long stretches of a journal in a process that has other things to do: a few at a time, the others wait in line,
 * and each lets go of the event loop every few milliseconds. It knows nothing of what is read for.
 */

import type { Clock } from '../clock.ts';
import { TroupeError } from '../errors.ts';
import type { Journal, JournalEntry } from '../journal/journal.ts';
import type { TravelLimits } from './travel-limits.ts';

export class Scans {
  readonly #clock: Clock;
  readonly #limits: TravelLimits;
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  #restedAt = 0;

  constructor(clock: Clock, limits: TravelLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** Runs `scan` when it is its turn. Rejects with LIMIT_EXCEEDED when too many wait already. */
  async run<T>(scan: () => Promise<T>): Promise<T> {
    const { scansMax, scansWaitingMax } = this.#limits;
    if (this.#running >= scansMax) {
      if (this.#waiting.length >= scansWaitingMax) {
        const message = `${scansMax} histories are being read and ${scansWaitingMax} more wait; try again in a moment.`;
        throw new TroupeError('LIMIT_EXCEEDED', message);
      }
      // Whoever ends hands its place over, so that the count stays as it is.
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#running++;
    try {
      return await scan();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }

  /** To be awaited between pieces of work: lets others have the event loop when this one had it for long enough. */
  async rest(): Promise<void> {
    if (this.#clock.monotonic() - this.#restedAt < this.#limits.sliceMs) return;
    await new Promise<void>((resolve) => this.#clock.soon(resolve));
    this.#restedAt = this.#clock.monotonic();
  }

  /** A page of entries after `after`; an embedded store reads without ever letting go by itself. */
  async page(journal: Journal, shard: number, after: number): Promise<readonly (JournalEntry | Error)[]> {
    const page = await journal.readEntries(shard, after, this.#limits.pageEntries);
    await new Promise<void>((resolve) => this.#clock.soon(resolve));
    this.#restedAt = this.#clock.monotonic();
    return page;
  }
}
