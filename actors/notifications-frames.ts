/**
 * What clients read: the frames of the plain protocol. A frame is made once and sent to everyone it is for; a room's
 * news are bytes when many sockets get them, so that they are encoded once too.
 */

import { type Frame, problemOf } from '../src/index.ts';
import { refusalOfRejection } from './api-operations.ts';
import { publicUser } from './api-views.ts';
import type { MessageDto, Rejection, RoomDto, UserDto, UserNews } from './contract.ts';
import { chatCatalog } from './texts.ts';

/** Sockets of one frame at which encoding it once pays. */
const encodedFrom = 4;

export function roomFrame(room: RoomDto): string {
  return JSON.stringify({ type: 'ROOM_UPDATED', data: room });
}

/** A user as others see it. */
export function userFrame(user: UserDto): string {
  return JSON.stringify({ type: 'USER_UPDATED', data: publicUser(user) });
}

export function messageFrame(message: MessageDto): string {
  return JSON.stringify({ type: 'MESSAGE_UPDATED', data: message });
}

/** A frame for `sockets` sockets. */
export function frameFor(text: string, sockets: number): Frame {
  return sockets < encodedFrom ? text : Buffer.from(text);
}

type Errors = Extract<UserNews, { readonly type: `${string}_ERROR` }>;

export function isError(news: UserNews): news is Errors {
  return news.type.endsWith('_ERROR');
}

/** Why an operation failed, in the user's language. */
export function errorFrame(news: Errors, language: string): string {
  const { type, operationId } = news;
  const data = problemOf(refusalOfRejection(news.data as Rejection, operationId), language, chatCatalog);
  return JSON.stringify({ type, operationId, data });
}

/** News of a user's topic as its owner reads them; ROOM_JOINED and errors are not among them. */
export function newsFrame(news: Exclude<UserNews, { readonly type: 'ROOM_JOINED' }>): string {
  return news.type === 'USER_UPDATED' ? userFrame(news.data) : JSON.stringify(news);
}
