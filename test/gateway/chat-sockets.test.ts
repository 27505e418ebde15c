import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openMemoryJournal } from '../../src/journal/memory.ts';
import { type Chat, chat, type Operation, type Person } from './chat.ts';
import { type ClientFrame, SocketClient } from './socket-client.ts';

let app: Chat;
let alice: Person;
let bob: Person;

beforeEach(async () => {
  app = await chat({ limits: { bufferedBytesMax: 8_000 } });
  alice = await app.register('alice');
  bob = await app.register('bob', { primaryLanguage: 'UKRAINIAN' });
});

afterEach(() => app.server.stop());

const types = (client: SocketClient): (string | undefined)[] => client.frames.map(({ type }) => type);

/** Everything that was sent before has arrived after this. */
async function synced(client: SocketClient): Promise<void> {
  const id = `sync ${client.frames.length}`;
  client.send({ id, type: 'PING' });
  await client.reply(id);
  client.frames.splice(
    client.frames.findIndex(({ re }) => re === id),
    1,
  );
}

function isMessage(content: string): (frame: ClientFrame) => boolean {
  return ({ type, data }) => type === 'MESSAGE_UPDATED' && data?.content === content;
}

describe('outcomes', () => {
  test('a socket hears of its user before it exists', async () => {
    const carol = await app.stranger('carol');
    const socket = await carol.socket();

    socket.send({ id: '1', type: 'USER_CREATE', data: { type: 'REGULAR_USER', primaryLanguage: 'ENGLISH' } });

    const { data } = await socket.ofType('USER_CREATE_COMPLETED');
    expect(data).toMatchObject({ id: carol.id, email: 'carol@example.com' });
    expect(await socket.ofType('CURRENT_USER_UPDATED')).toEqual({ type: 'CURRENT_USER_UPDATED', data });
    expect((await carol.get('/v1/users/currentUser')).body).toEqual(data);
  });

  test('each socket of a user gets each outcome', async () => {
    const sockets = [await alice.socket(), await alice.socket()];

    const { body } = await alice.command('POST', '/v1/rooms', { companionUserId: bob.id });

    for (const socket of sockets) {
      const outcome = await socket.ofType('ROOM_CREATE_COMPLETED');
      expect(outcome).toEqual({ type: 'ROOM_CREATE_COMPLETED', operationId: body.operationId, data: body.result });
    }
  });

  test('an error is a problem in the user’s language', async () => {
    const own = await bob.socket();
    const italian = await bob.socket({ 'accept-language': 'it' });

    const { body } = await bob.command('POST', '/v1/rooms', { companionUserId: bob.id });

    const { operationId } = body;
    expect(await own.ofType('ROOM_CREATE_ERROR')).toMatchObject({
      operationId,
      data: { code: 'COMPANION_IS_SELF', status: 422, operationId, title: 'Співрозмовник — ви самі' },
    });
    expect(await italian.ofType('ROOM_CREATE_ERROR')).toMatchObject({ data: { title: 'L’interlocutore sei tu' } });
  });

  test('replies precede outcomes, each of 300 once', async () => {
    const roomId = await alice.room(bob);
    const socket = await alice.socket();

    for (let id = 0; id < 300; id++) {
      const idempotencyKey = id % 3 === 0 ? { idempotencyKey: `key ${id}` } : {};
      socket.send({ id, type: 'MESSAGE_CREATE', data: { roomId, content: `message ${id}` }, ...idempotencyKey });
    }
    const outcomeCount = (): number => types(socket).filter((type) => type === 'MESSAGE_CREATE_COMPLETED').length;
    await expect.poll(outcomeCount, { timeout: 30_000 }).toBe(300);
    await synced(socket);

    const replies = socket.frames.flatMap(({ re, data }, at) =>
      re === undefined ? [] : [{ at, id: data?.operationId }],
    );
    expect(replies).toHaveLength(300);
    for (const { at, id } of replies) {
      const outcomes = socket.frames.flatMap((frame, index) => (frame.operationId === id ? [index] : []));
      expect(outcomes).toHaveLength(1);
      expect(outcomes[0]).toBeGreaterThan(at);
    }
    // The room's own news have no fixed place among the outcomes.
    const newsCount = (): number => types(socket).filter((type) => type === 'MESSAGE_UPDATED').length;
    await expect.poll(newsCount, { timeout: 30_000 }).toBe(300);
  });

  test('a reused key is refused before the old outcome', async () => {
    const roomId = await alice.room(bob);
    const socket = await alice.socket();
    const command = (id: string, content: string) => ({
      id,
      type: 'MESSAGE_CREATE',
      data: { roomId, content },
      idempotencyKey: 'k',
    });

    socket.send(command('1', 'one'));
    socket.send(command('2', 'two'));

    expect((await socket.reply('1')).ok).toBe(true);
    expect(await socket.reply('2')).toMatchObject({ ok: false, error: { code: 'IDEMPOTENCY_KEY_REUSED' } });
    await socket.ofType('MESSAGE_CREATE_COMPLETED');
  });

  test('whoever saw an outcome sees it in every read', async () => {
    const socket = await alice.socket();

    for (let i = 0; i < 20; i++) {
      socket.frames.length = 0;
      socket.send({ id: `${i}`, type: 'ROOM_CREATE', data: { companionUserId: bob.id } });
      const { data, operationId } = await socket.ofType('ROOM_CREATE_COMPLETED');
      const rooms = await alice.get<readonly { readonly id: string }[]>('/v1/rooms');
      expect(rooms.body.map(({ id }) => id)).toContain(data?.id);
      expect((await alice.get(`/v1/operations/${operationId}`)).body.state).toBe('COMPLETED');
      expect((await bob.get(`/v1/rooms/${data?.id}`)).status).toBe(200);
    }
  });
});

describe('rooms and messages', () => {
  test('a room’s creator hears of it, its companion later', async () => {
    const [creator, companion] = [await alice.socket(), await bob.socket()];

    const roomId = await alice.room(bob);
    await creator.ofType('ROOM_CREATE_COMPLETED');
    await synced(companion);

    expect(types(creator).sort()).toEqual(['ROOM_CREATE_COMPLETED', 'ROOM_UPDATED', 'USER_UPDATED']);
    expect(await creator.ofType('ROOM_UPDATED')).toMatchObject({ data: { id: roomId } });
    expect((await creator.ofType('USER_UPDATED')).data).toMatchObject({ id: bob.id });
    expect((await creator.ofType('USER_UPDATED')).data).not.toHaveProperty('email');
    expect(companion.frames).toEqual([]);
  });

  test('a message brings the others room and sender', async () => {
    const roomId = await alice.room(bob);
    const [sender, other] = [await alice.socket(), await bob.socket()];

    await alice.message(roomId, 'hello');
    await sender.ofType('MESSAGE_CREATE_COMPLETED');
    await sender.ofType('MESSAGE_UPDATED');
    await other.ofType('MESSAGE_UPDATED');
    await synced(other);

    // Order holds per topic, and these come of two.
    expect(types(sender).sort()).toEqual(['MESSAGE_CREATE_COMPLETED', 'MESSAGE_UPDATED']);
    expect(other.frames).toMatchObject([
      { type: 'ROOM_UPDATED', data: { id: roomId } },
      { type: 'USER_UPDATED', data: { id: alice.id } },
      { type: 'MESSAGE_UPDATED', data: { roomId, content: 'hello', senderId: alice.id } },
    ]);
    expect(JSON.stringify(other.frames)).not.toContain('@example.com');
  });

  test('a change reaches every member alone', async () => {
    const roomId = await alice.room(bob);
    const id = await alice.message(roomId, 'hello');
    const [sender, reader] = [await alice.socket(), await bob.socket()];

    await bob.command('PUT', `/v1/messages/${id}/read`);
    await reader.ofType('MESSAGE_READ_COMPLETED');

    expect((await sender.ofType('MESSAGE_UPDATED')).data).toMatchObject({ id, read: [bob.id] });
    await synced(sender);
    expect(types(sender)).toEqual(['MESSAGE_UPDATED']);
    expect(types(reader).sort()).toEqual(['MESSAGE_READ_COMPLETED', 'MESSAGE_UPDATED', 'READ_POSITION_UPDATED']);
  });

  test('a newcomer gets room, people and messages', async () => {
    const carol = await app.register('carol');
    const roomId = await alice.room(bob);
    await alice.message(roomId, 'one');
    await alice.message(roomId, 'two');
    const [member, newcomer] = [await bob.socket(), await carol.socket()];

    await alice.command('PUT', `/v1/rooms/${roomId}/members`, { memberId: carol.id });
    await newcomer.frame(isMessage('two'));
    await newcomer.ofType('ROOM_UPDATED');

    const of = (type: string) => newcomer.frames.filter((frame) => frame.type === type).map(({ data }) => data);
    expect(of('ROOM_UPDATED')).toMatchObject([{ id: roomId, members: [alice.id, bob.id, carol.id] }]);
    expect(of('USER_UPDATED').map((user) => user?.id)).toEqual([alice.id, bob.id].sort());
    expect(of('MESSAGE_UPDATED').map((message) => message?.content)).toEqual(['one', 'two']);
    await member.ofType('USER_UPDATED');
    expect(member.frames).toMatchObject([
      { type: 'ROOM_UPDATED', data: { members: [alice.id, bob.id, carol.id] } },
      { type: 'USER_UPDATED', data: { id: carol.id } },
    ]);
    await bob.message(roomId, 'three');
    await newcomer.frame(isMessage('three'));
  });

  test('adding a member twice tells nobody again', async () => {
    const carol = await app.register('carol');
    const roomId = await alice.room(bob);
    await alice.command('PUT', `/v1/rooms/${roomId}/members`, { memberId: carol.id });
    const sockets = [await bob.socket(), await carol.socket()];

    const again = await alice.command('PUT', `/v1/rooms/${roomId}/members`, { memberId: carol.id });

    expect(again).toMatchObject({ status: 200, body: { state: 'COMPLETED' } });
    for (const socket of sockets) {
      await synced(socket);
      expect(socket.frames).toEqual([]);
    }
  });

  test('strangers to a room hear nothing of it', async () => {
    const carol = await app.register('carol');
    const socket = await carol.socket();

    await alice.message(await alice.room(bob), 'secret');
    await synced(socket);

    expect(socket.frames).toEqual([]);
  });

  test('many rooms made at once lose no first message', async () => {
    const [creator, companion] = [await alice.socket(), await bob.socket()];

    const rooms = await Promise.all(Array.from({ length: 50 }, () => alice.room(bob)));
    await Promise.all(rooms.map((roomId) => alice.message(roomId, `first of ${roomId}`)));

    for (const roomId of rooms) {
      for (const socket of [creator, companion]) await socket.frame(isMessage(`first of ${roomId}`));
    }
    await synced(companion);
    const got = companion.frames.filter(({ type }) => type === 'MESSAGE_UPDATED');
    expect(got).toHaveLength(50);
  });
});

describe('slow readers', () => {
  /** More than the buffers of both ends hold. */
  const count = 400;
  const content = (n: number): string => `${n} ${'😀'.repeat(3_990)}`;

  async function flood(sender: Person, roomId: string): Promise<void> {
    for (let n = 0; n < count; n += 20) {
      const batch = Array.from({ length: 20 }, (_, i) => content(n + i));
      await Promise.all(batch.map((each) => sender.call('POST', '/v1/messages', { roomId, content: each })));
    }
  }

  const numbers = (client: SocketClient): readonly number[] =>
    client.frames.flatMap(({ type, data }) =>
      type === 'MESSAGE_UPDATED' ? [Number.parseInt(String(data?.content), 10)] : [],
    );

  test('a peer that pauses misses and repeats nothing', async () => {
    const roomId = await alice.room(bob);
    const [slow, quick] = [await bob.socket(), await bob.socket()];
    slow.socket.pause();

    await flood(alice, roomId);
    await expect.poll(() => numbers(quick).length, { timeout: 30_000 }).toBe(count);
    expect(numbers(slow).length).toBeLessThan(count);
    slow.socket.resume();
    await expect.poll(() => numbers(slow).length, { timeout: 30_000 }).toBe(count);

    expect(numbers(slow)).toEqual(numbers(quick));
    expect(new Set(numbers(slow)).size).toBe(count);
  });

  test('a peer behind a lost history is told to reconnect', async () => {
    const journal = openMemoryJournal({ shards: 8, topicHistoryMax: 20 });
    const small = await chat({ journal, limits: { bufferedBytesMax: 8_000 } });
    const [ann, ben] = [await small.register('ann'), await small.register('ben')];
    const roomId = await ann.room(ben);
    const slow = await ben.socket();
    slow.socket.pause();

    await flood(ann, roomId);
    slow.socket.resume();

    expect(await slow.closed).toBe(1013);
    expect(slow.frames.at(-1)).toMatchObject({ type: 'CLOSING', code: 1013, data: { code: 'FELL_BEHIND' } });
    expect(numbers(slow).length).toBeLessThan(count);
    await small.server.stop();
  });
});

describe('subscriptions', () => {
  test('the last socket of a user takes them along', async () => {
    const roomId = await alice.room(bob);
    await alice.message(roomId);
    const sockets = [await alice.socket(), await alice.socket(), await bob.socket()];
    expect(app.server.hub.topics).toBe(3);

    sockets[2]?.socket.close();
    await expect.poll(() => app.server.hub.topics).toBe(2);
    sockets[0]?.socket.close();
    await expect.poll(() => app.server.sockets()).toBe(1);
    expect(app.server.hub.topics).toBe(2);
    sockets[1]?.socket.terminate();

    await expect.poll(() => app.server.hub.topics).toBe(0);
  });

  test('a socket that comes back hears of old rooms', async () => {
    const roomId = await alice.room(bob);
    const first = await bob.socket();
    first.socket.close();
    await first.closed;
    const again = await bob.socket();

    await alice.message(roomId, 'welcome back');

    await again.frame(isMessage('welcome back'));
  });

  test('a socket under another’s id is refused', async () => {
    const url = `${app.base.replace('http', 'ws')}/ws/chat/${bob.id}?access_token=${alice.token}`;

    const client = await SocketClient.open(url);

    expect(await client.closed).toBe(4503);
    await expect(SocketClient.open(url.replace(bob.id, 'bob'))).rejects.toThrow('400');
  });
});

describe('a stop', () => {
  test('what is under way is answered, sockets are told', async () => {
    const roomId = await alice.room(bob);
    const socket = await alice.socket();
    const answers = Array.from({ length: 20 }, (_, i) =>
      alice.command<Operation>('POST', '/v1/messages', { roomId, content: `last ${i}` }),
    );
    await socket.ofType('MESSAGE_CREATE_COMPLETED');

    await app.server.stop();

    const statuses = (await Promise.allSettled(answers)).map((answer) =>
      answer.status === 'fulfilled' ? answer.value.status : 'refused',
    );
    expect(statuses.every((status) => status === 200 || status === 'refused')).toBe(true);
    expect(await socket.closed).toBe(1012);
    expect(socket.frames.at(-1)).toMatchObject({ type: 'CLOSING', code: 1012 });
  });
});
