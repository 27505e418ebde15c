/**
 * Messages on their way out of this node: what is said to one channel in one turn of the event loop leaves as one
 * message, in the order in which it was said. It guarantees no more than the store does, a message may get lost; what could
 * not be sent is said again some times where nobody else makes up for it (answers, and what everyone is to know). An answer
 * that cannot be encoded becomes a refusal; it harms nothing else that is said.
 */

import type { Clock } from '../clock.ts';
import { messageOf, TroupeError } from '../errors.ts';
import { encode } from '../journal/codec.ts';
import type { Channel, ClusterStore } from './cluster-store.ts';
import { type CommonMessage, type NodeMessage, newsOf, refusalOf, type ShardMessage } from './messages.ts';

type Message = ShardMessage | NodeMessage | CommonMessage;

interface Outgoing {
  readonly channel: Channel;
  readonly messages: Message[];
  attempts: number;
}

const againMs = 500;
const attemptsMax = 20;

export class Post {
  readonly #store: ClusterStore;
  readonly #clock: Clock;
  #outgoing = new Map<string, Outgoing>();
  /** Shards of which it is about to be said that something was missed. */
  readonly #missed = new Set<number>();

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
    const lost = (): void => {
      if (this.#missed.has(shard)) return;
      this.#missed.add(shard);
      this.toEveryone(['missed', shard]);
    };
    this.#store.publish({ kind: 'topic', shard, topic }, newsOf(offset, payload), lost);
  }

  /** Sends what has been said so far. */
  flush(): void {
    const outgoing = this.#outgoing;
    this.#outgoing = new Map();
    this.#missed.clear();
    for (const one of outgoing.values()) this.#send(one);
  }

  #send(outgoing: Outgoing): void {
    const { channel, messages } = outgoing;
    this.#store.publish(channel, encoded(messages), () => {
      // What is for a shard is sent again by the outbox that holds it.
      if (channel.kind === 'shard' || ++outgoing.attempts >= attemptsMax) return;
      this.#clock.after(againMs, () => this.#send(outgoing));
    });
  }

  #say(key: string, channel: Channel, message: Message): void {
    const outgoing = this.#outgoing.get(key);
    if (outgoing !== undefined) {
      outgoing.messages.push(message);
      return;
    }
    if (this.#outgoing.size === 0) this.#clock.soon(() => this.flush());
    this.#outgoing.set(key, { channel, messages: [message], attempts: 0 });
  }
}

function encoded(messages: readonly Message[]): Uint8Array {
  try {
    return encode(messages);
  } catch {
    return encode(messages.map(sayable));
  }
}

/** Only what an actor answered, or a refusal's params, can be something else than plain data. */
function sayable(message: Message): Message {
  if (message[0] !== 'answer' && message[0] !== 'refusal') return message;
  try {
    encode(message);
    return message;
  } catch (error) {
    if (message[0] === 'refusal') return ['refusal', message[1], message[2], message[3], {}];
    const why = `The answer cannot be sent to another node: ${messageOf(error)}`;
    return refusalOf(message[1], new TroupeError('MACHINE_FAILED', why));
  }
}
