/** Sockets that open and rooms that are joined while others write: no news is missed in between. */

import { expect, test } from 'vitest';
import type { MessageDto, RoomDto } from '../../../actors/contract.ts';
import type { Chat } from '../chat.ts';
import { createRoom, write } from '../commands.ts';
import type { Accepted, Person } from '../person.ts';
import type { SocketClient } from '../socket-client.ts';

function people(chat: Chat, count: number): Promise<readonly Person[]> {
  return Promise.all(Array.from({ length: count }, () => chat.user('somebody')));
}

async function expectAll(socket: SocketClient, messages: readonly MessageDto[]): Promise<void> {
  for (const { id } of messages) await socket.news<MessageDto>('MESSAGE_UPDATED', (message) => message.id === id);
}

export function raceSuite(chat: () => Chat): void {
  test('a socket misses nothing after its first reply', async () => {
    const [alice, bob] = [await chat().user('alice'), await chat().user('bob')];
    const room = await alice.room(bob);
    const written: MessageDto[] = [];
    let begun = 0;
    const writing = (async () => {
      for (; begun < 60; ) {
        begun += 1;
        written.push(await alice.write(room, `${begun}`));
      }
    })();

    const opened: { readonly socket: SocketClient; readonly from: number }[] = [];
    while (begun < 60 && opened.length < 30) opened.push({ socket: await bob.connect(), from: begun });
    await writing;

    expect(opened.length).toBeGreaterThan(0);
    for (const { socket, from } of opened) {
      await expectAll(socket, written.slice(from));
      const news = socket.all<MessageDto>('MESSAGE_UPDATED').map(({ content }) => Number(content));
      expect(news).toEqual(Array.from({ length: news.length }, (_, index) => 61 - news.length + index));
    }
  });

  test('first messages of many new rooms all arrive once', async () => {
    const bob = await chat().user('bob');
    const senders = await people(chat(), 15);
    const sockets = await Promise.all([bob.connect(), bob.connect()]);

    const start = async (sender: Person): Promise<MessageDto> => sender.write(await sender.room(bob), 'hello');
    const messages = await Promise.all(senders.map(start));

    for (const socket of sockets) {
      await expectAll(socket, messages);
      const news = socket.all<MessageDto>('MESSAGE_UPDATED').map(({ id }) => id);
      expect([...news].sort()).toEqual(messages.map(({ id }) => id).sort());
      const rooms = socket.all<RoomDto>('ROOM_UPDATED').map(({ id }) => id);
      expect(new Set(rooms)).toEqual(new Set(messages.map(({ roomId }) => roomId)));
    }
  });

  test('creators who write at once hear of their own messages', async () => {
    const bob = await chat().user('bob');
    const creators = await people(chat(), 8);

    const live = async (creator: Person): Promise<void> => {
      const socket = await creator.connect();
      for (let round = 0; round < 5; round++) {
        const reply = await socket.command(createRoom(bob.id));
        const created = await socket.outcome((reply.data as Accepted).operationId);
        const room = created.data as RoomDto;
        const sent = await socket.command(write(room.id, 'at once'));
        const outcome = await socket.outcome((sent.data as Accepted).operationId);
        await expectAll(socket, [outcome.data as MessageDto]);
      }
      expect(socket.all('MESSAGE_UPDATED')).toHaveLength(5);
    };

    await Promise.all(creators.map(live));
  });

  test('a newcomer misses nothing while others write', async () => {
    const [alice, bob, carol] = [await chat().user('alice'), await chat().user('bob'), await chat().user('carol')];
    const rooms = await Promise.all(Array.from({ length: 6 }, () => alice.room(bob)));
    const socket = await carol.connect();

    const converse = async (room: RoomDto): Promise<readonly MessageDto[]> => {
      const before = [await alice.write(room, 'one'), await bob.write(room, 'two')];
      const during = await Promise.all([alice.write(room, 'three'), alice.add(room, carol), bob.write(room, 'four')]);
      return [...before, during[0], during[2], await alice.write(room, 'five')];
    };
    const messages = (await Promise.all(rooms.map(converse))).flat();

    await expectAll(socket, messages);
    for (const room of rooms) await socket.news<RoomDto>('ROOM_UPDATED', ({ id }) => id === room.id);
  });
}
