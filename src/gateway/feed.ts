/**
 * One topic as this process follows it: each publication is handled once, in order of its offset, one at a time. When
 * handling takes time, or a publication was missed, the feed does not queue what comes meanwhile; it reads it again from
 * the topic's history. When the history no longer reaches back, or cannot be read, it says so and stops.
 */

import type { ActorSystem } from '../actor-system.ts';
import type { Publication } from '../topic/topic.ts';

export type Topics = Pick<ActorSystem, 'subscribe' | 'readTopic'>;

export interface FeedOptions {
  readonly topics: Topics;
  readonly topic: string;
  /** The offset to go on from; undefined: from now on. */
  readonly after?: number;
  /** May take time; then nothing of this topic is handled before it is done. */
  handle(publication: Publication): void | Promise<void>;
  /** The feed has stopped: what comes next is not known. `error` when the history could not be read. */
  lost(error: unknown): void;
}

const pageMax = 64;

export class Feed {
  readonly topic: string;
  readonly #options: FeedOptions;
  readonly #unsubscribe: () => void;
  #position: number | undefined;
  #newest = 0;
  #busy = false;
  #stopped = false;

  constructor(options: FeedOptions) {
    this.topic = options.topic;
    this.#options = options;
    this.#position = options.after;
    this.#unsubscribe = options.topics.subscribe(options.topic, (publication) => this.#live(publication));
  }

  /** Offset of the last publication handled; undefined before the first. */
  get position(): number | undefined {
    return this.#position;
  }

  stop(): void {
    this.#stopped = true;
    this.#unsubscribe();
  }

  /** Handles what the history holds after the feed's position, as if it had just been published. */
  catchUp(): void {
    if (!this.#busy && !this.#stopped && this.#position !== undefined) this.#run(() => this.#readOn());
  }

  #live(publication: Publication): void {
    const { offset } = publication;
    const before = this.#newest;
    this.#newest = offset;
    if (this.#busy || this.#stopped) return;
    // The history had told of it before it was let out.
    if (this.#position !== undefined && offset > before && offset <= this.#position) return;
    if (this.#position !== undefined && offset > this.#position + 1) {
      this.#run(() => this.#readOn());
      return;
    }
    // An offset that is not higher: the topic began anew after its store lost its tail. Go on from there.
    const handled = this.#options.handle(publication);
    if (handled === undefined) this.#position = offset;
    else this.#run(() => this.#finish(handled, offset));
  }

  #run(work: () => Promise<void>): void {
    this.#busy = true;
    work().catch((error: unknown) => this.#lose(error));
  }

  async #finish(handled: Promise<void>, offset: number): Promise<void> {
    await handled;
    this.#position = offset;
    if (this.#newest > offset) await this.#readOn();
    else this.#busy = false;
  }

  async #readOn(): Promise<void> {
    while (!this.#stopped) {
      const { topics, topic, handle } = this.#options;
      const newest = this.#newest;
      const page = await topics.readTopic(topic, { offset: this.#position ?? 0, limit: pageMax });
      if (!page.recovered) {
        this.#lose(undefined);
        return;
      }
      for (const publication of page.publications) {
        if (this.#stopped) return;
        await handle(publication);
        this.#position = publication.offset;
      }
      const position = this.#position ?? 0;
      // An empty page is the end, unless something came while it was being read: that is in the next one.
      const isEnd = page.publications.length === 0 && this.#newest === newest;
      if (isEnd || position >= Math.max(page.head, this.#newest)) {
        // Not later: a publication that came between this check and the next await would wait for the one after it.
        this.#busy = false;
        return;
      }
    }
  }

  #lose(error: unknown): void {
    if (this.#stopped) return;
    this.stop();
    this.#options.lost(error);
  }
}
