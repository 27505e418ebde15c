/** The seven commands as clients say them: over a socket as they are, over HTTP as a request. */

import type { Language, MessageDto, RoomDto, SagaName, UserDto, UserType } from '../../actors/contract.ts';

export interface Profile {
  readonly type: UserType;
  readonly username?: string;
  readonly primaryLanguage: Language;
  readonly translationLanguages?: readonly Language[];
}

/** What each saga's completion gives. */
export interface Results {
  readonly USER_CREATE: UserDto;
  readonly ROOM_CREATE: RoomDto;
  readonly ROOM_ADD_MEMBER: RoomDto;
  readonly MESSAGE_CREATE: MessageDto;
  readonly MESSAGE_UPDATE: MessageDto;
  readonly MESSAGE_READ: MessageDto;
  readonly MESSAGE_TRANSLATE: MessageDto;
}

interface Request {
  readonly method: 'POST' | 'PUT';
  readonly path: string;
  readonly body?: unknown;
}

export interface Command<S extends SagaName = SagaName> {
  readonly type: S;
  /** The fields of the socket's frame. */
  readonly data: Readonly<Record<string, unknown>>;
  /** The same over HTTP. */
  readonly request: Request;
}

export function createUser(profile: Profile): Command<'USER_CREATE'> {
  const request = { method: 'POST', path: '/v1/users/currentUser', body: profile } as const;
  return { type: 'USER_CREATE', data: { ...profile }, request };
}

export function createRoom(companionUserId: string): Command<'ROOM_CREATE'> {
  const data = { companionUserId };
  return { type: 'ROOM_CREATE', data, request: { method: 'POST', path: '/v1/rooms', body: data } };
}

export function addMember(roomId: string, memberId: string): Command<'ROOM_ADD_MEMBER'> {
  const request = { method: 'PUT', path: `/v1/rooms/${roomId}/members`, body: { memberId } } as const;
  return { type: 'ROOM_ADD_MEMBER', data: { roomId, memberId }, request };
}

export function write(roomId: string, content: string): Command<'MESSAGE_CREATE'> {
  const data = { roomId, content };
  return { type: 'MESSAGE_CREATE', data, request: { method: 'POST', path: '/v1/messages', body: data } };
}

export function edit(messageId: string, content: string): Command<'MESSAGE_UPDATE'> {
  const request = { method: 'PUT', path: `/v1/messages/${messageId}`, body: { content } } as const;
  return { type: 'MESSAGE_UPDATE', data: { messageId, content }, request };
}

export function read(messageId: string): Command<'MESSAGE_READ'> {
  const request = { method: 'PUT', path: `/v1/messages/${messageId}/read` } as const;
  return { type: 'MESSAGE_READ', data: { messageId }, request };
}

export function translate(messageId: string, language: Language, translation: string): Command<'MESSAGE_TRANSLATE'> {
  const body = { translation, language };
  const request = { method: 'PUT', path: `/v1/messages/${messageId}/translate`, body } as const;
  return { type: 'MESSAGE_TRANSLATE', data: { messageId, ...body }, request };
}
