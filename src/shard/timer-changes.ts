/**
 * What one turn does to a shard's timers, net: a timer that is armed and cancelled within the turn, as those of an
 * operation that settles at once, never reaches the journal.
 */

import type { Address } from '../actor/address.ts';
import type { TimerEffect } from '../actor/logic.ts';
import { encode } from '../journal/codec.ts';
import type { TimerKey, TimerRecord } from '../journal/journal.ts';
import type { Timers } from './timers.ts';

/** The step that a timer effect comes from. */
export interface TimerCause {
  readonly actor: Address;
  /** Wall-clock time of the turn, from which the delay counts. */
  readonly at: number;
  /** `seq` of the step's entry. */
  readonly generation: number;
  readonly operation: string | undefined;
}

export class TimerChanges {
  readonly #timers: Timers;
  readonly #set = new Map<string, TimerRecord>();
  readonly #cleared = new Map<string, TimerKey>();

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  get size(): number {
    return this.#set.size + this.#cleared.size;
  }

  get set(): TimerRecord[] {
    return [...this.#set.values()];
  }

  /** Without those that are set again. */
  get cleared(): TimerKey[] {
    return [...this.#cleared].filter(([key]) => !this.#set.has(key)).map(([, timer]) => timer);
  }

  /** Carries out the timer effects of one step. */
  apply(effects: readonly TimerEffect[], cause: TimerCause): void {
    for (const [index, effect] of effects.entries()) {
      if (effect.kind === 'cancel') this.clear({ actor: cause.actor, id: effect.id });
      // A raise that nobody named gets an id that no other step of the actor has, so that each of them happens.
      else this.#arm(effect.id ?? `raise:${cause.generation}:${index}`, effect, cause);
    }
  }

  #arm(id: string, effect: TimerEffect & { readonly kind: 'set' }, cause: TimerCause): void {
    const { actor, at, generation, operation } = cause;
    const timer: TimerKey = { actor, id };
    const key = `${actor} ${id}`;
    // One of an earlier commit that is armed again is remembered, in case it is then cancelled within this turn.
    if (this.#timers.get(timer) !== undefined && !this.#set.has(key)) this.#cleared.set(key, timer);
    const record: TimerRecord = {
      ...timer,
      dueAt: Math.round(at + effect.delayMs),
      generation,
      payload: encode(effect.event),
      ...(operation === undefined ? undefined : { operation }),
    };
    this.#set.set(key, record);
    this.#timers.set(record);
  }

  clear(timer: TimerKey): void {
    const key = `${timer.actor} ${timer.id}`;
    const stood = this.#timers.clear(timer);
    const wasSetHere = this.#set.delete(key);
    if (stood && !wasSetHere) this.#cleared.set(key, timer);
  }
}
