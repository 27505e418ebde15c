/**
 * Where shards stand, as nodes have said of their own and passed on of others'. A store that is behind what was heard has
 * lost answered commits, also when the owner that was answered is gone: whoever takes the shard hands it to the journal
 * (`Journal.acquire`). It is a lower bound, as old as the last beat, and only what a live process has heard is known.
 */

import type { Known } from '../journal/journal.ts';
import type { NodeInfo } from './cluster-store.ts';

/** Shards of other nodes that a beat speaks of. */
const passedOnMax = 1_024;

export class Hearsay {
  readonly #known = new Map<number, Known>();

  knownOf(shard: number): Known | undefined {
    return this.#known.get(shard);
  }

  /** What a node says; of two things said of one shard, the one under the later epoch counts. */
  listen({ heads, epochs = {}, heard = {} }: NodeInfo): void {
    for (const [shard, commits] of Object.entries(heads))
      this.#learn(Number(shard), epochs[Number(shard)] ?? 0, commits);
    for (const [shard, [epoch, commits]] of Object.entries(heard)) this.#learn(Number(shard), epoch, commits);
  }

  /** What to pass on: of the shards that are not ours to speak of. */
  passedOn(isOurs: (shard: number) => boolean): NonNullable<NodeInfo['heard']> {
    const others = [...this.#known].filter(([shard]) => !isOurs(shard)).slice(0, passedOnMax);
    return Object.fromEntries(others.map(([shard, { epoch, commits }]) => [shard, [epoch, commits]]));
  }

  #learn(shard: number, epoch: number, commits: number): void {
    const known = this.#known.get(shard) ?? { epoch: 0, commits: 0 };
    if (epoch > known.epoch || (epoch === known.epoch && commits > known.commits)) {
      this.#known.set(shard, { epoch, commits });
    }
  }
}
