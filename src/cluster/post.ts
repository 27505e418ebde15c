/**
 * Messages on their way out of this node: what is said to one channel in one turn of the event loop leaves as one
 * message, in the order in which it was said. It guarantees no more than the store does: a message may get lost.
 */

import type { Clock } from '../clock.ts';
import { encode } from '../journal/codec.ts';
import type { Channel, ClusterStore } from './cluster-store.ts';
import { type CommonMessage, type NodeMessage, newsOf, type ShardMessage } from './messages.ts';

interface Outgoing {
  readonly channel: Channel;
  readonly messages: unknown[];
}

export class Post {
  readonly #store: ClusterStore;
  readonly #clock: Clock;
  #outgoing = new Map<string, Outgoing>();

  constructor(store: ClusterStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  toShard(shard: number, message: ShardMessage): void {
    this.#say(`shard ${shard}`, { kind: 'shard', shard }, message);
  }

  toNode(node: string, message: NodeMessage): void {
    this.#say(`node ${node}`, { kind: 'node', node }, message);
  }

  toEveryone(message: CommonMessage): void {
    this.#say('everyone', { kind: 'everyone' }, message);
  }

  /** Leaves at once: publications of one topic seldom come in one turn, and each is wanted as it is. */
  news(shard: number, topic: string, offset: number, payload: Uint8Array): void {
    this.#store.publish({ kind: 'topic', shard, topic }, newsOf(offset, payload));
  }

  /** Sends what has been said so far. */
  flush(): void {
    const outgoing = this.#outgoing;
    this.#outgoing = new Map();
    for (const { channel, messages } of outgoing.values()) this.#store.publish(channel, encode(messages));
  }

  #say(key: string, channel: Channel, message: unknown): void {
    const outgoing = this.#outgoing.get(key);
    if (outgoing !== undefined) {
      outgoing.messages.push(message);
      return;
    }
    if (this.#outgoing.size === 0) this.#clock.soon(() => this.flush());
    this.#outgoing.set(key, { channel, messages: [message] });
  }
}
