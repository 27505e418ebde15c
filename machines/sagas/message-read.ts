import { defineSaga, nothing } from '../saga-definition.ts';

/** The room says whether the reader is in it, and moves the reader's position when it settles. */
export const messageRead = defineSaga({
  name: 'MESSAGE_READ',
  participants: [
    {
      key: 'message',
      id: ({ payload }) => payload.messageId,
      asked: ({ payload: { roomId } }) => ({ roomId }),
      settled: nothing,
    },
    {
      key: 'room',
      id: ({ payload }) => payload.roomId,
      asked: nothing,
      settled: ({ payload: { position } }) => (position === undefined ? {} : { position }),
    },
    { key: 'user', id: ({ responsibleUserId }) => responsibleUserId, asked: nothing, settled: nothing },
  ],
});
