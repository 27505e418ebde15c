/** Who gets what over sockets, and who does not. */

import { describe, expect, test } from 'vitest';
import type { MessageDto, RoomDto, UserDto } from '../../../actors/contract.ts';
import type { Chat } from '../chat.ts';
import { addMember, createUser, edit, read, translate } from '../commands.ts';
import type { Person } from '../person.ts';
import type { Frame, SocketClient } from '../socket-client.ts';

/** A user as others see it. */
async function seen(person: Person): Promise<UserDto> {
  const { email: _, ...user } = await person.get<UserDto>('/v1/users/currentUser');
  return user;
}

/**
 * Gives every frame of a socket up to here: an operation of its user's own, begun after what is looked for had ended,
 * comes last.
 */
async function framesSoFar(person: Person, socket: SocketClient): Promise<readonly Frame[]> {
  const reply = await socket.command(createUser({ type: 'REGULAR_USER', primaryLanguage: 'ENGLISH' }));
  const last = await socket.outcome((reply.data as { operationId: string }).operationId);
  expect(last.type, `${person.email} had been registered`).toBe('USER_CREATE_ERROR');
  return socket.frames.filter((frame) => frame !== last && frame.re === undefined);
}

function isAbout(id: string): (dto: { readonly id: string }) => boolean {
  return (dto) => dto.id === id;
}

function userNotifications(chat: () => Chat): void {
  test('a new user hears of itself, also before it exists', async () => {
    const [alice, bob] = [await chat().stranger('alice'), await chat().user('bob')];
    const [socket, bobs] = [await alice.connect(), await bob.connect()];

    const user = await alice.register();

    const outcome = await socket.news('USER_CREATE_COMPLETED');
    expect(outcome).toEqual({ type: 'USER_CREATE_COMPLETED', operationId: expect.any(String), data: user });
    expect(await socket.news('CURRENT_USER_UPDATED')).toEqual({ type: 'CURRENT_USER_UPDATED', data: user });
    expect(user.email).toBe(alice.email);
    expect(await framesSoFar(bob, bobs)).toEqual([]);
  });

  test('a user of no room hears of nobody', async () => {
    const [alice, bob, carol] = [await chat().user('alice'), await chat().user('bob'), await chat().user('carol')];
    const socket = await carol.connect();

    await alice.write(await alice.room(bob), 'hello');

    expect(await framesSoFar(carol, socket)).toEqual([]);
  });
}

function roomNotifications(chat: () => Chat): void {
  test('a new room reaches its creator with the companion', async () => {
    const [alice, bob] = [await chat().user('alice'), await chat().user('bob')];
    const socket = await alice.connect();

    const room = await alice.room(bob);

    expect(await socket.news('ROOM_UPDATED')).toEqual({ type: 'ROOM_UPDATED', data: room });
    expect(await socket.news('USER_UPDATED')).toEqual({ type: 'USER_UPDATED', data: await seen(bob) });
    expect((await socket.news('ROOM_CREATE_COMPLETED')).data).toEqual(room);
  });

  test('a companion hears of a room with its first message', async () => {
    const [alice, bob] = [await chat().user('alice'), await chat().user('bob')];
    const socket = await bob.connect();
    const room = await alice.room(bob);
    expect(await framesSoFar(bob, socket)).toEqual([]);

    const message = await alice.write(room, 'hello');

    expect((await socket.news('MESSAGE_UPDATED')).data).toEqual(message);
    expect((await socket.news('ROOM_UPDATED')).data).toEqual(room);
    expect((await socket.news('USER_UPDATED')).data).toEqual(await seen(alice));
  });

  test('a newcomer gets the room, its people and messages', async () => {
    const [alice, bob, carol] = [await chat().user('alice'), await chat().user('bob'), await chat().user('carol')];
    const room = await alice.room(bob);
    const messages = [await alice.write(room, 'one'), await bob.write(room, 'two')];
    const socket = await carol.connect();

    const added = await alice.add(room, carol);

    expect((await socket.news('ROOM_UPDATED')).data).toEqual(added);
    for (const person of [alice, bob]) {
      expect((await socket.news('USER_UPDATED', isAbout(person.id))).data).toEqual(await seen(person));
    }
    for (const message of messages) {
      expect((await socket.news('MESSAGE_UPDATED', isAbout(message.id))).data).toEqual(message);
    }
    expect(socket.all<MessageDto>('MESSAGE_UPDATED')).toEqual(messages);
    expect(socket.all('USER_UPDATED', isAbout(carol.id))).toEqual([]);
  });

  test('members get the room and who is new', async () => {
    const [alice, bob, carol] = [await chat().user('alice'), await chat().user('bob'), await chat().user('carol')];
    const room = await alice.room(bob);
    const sockets = [await alice.connect(), await bob.connect()];

    const added = await alice.add(room, carol);

    for (const socket of sockets) {
      expect((await socket.news('ROOM_UPDATED')).data).toEqual(added);
      expect((await socket.news('USER_UPDATED')).data).toEqual(await seen(carol));
    }
  });

  test('outsiders hear nothing of a room that grows', async () => {
    const [alice, bob, carol] = [await chat().user('alice'), await chat().user('bob'), await chat().user('carol')];
    const outsider = await chat().user('mallory');
    const room = await alice.room(bob);
    const socket = await outsider.connect();

    await alice.add(room, carol);

    expect(await framesSoFar(outsider, socket)).toEqual([]);
  });

  test('a member added again hears nothing anew', async () => {
    const [alice, bob] = [await chat().user('alice'), await chat().user('bob')];
    const room = await alice.room(bob);
    await alice.write(room, 'hello');
    const socket = await bob.connect();

    await alice.complete(addMember(room.id, bob.id));

    expect(await framesSoFar(bob, socket)).toEqual([]);
  });

  test('a newcomer gets the last page, not everything', async () => {
    const [alice, bob, carol] = [await chat().user('alice'), await chat().user('bob'), await chat().user('carol')];
    const room = await alice.room(bob);
    await Promise.all(Array.from({ length: 60 }, (_, index) => alice.write(room, `message ${index}`)));
    const page = await alice.get<readonly MessageDto[]>(`/v1/rooms/${room.id}/messages?limit=50`);
    const socket = await carol.connect();

    await alice.add(room, carol);

    await socket.news('MESSAGE_UPDATED', isAbout(page.at(-1)!.id));
    const given = new Set(socket.all<MessageDto>('MESSAGE_UPDATED').map(({ id }) => id));
    expect(given).toEqual(new Set(page.map(({ id }) => id)));
  });

  test('whoever was added hears what comes after', async () => {
    const [alice, bob, carol] = [await chat().user('alice'), await chat().user('bob'), await chat().user('carol')];
    const room = await alice.room(bob);
    const socket = await carol.connect();
    await alice.add(room, carol);

    const message = await bob.write(room, 'welcome');

    expect((await socket.news('MESSAGE_UPDATED', isAbout(message.id))).data).toEqual(message);
  });
}

interface Scene {
  readonly alice: Person;
  readonly tara: Person;
  readonly room: RoomDto;
  readonly message: MessageDto;
  readonly members: readonly SocketClient[];
  readonly outsider: Person;
  readonly outside: SocketClient;
}

/** A room of three with a message, everyone connected, and somebody who is not in it. */
async function scene(chat: Chat): Promise<Scene> {
  const [alice, bob] = [await chat.user('alice'), await chat.user('bob')];
  const [tara, outsider] = [await chat.translator('tara', 'ENGLISH', 'ITALIAN'), await chat.user('mallory')];
  const room = await alice.add(await alice.room(bob), tara);
  const message = await alice.write(room, 'hello');
  const members = await Promise.all([alice, bob, tara].map((person) => person.connect()));
  return { alice, tara, room, message, members, outsider, outside: await outsider.connect() };
}

function messageNotifications(chat: () => Chat): void {
  test('a message reaches each member, others with room and sender', async () => {
    const { alice, room, members, outsider, outside } = await scene(chat());

    const message = await alice.write(room, 'again');

    const [own, ...others] = members as [SocketClient, ...SocketClient[]];
    expect((await own.news('MESSAGE_UPDATED')).data).toEqual(message);
    for (const socket of others) {
      expect((await socket.news('MESSAGE_UPDATED')).data).toEqual(message);
      expect((await socket.news('ROOM_UPDATED')).data).toEqual(room);
      expect((await socket.news('USER_UPDATED')).data).toEqual(await seen(alice));
    }
    const mine = (await framesSoFar(alice, own)).map(({ type }) => type).sort();
    expect(mine).toEqual(['MESSAGE_CREATE_COMPLETED', 'MESSAGE_UPDATED']);
    expect(await framesSoFar(outsider, outside)).toEqual([]);
  });

  test('an edited message reaches every member alone', async () => {
    const { alice, message, members, outsider, outside } = await scene(chat());

    const edited = await alice.complete(edit(message.id, 'hello!'));

    for (const socket of members) expect((await socket.news('MESSAGE_UPDATED')).data).toEqual(edited);
    expect(await framesSoFar(outsider, outside)).toEqual([]);
  });

  test('a read message reaches every member alone', async () => {
    const { tara, message, members, outsider, outside } = await scene(chat());

    const seenByTara = await tara.complete(read(message.id));

    for (const socket of members) expect((await socket.news('MESSAGE_UPDATED')).data).toEqual(seenByTara);
    expect(await framesSoFar(outsider, outside)).toEqual([]);
  });

  test('a translated message reaches every member alone', async () => {
    const { tara, message, members, outsider, outside } = await scene(chat());

    const translated = await tara.complete(translate(message.id, 'ITALIAN', 'ciao'));

    for (const socket of members) expect((await socket.news('MESSAGE_UPDATED')).data).toEqual(translated);
    expect(await framesSoFar(outsider, outside)).toEqual([]);
  });

  test('messages of a room come in its order', async () => {
    const { alice, tara, room, members } = await scene(chat());

    await Promise.all(Array.from({ length: 30 }, (_, index) => [alice, tara][index % 2]!.write(room, `${index}`)));

    const listed = (await alice.get<readonly MessageDto[]>(`/v1/rooms/${room.id}/messages`)).slice(1);
    expect(listed).toHaveLength(30);
    for (const socket of members) {
      await socket.news('MESSAGE_UPDATED', isAbout(listed.at(-1)!.id));
      expect(socket.all<MessageDto>('MESSAGE_UPDATED')).toEqual(listed);
    }
  });
}

function outcomeNotifications(chat: () => Chat): void {
  test('an outcome reaches all sockets of its user', async () => {
    const [alice, bob] = [await chat().user('alice'), await chat().user('bob')];
    const sockets = [await alice.connect(), await alice.connect()];

    const room = await alice.room(bob);

    for (const socket of sockets) expect((await socket.news('ROOM_CREATE_COMPLETED')).data).toEqual(room);
  });

  test('an error reaches all sockets of its user alone', async () => {
    const { alice, tara, message, members, outsider, outside } = await scene(chat());
    const second = await tara.connect();

    const problem = await tara.fail(edit(message.id, 'mine now'));

    const frame = { type: 'MESSAGE_UPDATE_ERROR', operationId: problem.operationId, data: problem };
    for (const socket of [members[2]!, second]) expect(await socket.outcome(problem.operationId!)).toEqual(frame);
    expect(problem).toMatchObject({ code: 'NOT_THE_SENDER', status: 403 });
    expect(await framesSoFar(alice, members[0]!)).toEqual([]);
    expect(await framesSoFar(outsider, outside)).toEqual([]);
  });

  test('a socket’s own outcome comes once', async () => {
    const [alice, bob] = [await chat().user('alice'), await chat().user('bob')];
    const room = await alice.room(bob);
    const socket = await alice.connect();

    const { data } = await socket.request('MESSAGE_CREATE', { roomId: room.id, content: 'once' });

    const { operationId } = data as { operationId: string };
    await socket.outcome(operationId);
    await socket.news('MESSAGE_UPDATED');
    const frames = await framesSoFar(alice, socket);
    expect(frames.filter((frame) => frame.operationId === operationId)).toHaveLength(1);
  });

  test('many commands of one socket keep reply before outcome', async () => {
    const [alice, bob] = [await chat().user('alice'), await chat().user('bob')];
    const room = await alice.room(bob);
    const socket = await alice.connect();

    const commands = Array.from({ length: 100 }, (_, index) => ({ roomId: room.id, content: `${index}` }));
    const replies = await Promise.all(commands.map((data) => socket.request('MESSAGE_CREATE', data)));

    for (const reply of replies) {
      const outcome = await socket.outcome((reply.data as { operationId: string }).operationId);
      expect(outcome.type).toBe('MESSAGE_CREATE_COMPLETED');
      expect(socket.frames.indexOf(reply)).toBeLessThan(socket.frames.indexOf(outcome));
    }
  });
}

export function notificationSuite(chat: () => Chat): void {
  describe('of users', () => userNotifications(chat));
  describe('of rooms', () => roomNotifications(chat));
  describe('of messages', () => messageNotifications(chat));
  describe('of outcomes', () => outcomeNotifications(chat));
}
