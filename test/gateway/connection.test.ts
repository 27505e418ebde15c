import { describe, expect, test } from 'vitest';
import { Connection, type Delivery, Flusher, type History } from '../../src/gateway/connection.ts';
import type { Publication } from '../../src/topic/topic.ts';
import { SimulatedClock } from '../runtime/simulated-clock.ts';
import { FakeSocket } from './fake-socket.ts';
import { MemoryTopics, settled } from './topics.ts';

const topic = 'room:a';

function given(kept = 1_000, read = Promise.resolve()) {
  const topics = new MemoryTopics(kept);
  const socket = new FakeSocket();
  const flusher = new Flusher(new SimulatedClock());
  const lost: unknown[] = [];
  let newest = 0;
  const delivery = ({ data }: Publication): Delivery => data as Delivery;
  const history: History = {
    read: async (name, position) => {
      const page = await topics.readTopic(name, position);
      await read;
      return page;
    },
    delivery,
  };
  const connection = new Connection({
    socket,
    flusher,
    history,
    limits: { bufferedBytesMax: 100, resumeBytes: 25 },
    lost: (error) => lost.push(error),
  });
  topics.subscribe(topic, (publication) => {
    newest = publication.offset;
    connection.feed(publication, delivery(publication));
  });
  const publish = (frame: string, outcomeOf?: string): void =>
    topics.publish(topic, { frames: [frame], ...(outcomeOf === undefined ? {} : { outcomeOf }) });
  return { topics, socket, flusher, connection, lost, publish, newest: () => newest };
}

function frames(from: number, to: number): readonly string[] {
  return Array.from({ length: to - from + 1 }, (_, i) => `frame ${from + i}`);
}

describe('feeding', () => {
  test('what comes while an empty history is read is given', async () => {
    let arrive = (): void => undefined;
    const { socket, publish, connection } = given(
      1_000,
      new Promise((resolve) => {
        arrive = resolve;
      }),
    );
    connection.feedFrom(topic, 0);
    await settled();

    publish('first');
    arrive();
    await settled();

    expect(socket.received).toEqual(['first']);
    expect(connection.behind).toBe(false);
  });

  test('frames of one pass leave in one cork', async () => {
    const { socket, publish } = given();

    publish('a');
    publish('b');
    expect(socket.received).toEqual([]);
    await settled();

    expect(socket.received).toEqual(['a', 'b']);
    expect(socket.corks).toBe(1);
  });

  test('a slow peer is not fed and misses nothing', async () => {
    const { socket, publish, connection, topics } = given();
    socket.isReading = false;
    for (const frame of frames(1, 500)) {
      publish(frame);
      if (frame.endsWith('50')) await settled();
    }
    await settled();

    const buffered = socket.buffered();
    socket.isReading = true;
    socket.read();
    connection.drained();
    await settled();

    expect(buffered).toBeLessThan(300);
    expect(socket.received).toEqual(frames(1, 500));
    expect(connection.behind).toBe(false);
    expect(topics.reads).toBeGreaterThan(1);
  });

  test('what a peer does not read stays bounded over time', async () => {
    const { socket, publish } = given();
    socket.isReading = false;

    for (const frame of frames(1, 60)) {
      publish(frame);
      await new Promise((resolve) => setImmediate(resolve));
    }

    expect(socket.buffered()).toBeLessThan(200);
  });

  test('a burst in one pass is bounded too', async () => {
    const { socket, publish, connection } = given();

    for (const frame of frames(1, 300)) publish(frame);
    expect(connection.unread).toBeLessThan(200);
    await settled();

    expect(socket.received).toEqual(frames(1, 300));
  });

  test('a connection that caught up is live again', async () => {
    const { socket, publish, topics } = given();
    for (const frame of frames(1, 100)) publish(frame);
    await settled();
    const { reads } = topics;

    publish('live');
    await settled();

    expect(socket.received.at(-1)).toBe('live');
    expect(topics.reads).toBe(reads);
  });

  test('publications during the catching up come once', async () => {
    const { socket, publish } = given();
    for (const frame of frames(1, 100)) publish(frame);
    for (let next = 101; next <= 200; next++) {
      publish(`frame ${next}`);
      await Promise.resolve();
      if (next % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await settled();

    expect(socket.received).toEqual(frames(1, 200));
  });

  test('a history read ahead of the news gives nothing twice', async () => {
    const { socket, topics, connection, publish } = given();
    publish('frame 1');
    const late = topics.store(topic, { frames: ['frame 2'] });

    connection.feedFrom(topic, 1);
    await settled();
    topics.tell(late);
    publish('frame 3');
    await settled();

    expect(socket.received).toEqual(frames(1, 3));
  });

  test('a history that is gone is told, not skipped', async () => {
    const { socket, publish, connection, lost } = given(10);
    socket.isReading = false;
    for (const frame of frames(1, 100)) publish(frame);
    await settled();

    socket.read();
    connection.drained();
    await settled();

    expect(lost).toEqual([undefined]);
  });

  test('earlier news of a topic come before newer ones', async () => {
    const { socket, topics, connection, publish } = given();
    topics.store(topic, { frames: ['frame 1'] });
    topics.store(topic, { frames: ['frame 2'] });

    connection.feedFrom(topic, 0);
    publish('frame 3');
    await settled();

    expect(socket.received).toEqual(frames(1, 3));
  });
});

describe('replies', () => {
  test('an early outcome brings its reply along', async () => {
    const { socket, publish, connection } = given();
    connection.expectReply('op', 'reply');

    publish('outcome', 'op');
    connection.reply('op', 'reply');
    await settled();

    expect(socket.received).toEqual(['reply', 'outcome']);
  });

  test('an outcome waits for a reply that is not known', async () => {
    const { socket, publish, connection } = given();
    connection.expectReply('op', undefined);

    publish('outcome', 'op');
    publish('after');
    await settled();
    expect(socket.received).toEqual([]);
    connection.reply('op', 'refused');
    await settled();

    expect(socket.received).toEqual(['refused', 'outcome', 'after']);
  });

  test('two commands with one operation get two replies', async () => {
    const { socket, publish, connection } = given();
    connection.expectReply('op', undefined);
    connection.expectReply('op', undefined);

    publish('outcome', 'op');
    connection.reply('op', 'first');
    connection.reply('op', 'second');
    await settled();

    expect(socket.received).toEqual(['first', 'second', 'outcome']);
  });

  test('a reply reaches a connection that is behind', async () => {
    const { socket, publish, connection } = given();
    socket.isReading = false;
    for (const frame of frames(1, 100)) publish(frame);
    await settled();
    connection.expectReply('op', 'early');

    connection.reply('op', 'reply');
    await settled();
    socket.read();

    expect(socket.received).toContain('reply');
    expect(connection.behind).toBe(true);
  });
});

describe('closing', () => {
  test('a close is announced after what was collected', () => {
    const { socket, publish, connection } = given();

    publish('a');
    connection.close(4001, 'why', 'announcement');

    expect(socket.received).toEqual(['a', 'announcement']);
    expect(socket.ended).toBe(4001);
  });

  test('a closed connection collects nothing', async () => {
    const { socket, publish, connection } = given();

    connection.closed();
    publish('a');
    connection.send('b');
    await settled();

    expect(socket.received).toEqual([]);
    expect(connection.unread).toBe(0);
  });
});

describe('topics that begin and end', () => {
  test('what a position has is not given when it is told', async () => {
    const { topics, socket, publish, connection } = given();
    // In the history, and on its way to those who listen.
    const stored = topics.store(topic, { frames: ['known'] });

    connection.start(topic, stored.offset, false, 'e');
    topics.tell(stored);
    publish('next');
    await settled();

    expect(socket.received).toEqual(['next']);
  });

  test('what is behind a position comes before what is new', async () => {
    const { topics, socket, publish, connection } = given();
    for (const frame of frames(1, 3)) topics.store(topic, { frames: [frame] });

    connection.start(topic, 1, true, 'e');
    publish('frame 4');
    await settled();

    expect(socket.received).toEqual(frames(2, 4));
  });

  test('a position of another epoch loses the connection', async () => {
    const { topics, connection, lost } = given();
    topics.store(topic, { frames: ['a'] });

    connection.start(topic, 0, true, 'another');
    await settled();

    expect(lost).toEqual([undefined]);
  });

  test('a topic that begins again is not read from two positions', async () => {
    let arrive = (): void => undefined;
    const read = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    const { topics, socket, connection } = given(1_000, read);
    for (const frame of frames(1, 4)) topics.store(topic, { frames: [frame] });

    connection.start(topic, 0, true, 'e');
    await settled();
    connection.stop(topic);
    connection.start(topic, 2, true, 'e');
    arrive();
    await settled();

    expect(socket.received).toEqual(frames(3, 4));
  });
});
