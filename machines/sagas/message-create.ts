import { defineSaga, nothing } from '../saga-definition.ts';

/** The room says whether the sender is in it, and counts the message when it settles. */
export const messageCreate = defineSaga({
  name: 'MESSAGE_CREATE',
  participants: [
    {
      key: 'message',
      id: ({ payload }) => payload.messageId,
      asked: ({ payload: { messageId: _, ...message } }) => message,
      settled: nothing,
    },
    {
      key: 'room',
      id: ({ payload }) => payload.roomId,
      asked: nothing,
      settled: ({ payload: { messageId } }) => ({ messageId }),
    },
  ],
});
