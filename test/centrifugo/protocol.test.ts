/** The Centrifugo protocol on the wire: what it takes, what it refuses, and why connections end. */

import { UnauthorizedError } from 'centrifuge';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { signToken } from '../../src/gateway/tokens.ts';
import { type Chat, chat, type Person, secret } from '../gateway/chat.ts';
import { CentrifugoClient } from './client.ts';
import { RawClient } from './raw.ts';

let app: Chat;
let alice: Person;
let bob: Person;
let clients: { close(): void }[];

beforeEach(async () => {
  clients = [];
  app = await chat({ limits: { channelsMax: 3, signInMs: 300, pingSeconds: 1, pongMs: 900 } });
  alice = await app.register('alice');
  bob = await app.register('bob', { primaryLanguage: 'UKRAINIAN' });
});

afterEach(async () => {
  for (const client of clients) client.close();
  await app.server.stop();
});

function kept<T extends { close(): void }>(client: T): T {
  clients.push(client);
  return client;
}

const raw = async (): Promise<RawClient> => kept(await RawClient.open(app.base));
const connected = async (person: Person): Promise<RawClient> => kept(await RawClient.connected(app.base, person.token));
const shortLived = (person: Person, seconds: number): Promise<string> =>
  signToken(secret, person.email, systemClock.now(), seconds);

describe('connecting', () => {
  test('the reply names the client, its channel and the pings', async () => {
    const client = await raw();

    const { connect } = await client.call('connect', { token: alice.token });

    expect(connect).toEqual({
      client: expect.stringMatching(/^[0-9a-f-]{36}$/),
      version: 'troupe',
      ping: 1,
      pong: true,
      expires: true,
      ttl: expect.any(Number),
      subs: {
        [`user:${alice.id}`]: {
          recoverable: true,
          positioned: true,
          epoch: expect.any(String),
          offset: expect.any(Number),
        },
      },
    });
  });

  test('only one’s own channel is subscribed by the server', async () => {
    const roomId = await alice.room(bob);
    const client = await raw();

    const { connect } = await client.call('connect', {
      token: alice.token,
      subs: { [`room:${roomId}`]: { recover: true }, [`user:${bob.id}`]: { recover: true } },
    });

    expect(Object.keys((connect as { subs: object }).subs)).toEqual([`user:${alice.id}`]);
  });

  test('several commands in a frame are answered in several lines', async () => {
    const roomId = await alice.room(bob);
    const client = await raw();

    client.say(
      { id: 1, connect: { token: alice.token } },
      { id: 2, subscribe: { channel: `room:${roomId}` } },
      { id: 3, rpc: { method: 'CURRENT_USER', data: {} } },
    );

    await Promise.all([1, 2, 3].map((id) => client.reply((reply) => reply.id === id)));
    expect(client.replies[0]?.id).toBe(1);
    expect(await client.reply((reply) => reply.id === 3)).toMatchObject({ rpc: { data: { data: { id: alice.id } } } });
  });

  test('somebody who is not registered hears of the registration', async () => {
    const carol = await app.stranger('carol');
    const client = kept(await CentrifugoClient.open(carol, app.base));

    await client.rpc('USER_CREATE', { type: 'REGULAR_USER', primaryLanguage: 'ITALIAN' });
    await client.ofType('USER_CREATE_COMPLETED');
    await client.rpc('ROOM_CREATE', { companionUserId: carol.id });

    expect((await client.ofType('ROOM_CREATE_ERROR')).data.data).toMatchObject({ title: 'L’interlocutore sei tu' });
  });
});

describe('tokens', () => {
  test.each([
    ['none', {}],
    ['a bad one', { token: 'a.b.c' }],
  ])('%s ends the connection for good', async (_, request) => {
    const client = await raw();

    client.say({ id: 1, connect: request });

    expect(await client.closed).toEqual({ code: 3500, reason: 'invalid token' });
    // Nothing but the close says so: SDKs take a push beside it for an end of its own.
    expect(client.replies).toEqual([]);
  });

  test('an expired one is exchanged by the client', async () => {
    const expired = await shortLived(alice, -5);
    let asked = 0;
    const client = kept(
      new CentrifugoClient(app.base, expired, {
        getToken: async () => {
          asked += 1;
          return alice.token;
        },
      }),
    );

    await client.reaches('connected');

    expect(asked).toBe(1);
  });

  test('a client without another token gives up', async () => {
    const client = kept(
      new CentrifugoClient(app.base, await shortLived(alice, -5), {
        getToken: () => Promise.reject(new UnauthorizedError('signed out')),
      }),
    );

    await client.reaches('disconnected');
  });

  test('one that is renewed in time keeps the connection', async () => {
    let asked = 0;
    const client = kept(
      new CentrifugoClient(app.base, await shortLived(alice, 3), {
        getToken: async () => {
          asked += 1;
          return shortLived(alice, asked < 3 ? 3 : 3_600);
        },
      }),
    );
    await client.reaches('connected');

    await expect.poll(() => asked, { timeout: 20_000 }).toBe(3);

    expect(await client.rpc('CURRENT_USER')).toMatchObject({ data: { id: alice.id } });
    expect(client.states.filter(({ state }) => state === 'connected')).toHaveLength(1);
  });

  test('one that runs out ends the connection', async () => {
    const client = kept(await RawClient.connected(app.base, await shortLived(alice, 1)));

    expect(await client.closed).toEqual({ code: 3005, reason: 'connection expired' });
  });

  test('one that ran out cannot renew a connection', async () => {
    const client = await connected(alice);

    client.say({ id: 9, refresh: { token: await shortLived(alice, -5) } });

    expect(await client.closed).toEqual({ code: 3005, reason: 'connection expired' });
  });

  test('another user’s cannot renew a connection', async () => {
    const client = await connected(alice);

    client.say({ id: 9, refresh: { token: bob.token } });

    expect((await client.closed).code).toBe(3500);
  });
});

describe('subscribing', () => {
  test('channels of others, and of nobody, are refused', async () => {
    const roomId = await alice.room(bob);
    const carol = await app.register('carol');
    const client = await connected(carol);
    const subscribe = async (channel: string): Promise<number | undefined> =>
      (await client.call('subscribe', { channel })).error?.code;

    expect(await subscribe(`room:${roomId}`)).toBe(103);
    expect(await subscribe(`user:${alice.id}`)).toBe(103);
    expect(await subscribe('room:00000000-0000-4000-8000-000000000000')).toBe(102);
    for (const channel of ['room:', 'room:x', 'rooms', 'audit:00000000-0000-4000-8000-000000000000']) {
      expect(await subscribe(channel)).toBe(102);
    }
    expect((await client.call('history', { channel: `room:${roomId}`, limit: 1 })).error?.code).toBe(103);
  });

  test('a new member may follow the room from then on', async () => {
    const roomId = await alice.room(bob);
    const carol = await app.register('carol');
    const client = kept(await CentrifugoClient.open(carol, app.base));
    await alice.message(roomId, 'before');

    await alice.command('PUT', `/v1/rooms/${roomId}/members`, { memberId: carol.id });
    await client.hears(({ data }) => data.type === 'ROOM_UPDATED' && data.data.id === roomId);
    await client.follow(`room:${roomId}`);
    await alice.message(roomId, 'after');

    await client.hears(({ data }) => data.data.content === 'after');
  });

  test('twice, and too often, is refused', async () => {
    const rooms = await Promise.all([alice.room(bob), alice.room(bob), alice.room(bob)]);
    const client = await connected(alice);
    const subscribe = async (roomId: string | undefined) =>
      (await client.call('subscribe', { channel: `room:${roomId}` })).error?.code;

    expect(await subscribe(rooms[0])).toBeUndefined();
    expect(await subscribe(rooms[0])).toBe(105);
    expect(await subscribe(rooms[1])).toBeUndefined();
    expect(await subscribe(rooms[2])).toBe(106);
    await client.call('unsubscribe', { channel: `room:${rooms[0]}` });
    expect(await subscribe(rooms[2])).toBeUndefined();
  });

  test('whoever unsubscribes hears no more', async () => {
    const roomId = await alice.room(bob);
    const channel = `room:${roomId}`;
    const client = await connected(bob);
    client.say(
      { id: 50, subscribe: { channel } },
      { id: 51, unsubscribe: { channel } },
      { id: 52, subscribe: { channel } },
      { id: 53, unsubscribe: { channel } },
    );
    for (const id of [50, 51, 52, 53]) {
      expect((await client.reply((reply) => reply.id === id)).error).toBeUndefined();
    }

    await alice.message(roomId);
    await client.call('ping', {});

    expect(client.replies.filter(({ push }) => push?.channel === channel)).toEqual([]);
    expect((await client.call('unsubscribe', { channel: `user:${bob.id}` })).error?.code).toBe(103);
  });

  test('what a client may offer and the server does not take is declined', async () => {
    const channel = `room:${await alice.room(bob)}`;
    const client = await raw();
    const offers = { name: 'js', version: '9', data: { a: 1 }, flag: 1, dict: 'x', profile: 'chat' };

    const { connect } = await client.call('connect', { token: alice.token, ...offers });
    const request = { channel, delta: 'fossil', token: 'x', data: {}, flag: 1, positioned: true, recoverable: true };
    const { subscribe } = await client.call('subscribe', request);

    expect(Object.keys(connect as object).sort()).toEqual([
      'client',
      'expires',
      'ping',
      'pong',
      'subs',
      'ttl',
      'version',
    ]);
    const epoch = expect.any(String);
    expect(subscribe).toEqual({ recoverable: true, positioned: true, epoch, offset: expect.any(Number) });
  });

  test('a call may come without data', async () => {
    const client = await connected(alice);

    const { rpc } = await client.call('rpc', { method: 'CURRENT_USER' });

    expect(rpc).toMatchObject({ data: { data: { id: alice.id } } });
  });

  test('what is not spoken is said to be', async () => {
    const channel = `room:${await alice.room(bob)}`;
    const client = await connected(alice);

    expect((await client.call('subscribe', { channel, type: 4 })).error?.code).toBe(108);
    expect((await client.call('subscribe', { channel, tf: { op: 'and' } })).error?.code).toBe(108);
    expect((await client.call('sub_refresh', { channel, token: 'x' })).error?.code).toBe(108);
    expect((await client.call('subscribe', { channel, offset: -1 })).error?.code).toBe(107);
    expect((await client.call('subscribe', {})).error?.code).toBe(107);
    expect((await client.call('dance', {})).error?.code).toBe(104);
  });
});

describe('ends', () => {
  test.each([
    ['not JSON', 'hello'],
    ['no object', '[1]'],
    ['a command without an id', '{"rpc":{"method":"ROOMS"}}'],
    ['an id that is none', '{"id":-1,"rpc":{"method":"ROOMS"}}'],
    ['nothing at all', ''],
    ['a second connect', '{"id":2,"connect":{"token":"x"}}'],
  ])('%s is a bad request', async (_, text) => {
    const client = await connected(alice);

    client.say(text);

    expect(await client.closed).toEqual({ code: 3501, reason: 'bad request' });
  });

  test('a command before connecting is a bad request', async () => {
    const client = await raw();

    client.say({ id: 1, rpc: { method: 'ROOMS', data: {} } });

    expect((await client.closed).code).toBe(3501);
  });

  test('binary frames are a bad request', async () => {
    const client = await connected(alice);

    client.socket.send(Buffer.from([1, 2, 3]));

    expect((await client.closed).code).toBe(3501);
  });

  test('messages to nobody are not available', async () => {
    const client = await connected(alice);

    client.say({ send: { data: {} } });

    expect((await client.closed).code).toBe(3508);
  });

  test('a frame that is too large ends the connection', async () => {
    const client = await connected(alice);

    client.say({ id: 5, rpc: { method: 'MESSAGE_CREATE', data: { content: 'x'.repeat(270_000) } } });

    expect((await client.closed).code).toBe(1006);
  });

  test('whoever does not connect is stale', async () => {
    const client = await raw();

    expect(await client.closed).toEqual({ code: 3502, reason: 'stale' });
  });

  test('whoever answers no ping is gone', async () => {
    const client = await connected(alice);
    client.isSilent = true;

    expect(await client.closed).toEqual({ code: 3012, reason: 'no pong' });
  });

  test('whoever answers pings stays', async () => {
    const client = kept(await CentrifugoClient.open(alice, app.base));
    const talkative = await connected(alice);

    await talkative.pinged(3);

    expect(client.states).toEqual([expect.objectContaining({ state: 'connecting' }), { state: 'connected' }]);
  });

  test('a server that stops asks its clients to come again', async () => {
    const client = kept(await CentrifugoClient.open(alice, app.base));

    await app.server.stop();

    await client.reaches('connecting', 3001);
  });
});
