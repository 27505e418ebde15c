/** Positions, recovery and history with the official client: what is there is given once, what is not is not promised. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openMemoryJournal } from '../../src/journal/memory.ts';
import { type Chat, chat, type Person } from '../gateway/chat.ts';
import { CentrifugoClient, type Publication } from './client.ts';

interface Position {
  readonly channel: string;
  readonly epoch: string;
  readonly offset: number;
}

const kept = 200;

let app: Chat;
let alice: Person;
let bob: Person;
let roomId: string;
let channel: string;
let clients: CentrifugoClient[];

beforeEach(async () => {
  clients = [];
  app = await chat({
    journal: openMemoryJournal({ shards: 8, topicHistoryMax: kept }),
    limits: { bufferedBytesMax: 20_000 },
  });
  alice = await app.register('alice');
  bob = await app.register('bob');
  roomId = await alice.room(bob);
  channel = `room:${roomId}`;
});

afterEach(async () => {
  for (const client of clients) client.close();
  await app.server.stop();
});

async function client(person: Person, options: ConstructorParameters<typeof CentrifugoClient>[2] = {}) {
  const opened = await CentrifugoClient.open(person, app.base, options);
  clients.push(opened);
  return opened;
}

async function write(count: number, from = 0): Promise<void> {
  for (let n = from; n < from + count; n++) await alice.message(roomId, `${n}`);
}

const contents = (one: CentrifugoClient): readonly unknown[] =>
  one.heard.filter((heard) => heard.channel === channel).map(({ data }) => data.data.content);

const numbers = (count: number, from = 0): readonly string[] => Array.from({ length: count }, (_, i) => `${from + i}`);

describe('recovery', () => {
  test('everything after a read’s position comes, in order', async () => {
    await write(3);
    const his = await client(bob);
    const { data, feed } = await his.rpc<{ data: { content: string }[]; feed: Position[] }>('ROOM_MESSAGES', {
      roomId,
    });
    await write(150, 3);

    await his.follow(channel, { since: feed[0] as Position });
    await his.hears((heard) => heard.data.data.content === '152');

    expect(data.map(({ content }) => content)).toEqual(numbers(3));
    expect(his.subscribed.at(-1)).toEqual({ channel, wasRecovering: true, recovered: true });
    expect(contents(his)).toEqual(numbers(150, 3));
    expect(his.heard.filter((heard) => heard.channel === channel).map(({ offset }) => offset)).toEqual(
      Array.from({ length: 150 }, (_, i) => i + 4),
    );
  });

  test('a position before the history is not recovered', async () => {
    await write(1);
    const his = await client(bob);
    const { feed } = await his.rpc<{ feed: Position[] }>('ROOM', { roomId });
    await write(kept + 1, 1);

    const subscription = await his.follow(channel, { since: feed[0] as Position });
    await write(1, kept + 2);
    await his.hears((heard) => heard.channel === channel);

    expect(his.subscribed.at(-1)).toEqual({ channel, wasRecovering: true, recovered: false });
    expect(contents(his)).toEqual([`${kept + 2}`]);
    expect(subscription.state).toBe('subscribed');
  });

  test('a position at the edge of the history is recovered', async () => {
    await write(1);
    const his = await client(bob);
    const { feed } = await his.rpc<{ feed: Position[] }>('ROOM', { roomId });
    await write(kept, 1);

    await his.follow(channel, { since: feed[0] as Position });
    await his.hears((heard) => heard.data.data.content === `${kept}`);

    expect(his.subscribed.at(-1)).toMatchObject({ recovered: true });
    expect(contents(his)).toEqual(numbers(kept, 1));
  });

  test('a position of another epoch is not recovered', async () => {
    await write(3);
    const his = await client(bob);

    await his.follow(channel, { since: { offset: 1, epoch: 'before the flood' } });

    expect(his.subscribed.at(-1)).toEqual({ channel, wasRecovering: true, recovered: false });
    expect(contents(his)).toEqual([]);
  });

  test('a client with a state of its own is told to read it', async () => {
    await write(3);
    const his = await client(bob);
    let reads = 0;

    await his.follow(channel, {
      getState: async () => {
        reads += 1;
        if (reads === 1) return { offset: 1, epoch: 'before the flood' };
        const { feed } = await his.rpc<{ feed: Position[] }>('ROOM', { roomId });
        return feed[0] as Position;
      },
      minResubscribeDelay: 10,
    });

    expect(reads).toBe(2);
    expect(his.subscribed.at(-1)).toMatchObject({ recovered: true });
  });

  test('one’s own channel is recovered with the connection', async () => {
    const hers = await client(alice);
    hers.client.disconnect();
    await write(3);

    hers.client.connect();
    await hers.hears((heard) => (heard.data.data as { content?: string }).content === '2');

    const own = `user:${alice.id}`;
    expect(hers.subscribed).toEqual([
      { channel: own, wasRecovering: false, recovered: false },
      { channel: own, wasRecovering: true, recovered: true },
    ]);
    const outcomes = hers.heard.filter(({ data }) => data.type === 'MESSAGE_CREATE_COMPLETED');
    expect(outcomes.map(({ data }) => data.data.content)).toEqual(numbers(3));
  });

  test('a room nobody wrote in is followed from one’s rooms', async () => {
    const his = await client(bob);

    const { data, feed } = await his.rpc<{ data: unknown[]; feed: Position[] }>('ROOMS');
    await write(1);
    const position = feed.find((one) => one.channel === channel);
    await his.follow(channel, { since: position as Position });

    expect(data).toEqual([]);
    await his.hears((heard) => heard.data.data.content === '0');
  });

  test('a client that reads slowly misses and repeats nothing', async () => {
    const his = await client(bob);
    await his.follow(channel);
    const transport = (his.client as unknown as { _transport: { _transport: { pause(): void; resume(): void } } })
      ._transport._transport;
    transport.pause();
    const content = (n: number): string => `${n} ${'😀'.repeat(3_990)}`;

    for (let n = 0; n < 180; n += 20) {
      const batch = Array.from({ length: 20 }, (_, i) => content(n + i));
      await Promise.all(batch.map((each) => alice.call('POST', '/v1/messages', { roomId, content: each })));
    }
    transport.resume();
    await his.bell.until(
      () => (contents(his).length >= 180 ? true : undefined),
      () => `${contents(his).length} came`,
    );

    const offsets = his.heard.filter((heard) => heard.channel === channel).map(({ offset }) => offset);
    expect(offsets).toEqual(Array.from({ length: 180 }, (_, i) => i + 1));
    expect(his.states.filter(({ state }) => state === 'connected')).toHaveLength(1);
  });
});

describe('positions over HTTP', () => {
  test('a header names the position a read is good from', async () => {
    await write(2);
    const his = await client(bob);
    const { feed } = await his.rpc<{ feed: Position[] }>('ROOM_MESSAGES', { roomId });

    const { headers } = await bob.get(`/v1/rooms/${roomId}/messages`);

    const { epoch } = feed[0] as Position;
    expect(headers.get('troupe-feed')).toBe(`${channel};epoch=${epoch};offset=2`);
    expect((await bob.get('/v1/rooms')).headers.get('troupe-feed')).toContain(`user:${bob.id};epoch=`);
  });
});

describe('history', () => {
  test('is read page after page in both directions', async () => {
    await write(25);
    const his = await client(bob);
    const pages = async (reverse: boolean): Promise<readonly unknown[]> => {
      const all: unknown[] = [];
      for (let since: Position | undefined; ; ) {
        const page = await his.client.history(channel, {
          limit: 10,
          reverse,
          ...(since === undefined ? {} : { since }),
        });
        all.push(...page.publications.map(({ data }) => (data as Publication).data.content));
        const last = page.publications.at(-1);
        if (last === undefined) return all;
        since = { channel, epoch: page.epoch, offset: last.offset as number };
      }
    };

    expect(await pages(false)).toEqual(numbers(25));
    expect(await pages(true)).toEqual(numbers(25).toReversed());
    expect((await his.client.history(channel)).publications).toEqual([]);
    expect((await his.client.history(channel)).offset).toBe(25);
  });

  test('what is gone is not left out silently', async () => {
    await write(kept + 5);
    const his = await client(bob);
    const { epoch } = await his.client.history(channel);

    const gone = his.client.history(channel, { limit: 10, since: { offset: 1, epoch } });
    const foreign = his.client.history(channel, { limit: 10, since: { offset: kept, epoch: 'another' } });

    await expect(gone).rejects.toMatchObject({ code: 112 });
    await expect(foreign).rejects.toMatchObject({ code: 112 });
    expect((await his.client.history(channel, { limit: -1 })).publications).toHaveLength(kept);
  });
});
