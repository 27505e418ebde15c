/**
 * What one turn does to a shard's timers, net: a timer that is armed and cancelled within the turn, as those of an
 * operation that settles at once, never reaches the journal.
 */

import type { Address } from '../actor/address.ts';
import type { AnyEvent } from '../actor/envelope.ts';
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

interface Armed extends TimerKey {
  readonly dueAt: number;
  readonly event: AnyEvent;
  readonly cause: TimerCause;
}

export class TimerChanges {
  readonly #timers: Timers;
  readonly #armed = new Map<string, Armed>();
  readonly #cleared = new Map<string, TimerKey>();

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  get size(): number {
    return this.#armed.size + this.#cleared.size;
  }

  /** Carries out the timer effects of one step. */
  apply(effects: readonly TimerEffect[], cause: TimerCause): void {
    for (const [index, effect] of effects.entries()) {
      if (effect.kind === 'cancel') this.clear({ actor: cause.actor, id: effect.id });
      // A raise that nobody named gets an id that no other step of the actor has, so that each of them happens.
      else this.#arm(effect.id ?? `raise:${cause.generation}:${index}`, effect, cause);
    }
  }

  clear({ actor, id }: TimerKey): void {
    const key = `${actor} ${id}`;
    this.#armed.delete(key);
    if (this.#timers.clear({ actor, id })) this.#cleared.set(key, { actor, id });
  }

  /** The turn is over: what it armed is live from here on. Gives what its commit writes. */
  close(): { readonly set: readonly TimerRecord[]; readonly cleared: readonly TimerKey[] } {
    const set = [...this.#armed.values()].map(recordOf);
    for (const record of set) this.#timers.set(record);
    return { set, cleared: [...this.#cleared].filter(([key]) => !this.#armed.has(key)).map(([, timer]) => timer) };
  }

  #arm(id: string, effect: TimerEffect & { readonly kind: 'set' }, cause: TimerCause): void {
    const { actor, at } = cause;
    // Whatever it replaces must not fire any more, also if it is queued already, or if this one is cancelled at once.
    this.clear({ actor, id });
    this.#armed.set(`${actor} ${id}`, {
      actor,
      id,
      dueAt: Math.round(at + effect.delayMs),
      event: effect.event,
      cause,
    });
  }
}

function recordOf({ actor, id, dueAt, event, cause }: Armed): TimerRecord {
  const { generation, operation } = cause;
  // A copy: the codec's buffer holds much else, and a timer may live for long.
  const payload = new Uint8Array(encode(event));
  return { actor, id, dueAt, generation, payload, ...(operation === undefined ? undefined : { operation }) };
}
