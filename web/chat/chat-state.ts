/** All that the chat page knows, as data: who one is, the rooms with their messages, what is under way. */

import type { Language, MessageDto, RoomDto, UserDto } from '../../machines/vocabulary.ts';
import type { Operation } from './operation.ts';

/** A message that may lack translations. */
export type QueuedMessage = MessageDto & { readonly missing: readonly Language[] };

/**
 * How far one has read, and how far the room goes, counted in messages from 1. News of the one come on another channel
 * than news of the other, in any order; so both are kept, and what is unread is their difference.
 */
export interface Positions {
  readonly read: number;
  readonly last: number;
  /** The offset of the room's channel up to which `last` has counted. */
  readonly countedTo: number;
}

export function unreadIn({ positions: { read, last } }: RoomState): number {
  return Math.max(0, last - read);
}

export interface RoomState {
  readonly room: RoomDto;
  /** In the room's order, without holes; older ones may not be here. */
  readonly messages: readonly MessageDto[];
  /** Ids of messages of one's own at the end of the list, whose place in the room has not been told yet. */
  readonly unplaced: readonly string[];
  /** `part`: at most the last message is here. */
  readonly loaded: 'part' | 'loading' | 'page' | 'failed';
  /** Where the page before these messages begins; undefined when they begin with the first one. */
  readonly older: string | undefined;
  readonly olderLoaded: 'no' | 'loading' | 'failed';
  readonly positions: Positions;
  /** Connections that follow the room, and whose they are. */
  readonly present: Readonly<Record<string, string>>;
  /** Who is typing, and until when this is believed. */
  readonly typing: Readonly<Record<string, number>>;
}

export interface QueueState {
  readonly messages: readonly QueuedMessage[];
  readonly loaded: 'no' | 'loading' | 'page' | 'failed';
  readonly older: string | undefined;
}

/** `refused`: the server will not have this token. */
export type Connection = 'connecting' | 'online' | 'reconnecting' | 'closed' | 'refused';

export interface ChatState {
  readonly userId: string | undefined;
  readonly connection: Connection;
  /** `failed`: what comes first could not be read. */
  readonly phase: 'starting' | 'unregistered' | 'ready' | 'failed';
  readonly me: UserDto | undefined;
  readonly people: Readonly<Record<string, UserDto>>;
  readonly rooms: Readonly<Record<string, RoomState>>;
  readonly queue: QueueState;
  /** In the order they were asked for; those that have completed are gone. */
  readonly operations: readonly Operation[];
  /** What a screen reader is told; `count` tells repetitions apart. */
  readonly announced: { readonly text: string; readonly isUrgent: boolean; readonly count: number };
}

export const initialState: ChatState = {
  userId: undefined,
  connection: 'connecting',
  phase: 'starting',
  me: undefined,
  people: {},
  rooms: {},
  queue: { messages: [], loaded: 'no', older: undefined },
  operations: [],
  announced: { text: '', isUrgent: false, count: 0 },
};

export function emptyRoom(room: RoomDto): RoomState {
  return {
    room,
    messages: [],
    unplaced: [],
    loaded: 'part',
    older: undefined,
    olderLoaded: 'no',
    positions: { read: 0, last: 0, countedTo: 0 },
    present: {},
    typing: {},
  };
}

/** With one room changed; without it when `change` is for a room that is not here. */
export function withRoom(state: ChatState, roomId: string, change: (room: RoomState) => RoomState): ChatState {
  const room = state.rooms[roomId];
  if (room === undefined) return state;
  return { ...state, rooms: { ...state.rooms, [roomId]: change(room) } };
}

export function withPeople(state: ChatState, people: readonly UserDto[]): ChatState {
  if (people.length === 0) return state;
  return { ...state, people: { ...state.people, ...Object.fromEntries(people.map((user) => [user.id, user])) } };
}
