/**
 * One room as this process follows it for the members that have sockets here: its topic is subscribed once, and each
 * publication becomes frames once, whoever gets them. It keeps the room's DTO for as long as it is followed.
 */

import {
  type Connection,
  type Delivery,
  Feed,
  type Frame,
  type Lru,
  type Publication,
  type Topics,
} from '../src/index.ts';
import { publicUser, type Views } from './api-views.ts';
import type { RoomDto, RoomNews, UserDto } from './contract.ts';
import { frameFor, messageFrame, roomFrame, userFrame } from './notifications-frames.ts';

/** A user with sockets here. */
export interface Member {
  readonly userId: string;
  readonly sockets: ReadonlyMap<Connection, unknown>;
}

/** Frames of one publication: what `except` gets, and what everyone else gets. */
interface Expansion {
  readonly except: string;
  readonly only: Delivery;
  readonly others: Delivery;
}

export interface RoomContext {
  readonly topics: Topics;
  readonly views: Views;
  /** USER_UPDATED frames of users as others see them. */
  readonly people: Lru<string, string>;
  /** The room can no longer be followed: its members must read again. */
  lost(room: FollowedRoom, error: unknown): void;
}

const nothing: Delivery = { frames: [] };

export class FollowedRoom {
  readonly members = new Set<Member>();
  readonly feed: Feed;
  /** Whether it has been followed here since before anybody could write in it. */
  sinceCreation = false;
  readonly #roomId: string;
  readonly #context: RoomContext;
  #room: RoomDto | undefined;
  #frame: string | undefined;

  constructor(roomId: string, context: RoomContext) {
    this.#roomId = roomId;
    this.#context = context;
    this.feed = new Feed({
      topics: context.topics,
      topic: `room:${roomId}`,
      handle: (publication) => this.#handle(publication),
      lost: (error) => context.lost(this, error),
    });
  }

  /** A newer DTO was seen on its way to somebody. */
  learn(room: RoomDto): void {
    this.#room = room;
    this.#frame = undefined;
  }

  /** What a publication means for one member. */
  delivery(publication: Publication, userId: string): Delivery | Promise<Delivery> {
    const expansion = this.#expand(publication, true);
    if (expansion instanceof Promise) return expansion.then((ready) => forUser(ready, userId));
    return forUser(expansion, userId);
  }

  #handle(publication: Publication): void | Promise<void> {
    const expansion = this.#expand(publication, false);
    if (expansion instanceof Promise) return expansion.then((ready) => this.#deliver(publication, ready));
    this.#deliver(publication, expansion);
  }

  #deliver(publication: Publication, expansion: Expansion): void {
    for (const member of this.members) {
      const delivery = forUser(expansion, member.userId);
      if (delivery.frames.length === 0) continue;
      for (const connection of member.sockets.keys()) connection.feed(publication, delivery);
    }
  }

  /** `complete`: also what nobody here would get. */
  #expand(publication: Publication, complete: boolean): Expansion | Promise<Expansion> {
    const news = publication.data as RoomNews;
    if (news.type === 'ROOM_UPDATED') return this.#added(news.data, news.newcomer);
    const { senderId } = news.data;
    const message = this.#shared(messageFrame(news.data));
    const only: Delivery = { frames: [message] };
    if (news.created !== true || !(complete || this.#hasOthersThan(senderId))) {
      return { except: senderId, only, others: only };
    }
    const room = this.#roomFrame();
    const sender = this.#userFrame(senderId);
    if (typeof room === 'string' && typeof sender === 'string') return created(senderId, room, sender, message);
    return Promise.all([room, sender]).then((frames) => created(senderId, frames[0], frames[1], message));
  }

  #added(room: RoomDto, newcomer: UserDto): Expansion {
    this.learn(room);
    const person = userFrame(newcomer);
    this.#context.people.set(newcomer.id, person);
    // The newcomer is told by its own topic, with all that is in the room.
    const others = { frames: [this.#shared(this.#serialised(room)), this.#shared(person)] };
    return { except: newcomer.id, only: nothing, others };
  }

  #hasOthersThan(userId: string): boolean {
    for (const member of this.members) if (member.userId !== userId) return true;
    return false;
  }

  #shared(text: string): Frame {
    return frameFor(text, this.members.size);
  }

  #serialised(room: RoomDto): string {
    this.#frame ??= roomFrame(room);
    return this.#frame;
  }

  #roomFrame(): string | Promise<string | undefined> {
    return this.#room === undefined ? this.#loadRoom() : this.#serialised(this.#room);
  }

  async #loadRoom(): Promise<string | undefined> {
    const room = await this.#context.views.room(this.#roomId);
    if (room !== undefined && this.#room === undefined) this.learn(room);
    return this.#room === undefined ? undefined : this.#serialised(this.#room);
  }

  #userFrame(userId: string): string | Promise<string | undefined> {
    return this.#context.people.get(userId) ?? this.#loadUser(userId);
  }

  async #loadUser(userId: string): Promise<string | undefined> {
    const user = await this.#context.views.user(userId);
    if (user === undefined) return undefined;
    const frame = userFrame(publicUser(user));
    this.#context.people.set(userId, frame);
    return frame;
  }
}

function forUser({ except, only, others }: Expansion, userId: string): Delivery {
  return userId === except ? only : others;
}

/** A new message: who did not send it gets the room and the sender before it. */
function created(senderId: string, room: string | undefined, sender: string | undefined, message: Frame): Expansion {
  const known = [room, sender].filter((frame) => frame !== undefined);
  return { except: senderId, only: { frames: [message] }, others: { frames: [...known, message] } };
}
