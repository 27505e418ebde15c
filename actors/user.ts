import { userMachine } from '../machines/user.ts';
import { defineActor } from '../src/index.ts';
import { answers } from './answers.ts';
import { userNews } from './news.ts';
import { personal } from './personal.ts';

export const user = defineActor({
  type: 'user',
  machine: userMachine,
  personal,
  effects: {
    ...answers,
    USER_CREATED: ({ user: created }, { id }) => userNews(id, { type: 'CURRENT_USER_UPDATED', data: created }),
    USER_JOINED_ROOM: ({ roomId, newcomer, founded }, { id }) => {
      const joined = userNews(id, { type: 'ROOM_JOINED', data: { roomId, newcomer } });
      if (founded === undefined) return joined;
      const { room, companion } = founded;
      return [
        joined,
        userNews(id, { type: 'ROOM_UPDATED', data: room }),
        userNews(id, { type: 'USER_UPDATED', data: companion }),
      ];
    },
  },
});
