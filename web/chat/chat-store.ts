/** The state in a store: every event a pure step from state to state, made of the folds of its neighbours. */

import { createStore } from '@xstate/store-preact';
import type { MessageDto, RoomDto, UserDto } from '../../machines/vocabulary.ts';
import {
  type ChatState,
  type Connection,
  emptyRoom,
  initialState,
  type Positions,
  type QueuedMessage,
  withPeople,
  withRoom,
} from './chat-state.ts';
import { lastOnly, withNewestPage, withOlderPage, withOutcome } from './message-list.ts';
import { type News, type ReadPosition, readTo, type Source, withNews, withQueued } from './news.ts';
import {
  advanced,
  newOperation,
  type Operation,
  operationsMax,
  type Progress,
  type Request,
  retried,
} from './operation.ts';

/** Of a room that nobody looks at, no more messages than this stay. */
export const keptMax = 400;

/** Everything that is read first, once the connection is there. */
export interface Overview {
  readonly rooms: readonly RoomDto[];
  readonly people: readonly UserDto[];
  /** The last message of each room. */
  readonly lastMessages: readonly MessageDto[];
  readonly unread: UnreadAnswer;
}

/** How far one has read in one's rooms; no position for a room that has no messages. */
export interface UnreadAnswer {
  readonly positions: readonly ReadPosition[];
  /** By room: the offset of its channel that the positions are good from. */
  readonly offsets: Readonly<Record<string, number>>;
}

function positionsIn({ positions, offsets }: UnreadAnswer, roomId: string): Positions {
  const found = positions.find((position) => position.roomId === roomId);
  return { read: found?.readPosition ?? 0, last: found?.lastPosition ?? 0, countedTo: offsets[roomId] ?? 0 };
}

function withOverview(state: ChatState, { rooms, people, lastMessages, unread }: Overview): ChatState {
  const last = new Map(lastMessages.map((message) => [message.roomId, message]));
  const entries = rooms.map((room) => {
    const known = state.rooms[room.id] ?? emptyRoom(room);
    const message = last.get(room.id);
    const messages = known.messages.length === 0 && message !== undefined ? [message] : known.messages;
    return [room.id, { ...known, room, messages, positions: positionsIn(unread, room.id) }] as const;
  });
  return { ...withPeople(state, people), rooms: Object.fromEntries(entries), phase: 'ready' };
}

function withoutOperation(state: ChatState, key: string): ChatState {
  return { ...state, operations: state.operations.filter((operation) => operation.key !== key) };
}

function withOperation(state: ChatState, key: string, change: (operation: Operation) => Operation): ChatState {
  return {
    ...state,
    operations: state.operations.map((operation) => (operation.key === key ? change(operation) : operation)),
  };
}

/** Whoever is still typing. */
function sweptTyping(state: ChatState, now: number): ChatState {
  const isStale = (until: number): boolean => until <= now;
  const stale = Object.entries(state.rooms).filter(([, room]) => Object.values(room.typing).some(isStale));
  return stale.reduce((next, [roomId]) => {
    return withRoom(next, roomId, (room) => ({
      ...room,
      typing: Object.fromEntries(Object.entries(room.typing).filter(([, until]) => !isStale(until))),
    }));
  }, state);
}

/** Without a connection nobody is known to be there. */
function withNobody(state: ChatState): ChatState {
  const entries = Object.entries(state.rooms).map(([id, room]) => [id, { ...room, present: {}, typing: {} }] as const);
  return { ...state, rooms: Object.fromEntries(entries) };
}

const beginnings = {
  connected: (state: ChatState, { connection }: { connection: Connection }): ChatState =>
    connection === 'online' ? { ...state, connection } : { ...withNobody(state), connection },
  me: (state: ChatState, { user }: { user: UserDto | undefined }): ChatState =>
    user === undefined
      ? { ...state, me: undefined, phase: 'unregistered' }
      : { ...withPeople(state, [user]), me: user, userId: user.id },
  overview: (state: ChatState, { overview }: { overview: Overview }): ChatState => withOverview(state, overview),
  failed: (state: ChatState): ChatState => (state.phase === 'ready' ? state : { ...state, phase: 'failed' }),
  starting: (state: ChatState): ChatState => (state.phase === 'failed' ? { ...state, phase: 'starting' } : state),
  people: (state: ChatState, { people }: { people: readonly UserDto[] }): ChatState => withPeople(state, people),
  announced: (state: ChatState, { text, isUrgent }: { text: string; isUrgent: boolean }): ChatState => ({
    ...state,
    announced: { text, isUrgent, count: state.announced.count + 1 },
  }),
  forgotten: (): ChatState => initialState,
};

const rooms = {
  news: (state: ChatState, event: { news: News; source: Source | undefined; now: number }): ChatState =>
    withNews(state, event.news, event.source, event.now),
  /** What an operation of one's own has made of a message. */
  outcome: (state: ChatState, { message, isCreated }: { message: MessageDto; isCreated: boolean }): ChatState => {
    const next = withRoom(state, message.roomId, (room) => ({ ...room, ...withOutcome(room, message, isCreated) }));
    const known = next.rooms[message.roomId]?.messages.find(({ id }) => id === message.id);
    return withQueued(next, known ?? message);
  },
  roomLoading: (state: ChatState, { roomId, loaded }: { roomId: string; loaded: 'loading' | 'failed' }): ChatState =>
    withRoom(state, roomId, (room) => (room.loaded === 'page' ? room : { ...room, loaded })),
  newestPage: (
    state: ChatState,
    page: { roomId: string; messages: readonly MessageDto[]; older: string | undefined },
  ): ChatState =>
    withRoom(state, page.roomId, (room) => ({
      ...room,
      ...withNewestPage(room, page.messages),
      loaded: 'page',
      older: page.older,
      olderLoaded: 'no',
    })),
  olderLoading: (state: ChatState, { roomId, loaded }: { roomId: string; loaded: 'loading' | 'failed' }): ChatState =>
    withRoom(state, roomId, (room) => ({ ...room, olderLoaded: loaded })),
  olderPage: (
    state: ChatState,
    page: { roomId: string; before: string; messages: readonly MessageDto[]; older: string | undefined },
  ): ChatState =>
    withRoom(state, page.roomId, (room) => {
      // A list that was begun anew meanwhile does not end where this page does.
      if (room.older !== page.before) return room;
      const messages = withOlderPage(room.messages, page.messages);
      return { ...room, messages, older: page.older, olderLoaded: 'no' };
    }),
  /** What a feed could not give again: the list may have holes, and is forgotten. */
  roomForgotten: (state: ChatState, { roomId }: { roomId: string }): ChatState =>
    withRoom(state, roomId, (room) => ({
      ...room,
      messages: [],
      unplaced: [],
      loaded: 'part',
      older: undefined,
      olderLoaded: 'no',
    })),
  /** Nobody looks at the room any more, and its list has become long. */
  roomLeft: (state: ChatState, { roomId }: { roomId: string }): ChatState =>
    withRoom(state, roomId, (room) => {
      if (room.loaded !== 'page' || room.messages.length <= keptMax) return room;
      return { ...room, ...lastOnly(room), loaded: 'part', older: undefined, olderLoaded: 'no' };
    }),
  positions: (state: ChatState, { roomId, unread }: { roomId: string; unread: UnreadAnswer }): ChatState =>
    withRoom(state, roomId, (room) => ({ ...room, positions: positionsIn(unread, roomId) })),
  readUpTo: (state: ChatState, { roomId }: { roomId: string }): ChatState =>
    withRoom(state, roomId, (room) => readTo(room, room.positions.last)),
  presence: (
    state: ChatState,
    { roomId, present }: { roomId: string; present: Readonly<Record<string, string>> },
  ): ChatState => withRoom(state, roomId, (room) => ({ ...room, present })),
  came: (state: ChatState, { roomId, client, userId }: { roomId: string; client: string; userId: string }): ChatState =>
    withRoom(state, roomId, (room) => ({ ...room, present: { ...room.present, [client]: userId } })),
  left: (state: ChatState, { roomId, client }: { roomId: string; client: string }): ChatState =>
    withRoom(state, roomId, (room) => {
      const { [client]: _, ...present } = room.present;
      return { ...room, present };
    }),
  typingSwept: (state: ChatState, { now }: { now: number }): ChatState => sweptTyping(state, now),
};

const queue = {
  queueLoading: (state: ChatState, { loaded }: { loaded: 'loading' | 'failed' }): ChatState => ({
    ...state,
    queue: { ...state.queue, loaded },
  }),
  queuePage: (
    state: ChatState,
    page: { messages: readonly QueuedMessage[]; older: string | undefined; isFirst: boolean },
  ): ChatState => {
    const known = new Set(page.messages.map(({ id }) => id));
    // Pages go back in time; within one, the oldest message is first.
    const kept = page.isFirst ? [] : state.queue.messages.filter(({ id }) => !known.has(id));
    return { ...state, queue: { messages: [...page.messages, ...kept], loaded: 'page', older: page.older } };
  },
};

const operations = {
  asked: (state: ChatState, { request, key, at }: { request: Request; key: string; at: number }): ChatState =>
    state.operations.length >= operationsMax
      ? state
      : { ...state, operations: [...state.operations, newOperation(request, key, at)] },
  restored: (state: ChatState, { operations }: { operations: readonly Operation[] }): ChatState => ({
    ...state,
    operations,
  }),
  progress: (state: ChatState, { key, progress }: { key: string; progress: Progress }): ChatState =>
    withOperation(state, key, (operation) => advanced(operation, progress)),
  again: (state: ChatState, { key, freshKey }: { key: string; freshKey: string }): ChatState =>
    withOperation(state, key, (operation) => retried(operation, freshKey)),
  /** Completed, or given up: no longer of interest. */
  settled: (state: ChatState, { key }: { key: string }): ChatState => withoutOperation(state, key),
};

export function createChatStore() {
  return createStore({ context: initialState, on: { ...beginnings, ...rooms, ...queue, ...operations } });
}

export type ChatStore = ReturnType<typeof createChatStore>;
