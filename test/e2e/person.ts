/** Somebody with a token: calls, operations in each way a client may run them, and sockets. */

import { expect } from 'vitest';
import type { MessageDto, RoomDto, SagaName, UserDto } from '../../actors/contract.ts';
import { addMember, type Command, createRoom, createUser, type Profile, type Results, write } from './commands.ts';
import { poll } from './deadline.ts';
import { type Answer, type Operation, type Problem, type RequestHeaders, request } from './http-client.ts';
import { SocketClient } from './socket-client.ts';

/** The ways to run an operation and learn its outcome. */
export const channels = ['Prefer: wait', '202 and GET', 'socket'] as const;
export type Channel = (typeof channels)[number];

export interface Accepted {
  readonly operationId: string;
}

/** An operation that has ended; `error` when it failed. */
export interface Ended<T = unknown> {
  readonly operationId: string;
  readonly result?: T;
  readonly error?: Problem;
}

export interface Signed {
  readonly email: string;
  readonly id: string;
  readonly token: string;
}

const waitSeconds = 25;

export class Person {
  readonly email: string;
  readonly id: string;
  readonly token: string;
  readonly #url: () => string;
  readonly #opened: (socket: SocketClient) => void;

  constructor(signed: Signed, url: () => string, opened: (socket: SocketClient) => void) {
    this.email = signed.email;
    this.id = signed.id;
    this.token = signed.token;
    this.#url = url;
    this.#opened = opened;
  }

  call<T = Problem>(method: string, path: string, body?: unknown, headers: RequestHeaders = {}): Promise<Answer<T>> {
    const authorization = `Bearer ${this.token}`;
    return request<T>(`${this.#url()}${path}`, method, { authorization, ...headers }, body);
  }

  /** A read that is allowed. */
  async get<T>(path: string): Promise<T> {
    const { status, body } = await this.call<T>('GET', path);
    expect(status, `GET ${path}: ${JSON.stringify(body)}`).toBe(200);
    return body;
  }

  send<T = Problem>({ request: { method, path, body } }: Command, headers: RequestHeaders = {}): Promise<Answer<T>> {
    return this.call<T>(method, path, body, headers);
  }

  /** Waits for an operation that has been accepted. */
  async ended<T>(operationId: string): Promise<Ended<T>> {
    const look = async (): Promise<Ended<T> | undefined> => {
      const { state, result, error } = await this.get<Operation<T>>(`/v1/operations/${operationId}`);
      if (state === 'COMPLETED') return { operationId, result: result as T };
      return state === 'ERROR' ? { operationId, error: error as Problem } : undefined;
    };
    return poll(look, `operation ${operationId} does not end`);
  }

  /** Runs a command to its end in one of the ways, and checks what that way promises. */
  async run<S extends SagaName>(command: Command<S>, channel: Channel): Promise<Ended<Results[S]>> {
    if (channel === 'Prefer: wait') return this.#waited(command);
    if (channel === '202 and GET') return this.#polled(command);
    const socket = await this.connect();
    try {
      return await this.#replied(socket, command);
    } finally {
      socket.close();
    }
  }

  /** The result of a command that completes. */
  async complete<S extends SagaName>(command: Command<S>): Promise<Results[S]> {
    const { result, error } = await this.#waited(command);
    expect(error).toBeUndefined();
    return result as Results[S];
  }

  /** The problem of a command that fails. */
  async fail(command: Command): Promise<Problem> {
    const { result, error } = await this.#waited(command);
    expect(result).toBeUndefined();
    return error as Problem;
  }

  register(profile: Partial<Profile> = {}): Promise<UserDto> {
    return this.complete(createUser({ type: 'REGULAR_USER', primaryLanguage: 'ENGLISH', ...profile }));
  }

  room(companion: Person): Promise<RoomDto> {
    return this.complete(createRoom(companion.id));
  }

  write(room: RoomDto, content: string): Promise<MessageDto> {
    return this.complete(write(room.id, content));
  }

  add(room: RoomDto, member: Person): Promise<RoomDto> {
    return this.complete(addMember(room.id, member.id));
  }

  /** A socket that is fed: whatever happens from here on reaches it. */
  async connect(headers: RequestHeaders = {}): Promise<SocketClient> {
    const socket = await this.open('', { authorization: `Bearer ${this.token}`, ...headers });
    await socket.ping();
    return socket;
  }

  /** A socket at this person's address, signed in however the caller likes. The origin `own` is the server's. */
  async open(query: string, headers: RequestHeaders = {}, userId = this.id): Promise<SocketClient> {
    const origin = this.#url();
    const url = `${origin.replace('http', 'ws')}/ws/chat/${userId}${query}`;
    const own = headers.origin === 'own' ? { origin } : {};
    const socket = await SocketClient.open(url, { headers: { ...headers, ...own } });
    this.#opened(socket);
    return socket;
  }

  async #waited<S extends SagaName>(command: Command<S>): Promise<Ended<Results[S]>> {
    const answer = await this.send<Operation<Results[S]> & Problem>(command, { prefer: `wait=${waitSeconds}` });
    const { status, headers, body } = answer;
    if (status !== 200) {
      expect(headers.get('content-type'), JSON.stringify(body)).toMatch(/^application\/problem\+json/);
      expect(body.status).toBe(status);
      return { operationId: body.operationId, error: body };
    }
    expect(headers.get('preference-applied')).toBe(`wait=${waitSeconds}`);
    const { operationId, result } = body;
    expect(body).toEqual({ operationId, type: command.type, state: 'COMPLETED', responsibleUserId: this.id, result });
    return { operationId, result: result as Results[S] };
  }

  async #polled<S extends SagaName>(command: Command<S>): Promise<Ended<Results[S]>> {
    const { status, headers, body } = await this.send<Accepted>(command);
    expect(status, JSON.stringify(body)).toBe(202);
    expect(body).toEqual({ operationId: expect.any(String) });
    expect(headers.get('location')).toBe(`/v1/operations/${body.operationId}`);
    return this.ended(body.operationId);
  }

  async #replied<S extends SagaName>(socket: SocketClient, command: Command<S>): Promise<Ended<Results[S]>> {
    const reply = await socket.command(command);
    expect(reply).toEqual({ re: expect.any(String), ok: true, data: { operationId: expect.any(String) } });
    const { operationId } = reply.data as Accepted;
    const outcome = await socket.outcome(operationId);
    expect(socket.frames.indexOf(reply)).toBeLessThan(socket.frames.indexOf(outcome));
    if (outcome.type === `${command.type}_COMPLETED`) return { operationId, result: outcome.data as Results[S] };
    expect(outcome).toEqual({ type: `${command.type}_ERROR`, operationId, data: expect.anything() });
    return { operationId, error: outcome.data as Problem };
  }
}
