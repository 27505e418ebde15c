/**
 * Live subscriptions of one process. The shards hand every committed publication to the hub, per topic in order of its
 * offset; the hub calls the subscribers there and then. It keeps no history (the journal does) and forgets a topic with
 * its last subscriber.
 *
 * Where there are other nodes it has a relay, which brings the publications of shards that are elsewhere and takes
 * those of shards that are here to them (cluster/news.ts).
 */

import { messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Publication } from './topic.ts';

export type Listener = (publication: Publication) => void;

/** A committed publication as its shard has it. */
export interface Published {
  readonly topic: string;
  /** Its data, encoded. */
  readonly payload: Uint8Array;
  /** Its data; may have to be decoded. */
  data(): unknown;
}

export interface Relay {
  /** Somebody here subscribes to the topic; nobody did before. */
  follow(topic: string): void;
  /** Nobody does any more. */
  unfollow(topic: string): void;
  /** A shard of this node has published. What subscribers here are to hear of it comes by `Hub.deliver`. */
  published(published: Published, offset: number, shard: number): void;
  /** When subscribers here hear everything that is published from then on; undefined: they do already. */
  listening(topic: string): Promise<void> | undefined;
}

export class Hub {
  readonly #log: Log;
  readonly #topics = new Map<string, Set<Listener>>();
  #relay: Relay | undefined;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Before the first subscription. */
  connect(relay: Relay): void {
    this.#relay = relay;
  }

  subscribe(topic: string, listener: Listener): () => void {
    let listeners = this.#topics.get(topic);
    if (listeners === undefined) {
      listeners = new Set();
      this.#topics.set(topic, listeners);
      this.#relay?.follow(topic);
    }
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      if (listeners.size > 0 || this.#topics.get(topic) !== listeners) return;
      this.#topics.delete(topic);
      this.#relay?.unfollow(topic);
    };
  }

  listening(topic: string): Promise<void> | undefined {
    return this.#relay?.listening(topic);
  }

  /** Does not throw: what another node has encoded may have words that this version does not know. */
  publish(published: Published, offset: number, shard: number): void {
    const { topic } = published;
    try {
      if (this.#relay !== undefined) this.#relay.published(published, offset, shard);
      else if (this.#topics.has(topic)) this.deliver(topic, offset, published.data());
    } catch (error) {
      this.#log.error({ topic, offset }, `a publication to ${topic} cannot be read: ${messageOf(error)}`);
    }
  }

  deliver(topic: string, offset: number, data: unknown): void {
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
