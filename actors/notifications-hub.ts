/**
 * Who gets what, for the sockets of this process. For each user with sockets it follows `user:{id}` and the topics of
 * the user's rooms, and expands their publications into frames. It subscribes first and reads then, so that a room joined
 * in between is not missed; it drops every subscription with the user's last socket. Nothing here decides what happened:
 * a hub can be thrown away at any time, and its sockets' clients read again.
 */

import {
  type ActorSystem,
  type Clock,
  type Connection,
  createPresence,
  type Delivery,
  Feed,
  type History,
  Lru,
  type Publication,
  Refusal,
  TroupeError,
} from '../src/index.ts';
import type { Requesters } from './api-identity.ts';
import { publicUser, type Views } from './api-views.ts';
import type { RoomDto, UserNews } from './contract.ts';
import { errorFrame, isError, messageFrame, newsFrame, userFrame } from './notifications-frames.ts';
import { FollowedRoom, type Member } from './notifications-room.ts';
import { languageTags } from './texts.ts';

/** A signed-in socket of the plain protocol. */
export interface ChatSocket {
  readonly connection: Connection;
  readonly userId: string;
  /** Negotiated at the upgrade. */
  readonly language: string | undefined;
  close(refusal: Refusal): void;
}

export interface HubOptions {
  readonly system: ActorSystem;
  readonly views: Views;
  readonly requesters: Requesters;
  readonly clock: Clock;
  failed(error: unknown): void;
}

const peopleMax = 20_000;
/** Messages a newcomer gets of the room. */
const newcomerMessages = 50;

class Follower implements Member {
  readonly userId: string;
  readonly sockets = new Map<Connection, ChatSocket>();
  readonly rooms = new Map<string, FollowedRoom>();
  readonly feed: Feed;
  /** Undefined for somebody who is not registered yet. */
  language: string | undefined;
  /** Resolves when every room is followed. */
  ready: Promise<void> = Promise.resolve();

  constructor(userId: string, feed: (follower: Follower) => Feed) {
    this.userId = userId;
    this.feed = feed(this);
  }
}

export class Hub implements History {
  readonly #options: HubOptions;
  readonly #presence = createPresence();
  readonly #sockets = new Map<Connection, ChatSocket>();
  readonly #followers = new Map<string, Follower>();
  readonly #rooms = new Map<string, FollowedRoom>();
  readonly #people = new Lru<string, string>(peopleMax);

  constructor(options: HubOptions) {
    this.#options = options;
    this.#presence.on('online', ({ user }) => this.#begin(user));
    this.#presence.on('offline', ({ user }) => this.#drop(user));
  }

  /** Topics followed at the moment. */
  get topics(): number {
    return this.#followers.size + this.#rooms.size;
  }

  /** Feeds a socket from now on. Resolves when all of the user's rooms are followed; does not reject. */
  attach(socket: ChatSocket): Promise<void> {
    this.#sockets.set(socket.connection, socket);
    this.#presence.trigger.opened({ user: socket.userId });
    const follower = this.#followers.get(socket.userId) as Follower;
    follower.sockets.set(socket.connection, socket);
    return follower.ready;
  }

  detach(socket: ChatSocket): void {
    if (!this.#sockets.delete(socket.connection)) return;
    this.#followers.get(socket.userId)?.sockets.delete(socket.connection);
    this.#presence.trigger.closed({ user: socket.userId });
  }

  languageOf(userId: string): string | undefined {
    return this.#followers.get(userId)?.language;
  }

  read: History['read'] = (topic, position) => this.#options.system.readTopic(topic, position);

  delivery(publication: Publication, connection: Connection): Delivery | Promise<Delivery> {
    const socket = this.#sockets.get(connection);
    const follower = socket === undefined ? undefined : this.#followers.get(socket.userId);
    if (socket === undefined || follower === undefined) return { frames: [] };
    const { topic } = publication;
    if (!topic.startsWith('room:')) return this.#expand(follower, publication, socket);
    return follower.rooms.get(topic.slice('room:'.length))?.delivery(publication, socket.userId) ?? { frames: [] };
  }

  #begin(userId: string): void {
    const follower = new Follower(userId, (self) => this.#userFeed(self));
    this.#followers.set(userId, follower);
    follower.ready = this.#start(follower);
  }

  async #start(follower: Follower): Promise<void> {
    try {
      const { views, requesters } = this.#options;
      const [requester, roomIds] = await Promise.all([
        requesters.find(follower.userId),
        views.roomIdsOf(follower.userId),
      ]);
      if (requester !== undefined) follower.language ??= languageTags[requester.language];
      if (this.#followers.get(follower.userId) !== follower) return;
      for (const roomId of roomIds) this.#follow(follower, roomId);
      const topics = [follower.feed.topic, ...roomIds.map((roomId) => `room:${roomId}`)];
      await Promise.all(topics.map((topic) => this.#options.system.listening(topic)));
    } catch (error) {
      this.#fail(follower, error);
    }
  }

  /** Its clients must connect again and read: what they would miss is not known. */
  #fail(follower: Follower, error: unknown): void {
    // A stopping server is about to tell every socket so.
    if (error instanceof TroupeError && error.code === 'STOPPED') return;
    if (error !== undefined) this.#options.failed(error);
    for (const socket of [...follower.sockets.values()]) socket.close(new Refusal('FELL_BEHIND'));
  }

  #drop(userId: string): void {
    const follower = this.#followers.get(userId);
    if (follower === undefined) return;
    this.#followers.delete(userId);
    follower.feed.stop();
    for (const [roomId, room] of follower.rooms) {
      room.members.delete(follower);
      if (room.members.size > 0) continue;
      room.feed.stop();
      this.#rooms.delete(roomId);
    }
    follower.rooms.clear();
  }

  #follow(follower: Follower, roomId: string): FollowedRoom {
    let room = this.#rooms.get(roomId);
    if (room === undefined) {
      room = new FollowedRoom(roomId, {
        topics: this.#options.system,
        views: this.#options.views,
        people: this.#people,
        lost: (lost, error) => {
          for (const member of [...lost.members]) this.#fail(member as Follower, error);
        },
      });
      this.#rooms.set(roomId, room);
    }
    room.members.add(follower);
    follower.rooms.set(roomId, room);
    return room;
  }

  #userFeed(follower: Follower): Feed {
    return new Feed({
      topics: this.#options.system,
      topic: `user:${follower.userId}`,
      handle: (publication) => this.#handle(follower, publication),
      lost: (error) => this.#fail(follower, error),
    });
  }

  #handle(follower: Follower, publication: Publication): void | Promise<void> {
    const news = publication.data as UserNews;
    if (news.type === 'ROOM_JOINED') return this.#joined(follower, publication, news.data);
    if (news.type === 'CURRENT_USER_UPDATED') follower.language = languageTags[news.data.primaryLanguage];
    if (news.type === 'ROOM_UPDATED') this.#learn(follower, news.data);
    if (isError(news)) {
      for (const socket of follower.sockets.values()) {
        socket.connection.feed(publication, this.#error(follower, news, socket));
      }
      return;
    }
    const delivery = outcome(news, newsFrame(news));
    for (const connection of follower.sockets.keys()) connection.feed(publication, delivery);
  }

  #error(follower: Follower, news: Parameters<typeof errorFrame>[0], socket: ChatSocket): Delivery {
    return outcome(news, errorFrame(news, socket.language ?? follower.language ?? languageTags.ENGLISH));
  }

  /** What a publication of a user's topic means for one of the user's sockets. */
  #expand(follower: Follower, publication: Publication, socket: ChatSocket): Delivery | Promise<Delivery> {
    const news = publication.data as UserNews;
    if (news.type === 'ROOM_JOINED')
      return news.data.newcomer ? this.#roomContents(news.data.roomId, follower) : { frames: [] };
    return isError(news) ? this.#error(follower, news, socket) : outcome(news, newsFrame(news));
  }

  #joined(
    follower: Follower,
    publication: Publication,
    { roomId, newcomer }: { readonly roomId: string; readonly newcomer: boolean },
  ): undefined | Promise<void> {
    if (newcomer) {
      return this.#roomContents(roomId, follower).then((delivery) => {
        for (const connection of follower.sockets.keys()) connection.feed(publication, delivery);
      });
    }
    if (follower.rooms.has(roomId)) return undefined;
    const { position } = this.#follow(follower, roomId).feed;
    const listening = this.#options.system.listening(`room:${roomId}`);
    if (listening === undefined) this.#options.clock.soon(() => this.#readFirstNews(follower, roomId, position));
    // The room's shard is elsewhere: what is said in it meanwhile may not be heard here yet.
    else void listening.then(() => this.#readFirstNews(follower, roomId, 0));
    return undefined;
  }

  #learn(follower: Follower, dto: RoomDto): void {
    const room = follower.rooms.get(dto.id);
    room?.learn(dto);
    // Nobody knows of a room before its creator hears of it, which is just now.
    if (room !== undefined && dto.createdBy === follower.userId) room.sinceCreation = true;
  }

  /**
   * Gives what was published in a room before this user's membership arrived here. `before`: how far the room had been
   * followed then.
   */
  #readFirstNews(follower: Follower, roomId: string, before: number | undefined): void {
    const room = follower.rooms.get(roomId);
    if (room === undefined || (room.sinceCreation && before === undefined)) return;
    for (const connection of follower.sockets.keys()) connection.feedFrom(`room:${roomId}`, 0);
  }

  /**
   * Follows a room and gives what a newcomer gets of it: its people and the last page of its messages. The room itself comes
   * by its own news. It is read when what follows is heard, so that no message is in neither.
   */
  async #roomContents(roomId: string, follower: Follower): Promise<Delivery> {
    const { views, system } = this.#options;
    this.#follow(follower, roomId);
    await system.listening(`room:${roomId}`);
    const [room, page] = await Promise.all([views.room(roomId), views.messages(roomId, newcomerMessages)]);
    if (room === undefined) return { frames: [] };
    const people = await views.users(room.members.filter((member) => member !== follower.userId));
    return { frames: [...people.map((person) => userFrame(publicUser(person))), ...page.messages.map(messageFrame)] };
  }
}

function outcome(news: UserNews, frame: string): Delivery {
  return 'operationId' in news ? { frames: [frame], outcomeOf: news.operationId } : { frames: [frame] };
}
