/** The chat's read models: the rows of contract.ts, each written by the step that changed what it shows. */

import type { SnapshotFrom } from 'xstate';
import { readPositionOf } from '../machines/room.ts';
import { defineProjection, isRetirement, type Projection, type Row, rule } from '../src/index.ts';
import {
  type Language,
  languages,
  type MessageDto,
  type OperationState,
  type Rows,
  type SagaName,
  sagaNames,
} from './contract.ts';
import { message } from './message.ts';
import { room } from './room.ts';
import { type SagaActor, sagas } from './sagas.ts';
import { user } from './user.ts';

function row<V extends keyof Rows>(view: V, key: string, value: Rows[V]): Row {
  return { view, key, value };
}

/** Key of `room-messages`: positions in text order. */
export function positionKey(roomId: string, position: number): string {
  return `${roomId}/${String(position).padStart(10, '0')}`;
}

/** The position in such a key. */
export function positionIn(key: string): number {
  return Number(key.slice(key.indexOf('/') + 1));
}

/** Those of the languages that a message has no text in. */
export function missingOf(
  { originalLanguage, translations }: Pick<MessageDto, 'originalLanguage' | 'translations'>,
  wanted: readonly Language[],
): readonly Language[] {
  const known = new Set([originalLanguage, ...translations.map(({ language }) => language)]);
  return wanted.filter((language) => !known.has(language));
}

/** Key of `untranslated`: messages in the order of their time, then of their id. */
export function queueKey({ roomId, dateCreated, id }: Pick<MessageDto, 'roomId' | 'dateCreated' | 'id'>): string {
  return `${roomId}/${dateCreated.toString(36).padStart(9, '0')}/${id}`;
}

/** The row of an operation that stands so. */
export function operationOf(type: SagaName, state: SnapshotFrom<SagaActor['machine']>): Rows['operations'] {
  const { responsibleUserId, result, error } = state.context;
  const outcome = result !== null ? { result } : error !== null ? { error } : {};
  return { type, state: state.value as OperationState, responsibleUserId, ...outcome };
}

/** An operation that was retired has no row: its saga is no more than that itself. */
const operations = defineProjection({
  name: 'operations',
  version: '3',
  views: ['operations'],
  rules: sagaNames.map((type) =>
    rule(sagas[type], (step) => {
      const value = isRetirement(step) ? undefined : operationOf(type, step.state);
      return [{ view: 'operations', key: step.id, value }];
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

/** How far each member has read. */
const positions = defineProjection({
  name: 'positions',
  version: '2',
  views: ['read-positions'],
  rules: [
    rule(room, ({ id, event, emitted, state: { context } }) => {
      const read = (userId: string): Row => {
        return row('read-positions', `${id}/${userId}`, readPositionOf(context, userId));
      };
      const isRead = emitted.includes('ROOM_MESSAGE_ADDED') || emitted.includes('READ_POSITION_MOVED');
      if (isRead) return [read(event.responsibleUserId)];
      const newcomer = emitted.includes('ROOM_MEMBER_ADDED') ? context.room?.members.at(-1) : undefined;
      return newcomer === undefined || context.messages === 0 ? [] : [read(newcomer)];
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

/** What translators have before them: a row goes when the message has a text in every language. */
const untranslated = defineProjection({
  name: 'untranslated',
  version: '1',
  views: ['untranslated'],
  rules: [
    rule(message, ({ emitted, state: { context } }) => {
      const isChanged = emitted.includes('MESSAGE_CREATED') || emitted.includes('MESSAGE_TRANSLATED');
      if (context.message === null || !isChanged) return [];
      const missing = missingOf(context.message, languages);
      return [
        { view: 'untranslated', key: queueKey(context.message), value: missing.length > 0 ? missing : undefined },
      ];
    }),
  ],
});

export const chatProjections: readonly Projection[] = [operations, people, rooms, positions, messages, untranslated];
