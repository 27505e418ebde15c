/** How far members have read: what moves it, what does not, and who hears of it. */

import { describe, expect, test } from 'vitest';
import type { MessageDto, RoomDto, Unread } from '../../../actors/contract.ts';
import type { Chat } from '../chat.ts';
import { type Command, createUser, read, write } from '../commands.ts';
import { type Accepted, channels, type Person } from '../person.ts';
import type { SocketClient } from '../socket-client.ts';

const unreadPath = '/v1/unread';

interface Scene {
  readonly alice: Person;
  readonly bob: Person;
  readonly room: RoomDto;
  readonly messages: readonly MessageDto[];
}

/** A room in which alice wrote so many messages to bob. */
async function scene(chat: Chat, count: number): Promise<Scene> {
  const [alice, bob] = [await chat.user('alice'), await chat.user('bob')];
  const room = await alice.room(bob);
  const messages: MessageDto[] = [];
  for (let i = 0; i < count; i++) messages.push(await alice.write(room, `${i}`));
  return { alice, bob, room, messages };
}

/** `read/last` of the only room of somebody; what is unread is checked to be the rest. */
async function stand(person: Person): Promise<string> {
  const [only, ...others] = await person.get<readonly Unread[]>(unreadPath);
  expect(others).toEqual([]);
  if (only === undefined) return 'none';
  expect(only.unread).toBe(only.lastPosition - only.readPosition);
  return `${only.readPosition}/${only.lastPosition}`;
}

/** News of one's own read positions up to here; an operation that fails comes behind them. */
async function movesSoFar(socket: SocketClient): Promise<readonly Unread[]> {
  const reply = await socket.command(createUser({ type: 'REGULAR_USER', primaryLanguage: 'ENGLISH' }));
  await socket.outcome((reply.data as Accepted).operationId);
  return socket.all<Unread>('READ_POSITION_UPDATED');
}

function counts(chat: () => Chat): void {
  test('what others wrote is unread, one’s own is not', async () => {
    const { alice, bob, room } = await scene(chat(), 3);

    expect(await bob.get(unreadPath)).toEqual([{ roomId: room.id, readPosition: 0, lastPosition: 3, unread: 3 }]);
    expect(await alice.get(unreadPath)).toEqual([{ roomId: room.id, readPosition: 3, lastPosition: 3, unread: 0 }]);
  });

  test.each(channels)('reading by %s counts all before as read', async (channel) => {
    const { bob, messages } = await scene(chat(), 3);

    await bob.run(read(messages[1]!.id), channel);

    expect(await stand(bob)).toBe('2/3');
  });

  test('reading an older message moves nothing back', async () => {
    const { bob, messages } = await scene(chat(), 3);
    await bob.complete(read(messages[2]!.id));

    await bob.complete(read(messages[0]!.id));

    expect(await stand(bob)).toBe('3/3');
  });

  test('a read that fails moves nothing', async () => {
    const { bob, room, messages } = await scene(chat(), 2);
    const mallory = await chat().user('mallory');

    expect((await mallory.fail(read(messages[1]!.id))).code).toBe('NOT_A_MEMBER');
    expect((await bob.fail(read(room.id))).code).toBe('MESSAGE_NOT_FOUND');

    expect(await stand(bob)).toBe('0/2');
    expect(await stand(mallory)).toBe('none');
  });

  test('whoever writes has read what was there', async () => {
    const { alice, bob, room } = await scene(chat(), 2);

    await bob.write(room, 'hello');

    expect(await stand(bob)).toBe('3/3');
    expect(await stand(alice)).toBe('2/3');
  });

  test('a newcomer has nothing unread but what follows', async () => {
    const { alice, room } = await scene(chat(), 2);
    const carol = await chat().user('carol');
    await alice.add(room, carol);
    expect(await stand(carol)).toBe('2/2');

    await alice.write(room, 'welcome');

    expect(await stand(carol)).toBe('2/3');
  });

  test('rooms come by id, unwritten ones are left out', async () => {
    const [alice, bob] = [await chat().user('alice'), await chat().user('bob')];
    const rooms = await Promise.all(Array.from({ length: 5 }, () => alice.room(bob)));
    await alice.room(bob);
    await Promise.all(rooms.map((room) => bob.write(room, 'hello')));

    const unread = await alice.get<readonly Unread[]>(unreadPath);

    expect(unread.map(({ roomId }) => roomId)).toEqual(rooms.map(({ id }) => id).sort());
    expect(unread.map((one) => one.unread)).toEqual([1, 1, 1, 1, 1]);
  });
}

function news(chat: () => Chat): void {
  test('every socket of the reader hears, nobody else', async () => {
    const { alice, bob, room, messages } = await scene(chat(), 3);
    const [phone, desktop, others] = [await bob.connect(), await bob.connect(), await alice.connect()];

    await bob.complete(read(messages[1]!.id));

    const data = { roomId: room.id, readPosition: 2, lastPosition: 3, unread: 1 };
    for (const socket of [phone, desktop]) {
      expect(await socket.news('READ_POSITION_UPDATED')).toEqual({ type: 'READ_POSITION_UPDATED', data });
    }
    expect(await movesSoFar(others)).toEqual([]);
  });

  test('positions in news only move forward', async () => {
    const { bob, messages } = await scene(chat(), 12);
    const socket = await bob.connect();

    await Promise.all(messages.map(({ id }) => bob.complete(read(id))));

    await socket.news<Unread>('READ_POSITION_UPDATED', ({ unread }) => unread === 0);
    const moves = (await movesSoFar(socket)).map(({ readPosition }) => readPosition);
    expect(moves).toEqual([...new Set(moves)].sort((a, b) => a - b));
    expect(await stand(bob)).toBe('12/12');
  });

  test('what is read already is no news', async () => {
    const { bob, messages } = await scene(chat(), 2);
    await bob.complete(read(messages[1]!.id));
    const socket = await bob.connect();

    for (const { id } of messages) await bob.complete(read(id));

    expect(await movesSoFar(socket)).toEqual([]);
  });

  test('writing is news to who had unread messages', async () => {
    const { bob, room } = await scene(chat(), 2);
    const socket = await bob.connect();

    await bob.write(room, 'one');
    await bob.write(room, 'two');

    const data = { roomId: room.id, readPosition: 3, lastPosition: 3, unread: 0 };
    expect((await socket.news('READ_POSITION_UPDATED')).data).toEqual(data);
    expect(await movesSoFar(socket)).toEqual([data]);
  });
}

function consistency(chat: () => Chat): void {
  test('whoever saw an outcome counts with it', async () => {
    const { alice, bob, room } = await scene(chat(), 0);
    const socket = await bob.connect();
    const outcomeOf = async (command: Command): Promise<void> => {
      const reply = await socket.command(command);
      await socket.outcome((reply.data as Accepted).operationId);
    };

    for (let round = 1; round <= 20; round++) {
      const message = await alice.write(room, 'ping');
      expect(await stand(bob)).toBe(`${2 * round - 2}/${2 * round - 1}`);
      await outcomeOf(read(message.id));
      expect(await stand(bob)).toBe(`${2 * round - 1}/${2 * round - 1}`);
      await outcomeOf(write(room.id, 'pong'));
      expect(await stand(bob)).toBe(`${2 * round}/${2 * round}`);
    }
  });

  test('whoever heard the news counts with them', async () => {
    const { alice, bob, room } = await scene(chat(), 0);
    const socket = await bob.connect();

    for (let round = 1; round <= 20; round++) {
      const message = await alice.write(room, 'ping');
      await bob.send(read(message.id));
      await socket.news<Unread>('READ_POSITION_UPDATED', ({ readPosition }) => readPosition === round);
      expect(await stand(bob)).toBe(`${round}/${round}`);
    }
  });
}

export function unreadSuite(chat: () => Chat): void {
  describe('counts', () => counts(chat));
  describe('news', () => news(chat));
  describe('a count is what was seen', () => consistency(chat));
}
