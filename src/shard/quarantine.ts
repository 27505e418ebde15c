/**
 * Finds the delivery to blame for a turn that can never be committed: the deliveries of that turn run again alone, one
 * per turn, and the one that fails alone is refused when it comes again. The others are carried out as if nothing had
 * happened.
 */

import type { TroupeError } from '../errors.ts';
import type { Delivery } from './delivery.ts';

export class Quarantine {
  #alone = 0;
  #condemned: { readonly key: unknown; readonly error: TroupeError } | undefined;

  /** How many deliveries the next turn may take, of at most `max`. */
  batchMax(max: number): number {
    if (this.#alone === 0) return max;
    this.#alone--;
    return 1;
  }

  /** The turn of these deliveries failed in a way that will repeat itself. */
  blame(batch: readonly Delivery[], error: TroupeError): void {
    if (batch.length === 1) this.#condemned = { key: keyOf(batch[0]!), error };
    this.#alone = Math.max(this.#alone, batch.length);
  }

  /** Why this delivery is to be refused, if it is. */
  verdict(delivery: Delivery): TroupeError | undefined {
    return this.#condemned?.key === keyOf(delivery) ? this.#condemned?.error : undefined;
  }
}

/** What a delivery is recognised by when it comes again. */
function keyOf(delivery: Delivery): unknown {
  switch (delivery.kind) {
    case 'parcel':
      return `parcel ${delivery.from} ${delivery.n}`;
    case 'timer':
      return `timer ${delivery.key.actor} ${delivery.key.id} ${delivery.generation}`;
    case 'command':
    case 'read':
    case 'barrier':
      return delivery.inbox === undefined ? delivery : `inbox ${delivery.inbox}`;
    case 'local':
    case 'news':
      return delivery;
  }
}
