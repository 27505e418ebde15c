/**
 * Ids that this node has minted for shards of other nodes and not used yet. The first command that mentions one takes it
 * along (`Request.fresh`), so that the shard's owner need not look for an actor that cannot be there.
 *
 * It guarantees that an id is taken once; what the owner may conclude from it also depends on the store (desk.ts). It
 * deliberately forgets ids that are never used, when there are too many: not knowing costs a read.
 */

import { type Address, idOf } from '../actor/address.ts';
import type { AnyEvent } from '../actor/envelope.ts';

/** Ids that wait for their first use. */
const freshMax = 10_000;
/** Values of an event that are looked at for ids. */
const depthMax = 3;
const idChars = 36;

export class FreshIds {
  readonly #ids = new Set<string>();

  minted(id: string): void {
    if (this.#ids.size >= freshMax) this.#ids.clear();
    this.#ids.add(id);
  }

  /** Those that the command mentions, if its actor's own id is one of them. None of them is fresh afterwards. */
  take(to: Address, event: AnyEvent): readonly string[] {
    if (this.#ids.size === 0) return [];
    const id = idOf(to);
    const taken: string[] = [];
    const isOwn = this.#ids.delete(id);
    if (isOwn) taken.push(id);
    this.#takeFrom(event, 0, taken);
    return isOwn ? taken : [];
  }

  #takeFrom(value: object, depth: number, taken: string[]): void {
    for (const one of Object.values(value) as unknown[]) {
      if (typeof one === 'string') {
        if (one.length === idChars && this.#ids.delete(one)) taken.push(one);
      } else if (typeof one === 'object' && one !== null && depth < depthMax) {
        this.#takeFrom(one, depth + 1, taken);
      }
    }
  }
}
