/**
 * The channels that somebody on this process follows: each is there from its first client to its last one. Now and then
 * each is looked at, so that positions which have lost their meaning are found out also where nothing is published.
 */

import { Channel, type ChannelOptions, type Follower } from './channel.ts';

/** How long it takes to look at all channels once. */
const roundMs = 25_000;
const stepMs = 500;

export class Channels {
  readonly #options: Omit<ChannelOptions, 'name'>;
  readonly #channels = new Map<string, Channel>();
  /** Channels that are still to be looked at in this round. */
  #due: Channel[] = [];
  #perStep = 0;
  #cancelStep: (() => void) | undefined;

  constructor(options: Omit<ChannelOptions, 'name'>) {
    this.#options = options;
  }

  get size(): number {
    return this.#channels.size;
  }

  /** The channel, which stays for as long as somebody is in it. */
  enter(name: string, follower: Follower): Channel {
    let channel = this.#channels.get(name);
    if (channel === undefined) {
      channel = new Channel({ ...this.#options, name });
      this.#channels.set(name, channel);
      this.#cancelStep ??= this.#options.clock.after(stepMs, () => this.#step());
    }
    channel.followers.add(follower);
    return channel;
  }

  leave(channel: Channel, follower: Follower): void {
    if (!channel.followers.delete(follower)) return;
    channel.presence?.leave(follower.info.client);
    if (channel.followers.size > 0) return;
    channel.stop();
    this.#channels.delete(channel.name);
  }

  #step(): void {
    const { clock, failed } = this.#options;
    this.#cancelStep = undefined;
    if (this.#due.length === 0) {
      this.#due = [...this.#channels.values()];
      this.#perStep = Math.ceil((this.#due.length * stepMs) / roundMs);
    }
    for (const channel of this.#due.splice(0, this.#perStep)) {
      if (this.#channels.get(channel.name) === channel) channel.check().catch(failed);
    }
    if (this.#channels.size > 0) this.#cancelStep = clock.after(stepMs, () => this.#step());
  }
}
