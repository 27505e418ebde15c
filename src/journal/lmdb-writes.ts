/**
 * The write path of the LMDB adapter. Jobs are planned in the order they were handed over; the writes of all jobs that
 * wait at that moment are one group, which is applied whole or not at all, and jobs that come while it is under way
 * gather for the next one. A job first plans: it checks, and lists its writes. Only when all plans are made is anything
 * written, so a job that throws or declines leaves nothing behind.
 *
 * It guarantees that one group is under way at most, that groups are applied in order, and that each job settles within
 * the deadline, in the order the jobs were handed over. It does not know what a write is for, nor where it goes: that is
 * lmdb-shard.ts and lmdb-store.ts.
 */

import type { Clock } from '../clock.ts';
import { messageOf, TroupeError } from '../errors.ts';
import type { Write } from './redo-log.ts';

export interface Job<T> {
  /** Lists the writes and gives the outcome, which counts once they are applied. Runs once; must not change anything if it throws. */
  plan(writes: Write[]): T;
  /** The outcome when the fate of the writes is not known. Default: a rejection with JOURNAL_UNAVAILABLE. */
  unknown?(message: string): T;
  /** The plan reads ranges of the store: it begins a group, when everything before it is in the store. */
  readonly alone?: boolean;
}

interface Waiting {
  readonly job: Job<unknown>;
  readonly deadline: number;
  readonly settle: (outcome: unknown) => void;
  readonly fail: (error: unknown) => void;
  settled: boolean;
}

export interface LmdbWritesOptions {
  readonly clock: Clock;
  readonly deadlineMs: number;
  /** Writes a group in one atomic step. False: this process does not own the store any more. */
  readonly transact: (writes: readonly Write[]) => Promise<boolean>;
  /** When all groups written so far can be read from the store; undefined when they can. */
  readonly applied: () => Promise<void> | undefined;
  /** After a group whose fate is not known: what plans remember is void. */
  readonly forget: () => void;
}

/** Writes of one group: enough to spread its sync, few enough to answer its first job soon. */
const groupWritesMax = 20_000;

export class LmdbWrites {
  readonly #options: LmdbWritesOptions;
  #waiting: Waiting[] = [];
  /** Jobs of the group under way. */
  #underWay: readonly Waiting[] = [];
  #scheduled = false;
  #busy = false;
  /** What plans remembered was dropped: the next ones read it anew. */
  #forgot = false;
  #cancelAlarm: (() => void) | undefined;
  readonly #idle: (() => void)[] = [];

  constructor(options: LmdbWritesOptions) {
    this.#options = options;
  }

  run<T>(job: Job<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const deadline = this.#options.clock.monotonic() + this.#options.deadlineMs;
      const settle = resolve as (outcome: unknown) => void;
      this.#waiting.push({ job, deadline, settle, fail: reject, settled: false });
      this.#arm();
      this.#schedule();
    });
  }

  /** Resolves when nothing waits and nothing is under way. */
  idle(): Promise<void> {
    if (this.#isIdle()) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  /** The first job of a quiet moment waits for those of the same tick. */
  #schedule(): void {
    if (this.#scheduled || this.#busy) return;
    this.#scheduled = true;
    this.#options.clock.soon(() => {
      this.#scheduled = false;
      void this.#work();
    });
  }

  async #work(): Promise<void> {
    this.#busy = true;
    while (this.#waiting.length > 0) {
      if (this.#forgot || this.#waiting[0]?.job.alone === true) await this.#options.applied();
      this.#forgot = false;
      const writes: Write[] = [];
      const planned = this.#planAll(writes);
      this.#underWay = planned.map(({ waiting }) => waiting);
      const failure = writes.length === 0 ? undefined : await this.#apply(writes);
      this.#underWay = [];
      if (failure !== undefined) {
        this.#forgot = true;
        this.#options.forget();
      }
      for (const { waiting, outcome } of planned) {
        if (failure !== undefined) settleUnknown(waiting, failure);
        else if (!waiting.settled) waiting.settle(outcome);
        waiting.settled = true;
      }
    }
    this.#busy = false;
    this.#cancelAlarm?.();
    this.#cancelAlarm = undefined;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  #planAll(writes: Write[]): { readonly waiting: Waiting; readonly outcome: unknown }[] {
    const planned: { readonly waiting: Waiting; readonly outcome: unknown }[] = [];
    let taken = 0;
    for (const waiting of this.#waiting) {
      if (writes.length > 0 && (waiting.job.alone === true || writes.length >= groupWritesMax)) break;
      taken += 1;
      // Its caller was told that nothing is known; not to write it is the better half of that.
      if (waiting.settled) continue;
      const before = writes.length;
      try {
        planned.push({ waiting, outcome: waiting.job.plan(writes) });
      } catch (error) {
        writes.length = before;
        waiting.settled = true;
        waiting.fail(error);
      }
    }
    this.#waiting = this.#waiting.slice(taken);
    return planned;
  }

  /** What went wrong; undefined when the writes are applied. */
  async #apply(writes: readonly Write[]): Promise<string | undefined> {
    try {
      if (await this.#options.transact(writes)) return undefined;
      return 'Another process took the store over; this one does not write to it any more.';
    } catch (error) {
      return `The store took no writes: ${messageOf(error)}`;
    }
  }

  /** One alarm for the oldest job: deadlines are in the order of the jobs. */
  #arm(): void {
    if (this.#cancelAlarm !== undefined) return;
    const { clock, deadlineMs } = this.#options;
    const open = ({ settled }: Waiting) => !settled;
    const oldest = this.#underWay.find(open) ?? this.#waiting.find(open);
    if (oldest === undefined) return;
    const ring = (): void => {
      this.#cancelAlarm = undefined;
      const message = `The store did not answer within ${deadlineMs} ms.`;
      for (const waiting of [...this.#underWay, ...this.#waiting]) {
        if (waiting.deadline <= clock.monotonic()) settleUnknown(waiting, message);
      }
      this.#waiting = this.#waiting.filter(open);
      this.#arm();
    };
    // Somebody waits for the outcome: the process may not end before.
    this.#cancelAlarm = clock.after(Math.max(1, oldest.deadline - clock.monotonic()), ring, { keepAlive: true });
  }

  #isIdle(): boolean {
    return this.#waiting.length === 0 && !this.#busy;
  }
}

function settleUnknown(waiting: Waiting, message: string): void {
  if (waiting.settled) return;
  waiting.settled = true;
  if (waiting.job.unknown === undefined) waiting.fail(new TroupeError('JOURNAL_UNAVAILABLE', message));
  else waiting.settle(waiting.job.unknown(message));
}
