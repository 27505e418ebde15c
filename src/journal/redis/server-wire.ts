/**
 * The wire to one server, or to the primary that Sentinels name: a connection for calls, and a second one for channels
 * as soon as somebody listens. After a failover both connect to the new primary by themselves: what was sent before is
 * `ConnectionLost`, what was not waits for the connection until its deadline.
 */

import type { Clock } from '../../clock.ts';
import { type Confirmation, RedisConnection, type Reply } from './connection.ts';
import type { Endpoint } from './endpoint.ts';
import { type Published, Publisher } from './publisher.ts';
import { SubscriberConnection } from './subscriber.ts';
import { Subscriptions } from './subscriptions.ts';
import type { SendOptions, Wire, WireListener } from './wire.ts';

export interface ServerWireOptions {
  readonly name: string;
  readonly endpoint: Endpoint;
  readonly deadlineMs: number;
  readonly clock: Clock;
  readonly confirmation?: Confirmation | undefined;
}

/** Until a channel is asked for again that the server has refused. */
const askAgainMs = 1_000;

export class ServerWire implements Wire {
  readonly name: string;
  readonly #options: ServerWireOptions;
  readonly #connection: RedisConnection;
  readonly #publisher: Publisher;
  readonly #subscriptions = new Subscriptions({
    open: (channel) => this.#subscriberOf().add(channel),
    end: (channel) => this.#subscriber?.remove(channel),
  });
  #subscriber: SubscriberConnection | undefined;
  #closed = false;

  constructor(options: ServerWireOptions) {
    this.name = options.name;
    this.#options = options;
    this.#connection = new RedisConnection(options);
    this.#publisher = new Publisher(this.#connection, 'say each');
  }

  send(_key: string, bytes: Buffer, options?: SendOptions): Promise<Reply> {
    return this.#connection.send(bytes, options);
  }

  async sendToAll(bytes: Buffer): Promise<readonly Reply[]> {
    return [await this.#connection.send(bytes)];
  }

  publish(channel: string, payload: Uint8Array, told: Published): void {
    this.#publisher.publish(channel, payload, told);
  }

  listen(channel: string, listener: WireListener): () => void {
    return this.#subscriptions.listen(channel, listener);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#subscriber?.close();
    await this.#connection.close();
  }

  #subscriberOf(): SubscriberConnection {
    const { endpoint, deadlineMs, clock } = this.#options;
    this.#subscriber ??= new SubscriberConnection(endpoint, deadlineMs, clock, {
      message: (channel, payload) => this.#subscriptions.message(channel, payload),
      subscribed: (channel) => this.#subscriptions.activated(channel),
      interrupted: (channel) => this.#subscriptions.interrupted(channel),
      refused: (channel) => this.#askAgain(channel),
      lost: () => {},
    });
    if (this.#closed) this.#subscriber.close();
    return this.#subscriber;
  }

  #askAgain(channel: string): void {
    this.#subscriber?.remove(channel);
    this.#options.clock.after(askAgainMs, () => {
      if (!this.#closed && this.#subscriptions.has(channel)) this.#subscriber?.add(channel);
    });
  }
}
