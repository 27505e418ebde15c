/**
 * Users of the chat who drive its sagas in the server's own process, as the API does: the START is durable first, and an
 * operation ends with its outcome on the requester's topic.
 */

import { sagas } from '../actors/chat.ts';
import type { SagaName, StartPayloads, UserNews } from '../actors/contract.ts';
import { type ActorSystem, moveNear } from '../src/index.ts';
import { idOf } from './counter.ts';
import { forEach } from './load.ts';

type Outcome = Extract<UserNews, { readonly operationId: string }>;

interface Waiting {
  resolve(): void;
  reject(error: Error): void;
}

/** Sagas under way at once while users and rooms are made. */
const setupInFlight = 64;
/** The companion of a user in rooms: this many further. */
const companionStep = 7;

export class ChatUsers {
  readonly userIds: readonly string[];
  readonly roomIds: string[] = [];
  readonly #system: ActorSystem;
  readonly #waiting = new Map<string, Waiting>();

  constructor(system: ActorSystem, users: number) {
    this.#system = system;
    this.userIds = Array.from({ length: users }, (_, i) => idOf(`user-${i}`));
    for (const userId of this.userIds) {
      system.subscribe(`user:${userId}`, ({ data }) => this.#hear(data as UserNews));
    }
  }

  /** Registers everyone and makes this many rooms, the `i`th by the `i`th user. */
  async prepare(rooms: number): Promise<void> {
    await forEach(this.userIds.length, setupInFlight, (i) => this.createUser(i));
    await forEach(rooms, setupInFlight, async (i) => {
      this.roomIds[i] = await this.createRoom(i);
    });
  }

  async createUser(i: number): Promise<void> {
    const userId = this.#user(i);
    await this.#run('USER_CREATE', this.#system.mint(userId), userId, {
      userId,
      email: `bench-${i}@example.com`,
      type: 'REGULAR_USER',
      username: `user ${i}`,
      primaryLanguage: 'ENGLISH',
    });
  }

  /** With a name, the room's id is made from it; otherwise it is fresh. */
  async createRoom(i: number, name?: string): Promise<string> {
    const operationId = name === undefined ? this.#system.mint() : idOf(`create-${name}`);
    const roomId = name === undefined ? this.#system.mint(operationId) : roomIdOf(name);
    await this.#run('ROOM_CREATE', operationId, this.#user(i), {
      roomId,
      companionUserId: this.#user(i + companionStep),
    });
    return roomId;
  }

  async createMessage(i: number, content: string): Promise<void> {
    const roomId = this.roomIds[i % this.roomIds.length] as string;
    await this.#run('MESSAGE_CREATE', this.#system.mint(roomId), this.#user(i % this.roomIds.length), {
      roomId,
      messageId: this.#system.mint(roomId),
      content,
      language: 'ENGLISH',
    });
  }

  #user(i: number): string {
    return this.userIds[i % this.userIds.length] as string;
  }

  async #run<S extends SagaName>(saga: S, operationId: string, userId: string, payload: StartPayloads[S]) {
    const outcome = new Promise<void>((resolve, reject) => this.#waiting.set(operationId, { resolve, reject }));
    const start = {
      type: `${saga}_START`,
      operationId,
      responsibleService: 'SAGA_SERVICE',
      responsibleUserId: userId,
      payload: { ...payload, at: this.#system.now(), fingerprint: '' },
    };
    await this.#system.actor(sagas[saga], operationId).ask(start as never, { operation: operationId });
    await outcome;
  }

  #hear(news: UserNews): void {
    if (!('operationId' in news)) return;
    const { operationId, type, data } = news as Outcome;
    const waiting = this.#waiting.get(operationId);
    if (waiting === undefined) return;
    this.#waiting.delete(operationId);
    if (type.endsWith('_COMPLETED')) waiting.resolve();
    else waiting.reject(new Error(`${type}: ${JSON.stringify(data)}`));
  }
}

/** The room that `createRoom` makes under this name: on the shard of its saga. */
export function roomIdOf(name: string): string {
  return moveNear(idOf(name), idOf(`create-${name}`));
}

/** A message of so many bytes. */
export function contentOf(i: number, bytes: number): string {
  return `message ${i} `.padEnd(bytes, 'lorem ipsum dolor sit amet ').slice(0, bytes);
}
