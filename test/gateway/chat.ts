/** A chat server on a memory journal, and people who use it. */

import { userIdOf } from '../../actors/api-identity.ts';
import type { UserType } from '../../actors/contract.ts';
import { type ChatServer, type ChatServerOptions, startChat } from '../../actors/server.ts';
import { systemClock } from '../../src/clock.ts';
import { signToken } from '../../src/gateway/tokens.ts';
import { openMemoryJournal } from '../../src/journal/memory.ts';
import { silentLog } from '../../src/log.ts';
import { SocketClient } from './socket-client.ts';

export const secret = 'a secret of at least thirty-two bytes';

export interface Answer<T = Record<string, unknown>> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
}

export interface Dto {
  readonly id: string;
}

export interface Operation<T = Dto> {
  readonly operationId: string;
  readonly type: string;
  readonly state: string;
  readonly result: T;
}

/** Somebody with a token. */
export class Person {
  readonly id: string;
  readonly email: string;
  readonly token: string;
  readonly #base: string;

  constructor(email: string, token: string, base: string) {
    this.id = userIdOf(email);
    this.email = email;
    this.token = token;
    this.#base = base;
  }

  async call<T = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer<T>> {
    const init = { method, headers: { authorization: `Bearer ${this.token}`, ...headers } };
    const response = await fetch(
      `${this.#base}${path}`,
      body === undefined ? init : { ...init, body: JSON.stringify(body) },
    );
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: JSON.parse(text === '' ? '{}' : text) as T };
  }

  get<T = Record<string, unknown>>(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer<T>> {
    return this.call<T>('GET', path, undefined, headers);
  }

  /** A command whose outcome is waited for. */
  command<T = Operation>(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer<T>> {
    return this.call<T>(method, path, body, { prefer: 'wait=10', ...headers });
  }

  async room(companion: Person): Promise<string> {
    const { body } = await this.command('POST', '/v1/rooms', { companionUserId: companion.id });
    return body.result.id;
  }

  async message(roomId: string, content = 'hello'): Promise<string> {
    const { body } = await this.command('POST', '/v1/messages', { roomId, content });
    return body.result.id;
  }

  /** A socket whose notifications have begun. */
  async socket(headers: Readonly<Record<string, string>> = {}): Promise<SocketClient> {
    const client = await SocketClient.open(
      `${this.#base.replace('http', 'ws')}/ws/chat/${this.id}?access_token=${this.token}`,
      { headers },
    );
    client.send({ id: 'ready', type: 'PING' });
    await client.reply('ready');
    client.frames.length = 0;
    return client;
  }
}

export interface Chat {
  readonly server: ChatServer;
  readonly base: string;
  /** Somebody who is not registered. */
  stranger(name: string): Promise<Person>;
  register(name: string, profile?: { readonly type?: UserType; readonly [field: string]: unknown }): Promise<Person>;
}

export async function chat(options: Partial<ChatServerOptions> = {}): Promise<Chat> {
  const server = await startChat({
    journal: openMemoryJournal({ shards: 8 }),
    host: '127.0.0.1',
    port: 0,
    authSecret: secret,
    logger: silentLog,
    closeJitterMs: 0,
    ...options,
  });
  const base = `http://127.0.0.1:${server.port}`;
  const stranger = async (name: string): Promise<Person> => {
    const email = `${name}@example.com`;
    return new Person(email, await signToken(secret, email, systemClock.now()), base);
  };
  return {
    server,
    base,
    stranger,
    async register(name, profile = {}) {
      const person = await stranger(name);
      const body = { type: 'REGULAR_USER', username: name, primaryLanguage: 'ENGLISH', ...profile };
      const { status, body: answer } = await person.command('POST', '/v1/users/currentUser', body);
      if (status !== 200) throw new Error(`${name} is not registered: ${JSON.stringify(answer)}`);
      return person;
    },
  };
}
