import { roomMachine } from '../machines/room.ts';
import { defineActor } from '../src/index.ts';
import { answers } from './answers.ts';
import { roomNews, userNews } from './news.ts';
import { personal } from './personal.ts';

export const room = defineActor({
  type: 'room',
  machine: roomMachine,
  personal,
  effects: {
    ...answers,
    // The newcomer gets the room from here and not from its saga, which knows the members as of the approval only.
    ROOM_MEMBER_ADDED: ({ room: data, newcomer }, { id }) => [
      roomNews(id, { type: 'ROOM_UPDATED', data, newcomer }),
      userNews(newcomer.id, { type: 'ROOM_UPDATED', data }),
    ],
    READ_POSITION_MOVED: ({ userId, readPosition, lastPosition }, { id: roomId }) => {
      const unread = lastPosition - readPosition;
      return userNews(userId, { type: 'READ_POSITION_UPDATED', data: { roomId, readPosition, lastPosition, unread } });
    },
  },
});
