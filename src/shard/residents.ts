/**
 * The cells of one shard that are resident, and who leaves when: the idle ones after their definition's time, and the
 * longest unused when there are too many. A cell that a commit under way has changed stays, since that change can be read
 * nowhere else.
 *
 * It also remembers which ids were minted here, so that the first envelope of a fresh actor reads nothing.
 */

import { type Address, idOf, typeOf } from '../actor/address.ts';
import type { HostedMachine } from '../actor/logic.ts';
import { TroupeError } from '../errors.ts';
import type { Journal } from '../journal/journal.ts';
import { absentCell, type Cell, rehydrate } from './cell.ts';

/** Minted ids that are remembered. */
const mintedMax = 10_000;
/** Cells that a snapshot is made of, before they go, in one pass; the others are read again when they are needed. */
const leavingMax = 1_000;

export class Residents {
  readonly cells = new Map<Address, Cell>();
  readonly #hosted: ReadonlyMap<string, HostedMachine>;
  readonly #cellsMax: number;
  /**
   * Has a snapshot made of a cell before it goes. Where there is an archive, reading and folding it again later
   * (shard-compaction.ts) costs many times as much.
   */
  readonly #leave: ((address: Address) => void) | undefined;
  /** Ids minted here since the shard was taken and not used yet: the journal cannot hold an actor with one of them. */
  readonly #minted = new Set<string>();

  constructor(hosted: ReadonlyMap<string, HostedMachine>, cellsMax: number, leave?: (address: Address) => void) {
    this.#hosted = hosted;
    this.#cellsMax = cellsMax;
    this.#leave = leave;
  }

  clear(): void {
    this.cells.clear();
    this.#minted.clear();
  }

  minted(id: string): void {
    if (this.#minted.size >= mintedMax) this.#minted.clear();
    this.#minted.add(id);
  }

  /** Makes the cell of an actor whose id was minted here and never used, which needs no read. */
  birth(address: Address): Cell | undefined {
    if (!this.#minted.delete(idOf(address))) return undefined;
    const cell = absentCell(address, this.#hosted.get(typeOf(address))!);
    this.cells.set(address, cell);
    return cell;
  }

  /**
   * Rehydrates actors. What is wrong with one of them alone comes as its error. Rejects when the journal cannot be read.
   * Nothing is kept once `isWanted` says no.
   */
  async load(
    journal: Journal,
    shard: number,
    addresses: readonly Address[],
    isWanted: () => boolean,
  ): Promise<readonly (Cell | TroupeError)[]> {
    for (const address of addresses) this.#minted.delete(idOf(address));
    const records = await journal.readActors(shard, addresses);
    const loaded: (Cell | TroupeError)[] = [];
    for (const [index, address] of addresses.entries()) {
      try {
        const cell = await rehydrate(journal, shard, this.#hosted.get(typeOf(address))!, address, records[index]);
        if (!isWanted()) return [];
        this.cells.set(address, cell);
        loaded.push(cell);
      } catch (error) {
        if (!(error instanceof TroupeError) || error.code === 'JOURNAL_UNAVAILABLE') throw error;
        loaded.push(error);
      }
    }
    return loaded;
  }

  /**
   * Drops those of the `changed` cells that are over, with commits up to `released`: they are hardly asked again, and what
   * stays for a second grows old on the heap, where clearing it away costs many times as much. Not while a turn is under
   * way, which may hold them.
   */
  dismiss(changed: Iterable<Cell>, released: number): number {
    if (this.#leave !== undefined) return 0;
    let count = 0;
    for (const cell of changed) {
      if (cell.commit > released || this.cells.get(cell.address) !== cell || !isOver(cell)) continue;
      this.cells.delete(cell.address);
      count++;
    }
    return count;
  }

  /**
   * Drops the cells that have been idle for long, of those whose changes are all in commits up to `released`. When
   * there is time for it (`isQuiet`), a snapshot is first asked for, once, of one that has a tail.
   */
  passivate(now: number, released: number, isQuiet: boolean): number {
    const leave = isQuiet ? this.#leave : undefined;
    let [count, leaving] = [0, 0];
    for (const cell of this.cells.values()) {
      if (now - cell.usedAt < cell.hosted.definition.passivateAfterMs || cell.commit > released) continue;
      const isAsked = cell.tail.length === 0 || cell.isTooLarge || cell.leaving === cell.version;
      if (leave !== undefined && !isAsked && leaving < leavingMax) {
        leaving++;
        cell.leaving = cell.version;
        leave(cell.address);
        continue;
      }
      this.cells.delete(cell.address);
      count++;
    }
    return count;
  }

  /** When there are too many: drops the quarter that was used longest ago, so that the bound costs little per envelope. */
  evict(released: number): number {
    if (this.cells.size <= this.#cellsMax) return 0;
    const oldest = [...this.cells.values()].sort((a, b) => a.usedAt - b.usedAt);
    const before = this.cells.size;
    for (const cell of oldest.slice(0, Math.ceil(oldest.length / 4))) {
      if (cell.commit <= released) this.cells.delete(cell.address);
    }
    return before - this.cells.size;
  }
}

/** A definition that cannot tell is no reason to fail after a commit: the cell then leaves when it is idle. */
function isOver({ hosted, state }: Cell): boolean {
  try {
    return hosted.isOver(state);
  } catch {
    return false;
  }
}
