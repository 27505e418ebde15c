/**
 * One person's chat, from signing in to signing out: reads what there is, follows the channels from where it was read, and
 * folds what comes into the store. After an interruption the channels give what was missed; where one cannot, its room is
 * read again. It draws nothing.
 */

import type { MessageDto, RoomDto, UserDto } from '../../machines/vocabulary.ts';
import type { Access } from '../shared/access.ts';
import { freshen } from '../shared/entrance.ts';
import type { QueuedMessage, RoomState } from './chat-state.ts';
import { type ChatStore, keptMax, type UnreadAnswer } from './chat-store.ts';
import { Drafts } from './drafts.ts';
import { isNews, type News, type ReadPosition, type Source } from './news.ts';
import type { Operation } from './operation.ts';
import { Outbox, type OutboxEvents } from './outbox.ts';
import { CallRefused, type FeedPosition, roomOf, Wire } from './wire.ts';

const pageSize = 40;
const queueSize = 30;
const sweepMs = 1_000;
/** Whoever types says so again this often. */
const typingEveryMs = 3_000;

export interface ChatSessionEvents extends OutboxEvents {
  /** A message of somebody else's, as it came. */
  heard(message: MessageDto): void;
  refused(): void;
}

export class ChatSession {
  readonly store: ChatStore;
  readonly outbox: Outbox;
  readonly drafts: Drafts;
  readonly #wire: Wire;
  readonly #events: ChatSessionEvents;
  readonly #sweeper: number;
  readonly #asked = new Set<string>();
  readonly #entering = new Set<string>();
  #isBegun = false;
  #openRoomId: string | undefined;
  #typedAt = 0;

  constructor(store: ChatStore, access: Access, language: string, events: ChatSessionEvents) {
    this.store = store;
    this.drafts = new Drafts(access.email);
    this.#events = events;
    this.#wire = new Wire(access.token, language, {
      connected: () => this.#connected(),
      interrupted: () => this.#is(this.#isBegun ? 'reconnecting' : 'connecting'),
      ended: (isRefused) => {
        this.#is(isRefused ? 'refused' : 'closed');
        if (isRefused) events.refused();
      },
      own: (data) => this.#own(data),
      ownLost: () => void this.#readAll(),
      freshen,
    });
    this.outbox = new Outbox(store, this.#wire, access.email, {
      completed: (operation, data) => this.#completed(operation, data),
      failed: (operation, problem) => {
        // Nobody asked for it, so nobody is told.
        if (operation.command !== 'MESSAGE_READ') events.failed(operation, problem);
      },
    });
    this.#sweeper = window.setInterval(() => store.send({ type: 'typingSwept', now: Date.now() }), sweepMs);
    this.#wire.connect();
  }

  close(): void {
    window.clearInterval(this.#sweeper);
    this.outbox.close();
    this.#wire.close();
  }

  reconnect(): void {
    this.#is('reconnecting');
    this.#wire.connect();
  }

  /** Says something to whoever cannot see it. */
  announce(text: string, isUrgent = false): void {
    this.store.send({ type: 'announced', text, isUrgent });
  }

  speak(language: string): void {
    this.#wire.speak(language);
  }

  /** Reads again what could not be read. */
  readAgain(): void {
    this.store.send({ type: 'starting' });
    void this.#readAll();
  }

  /** A room is looked at: its newest page is read, and stays. */
  open(roomId: string | undefined): void {
    if (this.#openRoomId !== undefined && this.#openRoomId !== roomId) {
      this.store.send({ type: 'roomLeft', roomId: this.#openRoomId });
    }
    this.#openRoomId = roomId;
    const room = this.#room(roomId);
    if (room !== undefined && room.loaded !== 'page' && room.loaded !== 'loading') void this.#readNewest(room.room.id);
  }

  async readOlder(roomId: string): Promise<void> {
    const room = this.#room(roomId);
    const before = room?.older;
    if (room === undefined || before === undefined || room.olderLoaded === 'loading') return;
    this.store.send({ type: 'olderLoading', roomId, loaded: 'loading' });
    try {
      const page = { roomId, before, limit: pageSize };
      const { data, next } = await this.#wire.query<MessageDto[]>('ROOM_MESSAGES', page);
      this.store.send({ type: 'olderPage', roomId, before, messages: data, older: next });
    } catch {
      this.store.send({ type: 'olderLoading', roomId, loaded: 'failed' });
    }
  }

  /** One has seen everything up to a message. */
  read(message: MessageDto): void {
    const isUnderWay = this.store
      .getSnapshot()
      .context.operations.some((one) => one.command === 'MESSAGE_READ' && one.data.messageId === message.id);
    if (isUnderWay) return;
    this.store.send({ type: 'readUpTo', roomId: message.roomId });
    const key = this.outbox.begin({ command: 'MESSAGE_READ', data: { messageId: message.id } }, ({ kind }) => {
      // The next message tries again.
      if (kind === 'failed' && key !== undefined) this.outbox.discard(key);
    });
  }

  /** One writes, or has stopped to. */
  type(roomId: string, isTyping: boolean): void {
    const now = Date.now();
    if (isTyping ? now - this.#typedAt < typingEveryMs : this.#typedAt === 0) return;
    this.#typedAt = isTyping ? now : 0;
    this.#wire.tell(roomId, { type: 'TYPING', data: { isTyping } });
  }

  async findPeople(query: string): Promise<readonly UserDto[]> {
    const { data } = await this.#wire.query<UserDto[]>('USERS', { ...(query === '' ? {} : { query }), limit: 20 });
    const others = data.filter(({ id }) => id !== this.#ownId);
    this.store.send({ type: 'people', people: others });
    return others;
  }

  async readQueue(before?: string): Promise<void> {
    this.store.send({ type: 'queueLoading', loaded: 'loading' });
    try {
      const query = { limit: queueSize, ...(before === undefined ? {} : { before }) };
      const { data, next } = await this.#wire.query<QueuedMessage[]>('TRANSLATION_QUEUE', query);
      this.store.send({ type: 'queuePage', messages: data, older: next, isFirst: before === undefined });
    } catch {
      this.store.send({ type: 'queueLoading', loaded: 'failed' });
    }
  }

  get #ownId(): string | undefined {
    return this.store.getSnapshot().context.userId;
  }

  #is(connection: 'connecting' | 'online' | 'reconnecting' | 'closed' | 'refused'): void {
    this.store.send({ type: 'connected', connection });
  }

  #room(roomId: string | undefined): RoomState | undefined {
    return roomId === undefined ? undefined : this.store.getSnapshot().context.rooms[roomId];
  }

  #connected(): void {
    this.#is('online');
    this.outbox.resume();
    if (!this.#isBegun) void this.#readAll();
    const open = this.#room(this.#openRoomId);
    if (open?.loaded === 'failed') void this.#readNewest(open.room.id);
    else if (open?.olderLoaded === 'failed') void this.readOlder(open.room.id);
  }

  #completed(operation: Operation, data: unknown): void {
    if (data !== undefined && 'roomId' in (data as object)) {
      const isCreated = operation.command === 'MESSAGE_CREATE';
      this.store.send({ type: 'outcome', message: data as MessageDto, isCreated });
    }
    if (operation.command === 'USER_CREATE') void this.#readAll();
    this.#events.completed(operation, data);
  }

  /** Who one is, one's rooms, and the last message of each; then follows them. */
  async #readAll(): Promise<void> {
    try {
      const me = await this.#me();
      this.store.send({ type: 'me', user: me });
      this.#isBegun = true;
      if (me === undefined) return;
      // The messages first: whatever comes behind them is heard of, in a room that is listed by then or is entered.
      const last = await this.#wire.query<MessageDto[]>('MESSAGES', { roomLimit: 1 });
      const [rooms, people, unread] = await Promise.all([
        this.#wire.query<RoomDto[]>('ROOMS'),
        this.#wire.query<UserDto[]>('USERS_ALL'),
        this.#readUnread(),
      ]);
      this.store.send({
        type: 'overview',
        overview: { rooms: rooms.data, people: people.data, lastMessages: last.data, unread },
      });
      // Also rooms that are not listed, since nobody has written there: their first message is heard.
      for (const position of last.feed ?? []) this.#follow(position);
      for (const { id } of rooms.data) if (!this.#wire.isFollowing(id)) void this.#enter(id);
      if (me.type === 'TRANSLATOR') void this.readQueue();
      this.open(this.#openRoomId);
    } catch {
      this.#isBegun = false;
      this.store.send({ type: 'failed' });
    }
  }

  async #me(): Promise<UserDto | undefined> {
    try {
      return (await this.#wire.query<UserDto>('CURRENT_USER')).data;
    } catch (error) {
      if (error instanceof CallRefused && error.problem.status === 404) return undefined;
      throw error;
    }
  }

  /** The newest page of a room, and from there on what comes. */
  async #readNewest(roomId: string): Promise<void> {
    this.store.send({ type: 'roomLoading', roomId, loaded: 'loading' });
    try {
      const { data, next, feed } = await this.#wire.query<MessageDto[]>('ROOM_MESSAGES', { roomId, limit: pageSize });
      this.store.send({ type: 'newestPage', roomId, messages: data, older: next });
      for (const position of feed ?? []) this.#follow(position);
    } catch {
      this.store.send({ type: 'roomLoading', roomId, loaded: 'failed' });
    }
  }

  async #readUnread(): Promise<UnreadAnswer> {
    const { data, feed = [] } = await this.#wire.query<ReadPosition[]>('UNREAD');
    const offsets = feed.map(({ channel, offset }) => [roomOf(channel) ?? channel, offset] as const);
    return { positions: data, offsets: Object.fromEntries(offsets) };
  }

  /** From where something was read, so that nothing lies between. */
  #follow(since: FeedPosition): void {
    const roomId = roomOf(since.channel);
    if (roomId === undefined) return;
    this.#wire.follow(roomId, since, {
      news: (data, offset) => {
        if (!isNews(data)) return;
        if (this.#room(roomId) === undefined && data.type === 'MESSAGE_UPDATED') void this.#enter(roomId);
        else this.#fold(data, { roomId, offset });
      },
      came: (client, userId) => this.store.send({ type: 'came', roomId, client, userId }),
      left: (client) => this.store.send({ type: 'left', roomId, client }),
      followed: (isWhole) => {
        if (!isWhole) this.#readRoomAgain(roomId);
        this.#readPresence(roomId);
      },
    });
  }

  #readPresence(roomId: string): void {
    this.#wire.presence(roomId).then(
      (present) => this.store.send({ type: 'presence', roomId, present }),
      // The next connection asks again.
      () => undefined,
    );
  }

  #readRoomAgain(roomId: string): void {
    if (this.#room(roomId) === undefined) return;
    this.store.send({ type: 'roomForgotten', roomId });
    void this.#readNewest(roomId);
    void this.#readPositions(roomId);
  }

  async #readPositions(roomId: string): Promise<void> {
    try {
      this.store.send({ type: 'positions', roomId, unread: await this.#readUnread() });
    } catch {
      // Its count stays as it was; reading the room sets it right.
    }
  }

  #own(data: unknown): void {
    if (this.outbox.hear(data) || !isNews(data)) return;
    this.#fold(data);
    if (data.type === 'ROOM_UPDATED') void this.#enter(data.data.id);
  }

  /** A room that is new to one: who is there, what has been written, and what comes. */
  async #enter(roomId: string): Promise<void> {
    if (this.#entering.has(roomId)) return;
    this.#entering.add(roomId);
    try {
      if (this.#room(roomId) === undefined) {
        const { data } = await this.#wire.query<RoomDto>('ROOM', { roomId });
        this.#fold({ type: 'ROOM_UPDATED', data });
      }
      await this.#readNewest(roomId);
      await this.#readPositions(roomId);
      this.#readPresence(roomId);
    } catch {
      // Its next message tries again.
    } finally {
      this.#entering.delete(roomId);
    }
  }

  #fold(news: News, source?: Source): void {
    const { roomId = '', id = '', senderId = '' } = news.type === 'MESSAGE_UPDATED' ? news.data : {};
    const lastId = this.#room(roomId)?.messages.at(-1)?.id;
    this.store.send({ type: 'news', news, source, now: Date.now() });
    if (news.type === 'ROOM_UPDATED') this.#askFor(news.data.members);
    if (news.type !== 'MESSAGE_UPDATED') return;
    this.#askFor([senderId]);
    const messages = this.#room(roomId)?.messages ?? [];
    if (roomId !== this.#openRoomId && messages.length > keptMax) this.store.send({ type: 'roomLeft', roomId });
    if (messages.at(-1)?.id === id && lastId !== id && senderId !== this.#ownId) this.#events.heard(news.data);
  }

  /** People one does not know yet, each asked for once. */
  #askFor(userIds: readonly string[]): void {
    const { people } = this.store.getSnapshot().context;
    for (const userId of userIds) {
      if (people[userId] !== undefined || this.#asked.has(userId)) continue;
      this.#asked.add(userId);
      this.#wire.query<UserDto>('USER', { userId }).then(
        ({ data }) => this.store.send({ type: 'people', people: [data] }),
        () => this.#asked.delete(userId),
      );
    }
  }
}
