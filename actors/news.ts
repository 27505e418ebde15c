/** What the chat's topics carry, typed by the contract. */

import { type Effect, publish } from '../src/index.ts';
import type { RoomNews, UserNews } from './contract.ts';

export function userNews(userId: string, news: UserNews): Effect {
  return publish(`user:${userId}`, news);
}

/** The outcome of an operation: whoever sees it sees all of the operation in every read. */
export function outcomeNews(userId: string, news: UserNews): Effect {
  return publish(`user:${userId}`, news, { settled: true });
}

export function roomNews(roomId: string, news: RoomNews): Effect {
  return publish(`room:${roomId}`, news);
}
