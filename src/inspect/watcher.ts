/**
 * One watcher: an operator's socket that is shown steps. It guarantees that whatever is shown of an actor follows an
 * `@xstate.actor` of it, that steps of one actor come in order, and that nothing is queued for a peer that does not read:
 * beyond its rate, or with too much unread, steps are skipped, it is told how many and why, and it is then shown the newest
 * state of the actors that were concerned.
 */

import type { Address } from '../actor/address.ts';
import { typeOf } from '../actor/address.ts';
import type { HostedMachine } from '../actor/logic.ts';
import type { Clock } from '../clock.ts';
import type { Connection } from '../gateway/connection.ts';
import { RateLimiter } from '../gateway/token-bucket.ts';
import type { Ids } from '../ids.ts';
import { type Choice, chooses } from './choice.ts';
import type { InspectionLimits } from './inspection-limits.ts';
import { actorFrame, eventFrame, type Seen, type Sighting, skippedFrame, snapshotFrame } from './sighting.ts';

/** Its rate; it reads too slowly; between nodes, where nobody knows whose steps they were. */
export type SkipReason = 'rate' | 'slow' | 'between-nodes';

export interface WatcherOptions {
  readonly choice: Choice;
  readonly connection: Pick<Connection, 'send' | 'unread'>;
  readonly hosted: ReadonlyMap<string, HostedMachine>;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly limits: InspectionLimits;
}

export class Watcher {
  readonly choice: Choice;
  readonly #options: WatcherOptions;
  readonly #rate: RateLimiter;
  readonly #known = new Set<Address>();
  /** The newest steps that were skipped, one per actor. */
  readonly #latest = new Map<Address, Seen>();
  #skipped: Partial<Record<SkipReason, number>> = {};
  #cancelTelling: (() => void) | undefined;
  #isClosed = false;

  constructor(options: WatcherOptions) {
    const { choice, clock, limits } = options;
    this.choice = choice;
    this.#options = options;
    this.#rate = new RateLimiter({ burst: limits.stepsAtOnce, perSecond: limits.stepsPerSecond }, clock);
  }

  /** Tells of an actor in a state that was read, unless something newer may have been shown of it. */
  introduce(actor: Address, state: string): void {
    if (this.#isClosed || this.#known.has(actor)) return;
    if (this.#isSlow) this.skip('slow', 1);
    else this.#tellOf(actor, state);
  }

  /** Shows a step, if it is one of those chosen. */
  see(seen: Seen): void {
    const { actor, operation } = seen;
    if (this.#isClosed || !chooses(this.choice, actor, operation)) return;
    const reason = this.#isSlow ? 'slow' : this.#rate.take('') > 0 ? 'rate' : undefined;
    if (reason === undefined) {
      this.#tellSkipped();
      this.#latest.delete(actor);
      this.#show(seen.sighting());
      return;
    }
    if (this.#latest.has(actor) || this.#latest.size < this.#options.limits.latestMax) this.#latest.set(actor, seen);
    this.skip(reason, 1);
  }

  /** So many steps were not shown. */
  skip(reason: SkipReason, steps: number): void {
    if (this.#isClosed) return;
    this.#skipped[reason] = (this.#skipped[reason] ?? 0) + steps;
    this.#tellLater();
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelTelling?.();
    this.#latest.clear();
    this.#known.clear();
  }

  get #isSlow(): boolean {
    return this.#options.connection.unread > this.#options.limits.unreadBytesMax;
  }

  #show(sighting: Sighting): void {
    const { connection } = this.#options;
    const { actor, state, isAccepted } = sighting;
    if (!this.#known.has(actor)) this.#tellOf(actor, state);
    connection.send(eventFrame(sighting));
    if (isAccepted) connection.send(snapshotFrame(sighting));
  }

  #tellOf(actor: Address, state: string): void {
    const { connection, hosted, clock, limits } = this.#options;
    if (this.#known.size >= limits.knownMax) this.#known.clear();
    this.#known.add(actor);
    connection.send(actorFrame(actor, hosted.get(typeOf(actor)), state, clock.now()));
  }

  #tellLater(): void {
    const { clock, limits } = this.#options;
    this.#cancelTelling ??= clock.after(limits.tellMs, () => {
      this.#cancelTelling = undefined;
      if (this.#isSlow) return this.#tellLater();
      this.#tellSkipped();
      const latest = [...this.#latest.values()];
      this.#latest.clear();
      for (const seen of latest) this.#catchUp(seen.sighting());
    });
  }

  #tellSkipped(): void {
    const skipped = this.#skipped;
    if (Object.keys(skipped).length === 0) return;
    this.#skipped = {};
    const { connection, clock, ids } = this.#options;
    connection.send(skippedFrame(skipped, ids.nonce(), clock.now()));
  }

  #catchUp(sighting: Sighting): void {
    const { actor, state } = sighting;
    if (this.#known.has(actor)) this.#options.connection.send(snapshotFrame(sighting));
    else this.#tellOf(actor, state);
  }
}
