/** The chat's read models: the rows of contract.ts, each written by the step that changed what it shows. */

import { defineProjection, type Projection, type Row, rule } from '../src/index.ts';
import { type MessageDto, type OperationState, type Rows, sagaNames } from './contract.ts';
import { message } from './message.ts';
import { room } from './room.ts';
import { sagas } from './sagas.ts';
import { user } from './user.ts';

function row<V extends keyof Rows>(view: V, key: string, value: Rows[V]): Row {
  return { view, key, value };
}

/** Key of `room-messages`: positions in text order. */
export function positionKey(roomId: string, position: number): string {
  return `${roomId}/${String(position).padStart(10, '0')}`;
}

const operations = defineProjection({
  name: 'operations',
  version: '2',
  views: ['operations'],
  rules: sagaNames.map((type) =>
    rule(sagas[type], ({ id: operationId, state }) => {
      const { responsibleUserId, result, error } = state.context;
      const outcome = result !== null ? { result } : error !== null ? { error } : {};
      const operation = { type, state: state.value as OperationState, responsibleUserId };
      return [row('operations', operationId, { ...operation, ...outcome })];
    }),
  ),
});

const people = defineProjection({
  name: 'people',
  version: '1',
  views: ['users', 'memberships'],
  rules: [
    rule(user, ({ id, event, emitted, state }) => {
      if (emitted.includes('USER_CREATED') && state.context.user !== null)
        return [row('users', id, state.context.user)];
      if (!emitted.includes('USER_JOINED_ROOM') || !('roomId' in event.payload)) return [];
      const { roomId } = event.payload;
      return [row('memberships', `${id}/${roomId}`, { roomId })];
    }),
  ],
});

const rooms = defineProjection({
  name: 'rooms',
  version: '2',
  views: ['rooms', 'room-messages'],
  rules: [
    rule(room, ({ id, event, emitted, state: { context } }) => {
      if (context.room === null) return [];
      const shown = row('rooms', id, { room: context.room, written: context.messages > 0 });
      if (emitted.includes('ROOM_CREATED') || emitted.includes('ROOM_MEMBER_ADDED')) return [shown];
      if (!emitted.includes('ROOM_MESSAGE_ADDED') || event.type !== 'MESSAGE_CREATE_COMPLETED') return [];
      const { messageId } = event.payload;
      const added = row('room-messages', positionKey(id, context.messages), messageId);
      // The room's own row changes with the first message only; big rooms are not written again for each.
      return context.messages === 1 ? [shown, added] : [added];
    }),
  ],
});

function withoutId({ id: _, ...message }: MessageDto): Rows['messages'] {
  return message;
}

const messageEvents = ['MESSAGE_CREATED', 'MESSAGE_UPDATED', 'MESSAGE_READ', 'MESSAGE_TRANSLATED'];

const messages = defineProjection({
  name: 'messages',
  version: '2',
  views: ['messages'],
  rules: [
    rule(message, ({ id, emitted, state: { context } }) =>
      context.message !== null && emitted.some((type) => messageEvents.includes(type))
        ? [row('messages', id, withoutId(context.message))]
        : [],
    ),
  ],
});

export const chatProjections: readonly Projection[] = [operations, people, rooms, messages];
