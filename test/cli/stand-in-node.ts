/**
 * A node as far as its store can see: it beats, takes the shards that belong to it and gives away those that do not. It
 * runs no actors, so that tests of the commands say what a node does, and when.
 */

import { setTimeout as pause } from 'node:timers/promises';
import { type Journal, type NodeInfo, openJournal, placementOf } from '../../src/index.ts';

export interface StandInOptions extends Partial<NodeInfo> {
  readonly id: string;
  /** It never gives a shard away. */
  readonly isStuck?: boolean;
}

const leaseMs = 3_000;
const roundMs = 20;

export class StandInNode {
  readonly info: NodeInfo;
  readonly #journal: Journal;
  readonly #isStuck: boolean;
  readonly #leases = new Map<number, Awaited<ReturnType<Journal['acquire']>> & { kind: 'acquired' }>();
  #isStopped = false;
  #running: Promise<void> = Promise.resolve();

  private constructor(journal: Journal, { isStuck = false, ...about }: StandInOptions) {
    this.#journal = journal;
    this.#isStuck = isStuck;
    this.info = {
      nonce: `${about.id}.1`,
      role: 'all',
      weight: 1,
      isDraining: false,
      startedAt: 1_700_000_000_000,
      about: `stand-in ${about.id}`,
      heads: {},
      ...about,
    };
  }

  /** Resolves when the node is on the list. */
  static async start(url: string, options: StandInOptions): Promise<StandInNode> {
    const node = new StandInNode(await openJournal(url, { shards: 8 }), options);
    await node.#round();
    node.#running = node.#run();
    return node;
  }

  /** What dies, dies without a word. */
  async die(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
    await this.#journal.close();
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      await this.#round();
      await pause(roundMs);
    }
  }

  async #round(): Promise<void> {
    const { cluster, shards } = this.#journal;
    const { id, nonce } = this.info;
    const view = await cluster?.beat(this.info, leaseMs);
    if (view === undefined || view === false) throw new Error(`${id} is not let in`);
    for (let shard = 0; shard < shards; shard++) {
      const belongs = placementOf(shard, view) === id;
      const held = this.#leases.get(shard);
      if (held === undefined && belongs) {
        const outcome = await this.#journal.acquire(shard, { node: id, nonce }, leaseMs);
        if (outcome.kind === 'acquired') this.#leases.set(shard, outcome);
      } else if (held !== undefined && !belongs && !this.#isStuck) {
        await this.#journal.release(held.lease);
        this.#leases.delete(shard);
        // One in each round, so that somebody who waits sees it happen.
        return;
      } else if (held !== undefined) await this.#journal.renew(held.lease, leaseMs);
    }
  }
}
