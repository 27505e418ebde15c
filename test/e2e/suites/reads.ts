/** Lists: their order, pages and filters, and what is listed for whom. */

import { describe, expect, test } from 'vitest';
import type { MessageDto, RoomDto, UserDto } from '../../../actors/contract.ts';
import type { Chat } from '../chat.ts';
import { edit, read } from '../commands.ts';
import { page, pages } from '../pages.ts';
import type { Person } from '../person.ts';

function sortedIds(dtos: readonly { readonly id: string }[]): readonly string[] {
  return dtos.map(({ id }) => id).sort();
}

function ids(dtos: readonly { readonly id: string }[]): readonly string[] {
  return dtos.map(({ id }) => id);
}

interface Conversation {
  readonly alice: Person;
  readonly bob: Person;
  readonly room: RoomDto;
}

/** A room with numbered messages, in this order. */
async function conversation(chat: Chat, count: number): Promise<Conversation> {
  const [alice, bob] = [await chat.user('alice'), await chat.user('bob')];
  const room = await alice.room(bob);
  for (let at = 0; at < count; at++) await [alice, bob][at % 2]!.write(room, `${at}`);
  return { alice, bob, room };
}

function numbers(from: number, to: number): readonly string[] {
  return Array.from({ length: to - from }, (_, index) => `${from + index}`);
}

function contentsOf(messages: readonly MessageDto[]): readonly string[] {
  return messages.map(({ content }) => content);
}

function messagesOfARoom(chat: () => Chat): void {
  test('messages come oldest first, in room order', async () => {
    const { bob, room } = await conversation(chat(), 5);

    expect(contentsOf(await bob.get(`/v1/rooms/${room.id}/messages`))).toEqual(numbers(0, 5));
  });

  test('the first page is the last one written', async () => {
    const { alice, room } = await conversation(chat(), 7);

    const found = await pages<MessageDto>(alice, `/v1/rooms/${room.id}/messages?limit=3`);

    expect(found.map(contentsOf)).toEqual([numbers(4, 7), numbers(1, 4), numbers(0, 1)]);
  });

  test('a page holds fifty messages by default', async () => {
    const { alice, room } = await conversation(chat(), 51);

    const found = await pages<MessageDto>(alice, `/v1/rooms/${room.id}/messages`);

    expect(found.map(contentsOf)).toEqual([numbers(1, 51), numbers(0, 1)]);
  });

  test('a full last page has no next one', async () => {
    const { alice, room } = await conversation(chat(), 4);

    expect((await page(alice, `/v1/rooms/${room.id}/messages?limit=4`)).next).toBeUndefined();
    expect(await pages(alice, `/v1/rooms/${room.id}/messages?limit=2`)).toHaveLength(2);
  });

  test('pages stay where they were while others write', async () => {
    const { alice, bob, room } = await conversation(chat(), 6);
    const first = await page<MessageDto>(alice, `/v1/rooms/${room.id}/messages?limit=3`);
    await bob.write(room, 'in between');
    await bob.complete(edit(first.items[0]!.id, 'edited'));

    const second = await page<MessageDto>(alice, first.next!);

    expect(contentsOf(second.items)).toEqual(numbers(0, 3));
  });

  test('edits and reads keep a message in its place', async () => {
    const { alice, bob, room } = await conversation(chat(), 3);
    const [first] = await alice.get<readonly MessageDto[]>(`/v1/rooms/${room.id}/messages`);
    await alice.complete(edit(first!.id, 'edited'));
    await bob.complete(read(first!.id));

    const messages = await alice.get<readonly MessageDto[]>(`/v1/rooms/${room.id}/messages`);

    expect(contentsOf(messages)).toEqual(['edited', '1', '2']);
    expect(messages[0]).toEqual({ ...first, content: 'edited', modified: true, read: [bob.id] });
  });

  test.each(['0', '201', '-1', '1.5', 'all', ''])('a limit of "%s" is refused', async (limit) => {
    const { alice, room } = await conversation(chat(), 0);

    const { status, body } = await alice.call('GET', `/v1/rooms/${room.id}/messages?limit=${limit}`);

    expect(status).toBe(400);
    expect(body).toMatchObject({ code: 'VALIDATION_FAILED', params: { fields: 'limit' } });
  });

  test('a limit of two hundred is the most', async () => {
    const { alice, room } = await conversation(chat(), 1);

    expect(await alice.get(`/v1/rooms/${room.id}/messages?limit=200`)).toHaveLength(1);
  });

  test('a made-up position is refused', async () => {
    const { alice, room } = await conversation(chat(), 1);

    for (const path of [`/v1/rooms/${room.id}/messages?before=nowhere`, '/v1/users?before=nowhere']) {
      expect(await alice.call('GET', path)).toMatchObject({ status: 400, body: { params: { fields: 'before' } } });
    }
  });
}

function lastMessages(chat: () => Chat): void {
  test('the last messages of each room are listed', async () => {
    const { alice, bob, room } = await conversation(chat(), 4);
    const other = await alice.room(bob);
    await bob.write(other, 'other');

    const messages = await bob.get<readonly MessageDto[]>('/v1/messages?roomLimit=2');

    const byRoom = [room.id, other.id].map((id) => contentsOf(messages.filter(({ roomId }) => roomId === id)));
    expect(byRoom).toEqual([['2', '3'], ['other']]);
    expect(messages.map(({ roomId }) => roomId)).toEqual([...messages.map(({ roomId }) => roomId)].sort());
  });

  test('messages of other people’s rooms are not listed', async () => {
    await conversation(chat(), 1);
    const carol = await chat().user('carol');

    expect(await carol.get('/v1/messages')).toEqual([]);
  });

  test('a room limit that is none is refused', async () => {
    const alice = await chat().user('alice');

    for (const limit of ['0', '201', 'x']) {
      expect((await alice.call('GET', `/v1/messages?roomLimit=${limit}`)).status).toBe(400);
    }
  });
}

function rooms(chat: () => Chat): void {
  test('rooms are listed by id', async () => {
    const [alice, bob] = [await chat().user('alice'), await chat().user('bob')];
    const made = await Promise.all(Array.from({ length: 6 }, () => alice.room(bob)));

    const listed = await alice.get<readonly RoomDto[]>('/v1/rooms');

    expect(ids(listed)).toEqual(sortedIds(made));
  });

  test('an unwritten room is listed for its creator only', async () => {
    const [alice, bob] = [await chat().user('alice'), await chat().user('bob')];
    const room = await alice.room(bob);
    expect(await alice.get('/v1/rooms')).toEqual([room]);
    expect(await bob.get('/v1/rooms')).toEqual([]);
    expect(await bob.get('/v1/users/all')).toEqual([]);

    await bob.write(room, 'hello');

    expect(await bob.get('/v1/rooms')).toEqual([room]);
    expect(ids(await bob.get<readonly UserDto[]>('/v1/users/all'))).toEqual([alice.id]);
  });

  test('a member reads a room before it is written in', async () => {
    const [alice, bob] = [await chat().user('alice'), await chat().user('bob')];
    const room = await alice.room(bob);

    expect(await bob.get(`/v1/rooms/${room.id}`)).toEqual(room);
    expect(await bob.get(`/v1/rooms/${room.id}/messages`)).toEqual([]);
  });

  test('a room is shown to its members only', async () => {
    const { room } = await conversation(chat(), 1);
    const mallory = await chat().user('mallory');

    for (const path of [`/v1/rooms/${room.id}`, `/v1/rooms/${room.id}/messages`]) {
      expect(await mallory.call('GET', path)).toMatchObject({ status: 403, body: { code: 'NOT_A_MEMBER' } });
    }
  });
}

function users(chat: () => Chat): void {
  test('people one shares a room with are listed by id', async () => {
    const [alice, bob, carol] = [await chat().user('alice'), await chat().user('bob'), await chat().user('carol')];
    await chat().user('stranger');
    const room = await alice.add(await alice.room(bob), carol);
    await alice.write(room, 'hello');
    await alice.write(await alice.room(carol), 'hello');

    expect(ids(await alice.get<readonly UserDto[]>('/v1/users/all'))).toEqual(sortedIds([bob, carol]));
    expect(ids(await carol.get<readonly UserDto[]>('/v1/users/all'))).toEqual(sortedIds([alice, bob]));
  });

  test('a query matches parts of usernames', async () => {
    const word = `needle${Date.now()}`;
    const people = [await chat().user(`a-${word}`), await chat().user(`${word.toUpperCase()}-b`)];
    const alice = await chat().user('alice');

    const found = await alice.get<readonly UserDto[]>(`/v1/users?query=${word}`);

    expect(ids(found)).toEqual(sortedIds(people));
  });

  test('a type narrows a search', async () => {
    const word = `typed${Date.now()}`;
    const [regular, tara] = [await chat().user(word), await chat().translator(word, 'ENGLISH', 'ITALIAN')];

    const found = ['REGULAR_USER', 'TRANSLATOR'].map((type) =>
      regular.get<readonly UserDto[]>(`/v1/users?query=${word}&type=${type}`),
    );

    expect((await Promise.all(found)).map(ids)).toEqual([[regular.id], [tara.id]]);
    expect((await regular.call('GET', '/v1/users?type=ADMIN')).status).toBe(400);
  });

  test('users come in pages, each once, by id', async () => {
    const word = `paged${Date.now()}`;
    const people = await Promise.all(Array.from({ length: 7 }, () => chat().user(word)));

    const found = await pages<UserDto>(people[0]!, `/v1/users?query=${word}&type=REGULAR_USER&limit=3`);

    expect(found.map(({ length }) => length)).toEqual([3, 3, 1]);
    expect(ids(found.flat())).toEqual(sortedIds(people));
  });

  test('a misspelt parameter is refused', async () => {
    const alice = await chat().user('alice');

    for (const path of ['/v1/users?qurey=a', '/v1/messages?limit=3', '/v1/users?query=a&query=b']) {
      expect(await alice.call('GET', path)).toMatchObject({ status: 400, body: { code: 'VALIDATION_FAILED' } });
    }
  });
}

export function readSuite(chat: () => Chat): void {
  describe('messages of a room', () => messagesOfARoom(chat));
  describe('last messages', () => lastMessages(chat));
  describe('rooms', () => rooms(chat));
  describe('users', () => users(chat));
}
