/**
 * One channel as this process follows it for all of its clients: the topic is followed once (feed.ts), each publication
 * becomes a frame once, and goes to every connection that has got what came before it. A connection that is behind reads
 * on from the topic's history by itself (connection.ts).
 *
 * When positions in the topic have lost their meaning (another epoch), or what comes next is not known, every client is
 * told to connect again, and finds out that it cannot recover. Who is there and who is typing goes past all of that, and
 * is not given to a connection that is behind.
 */

import type { Clock } from '../../clock.ts';
import { TroupeError } from '../../errors.ts';
import type { Publication, TopicHistory } from '../../topic/topic.ts';
import type { Connection, Delivery } from '../connection.ts';
import { Feed } from '../feed.ts';
import type { Frame } from '../http.ts';
import type { ChannelRules, ChannelTopics, Shown } from './channel-rules.ts';
import { ChannelPresence, type PresenceSignal } from './presence.ts';
import {
  type ClientInfo,
  type Disconnect,
  disconnects,
  publicationFrame,
  publicationOf,
  pushFrame,
} from './protocol.ts';

/** A client that follows a channel, as the channel sees it. */
export interface Follower {
  readonly connection: Connection;
  readonly info: ClientInfo;
  /** Whether it is told who comes and goes. */
  readonly wantsJoins: boolean;
  /** Whether it is given publications yet. */
  isActive: boolean;
  language(): string;
  /** The connection ends. */
  end(disconnect: Disconnect): void;
  /** The client may not follow the channel any more. */
  unsubscribe(): void;
}

export interface ChannelOptions {
  readonly name: string;
  readonly rules: ChannelRules;
  readonly topics: ChannelTopics;
  readonly clock: Clock;
  failed(error: unknown): void;
}

type ChannelSignal =
  | PresenceSignal
  /** What a client tells the others: data as JSON. */
  | { readonly kind: 'told'; readonly data: string; readonly info: ClientInfo };

/** Connections of one frame at which encoding it once pays. */
const encodedFrom = 4;

export class Channel {
  readonly name: string;
  readonly followers = new Set<Follower>();
  /** Undefined where clients are not told of each other. */
  readonly presence: ChannelPresence | undefined;
  readonly #options: ChannelOptions;
  readonly #unlisten: () => void;
  #feed: Feed;
  /** Offset of the newest publication that was given to those who were active then. */
  #given = 0;
  #epoch: string | undefined;

  constructor(options: ChannelOptions) {
    const { name, rules, topics, clock } = options;
    this.name = name;
    this.#options = options;
    this.#feed = this.#follow();
    if (!rules.hasPresence(name)) {
      this.#unlisten = () => undefined;
      return;
    }
    const { signals } = topics;
    const presence = new ChannelPresence({
      topic: name,
      signals,
      clock,
      joined: (info) => this.#tell(pushFrame(name, 'join', { info }), true),
      left: (info) => this.#tell(pushFrame(name, 'leave', { info }), true),
    });
    this.presence = presence;
    this.#unlisten = signals.listen(name, {
      signal: (data, from) => this.#heard(data as ChannelSignal, from),
      active: () => presence.active(),
    });
  }

  /** When everything that is published from then on is heard here; undefined: it is already. */
  listening(): Promise<void> | undefined {
    return this.#options.topics.listening(this.name);
  }

  stop(): void {
    this.#feed.stop();
    this.presence?.stop();
    this.#unlisten();
  }

  /** What the topic holds after `offset`. */
  async read(position: {
    readonly offset: number;
    readonly epoch?: string;
    readonly limit: number;
  }): Promise<TopicHistory> {
    const given = this.#given;
    const page = await this.#options.topics.readTopic(this.name, position);
    this.#learn(page, given);
    return page;
  }

  /** Whether something behind `offset` was given to others already. */
  isBeyond(offset: number): boolean {
    return this.#given > offset;
  }

  /** Finds out whether positions have lost their meaning, and tells the others who is here. */
  async check(): Promise<void> {
    this.presence?.announce();
    await this.read({ offset: Number.MAX_SAFE_INTEGER, limit: 1 });
  }

  /** What a publication is to one client. */
  delivery(publication: Publication, follower: Follower): Delivery | Promise<Delivery> {
    const shown = this.#options.rules.shown(publication);
    if (shown instanceof Promise) return shown.then((ready) => this.#framed(publication, ready)(follower));
    return this.#framed(publication, shown)(follower);
  }

  /** Tells the others what a client says. */
  say(info: ClientInfo, data: string): void {
    this.#options.topics.signals.send(this.name, { kind: 'told', data, info } satisfies ChannelSignal);
    this.#told(info, data);
  }

  #follow(): Feed {
    return new Feed({
      topics: this.#options.topics,
      topic: this.name,
      handle: (publication) => this.#handle(publication),
      lost: (error) => this.#lost(error),
    });
  }

  #handle(publication: Publication): void | Promise<void> {
    const shown = this.#options.rules.shown(publication);
    if (shown instanceof Promise) return shown.then((ready) => this.#give(publication, ready));
    this.#give(publication, shown);
  }

  #give(publication: Publication, shown: Shown): void {
    // Offsets never go back but where the topic has begun anew.
    if (publication.offset <= this.#given) this.check().catch((error: unknown) => this.#lost(error));
    this.#given = publication.offset;
    const { members } = shown;
    const deliveryTo = this.#framed(publication, shown);
    for (const follower of [...this.followers]) {
      if (members?.includes(follower.info.user) === false) follower.unsubscribe();
      else if (follower.isActive) follower.connection.feed(publication, deliveryTo(follower));
    }
  }

  /** Frames of one publication, each made once. */
  #framed({ offset }: Publication, shown: Shown): (follower: Follower) => Delivery {
    const { data, outcomeOf } = shown;
    const made = new Map<string, Delivery>();
    return (follower) => {
      const language = typeof data === 'string' ? '' : follower.language();
      const known = made.get(language);
      if (known !== undefined) return known;
      const text = publicationFrame(this.name, publicationOf(typeof data === 'string' ? data : data(language), offset));
      const frame: Frame = this.followers.size < encodedFrom ? text : Buffer.from(text);
      const delivery: Delivery = outcomeOf === undefined ? { frames: [frame] } : { frames: [frame], outcomeOf };
      made.set(language, delivery);
      return delivery;
    };
  }

  /** `given`: what had been given when the history was asked. */
  #learn({ epoch, head }: TopicHistory, given: number): void {
    const before = this.#epoch;
    this.#epoch = epoch;
    if ((before === undefined || before === epoch) && head >= given) return;
    this.#given = head;
    this.#endAll();
  }

  #lost(error: unknown): void {
    // A stopping server is about to tell every client so.
    if (error instanceof TroupeError && error.code === 'STOPPED') return;
    if (error !== undefined) this.#options.failed(error);
    this.#feed.stop();
    this.#feed = this.#follow();
    this.#endAll();
  }

  /** Those who were given something are to connect again. */
  #endAll(): void {
    for (const follower of [...this.followers]) if (follower.isActive) follower.end(disconnects.insufficientState);
  }

  #heard(signal: ChannelSignal, from: string): void {
    if (signal.kind !== 'told') this.presence?.hear(signal, from);
    else if (from !== this.#options.topics.signals.self) this.#told(signal.info, signal.data);
  }

  #told(info: ClientInfo, data: string): void {
    this.#tell(publicationFrame(this.name, publicationOf(data, undefined, info)), false);
  }

  #tell(frame: string, isJoin: boolean): void {
    for (const { connection, isActive, wantsJoins } of this.followers) {
      if (isActive && (wantsJoins || !isJoin) && !connection.behind) connection.send(frame);
    }
  }
}
