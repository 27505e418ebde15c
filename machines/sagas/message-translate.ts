import { defineSaga, nothing } from '../saga-definition.ts';

/** The room says whether the translator is in it, the user whether it knows the language. */
export const messageTranslate = defineSaga({
  name: 'MESSAGE_TRANSLATE',
  participants: [
    {
      key: 'message',
      id: ({ payload }) => payload.messageId,
      asked: ({ payload: { roomId, translation, language } }) => ({ roomId, translation, language }),
      settled: nothing,
    },
    { key: 'room', id: ({ payload }) => payload.roomId, asked: nothing, settled: nothing },
    {
      key: 'user',
      id: ({ responsibleUserId }) => responsibleUserId,
      asked: ({ payload: { language } }) => ({ language }),
      settled: nothing,
    },
  ],
});
