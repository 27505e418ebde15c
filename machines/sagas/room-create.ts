import { defineSaga, nothing } from '../saga-definition.ts';

/** The user is the companion, who has to exist. The creator is told by the saga's definition as an actor. */
export const roomCreate = defineSaga({
  name: 'ROOM_CREATE',
  participants: [
    {
      key: 'room',
      id: ({ payload }) => payload.roomId,
      asked: ({ payload: { companionUserId, at } }) => ({ companionUserId, at }),
      settled: nothing,
    },
    {
      key: 'user',
      id: ({ payload }) => payload.companionUserId,
      asked: nothing,
      settled: ({ payload: { roomId } }) => ({ roomId }),
    },
  ],
});
