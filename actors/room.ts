import { roomMachine } from '../machines/room.ts';
import { defineActor } from '../src/index.ts';
import { answers } from './answers.ts';
import { roomNews, userNews } from './news.ts';

export const room = defineActor({
  type: 'room',
  machine: roomMachine,
  effects: {
    ...answers,
    // The newcomer gets the room from here and not from its saga, which knows the members as of the approval only.
    ROOM_MEMBER_ADDED: ({ room: data, newcomer }, { id }) => [
      roomNews(id, { type: 'ROOM_UPDATED', data, newcomer }),
      userNews(newcomer.id, { type: 'ROOM_UPDATED', data }),
    ],
  },
});
