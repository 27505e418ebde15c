import { describe, expect, test } from 'vitest';
import { Feed, type FeedOptions } from '../../src/gateway/feed.ts';
import { MemoryTopics, settled } from './topics.ts';

const topic = 'room:a';

function follow(topics: MemoryTopics, options: Partial<FeedOptions> = {}) {
  const handled: number[] = [];
  const lost: unknown[] = [];
  const feed = new Feed({
    topics,
    topic,
    handle: ({ offset }) => {
      handled.push(offset);
    },
    lost: (error) => lost.push(error),
    ...options,
  });
  return { feed, handled, lost };
}

/** A handler that takes time until it is let go, and says in which order it finished. */
function slow() {
  const handled: number[] = [];
  let release: () => void = () => undefined;
  const handle: FeedOptions['handle'] = ({ offset }) =>
    new Promise((resolve) => {
      release = () => {
        handled.push(offset);
        resolve();
      };
    });
  return { handled, handle, release: () => release() };
}

describe('a feed', () => {
  test('live publications are handled at once', () => {
    const topics = new MemoryTopics();
    const { handled, feed } = follow(topics);

    topics.publish(topic, 1);
    topics.publish(topic, 2);

    expect(handled).toEqual([1, 2]);
    expect(feed.position).toBe(2);
    expect(topics.reads).toBe(0);
  });

  test('a slow handler delays what follows and loses nothing', async () => {
    const topics = new MemoryTopics();
    const { handled, handle, release } = slow();
    follow(topics, { handle });

    for (let i = 1; i <= 200; i++) topics.publish(topic, i);
    for (let i = 1; i <= 200; i++) {
      release();
      await new Promise((resolve) => setImmediate(resolve));
    }

    expect(handled).toEqual(Array.from({ length: 200 }, (_, i) => i + 1));
  });

  test('publications during a read are not forgotten', async () => {
    const topics = new MemoryTopics();
    const { handled, handle, release } = slow();
    const { feed } = follow(topics, { handle });
    topics.publish(topic, 1);
    topics.publish(topic, 2);
    release();
    await settled();
    topics.publish(topic, 3);
    release();
    await settled();
    release();
    await settled();

    topics.publish(topic, 4);
    release();
    await settled();

    expect(handled).toEqual([1, 2, 3, 4]);
    expect(feed.position).toBe(4);
  });

  test('a missed publication is read from the history', async () => {
    const topics = new MemoryTopics();
    const { handled } = follow(topics);
    topics.publish(topic, 1);

    topics.store(topic, 2);
    topics.publish(topic, 3);
    await settled();

    expect(handled).toEqual([1, 2, 3]);
  });

  test('a history that is gone is told once', async () => {
    const topics = new MemoryTopics(2);
    const { handled, lost, feed } = follow(topics);
    topics.publish(topic, 1);
    for (let i = 2; i <= 5; i++) topics.store(topic, i);

    topics.publish(topic, 6);
    await settled();
    topics.publish(topic, 7);

    expect(handled).toEqual([1]);
    expect(lost).toEqual([undefined]);
    expect(topics.subscribers(feed.topic)).toBe(0);
  });

  test('a failing read is told with its error', async () => {
    const topics = new MemoryTopics();
    const failure = new Error('no store');
    const { lost } = follow(topics, {
      after: 0,
      topics: { ...bound(topics), readTopic: () => Promise.reject(failure) },
    });

    topics.store(topic, 1);
    topics.publish(topic, 2);
    await settled();

    expect(lost).toEqual([failure]);
  });

  test('a stopped feed hears nothing more', () => {
    const topics = new MemoryTopics();
    const { feed, handled } = follow(topics);

    feed.stop();
    topics.publish(topic, 1);

    expect(handled).toEqual([]);
    expect(topics.subscribers(topic)).toBe(0);
  });

  test('a given position is caught up with', async () => {
    const topics = new MemoryTopics();
    for (let i = 1; i <= 100; i++) topics.store(topic, i);
    const { feed, handled } = follow(topics, { after: 10 });

    feed.catchUp();
    await settled();

    expect(handled).toEqual(Array.from({ length: 90 }, (_, i) => i + 11));
  });
});

function bound(topics: MemoryTopics) {
  return {
    subscribe: topics.subscribe.bind(topics),
    readTopic: topics.readTopic.bind(topics),
  };
}
