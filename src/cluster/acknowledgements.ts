/**
 * Acknowledgements that nobody waits for: what the shards of this node have committed of other nodes' parcels. They are
 * gathered per node and said now and then, all in one message, since each by itself would cost as much as its parcel. One that
 * gets lost is made up for by the outbox, which sends its parcel again.
 */

import type { Clock } from '../clock.ts';
import type { Shard } from '../shard/shard.ts';
import type { Gathered } from './messages.ts';
import type { Post } from './post.ts';

/** Below the time after which an outbox sends a parcel again. */
const gatherMs = 250;

export class Acknowledgements {
  readonly #post: Post;
  readonly #clock: Clock;
  /** Per node, the highest number per `sender receiver`. */
  #gathered = new Map<string, Map<string, Gathered>>();

  constructor(post: Post, clock: Clock) {
    this.#post = post;
    this.#clock = clock;
  }

  add(node: string, sender: number, receiver: number, n: number): void {
    if (this.#gathered.size === 0) this.#clock.after(gatherMs, () => this.#flush());
    let ofNode = this.#gathered.get(node);
    if (ofNode === undefined) {
      ofNode = new Map();
      this.#gathered.set(node, ofNode);
    }
    ofNode.set(`${sender} ${receiver}`, [sender, receiver, n]);
  }

  /** The shard's next owner tells everyone where it stands; what is known of it here may be more than the store has kept. */
  forget(receiver: number): void {
    for (const marks of this.#gathered.values()) {
      for (const [pair, mark] of marks) if (mark[1] === receiver) marks.delete(pair);
    }
  }

  #flush(): void {
    const gathered = this.#gathered;
    this.#gathered = new Map();
    for (const [node, marks] of gathered) {
      if (marks.size > 0) this.#post.toNode(node, ['acknowledged', [...marks.values()]]);
    }
  }
}

/** Hears what another node has gathered. Shards that have gone elsewhere since are told by their receivers' next owners. */
export function acknowledge(shards: readonly Shard[], gathered: readonly Gathered[]): void {
  for (const [sender, receiver, n] of gathered) {
    if (shards[sender]?.isHere) shards[sender].outbox.acknowledge(receiver, n);
  }
}
