/**
 * Publications between nodes. What shards of this node publish goes to whoever follows the topic elsewhere; of the topics
 * that somebody here subscribes to, those whose shard is elsewhere are followed through the store's channels.
 *
 * It guarantees that the subscribers here hear every publication of a topic once, in order of its offset, from the moment
 * at which `listening` says so, whoever owns the shard and however often that changes: the channels may lose what they
 * carry, so an offset that leaves a gap, a subscription that was interrupted and a change of owner all make it read on
 * from the topic's durable history. Where the history does not reach back that far, they hear the gap in the offsets. A
 * shard is not kept from going elsewhere by a topic that cannot be read for `awayMsMax`: what is published there before
 * it can be is then not heard.
 */

import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import { decode } from '../journal/codec.ts';
import type { Journal, TopicPage } from '../journal/journal.ts';
import type { Log } from '../log.ts';
import type { Hub, Published, Relay } from '../topic/hub.ts';
import { topicShard } from '../topic/topic.ts';
import type { ClusterStore } from './cluster-store.ts';
import { readNews } from './messages.ts';
import type { Post } from './post.ts';

const pageMax = 256;
/** Between attempts at reading a topic's history. */
const againMs = 500;
const awayMsMax = 1_000;

interface Followed {
  readonly topic: string;
  readonly shard: number;
  /** Offset of the last publication that was delivered, or that there was when following began. */
  position: number | undefined;
  epoch: string | undefined;
  /** Ends the subscription of the channel, if there is one. */
  leave: (() => void) | undefined;
  isReading: boolean;
  /** Something came, or may have come, while the history was being read. */
  isRung: boolean;
  isGone: boolean;
  readonly ready: Promise<void>;
  readonly isReady: () => void;
  wasReady: boolean;
}

export interface NewsOptions {
  readonly journal: Journal;
  readonly store: ClusterStore;
  readonly hub: Hub;
  readonly post: Post;
  readonly clock: Clock;
  readonly log: Log;
  /** Whether this node owns the shard and publishes for it. */
  isHere(shard: number): boolean;
  /** Whether there is nobody else who could follow anything. */
  isAlone(): boolean;
}

export class News implements Relay {
  readonly #options: NewsOptions;
  readonly #topics = new Map<string, Followed>();
  readonly #byShard = new Map<number, Set<Followed>>();
  #isStopped = false;

  constructor(options: NewsOptions) {
    this.#options = options;
  }

  follow(topic: string): void {
    const { journal } = this.#options;
    if (this.#isStopped) return;
    let isReady = (): void => undefined;
    const ready = new Promise<void>((resolve) => {
      isReady = resolve;
    });
    const followed: Followed = {
      topic,
      shard: topicShard(topic, journal.shards),
      position: undefined,
      epoch: undefined,
      leave: undefined,
      isReading: false,
      isRung: false,
      isGone: false,
      ready,
      isReady,
      wasReady: false,
    };
    this.#topics.set(topic, followed);
    let near = this.#byShard.get(followed.shard);
    if (near === undefined) {
      near = new Set();
      this.#byShard.set(followed.shard, near);
    }
    near.add(followed);
    if (this.#options.isHere(followed.shard)) this.#readOn(followed);
    else this.#listen(followed);
  }

  unfollow(topic: string): void {
    const followed = this.#topics.get(topic);
    if (followed === undefined) return;
    this.#topics.delete(topic);
    this.#byShard.get(followed.shard)?.delete(followed);
    followed.isGone = true;
    followed.leave?.();
    followed.isReady();
  }

  listening(topic: string): Promise<void> | undefined {
    const followed = this.#topics.get(topic);
    if (followed === undefined || followed.wasReady || followed.leave === undefined) return undefined;
    return followed.ready;
  }

  published(published: Published, offset: number, shard: number): void {
    const { topic, payload } = published;
    const { post, isAlone } = this.#options;
    if (!isAlone()) post.news(shard, topic, offset, payload);
    const followed = this.#topics.get(topic);
    if (followed !== undefined) this.#came(followed, offset, () => published.data());
  }

  /** The shard is about to be, or may be, somebody else's: its topics are followed through the store. Does not reject. */
  async away(shard: number): Promise<void> {
    if (this.#isStopped) return;
    const followed = [...(this.#byShard.get(shard) ?? [])].filter(({ leave }) => leave === undefined);
    for (const one of followed) this.#listen(one);
    // Where the history ended when following began must be known before somebody else goes on with it.
    const unknown = followed.filter(({ position }) => position === undefined).map(({ ready }) => ready);
    if (unknown.length === 0) return;
    let cancel = (): void => undefined;
    const late = new Promise<void>((resolve) => {
      cancel = this.#options.clock.after(awayMsMax, resolve, { keepAlive: true });
    });
    await Promise.race([Promise.all(unknown), late]);
    cancel();
  }

  /** The shard is ours: what its former owner has published must be heard before what we publish. */
  took(shard: number): void {
    for (const followed of this.#byShard.get(shard) ?? []) {
      followed.leave?.();
      followed.leave = undefined;
      this.#readOn(followed);
    }
  }

  /** The shard has another owner, elsewhere: the former one's last words may have been lost. */
  catchUpShard(shard: number): void {
    for (const followed of this.#byShard.get(shard) ?? []) if (followed.leave !== undefined) this.#readOn(followed);
  }

  /** Another node may have published without knowing of this one. */
  catchUp(): void {
    for (const followed of this.#topics.values()) if (followed.leave !== undefined) this.#readOn(followed);
  }

  stop(): void {
    this.#isStopped = true;
    for (const topic of [...this.#topics.keys()]) this.unfollow(topic);
  }

  #listen(followed: Followed): void {
    const { topic, shard } = followed;
    followed.leave = this.#options.store.listen(
      { kind: 'topic', shard, topic },
      {
        message: (news) => this.#heard(followed, news),
        active: () => this.#readOn(followed),
      },
    );
  }

  #heard(followed: Followed, news: Uint8Array): void {
    try {
      const { offset, payload } = readNews(news);
      this.#came(followed, offset, () => decode(payload));
    } catch (error) {
      this.#options.log.warn({ topic: followed.topic }, `news cannot be read: ${messageOf(error)}`);
      this.#readOn(followed);
    }
  }

  #came(followed: Followed, offset: number, data: () => unknown): void {
    if (followed.isGone) return;
    const { position } = followed;
    // Of a shard that is here nothing is missed since following began, and the first one says where that was.
    const isFirst = position === undefined && followed.leave === undefined;
    // The history is being read, or has to say where following begins: a subscription may speak before it is said to be there.
    if (!isFirst && (followed.isReading || position === undefined)) return this.#readOn(followed);
    // Also of a shard that is here: the history may have told of a commit before its answer let it out.
    if (position !== undefined && offset <= position) return;
    if (position !== undefined && offset > position + 1) return this.#readOn(followed);
    this.#deliver(followed, offset, data());
  }

  #deliver(followed: Followed, offset: number, data: unknown): void {
    followed.position = offset;
    this.#options.hub.deliver(followed.topic, offset, data);
  }

  #readOn(followed: Followed): void {
    followed.isRung = true;
    if (followed.isReading || followed.isGone) return;
    followed.isReading = true;
    this.#readAll(followed).then(
      () => {
        followed.isReading = false;
        this.#begin(followed);
      },
      (error: unknown) => {
        const { log, clock } = this.#options;
        followed.isReading = false;
        if (followed.isGone) return;
        log.warn({ topic: followed.topic }, `a topic could not be read: ${messageOf(error)}`);
        clock.after(againMs, () => this.#readOn(followed));
      },
    );
  }

  async #readAll(followed: Followed): Promise<void> {
    const { journal } = this.#options;
    while (followed.isRung && !followed.isGone) {
      followed.isRung = false;
      const { topic, shard, position } = followed;
      const page = await journal.readTopic(shard, topic, position ?? Number.MAX_SAFE_INTEGER, pageMax);
      if (followed.isGone) return;
      // The first publication of a shard that is here came meanwhile: the page does not tell what follows it.
      if (position === undefined && followed.position !== undefined) followed.isRung = true;
      else this.#take(followed, page);
    }
  }

  /** Where following begins is known. Who waits for that is told before anything is delivered, and may read what was before. */
  #begin(followed: Followed): void {
    followed.wasReady = true;
    followed.isReady();
  }

  #take(followed: Followed, page: TopicPage): void {
    // Offsets heard before have lost their meaning: what follows is heard from here on.
    const isNew = followed.epoch !== undefined && followed.epoch !== page.epoch;
    followed.epoch = page.epoch;
    if (followed.position === undefined || isNew) {
      followed.position = page.head;
      this.#begin(followed);
      return;
    }
    for (const { offset, payload } of page.publications) {
      if (followed.isGone) return;
      if (offset > followed.position) this.#deliver(followed, offset, decode(payload));
    }
    if (page.publications.length > 0) followed.isRung = true;
    else followed.position = Math.max(followed.position, page.head);
  }
}
