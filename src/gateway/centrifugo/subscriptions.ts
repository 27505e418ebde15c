/**
 * The subscriptions of one client. Subscribing finds out whether the client may, joins the channel, and reads from the
 * topic's history what the client lacks: `recovered` is true only when nothing between its position and now is missing. A
 * first page goes with the reply; whatever else there is follows as publications, at the pace at which the client reads.
 *
 * Commands about one channel are carried out one after the other, those about different ones beside each other.
 */

import type { Publication } from '../../topic/topic.ts';
import type { Connection } from '../connection.ts';
import type { Claims } from '../tokens.ts';
import type { Channel, Follower } from './channel.ts';
import type { ChannelRules } from './channel-rules.ts';
import type { Channels } from './channels.ts';
import {
  type ClientInfo,
  type Disconnect,
  errors,
  type Position,
  publicationOf,
  pushFrame,
  rejectUnrecovered,
  unsubscribed,
} from './protocol.ts';

export interface SubscriptionsOptions {
  readonly channels: Channels;
  readonly rules: ChannelRules;
  readonly connection: Connection;
  readonly info: ClientInfo;
  readonly channelsMax: number;
  claims(): Claims;
  language(): string;
  end(disconnect: Disconnect): void;
}

export interface SubscribeRequest extends Position {
  readonly channel: string;
  readonly join_leave?: boolean | undefined;
  readonly flag?: number | undefined;
}

interface Subscription extends Follower {
  readonly channel: Channel;
}

/** Publications and characters that go with a reply. */
const repliedMax = 64;
const repliedCharactersMax = 128 * 1024;

interface Recovery {
  readonly recovered: boolean;
  readonly epoch: string;
  /** The position that the reply names, from which its publications count. */
  readonly from: number;
  /** Offset of the last publication in the reply, else `from`. */
  readonly upto: number;
  readonly head: number;
  readonly publications: readonly string[];
}

export class Subscriptions {
  readonly #options: SubscriptionsOptions;
  readonly #all = new Map<string, Subscription>();
  /** What is being done about a channel; the next command about it waits for that. */
  readonly #underWay = new Map<string, Promise<void>>();
  #isClosed = false;

  constructor(options: SubscriptionsOptions) {
    this.#options = options;
  }

  get(channel: string): Subscription | undefined {
    const subscription = this.#all.get(channel);
    return subscription?.isActive === true ? subscription : undefined;
  }

  /** Calls `reply` with the result as JSON. Rejects with a `ProtocolError`, and then nothing has changed. */
  subscribe(request: SubscribeRequest, reply: (result: string) => void): Promise<void> {
    return this.#inTurn(request.channel, () => this.#subscribe(request, reply));
  }

  unsubscribe(channel: string): Promise<void> {
    return this.#inTurn(channel, async () => {
      const subscription = this.#all.get(channel);
      if (subscription !== undefined) this.#remove(subscription);
    });
  }

  /** What a publication means for this client. */
  delivery(publication: Publication): ReturnType<Channel['delivery']> {
    const subscription = this.get(publication.topic);
    return subscription === undefined ? { frames: [] } : subscription.channel.delivery(publication, subscription);
  }

  close(): void {
    this.#isClosed = true;
    for (const subscription of [...this.#all.values()]) this.#remove(subscription);
  }

  #inTurn(channel: string, work: () => Promise<void>): Promise<void> {
    const before = this.#underWay.get(channel);
    const done = before === undefined ? work() : before.then(work, work);
    const forget = (): void => {
      if (this.#underWay.get(channel) === done) this.#underWay.delete(channel);
    };
    this.#underWay.set(channel, done);
    done.then(forget, forget);
    return done;
  }

  async #subscribe(request: SubscribeRequest, reply: (result: string) => void): Promise<void> {
    const { channels, rules, claims, connection, channelsMax } = this.#options;
    const name = request.channel;
    if (this.#all.has(name)) throw errors.alreadySubscribed;
    const admittance = await rules.admit(name, claims());
    if (admittance === 'unknown') throw errors.unknownChannel;
    if (admittance === 'denied') throw errors.permissionDenied;
    if (this.#isClosed) return;
    // Not before the wait: a frame may hold many of these, which would all find room.
    if (this.#all.size >= channelsMax) throw errors.limitExceeded;
    const subscription = this.#enter(request, channels);
    const { channel } = subscription;
    try {
      await channel.listening();
      const recovery = await this.#recover(subscription, request);
      const { from, upto, head, epoch } = recovery;
      if (this.#isClosed) return;
      // Expelled meanwhile.
      if (this.#all.get(name) !== subscription) throw errors.permissionDenied;
      // Nothing may be awaited from here on: what is published next is given to this client.
      subscription.isActive = true;
      reply(resultOf(recovery, request.recover === true));
      const last = Math.max(from, upto);
      connection.start(name, last, head > last || channel.isBeyond(last), epoch);
      channel.presence?.enter(subscription.info);
    } catch (error) {
      this.#remove(subscription);
      throw error;
    }
  }

  #enter({ channel: name, join_leave: wantsJoins = false }: SubscribeRequest, channels: Channels): Subscription {
    const { connection, info, language, end } = this.#options;
    const follower: Follower = {
      connection,
      info,
      wantsJoins,
      isActive: false,
      language,
      end,
      unsubscribe: () => this.#expel(name),
    };
    const subscription = Object.assign(follower, { channel: channels.enter(name, follower) });
    this.#all.set(name, subscription);
    return subscription;
  }

  async #recover(subscription: Subscription, request: SubscribeRequest): Promise<Recovery> {
    const { channel } = subscription;
    const { recover = false, epoch = '', offset: from = 0, flag = 0 } = request;
    // An empty epoch is any.
    const position = epoch === '' ? {} : { epoch };
    const offset = recover ? from : Number.MAX_SAFE_INTEGER;
    const page = await channel.read({ offset, ...position, limit: recover ? repliedMax : 1 });
    const { head } = page;
    const recovered = recover && page.recovered;
    if (recover && !recovered && (flag & rejectUnrecovered) !== 0) throw errors.unrecoverable;
    if (!recovered) return { recovered, epoch: page.epoch, from: head, upto: head, head, publications: [] };
    const publications: string[] = [];
    let upto = from;
    let characters = 0;
    for (const publication of page.publications) {
      const { data } = await this.#options.rules.shown(publication);
      const text = publicationOf(typeof data === 'string' ? data : data(subscription.language()), publication.offset);
      characters += text.length;
      if (characters > repliedCharactersMax) break;
      publications.push(text);
      upto = publication.offset;
    }
    return { recovered, epoch: page.epoch, from, upto, head, publications };
  }

  #expel(name: string): void {
    const { connection } = this.#options;
    const subscription = this.#all.get(name);
    if (subscription === undefined) return;
    const wasActive = subscription.isActive;
    this.#remove(subscription);
    if (wasActive) connection.send(pushFrame(name, 'unsubscribe', unsubscribed));
  }

  #remove(subscription: Subscription): void {
    const { channels, connection } = this.#options;
    const { channel } = subscription;
    if (this.#all.get(channel.name) !== subscription) return;
    this.#all.delete(channel.name);
    subscription.isActive = false;
    connection.stop(channel.name);
    channels.leave(channel, subscription);
  }
}

function resultOf({ recovered, epoch, from, publications }: Recovery, wasRecovering: boolean): string {
  const position = { recoverable: true, positioned: true, epoch, offset: from };
  const result = JSON.stringify({
    ...position,
    ...(recovered ? { recovered } : {}),
    ...(wasRecovering ? { was_recovering: true } : {}),
  });
  return publications.length === 0 ? result : `${result.slice(0, -1)},"publications":[${publications.join()}]}`;
}
