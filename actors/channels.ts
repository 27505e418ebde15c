/**
 * The chat's channels in the Centrifugo protocol: `user:{id}` for its user alone, `room:{id}` for its members. Each
 * publication is what the plain protocol sends of it to somebody who knows everything else already; a room that one has
 * joined is shown as it is by then. Who is typing is told to those who are there, and kept nowhere.
 */

import {
  type ActorSystem,
  type Admittance,
  type ChannelRules,
  type Claims,
  type Clock,
  isUuid,
  type Publication,
  type Shown,
  sleep,
} from '../src/index.ts';
import { callerOf } from './api-identity.ts';
import { publicUser, type Views } from './api-views.ts';
import type { RoomDto, RoomNews, Rows, UserNews } from './contract.ts';
import { errorFrame, isError } from './notifications-frames.ts';

const userPrefix = 'user:';
const roomPrefix = 'room:';
/** A room that somebody has joined is written by then, unless its shard is slow. */
const roomAttempts = 20;
const roomAgainMs = 50;

function isRoom(channel: string): boolean {
  return channel.startsWith(roomPrefix) && isUuid(channel.slice(roomPrefix.length));
}

function text(type: string, data: unknown): string {
  return JSON.stringify({ type, data });
}

function isTyping(data: unknown): data is { readonly data: { readonly isTyping: boolean } } {
  if (typeof data !== 'object' || data === null) return false;
  const { type, data: content } = data as { readonly type?: unknown; readonly data?: unknown };
  if (type !== 'TYPING' || typeof content !== 'object' || content === null) return false;
  return typeof (content as { readonly isTyping?: unknown }).isTyping === 'boolean';
}

export class ChatChannels implements ChannelRules {
  readonly #system: ActorSystem;
  readonly #views: Views;
  readonly #clock: Clock;

  constructor(system: ActorSystem, views: Views, clock: Clock) {
    this.#system = system;
    this.#views = views;
    this.#clock = clock;
  }

  userOf(claims: Claims): string {
    return callerOf(claims);
  }

  ownChannel(claims: Claims): string {
    return userPrefix + callerOf(claims);
  }

  async admit(channel: string, claims: Claims): Promise<Admittance> {
    if (channel === this.ownChannel(claims)) return 'allowed';
    if (!isRoom(channel)) return channel.startsWith(userPrefix) ? 'denied' : 'unknown';
    const roomId = channel.slice(roomPrefix.length);
    const userId = callerOf(claims);
    const key = `${userId}/${roomId}`;
    const [row] = await this.#system.rows<Rows['memberships']>('memberships', userId, [key]);
    if (row !== undefined) return 'allowed';
    // The room may know of a new member before the member's own shard does.
    const room = await this.#views.room(roomId);
    if (room === undefined) return 'unknown';
    return room.members.includes(userId) ? 'allowed' : 'denied';
  }

  hasPresence(channel: string): boolean {
    return isRoom(channel);
  }

  shown(publication: Publication): Shown | Promise<Shown> {
    return publication.topic.startsWith(roomPrefix)
      ? roomShown(publication.data as RoomNews)
      : this.#userShown(publication.data as UserNews);
  }

  told(channel: string, claims: Claims, data: unknown): string | undefined {
    if (!isRoom(channel) || !isTyping(data)) return undefined;
    return text('TYPING', { userId: callerOf(claims), isTyping: data.data.isTyping });
  }

  #userShown(news: UserNews): Shown | Promise<Shown> {
    if (news.type === 'ROOM_JOINED') return this.#joined(news.data.roomId);
    if (isError(news)) return { data: (language) => errorFrame(news, language), outcomeOf: news.operationId };
    if (news.type === 'USER_UPDATED') return { data: text(news.type, publicUser(news.data)) };
    const data = JSON.stringify(news);
    return 'operationId' in news ? { data, outcomeOf: news.operationId } : { data };
  }

  async #joined(roomId: string): Promise<Shown> {
    const room = await this.#written(roomId);
    // Nothing else can be told of it; a client reads the room.
    return { data: room === undefined ? text('ROOM_JOINED', { roomId }) : text('ROOM_UPDATED', room) };
  }

  /** The room, which its own shard may be about to write. */
  async #written(roomId: string): Promise<RoomDto | undefined> {
    for (let attempt = 1; ; attempt++) {
      const room = await this.#views.room(roomId);
      if (room !== undefined || attempt === roomAttempts) return room;
      await sleep(this.#clock, roomAgainMs);
    }
  }
}

function roomShown(news: RoomNews): Shown {
  if (news.type === 'MESSAGE_UPDATED') return { data: text(news.type, news.data) };
  return { data: text(news.type, news.data), members: news.data.members };
}
