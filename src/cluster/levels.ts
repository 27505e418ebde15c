/**
 * When the timers of a shard that was taken may fire: after every other node has said that it has sent what its shards had
 * for that one (`level`), so that an answer that was waiting is not beaten by a timeout. No longer than `levelMsMax`
 * though: a node may be dead, or of a version that says no such thing.
 */

import type { Clock } from '../clock.ts';
import type { Shard } from '../shard/shard.ts';
import type { LiveNode } from './cluster-store.ts';

export const levelMsMax = 1_000;
export const levelLookMs = 5;

export interface LevelsOptions {
  readonly shards: readonly Shard[];
  readonly clock: Clock;
  /** The nodes that have to say so. */
  others(): readonly LiveNode[];
}

export class Levels {
  readonly #options: LevelsOptions;
  /** Who has said so, by shard. */
  readonly #said = new Map<number, Set<string>>();

  constructor(options: LevelsOptions) {
    this.#options = options;
  }

  /** The shard was taken. Its timers are started when the time has come, unless it is lost or taken again before. */
  begin(shard: Shard): void {
    const said = new Set<string>();
    this.#said.set(shard.shard, said);
    this.#look(shard, said, this.#options.clock.monotonic() + levelMsMax);
  }

  say(shard: number, node: string): void {
    this.#said.get(shard)?.add(node);
  }

  #look(shard: Shard, said: ReadonlySet<string>, until: number): void {
    if (this.#said.get(shard.shard) !== said) return;
    const { clock, shards, others } = this.#options;
    if (!shard.isOpen) {
      this.#said.delete(shard.shard);
      return;
    }
    const isLevel = others().every(({ id }) => said.has(id));
    const isOpening = shards.some((other) => other.isWanted && !other.isOpen);
    if ((isLevel && !isOpening) || clock.monotonic() >= until) {
      this.#said.delete(shard.shard);
      shard.startTimers();
      return;
    }
    clock.after(levelLookMs, () => this.#look(shard, said, until));
  }
}
