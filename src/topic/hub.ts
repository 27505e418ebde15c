/**
 * Live subscriptions of one process. The shards hand every committed publication to the hub, per topic in order of its
 * offset; the hub calls the subscribers there and then. It keeps no history (the journal does) and forgets a topic with
 * its last subscriber.
 */

import { messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Publication } from './topic.ts';

export type Listener = (publication: Publication) => void;

export class Hub {
  readonly #log: Log;
  readonly #topics = new Map<string, Set<Listener>>();

  constructor(log: Log) {
    this.#log = log;
  }

  subscribe(topic: string, listener: Listener): () => void {
    let listeners = this.#topics.get(topic);
    if (listeners === undefined) {
      listeners = new Set();
      this.#topics.set(topic, listeners);
    }
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#topics.get(topic) === listeners) this.#topics.delete(topic);
    };
  }

  publish(topic: string, offset: number, data: unknown): void {
    const listeners = this.#topics.get(topic);
    if (listeners === undefined) return;
    const publication: Publication = { topic, offset, data };
    for (const listener of listeners) {
      try {
        listener(publication);
      } catch (error) {
        // One subscriber's failure must not keep the others, or the shard, from going on.
        this.#log.error({ topic, offset }, `a subscriber of ${topic} failed: ${messageOf(error)}`);
      }
    }
  }
}
