/**
 * What the server tells, folded into the state. Every kind of news carries the whole of what it is about, so that a
 * repetition changes nothing; and each tells whether it changed anything that a person should hear of.
 */

import type { Language, MessageDto, RoomDto, UserDto } from '../../machines/vocabulary.ts';
import {
  type ChatState,
  emptyRoom,
  type Positions,
  type QueuedMessage,
  type RoomState,
  withPeople,
  withRoom,
} from './chat-state.ts';
import { type Change, isUntouched, lastOnly, withMessage } from './message-list.ts';
import type { Operation } from './operation.ts';

export interface ReadPosition {
  readonly roomId: string;
  readonly readPosition: number;
  readonly lastPosition: number;
}

export type News =
  | { readonly type: 'MESSAGE_UPDATED'; readonly data: MessageDto }
  | { readonly type: 'ROOM_UPDATED'; readonly data: RoomDto }
  | { readonly type: 'USER_UPDATED'; readonly data: UserDto }
  | { readonly type: 'CURRENT_USER_UPDATED'; readonly data: UserDto }
  | { readonly type: 'READ_POSITION_UPDATED'; readonly data: ReadPosition }
  | { readonly type: 'TYPING'; readonly data: { readonly userId: string; readonly isTyping: boolean } };

const newsTypes: ReadonlySet<string> = new Set<News['type']>([
  'MESSAGE_UPDATED',
  'ROOM_UPDATED',
  'USER_UPDATED',
  'CURRENT_USER_UPDATED',
  'READ_POSITION_UPDATED',
  'TYPING',
]);

export function isNews(value: unknown): value is News {
  return typeof value === 'object' && value !== null && 'type' in value && newsTypes.has(String(value.type));
}

/** How long somebody is believed to be typing without saying so again. */
export const typingMs = 6_000;

/** Languages of a translator that a message lacks. */
export function missingIn(message: MessageDto, me: UserDto | undefined): readonly Language[] {
  if (me?.type !== 'TRANSLATOR') return [];
  const there = new Set([message.originalLanguage, ...message.translations.map(({ language }) => language)]);
  return [...new Set([me.primaryLanguage, ...(me.translationLanguages ?? [])])].filter((one) => !there.has(one));
}

/** The queue with a message as it is: oldest first, as the server lists it. */
function queued(queue: readonly QueuedMessage[], message: QueuedMessage): readonly QueuedMessage[] {
  const others = queue.filter(({ id }) => id !== message.id);
  if (message.missing.length === 0) return others;
  const at = others.findIndex(({ dateCreated }) => dateCreated > message.dateCreated);
  return others.toSpliced(at < 0 ? others.length : at, 0, message);
}

export function withQueued(state: ChatState, message: MessageDto): ChatState {
  if (state.me?.type !== 'TRANSLATOR') return state;
  const missing = missingIn(message, state.me);
  return { ...state, queue: { ...state.queue, messages: queued(state.queue.messages, { ...message, missing }) } };
}

/** A message of one's own that is heard of is the first one on its way with the same text. */
function matched(operations: readonly Operation[], message: MessageDto): readonly Operation[] {
  const at = operations.findIndex(
    (operation) =>
      operation.command === 'MESSAGE_CREATE' &&
      operation.state !== 'failed' &&
      operation.messageId === undefined &&
      operation.data.roomId === message.roomId &&
      operation.data.content === message.content,
  );
  return at < 0 ? operations : operations.with(at, { ...(operations[at] as Operation), messageId: message.id });
}

/** With a new message, unless it was counted before. Whoever writes has read up to there. */
function counted(positions: Positions, isOwn: boolean, offset: number): Positions {
  if (offset <= positions.countedTo) return positions;
  const last = positions.last + 1;
  return { read: isOwn ? last : positions.read, last, countedTo: offset };
}

/** A room that is not looked at needs no more than its last message; its page is read when it is. */
function listed({ loaded }: RoomState, change: Change): Pick<RoomState, 'messages' | 'unplaced'> {
  const { messages, unplaced } = loaded === 'part' ? lastOnly(change) : change;
  return { messages, unplaced };
}

function messageUpdated(state: ChatState, message: MessageDto, offset: number): ChatState {
  const room = state.rooms[message.roomId];
  if (room === undefined) return state;
  const change = withMessage(room, message);
  const { isNew } = change;
  const isOwn = message.senderId === state.userId;
  const { [message.senderId]: _, ...typing } = room.typing;
  const next = withRoom(state, message.roomId, (one) => ({
    ...one,
    ...listed(one, change),
    positions: isUntouched(message) ? counted(one.positions, isOwn, offset) : one.positions,
    typing: isNew ? typing : one.typing,
  }));
  const operations = isNew && isOwn ? matched(state.operations, message) : state.operations;
  return withQueued({ ...next, operations }, message);
}

/** It only moves forward. */
export function readTo({ positions, ...room }: RoomState, position: number): RoomState {
  return { ...room, positions: { ...positions, read: Math.max(positions.read, position) } };
}

function roomUpdated(state: ChatState, room: RoomDto): ChatState {
  const known = state.rooms[room.id] ?? emptyRoom(room);
  return { ...state, rooms: { ...state.rooms, [room.id]: { ...known, room } } };
}

function typing(state: ChatState, roomId: string, userId: string, isTyping: boolean, now: number): ChatState {
  if (userId === state.userId) return state;
  return withRoom(state, roomId, (room) => {
    const { [userId]: _, ...others } = room.typing;
    return { ...room, typing: isTyping ? { ...others, [userId]: now + typingMs } : others };
  });
}

/** Where news come from: a room's channel, at an offset unless they are told and kept nowhere; else one's own channel. */
export interface Source {
  readonly roomId: string;
  readonly offset: number | undefined;
}

export function withNews(state: ChatState, news: News, source: Source | undefined, now: number): ChatState {
  switch (news.type) {
    case 'MESSAGE_UPDATED':
      return messageUpdated(state, news.data, source?.offset ?? 0);
    case 'ROOM_UPDATED':
      return roomUpdated(state, news.data);
    case 'USER_UPDATED':
      return withPeople(state, [news.data]);
    case 'CURRENT_USER_UPDATED':
      return { ...withPeople(state, [news.data]), me: news.data };
    case 'READ_POSITION_UPDATED':
      return withRoom(state, news.data.roomId, (room) => readTo(room, news.data.readPosition));
    case 'TYPING':
      return source === undefined ? state : typing(state, source.roomId, news.data.userId, news.data.isTyping, now);
  }
}
