/**
 * Who in this process listens to which channel. Listeners of one channel share one subscription, which the wire opens
 * with the first and ends with the last of them. It guarantees that `active` is called once for each time that the
 * subscription has come about, for a late listener too, and that nothing is called after a listener has left.
 *
 * It deliberately knows no connection: `SubscriberConnection` brings its news.
 */

import type { WireListener } from './wire.ts';

interface Subscription {
  readonly listeners: Set<WireListener>;
  isActive: boolean;
}

export interface ChannelHolder {
  /** The first listener of a channel has come. */
  open(channel: string): void;
  /** The last one has left. */
  end(channel: string): void;
}

export class Subscriptions {
  readonly #holder: ChannelHolder;
  readonly #channels = new Map<string, Subscription>();

  constructor(holder: ChannelHolder) {
    this.#holder = holder;
  }

  /** Channels that somebody listens to. */
  get channels(): Iterable<string> {
    return this.#channels.keys();
  }

  get size(): number {
    return this.#channels.size;
  }

  listen(channel: string, listener: WireListener): () => void {
    // A wrapper, so that one listener can listen twice.
    const own: WireListener = { message: (payload) => listener.message(payload), active: () => listener.active() };
    const known = this.#channels.get(channel);
    const subscription = known ?? { listeners: new Set<WireListener>(), isActive: false };
    subscription.listeners.add(own);
    if (known === undefined) {
      this.#channels.set(channel, subscription);
      this.#holder.open(channel);
    } else if (known.isActive) {
      // The caller gets its way to leave first. An interruption meanwhile brings an `active` of its own.
      queueMicrotask(() => known.isActive && known.listeners.has(own) && own.active());
    }
    return () => {
      if (!subscription.listeners.delete(own) || subscription.listeners.size > 0) return;
      this.#channels.delete(channel);
      this.#holder.end(channel);
    };
  }

  has(channel: string): boolean {
    return this.#channels.has(channel);
  }

  activated(channel: string): void {
    const subscription = this.#channels.get(channel);
    if (subscription === undefined) return;
    subscription.isActive = true;
    for (const listener of [...subscription.listeners]) listener.active();
  }

  interrupted(channel: string): void {
    const subscription = this.#channels.get(channel);
    if (subscription !== undefined) subscription.isActive = false;
  }

  message(channel: string, payload: Buffer): void {
    const subscription = this.#channels.get(channel);
    if (subscription === undefined) return;
    for (const listener of subscription.listeners) listener.message(payload);
  }
}
