/**
 * Signals between nodes: each is one message on a channel of its topic in the store, to whoever listens there. It adds
 * nothing to what the store's channels promise: a message may get lost, and one node's messages keep their order. Which
 * nodes may be listening is what the last beat has listed.
 */

import { messageOf } from '../errors.ts';
import { decode, encode } from '../journal/codec.ts';
import type { Log } from '../log.ts';
import type { SignalListener, Signals } from '../topic/signals.ts';
import { topicShard } from '../topic/topic.ts';
import type { ClusterStore, ClusterView } from './cluster-store.ts';

export interface ClusterSignalsOptions {
  readonly store: ClusterStore;
  readonly shards: number;
  /** Of this process. */
  readonly nonce: string;
  readonly log: Log;
  view(): ClusterView;
}

export class ClusterSignals implements Signals {
  readonly self: string;
  readonly #options: ClusterSignalsOptions;
  readonly #watchers = new Set<() => void>();
  #known: ReadonlySet<string> = new Set();

  constructor(options: ClusterSignalsOptions) {
    this.self = options.nonce;
    this.#options = options;
  }

  send(topic: string, data: unknown): void {
    const { store, shards } = this.#options;
    store.publish({ kind: 'signal', shard: topicShard(topic, shards), topic }, encode([this.self, data]));
  }

  listen(topic: string, listener: SignalListener): () => void {
    const { store, shards, log } = this.#options;
    return store.listen(
      { kind: 'signal', shard: topicShard(topic, shards), topic },
      {
        active: () => listener.active(),
        message: (payload) => {
          try {
            const [from, data] = decode<readonly [string, unknown]>(payload);
            listener.signal(data, from);
          } catch (error) {
            log.warn({ topic }, `a signal was not heard: ${messageOf(error)}`);
          }
        },
      },
    );
  }

  present(): ReadonlySet<string> {
    return new Set([this.self, ...this.#options.view().nodes.map(({ nonce }) => nonce)]);
  }

  watch(changed: () => void): () => void {
    this.#watchers.add(changed);
    return () => this.#watchers.delete(changed);
  }

  /** The node has looked who is there. */
  looked(): void {
    const present = this.present();
    const isSame = present.size === this.#known.size && [...present].every((nonce) => this.#known.has(nonce));
    if (isSame) return;
    this.#known = present;
    for (const changed of [...this.#watchers]) changed();
  }
}
