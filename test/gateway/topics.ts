/** Topics in memory, with a bounded history: what a feed and a connection need of a system. */

import type { Topics } from '../../src/gateway/feed.ts';
import type { Publication, TopicHistory } from '../../src/topic/topic.ts';

type Listener = (publication: Publication) => void;

export class MemoryTopics implements Topics {
  reads = 0;
  #topics = new Map<string, { published: Publication[]; dropped: number; listeners: Set<Listener> }>();
  readonly #kept: number;

  constructor(kept = 1_000) {
    this.#kept = kept;
  }

  /** Publications are durable before they are told, as after a commit. */
  publish(topic: string, data: unknown): void {
    const publication = this.store(topic, data);
    this.tell(publication);
  }

  store(topic: string, data: unknown): Publication {
    const { published, dropped } = this.#of(topic);
    const publication = { topic, offset: dropped + published.length + 1, data };
    published.push(publication);
    if (published.length > this.#kept) {
      published.shift();
      this.#of(topic).dropped += 1;
    }
    return publication;
  }

  tell(publication: Publication): void {
    for (const listener of [...this.#of(publication.topic).listeners]) listener(publication);
  }

  subscribe(topic: string, listener: Listener): () => void {
    const { listeners } = this.#of(topic);
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  subscribers(topic: string): number {
    return this.#of(topic).listeners.size;
  }

  async readTopic(
    topic: string,
    {
      offset,
      epoch = 'e',
      limit = 1_000,
    }: { readonly offset: number; readonly epoch?: string; readonly limit?: number },
  ): Promise<TopicHistory> {
    this.reads += 1;
    const { published, dropped } = this.#of(topic);
    const head = dropped + published.length;
    return {
      epoch: 'e',
      head,
      recovered: epoch === 'e' && offset >= dropped && offset <= head,
      publications: published.filter((publication) => publication.offset > offset).slice(0, limit),
    };
  }

  #of(topic: string) {
    let known = this.#topics.get(topic);
    if (known === undefined) {
      known = { published: [], dropped: 0, listeners: new Set() };
      this.#topics.set(topic, known);
    }
    return known;
  }
}

/** Lets everything that needs no time happen. */
export async function settled(): Promise<void> {
  for (let round = 0; round < 200; round++) await new Promise((resolve) => setImmediate(resolve));
}
