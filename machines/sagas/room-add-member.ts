import { defineSaga, dtoOf, nothing } from '../saga-definition.ts';

/** The user is the new member, who has to exist. */
export const roomAddMember = defineSaga({
  name: 'ROOM_ADD_MEMBER',
  participants: [
    {
      key: 'room',
      id: ({ payload }) => payload.roomId,
      asked: ({ payload: { memberId, at } }) => ({ memberId, at }),
      settled: (_, approvals) => ({ newcomer: dtoOf(approvals, 'user') }),
    },
    {
      key: 'user',
      id: ({ payload }) => payload.memberId,
      asked: nothing,
      settled: ({ payload: { roomId } }, approvals) => ({ roomId, joined: approvals.room?.unchanged !== true }),
    },
  ],
});
