import { defineSaga, nothing } from '../saga-definition.ts';

export const userCreate = defineSaga({
  name: 'USER_CREATE',
  participants: [
    {
      key: 'user',
      id: ({ payload }) => payload.userId,
      asked: ({ payload }) => payload,
      settled: nothing,
    },
  ],
});
