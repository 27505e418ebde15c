/**
 * A turn under way: how far it got in its batch, and the actors that it waits for. A turn begins without reading; when it
 * meets an actor that is not resident, everything that the rest of it is known to need is read at once.
 */

import { type Address, typeOf } from '../actor/address.ts';
import type { TroupeError } from '../errors.ts';
import type { Journal } from '../journal/journal.ts';
import type { Cell } from './cell.ts';
import type { Delivery } from './delivery.ts';
import type { Mailbox } from './mailbox.ts';
import { actorNamedBy, actorNeededBy } from './need.ts';
import type { Quarantine } from './quarantine.ts';
import type { Residents } from './residents.ts';
import type { Turn, TurnHost } from './turn.ts';

export interface RunHost extends TurnHost {
  readonly residents: Residents;
}

export class Run {
  readonly turn: Turn;
  readonly batch: Delivery[];
  /** Cells of actors that do not exist: those that still do not when the turn is over are dropped. */
  readonly absent: Cell[] = [];
  readonly #host: RunHost;
  /** Actors that could not be rehydrated, with the reason. */
  readonly #broken = new Map<Address, TroupeError>();
  #spentMs = 0;
  #next = 0;
  #nextLocal = 0;

  constructor(host: RunHost, turn: Turn, batch: Delivery[]) {
    this.#host = host;
    this.turn = turn;
    this.batch = batch;
  }

  /** Ms it has run, without the waits for its reads. */
  get spentMs(): number {
    return this.#spentMs;
  }

  /** Goes on until it is done, or (false) needs an actor that is not resident. A turn that takes long gives back the rest. */
  go(mailbox: Mailbox, quarantine: Quarantine): boolean {
    const { turn, batch } = this;
    const { clock, limits } = this.#host;
    const resumedAt = clock.monotonic() - this.#spentMs;
    for (;;) {
      this.#spentMs = clock.monotonic() - resumedAt;
      const isLate = this.#next > 0 && this.#spentMs > limits.turnMs;
      if (isLate && this.#next < batch.length) mailbox.putBack(batch.splice(this.#next));
      const fromBatch = this.#next < batch.length;
      const delivery = fromBatch ? batch[this.#next] : turn.locals[this.#nextLocal];
      if (delivery === undefined) return true;
      const address = actorNeededBy(delivery, this.#host);
      const refusal = quarantine.verdict(delivery) ?? (address === undefined ? undefined : this.#broken.get(address));
      if (refusal !== undefined) turn.refuse(delivery, refusal);
      else if (address === undefined || this.#isResident(address)) turn.handle(delivery);
      else return false;
      if (fromBatch) this.#next++;
      else this.#nextLocal++;
    }
  }

  /** Rehydrates what is missing, and gives how many actors that were. Rejects when the journal cannot be read. */
  async load(journal: Journal, isWanted: () => boolean): Promise<number> {
    const addresses = this.#missing();
    let rehydrated = 0;
    const loaded = await this.#host.residents.load(journal, this.#host.shard, addresses, isWanted);
    for (const [index, cell] of loaded.entries()) {
      if (cell instanceof Error) this.#broken.set(addresses[index]!, cell);
      else if (cell.version === 0) this.absent.push(cell);
      else rehydrated++;
    }
    return rehydrated;
  }

  #missing(): readonly Address[] {
    const wanted = new Set<Address>();
    for (const delivery of [...this.batch.slice(this.#next), ...this.turn.locals.slice(this.#nextLocal)]) {
      const address = actorNamedBy(delivery, this.#host);
      if (address !== undefined && !this.#broken.has(address) && !this.#isResident(address)) wanted.add(address);
    }
    return [...wanted];
  }

  /** Whether its cell is there, which for an actor with a fresh id needs no read. */
  #isResident(address: Address): boolean {
    const { cells, hosted, residents } = this.#host;
    if (cells.has(address)) return true;
    const cell = hosted.has(typeOf(address)) ? residents.birth(address) : undefined;
    if (cell !== undefined) this.absent.push(cell);
    return cell !== undefined;
  }
}
