import { type MessageEmitted, messageMachine } from '../machines/message.ts';
import { defineActor, type Effect } from '../src/index.ts';
import { answers } from './answers.ts';
import { roomNews } from './news.ts';
import { personal } from './personal.ts';

function changed({ message: data }: Extract<MessageEmitted, { readonly message: unknown }>): Effect {
  return roomNews(data.roomId, { type: 'MESSAGE_UPDATED', data });
}

/** A message tells its room's people itself: it lives on the room's shard, so that its news keep their order there. */
export const message = defineActor({
  type: 'message',
  machine: messageMachine,
  personal,
  effects: {
    ...answers,
    MESSAGE_CREATED: ({ message: data }) => roomNews(data.roomId, { type: 'MESSAGE_UPDATED', data, created: true }),
    MESSAGE_UPDATED: changed,
    MESSAGE_READ: changed,
    MESSAGE_TRANSLATED: changed,
  },
});
