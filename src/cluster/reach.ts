/**
 * Whether this node reaches the store. One whose beats have not come through for as long as a lease lives is cut off: the
 * others have forgotten it and taken its shards, or will. It guarantees that whoever waits for an answer then is told so at
 * that moment, and who asks later at once, so that a client can try another node.
 *
 * It guards nothing: what a cut-off node must not do, its leases and epochs keep it from.
 */

import type { Clock } from '../clock.ts';
import { TroupeError } from '../errors.ts';
import type { Log } from '../log.ts';

export interface ReachOptions {
  readonly node: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly leaseMs: number;
  /** The node is cut off: nobody is to wait any longer. */
  readonly lost: (error: TroupeError) => void;
}

/** What is refused with it has not been begun, or may not have been, as for any other store that cannot be reached. */
export function cutOffError(): TroupeError {
  return new TroupeError('JOURNAL_UNAVAILABLE', 'This node does not reach the store; try another one, or again later.');
}

export class Reach {
  readonly #options: ReachOptions;
  /** Monotonic ms at which the last beat that came through was begun. */
  #at = Number.NEGATIVE_INFINITY;
  #isLost = false;
  #cancel: (() => void) | undefined;

  constructor(options: ReachOptions) {
    this.#options = options;
  }

  get at(): number {
    return this.#at;
  }

  get isCutOff(): boolean {
    const { clock, leaseMs } = this.#options;
    return clock.monotonic() - this.#at >= leaseMs;
  }

  /** A beat that was begun then has come through. */
  reached(at: number): void {
    const { node, clock, log, leaseMs, lost } = this.#options;
    this.#at = at;
    if (this.#isLost) log.info({ node }, 'this node reaches the store again');
    this.#isLost = false;
    this.#cancel?.();
    this.#cancel = clock.after(at + leaseMs - clock.monotonic(), () => {
      this.#isLost = true;
      log.warn({ node }, `this node has not reached the store for ${leaseMs} ms, and refuses what needs it`);
      lost(cutOffError());
    });
  }

  stop(): void {
    this.#cancel?.();
  }
}
