/**
 * Reads of the chat's views, for queries and for notifications: what a user may see, and no more. Emails leave here for
 * their owner only.
 */

import { type ActorSystem, shardOf } from '../src/index.ts';
import type { MessageDto, RoomDto, Rows, Unread, UserDto } from './contract.ts';
import { positionIn, positionKey } from './views.ts';

type RoomRow = Rows['rooms'];

const pageMax = 1_000;
/** Rooms read at once. */
const roomsAtOnce = 32;
const idLength = 36;

/** Does something with each, with a bounded number of them at once; the results are in order. */
export async function inTurns<T, R>(all: readonly T[], each: (one: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  for (let at = 0; at < all.length; at += roomsAtOnce) {
    results.push(...(await Promise.all(all.slice(at, at + roomsAtOnce).map(each))));
  }
  return results;
}

/** What anybody but the user itself may see of it. */
export function publicUser(user: UserDto): UserDto {
  if (user.email === undefined) return user;
  const { email: _, ...others } = user;
  return others;
}

export function shownUser(user: UserDto, viewerId: string): UserDto {
  return user.id === viewerId ? user : publicUser(user);
}

/** One page of a room's messages, oldest first; `more` tells of older ones before `oldest`. */
export interface MessagePage {
  readonly messages: readonly MessageDto[];
  readonly oldest: number | undefined;
  readonly more: boolean;
}

export class Views {
  readonly #system: ActorSystem;

  constructor(system: ActorSystem) {
    this.#system = system;
  }

  /** Ids of the rooms a user is in, in order. */
  async roomIdsOf(userId: string): Promise<readonly string[]> {
    const prefix = `${userId}/`;
    const ids: string[] = [];
    for (let after: string | undefined; ; ) {
      const position = after === undefined ? {} : { after };
      const page = await this.#system.range<Rows['memberships']>('memberships', userId, {
        prefix,
        limit: pageMax,
        ...position,
      });
      for (const { value } of page) ids.push(value.roomId);
      if (page.length < pageMax) return ids;
      after = page.at(-1)?.key;
    }
  }

  /** Rooms that are listed for a user, by id: one nobody wrote in yet is listed for its creator only. */
  async roomsOf(userId: string): Promise<readonly RoomDto[]> {
    const rows = await this.#byId<RoomRow>('rooms', await this.roomIdsOf(userId));
    return rows.filter(({ room, written }) => written || room.createdBy === userId).map(({ room }) => room);
  }

  async room(roomId: string): Promise<RoomDto | undefined> {
    const [row] = await this.#system.rows<RoomRow>('rooms', roomId, [roomId]);
    return row?.room;
  }

  async user(userId: string): Promise<UserDto | undefined> {
    const [row] = await this.#system.rows<UserDto>('users', userId, [userId]);
    return row;
  }

  /** With their emails: for `publicUser` and `shownUser`. */
  users(ids: readonly string[]): Promise<readonly UserDto[]> {
    return this.#byId<UserDto>('users', ids);
  }

  async messages(roomId: string, limit: number, before?: number): Promise<MessagePage> {
    const prefix = `${roomId}/`;
    const position = before === undefined ? {} : { after: positionKey(roomId, before) };
    const range = { prefix, reverse: true, limit: limit + 1, ...position };
    const rows = await this.#system.range<Rows['room-messages']>('room-messages', roomId, range);
    const page = rows.slice(0, limit).reverse();
    const ids = page.map(({ value }) => value);
    const contents = ids.length === 0 ? [] : await this.#system.rows<Rows['messages']>('messages', roomId, ids);
    const messages = ids.map((id, i) => contents[i] && { id, ...contents[i] });
    const [oldest] = page;
    return {
      messages: messages.filter((message) => message !== undefined),
      oldest: oldest === undefined ? undefined : positionIn(oldest.key),
      more: rows.length > limit,
    };
  }

  /** The last messages of each of the rooms, room by room. */
  async lastMessages(roomIds: readonly string[], limit: number): Promise<readonly MessageDto[]> {
    const pages = await inTurns(roomIds, (roomId) => this.messages(roomId, limit));
    return pages.flatMap(({ messages }) => messages);
  }

  /** Messages in the order of the ids, without those that there are none of. */
  async messagesById(ids: readonly string[]): Promise<readonly MessageDto[]> {
    const rows = await this.#rows<Rows['messages']>('messages', ids);
    return ids.flatMap((id) => {
      const row = rows.get(id);
      return row === undefined ? [] : [{ id, ...row }];
    });
  }

  /** How far a user has read in those of its rooms that have messages, by room. */
  async unreadOf(userId: string): Promise<readonly Unread[]> {
    const roomIds = await this.roomIdsOf(userId);
    // The last positions first: a message of the user's own in between then moves both.
    const last = await inTurns(roomIds, (roomId) => this.#lastPosition(roomId));
    const read = await this.#rows<Rows['read-positions']>(
      'read-positions',
      roomIds.map((roomId) => `${roomId}/${userId}`),
    );
    return roomIds.flatMap((roomId, i) => {
      const readPosition = read.get(`${roomId}/${userId}`) ?? 0;
      const lastPosition = Math.max(last[i] ?? 0, readPosition);
      return lastPosition === 0 ? [] : [{ roomId, readPosition, lastPosition, unread: lastPosition - readPosition }];
    });
  }

  async #lastPosition(roomId: string): Promise<number> {
    const prefix = `${roomId}/`;
    const range = { prefix, reverse: true, limit: 1 };
    const [row] = await this.#system.range<Rows['room-messages']>('room-messages', roomId, range);
    return row === undefined ? 0 : positionIn(row.key);
  }

  /** The rows of ids that have one, in order of the ids: one read per shard. */
  async #byId<T>(view: 'rooms' | 'users', ids: readonly string[]): Promise<readonly T[]> {
    const sorted = [...new Set(ids)].sort();
    const found = await this.#rows<T>(view, sorted);
    return sorted.flatMap((id) => found.get(id) ?? []);
  }

  /** Rows whose keys begin with the id they live by: one read per shard. */
  async #rows<T>(view: keyof Rows, keys: readonly string[]): Promise<ReadonlyMap<string, T>> {
    const byShard = new Map<number, string[]>();
    for (const key of keys) {
      const shard = shardOf(key.slice(0, idLength), this.#system.shards);
      const there = byShard.get(shard);
      if (there === undefined) byShard.set(shard, [key]);
      else there.push(key);
    }
    const found = new Map<string, T>();
    const read = async (there: readonly string[]): Promise<void> => {
      const near = (there[0] as string).slice(0, idLength);
      const rows = await this.#system.rows<T>(view, near, there);
      for (const [index, row] of rows.entries()) if (row !== undefined) found.set(there[index] as string, row);
    };
    await Promise.all([...byShard.values()].map(read));
    return found;
  }
}
