import { defineSaga, nothing } from '../saga-definition.ts';

/** The user is the editor, who has to exist; the message knows whether it is its sender. */
export const messageUpdate = defineSaga({
  name: 'MESSAGE_UPDATE',
  participants: [
    {
      key: 'message',
      id: ({ payload }) => payload.messageId,
      asked: ({ payload: { roomId, content } }) => ({ roomId, content }),
      settled: nothing,
    },
    { key: 'user', id: ({ responsibleUserId }) => responsibleUserId, asked: nothing, settled: nothing },
  ],
});
