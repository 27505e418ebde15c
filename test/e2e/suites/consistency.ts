/** Read your writes: whoever saw an operation COMPLETED (answer, frame or GET) sees it in every read, whoever reads. */

import { describe, expect, test } from 'vitest';
import type { MessageDto, RoomDto, UserDto } from '../../../actors/contract.ts';
import type { Chat } from '../chat.ts';
import { addMember, type Command, createRoom, createUser, edit, read, translate, write } from '../commands.ts';
import { type Accepted, type Channel, channels, type Person } from '../person.ts';

const conversations = 8;
const rounds = 6;

interface Trio {
  readonly alice: Person;
  readonly bob: Person;
  /** A translator from English into Italian. */
  readonly tara: Person;
}

async function trio(chat: Chat): Promise<Trio> {
  const [alice, bob] = await Promise.all([chat.user('alice'), chat.user('bob')]);
  return { alice, bob, tara: await chat.translator('tara', 'ENGLISH', 'ITALIAN') };
}

async function expectMessage(readers: readonly Person[], message: MessageDto): Promise<void> {
  const paths = [`/v1/rooms/${message.roomId}/messages`, '/v1/messages'];
  const lists = readers.flatMap((reader) => paths.map((path) => reader.get<readonly MessageDto[]>(path)));
  for (const list of await Promise.all(lists)) expect(list.find(({ id }) => id === message.id)).toEqual(message);
}

async function expectRoom(readers: readonly Person[], room: RoomDto): Promise<void> {
  const lists = readers.map((reader) => reader.get<readonly RoomDto[]>('/v1/rooms'));
  const rooms = readers.map((reader) => reader.get<RoomDto>(`/v1/rooms/${room.id}`));
  for (const list of await Promise.all(lists)) expect(list.find(({ id }) => id === room.id)).toEqual(room);
  for (const found of await Promise.all(rooms)) expect(found).toEqual(room);
}

async function expectPeople(reader: Person, others: readonly Person[]): Promise<void> {
  const people = await reader.get<readonly UserDto[]>('/v1/users/all');
  expect(people.map(({ id }) => id)).toEqual(expect.arrayContaining(others.map(({ id }) => id)));
}

/** One room from its creation to a translated message; after each outcome everyone reads at once. */
async function converse({ alice, bob, tara }: Trio, channel: (step: number) => Channel): Promise<void> {
  const { result: room } = await alice.run(createRoom(bob.id), channel(0));
  await expectRoom([alice], room!);
  expect(await bob.get(`/v1/rooms/${room!.id}`)).toEqual(room);

  const { result: message } = await alice.run(write(room!.id, 'hello'), channel(1));
  await Promise.all([
    expectMessage([alice, bob], message!),
    expectRoom([bob], room!),
    expectPeople(alice, [bob]),
    expectPeople(bob, [alice]),
  ]);

  const { result: joined } = await bob.run(addMember(room!.id, tara.id), channel(2));
  await Promise.all([
    expectRoom([alice, bob, tara], joined!),
    expectMessage([tara], message!),
    expectPeople(tara, [alice, bob]),
  ]);

  const { result: seen } = await tara.run(read(message!.id), channel(3));
  await expectMessage([alice, bob, tara], seen!);
  const { result: edited } = await alice.run(edit(message!.id, 'hello!'), channel(4));
  await expectMessage([alice, bob, tara], edited!);
  const { result: translated } = await tara.run(translate(message!.id, 'ITALIAN', 'ciao!'), channel(5));
  await expectMessage([alice, bob, tara], translated!);
  expect(translated).toMatchObject({ content: 'hello!', modified: true, read: [tara.id] });
}

export function consistencySuite(chat: () => Chat): void {
  test('whoever saw an outcome reads it everywhere', async () => {
    const trios = await Promise.all(Array.from({ length: conversations }, () => trio(chat())));

    const all = trios.map(async (people, index) => {
      for (let round = 0; round < rounds; round++) {
        await converse(people, (step) => channels[(index + round + step) % channels.length] as Channel);
      }
    });

    await Promise.all(all);
  });

  test.each(channels)('a user created by %s exists for everyone', async (channel) => {
    const reader = await chat().user('reader');
    const people = await Promise.all(Array.from({ length: 20 }, () => chat().stranger('newcomer')));

    const created = people.map(async (person) => {
      const { result } = await person.run(createUser({ type: 'REGULAR_USER', primaryLanguage: 'ENGLISH' }), channel);
      const { email: _, ...shown } = result!;
      expect(await person.get('/v1/users/currentUser')).toEqual(result);
      expect(await reader.get(`/v1/users/${person.id}`)).toEqual(shown);
      expect((await reader.room(person)).members).toEqual([reader.id, person.id]);
    });

    await Promise.all(created);
  });

  test('writers of one room read their own messages', async () => {
    const { alice, bob, tara } = await trio(chat());
    const room = await alice.add(await alice.room(bob), tara);

    const writers = [alice, bob, tara].map(async (person, index) => {
      for (let round = 0; round < 15; round++) {
        const { result } = await person.run(write(room.id, `${index}-${round}`), channels[round % channels.length]!);
        await expectMessage([alice, bob, tara], result!);
      }
    });
    await Promise.all(writers);

    const all = await alice.get<readonly MessageDto[]>(`/v1/rooms/${room.id}/messages`);
    expect(new Set(all.map(({ content }) => content)).size).toBe(45);
  });

  describe('a result is what a read shows', () => {
    test('a frame’s outcome is in the next read', async () => {
      const { alice, bob, tara } = await trio(chat());
      const socket = await alice.connect();
      const outcomeOf = async (command: Command): Promise<RoomDto> => {
        const reply = await socket.command(command);
        return (await socket.outcome((reply.data as Accepted).operationId)).data as RoomDto;
      };

      // One at a time: the quicker the read, the likelier it comes before what was not finished.
      for (let round = 0; round < 40; round++) {
        const room = await outcomeOf(createRoom(bob.id));
        expect(await alice.get('/v1/rooms')).toContainEqual(room);
        await outcomeOf(write(room.id, 'hello'));
        expect(await bob.get('/v1/rooms')).toContainEqual(room);
        const grown = await outcomeOf(addMember(room.id, tara.id));
        expect(await tara.get('/v1/rooms')).toContainEqual(grown);
      }
    });

    test('readers who come at once are all in', async () => {
      const { alice, bob, tara } = await trio(chat());
      const room = await alice.add(await alice.room(bob), tara);
      const message = await alice.write(room, 'who reads?');

      const results = await Promise.all([alice, bob, tara].map((person) => person.complete(read(message.id))));

      for (const [index, person] of [alice, bob, tara].entries()) expect(results[index]!.read).toContain(person.id);
      const [shown] = await alice.get<readonly MessageDto[]>(`/v1/rooms/${room.id}/messages`);
      expect([...shown!.read].sort()).toEqual([alice.id, bob.id, tara.id].sort());
    });

    test('members who are added at once are all in', async () => {
      const { alice, bob } = await trio(chat());
      const room = await alice.room(bob);
      const newcomers = await Promise.all(Array.from({ length: 10 }, () => chat().user('newcomer')));

      await Promise.all(newcomers.map((person, index) => [alice, bob][index % 2]!.add(room, person)));

      const { members } = await alice.get<RoomDto>(`/v1/rooms/${room.id}`);
      expect(members.slice(0, 2)).toEqual([alice.id, bob.id]);
      expect([...members].sort()).toEqual([alice, bob, ...newcomers].map(({ id }) => id).sort());
    });
  });
}
