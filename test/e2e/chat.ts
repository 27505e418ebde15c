/** A chat server on a store of its own, and the people in it. Names are unique, so that suites share one server. */

import { expect } from 'vitest';
import type { Language } from '../../actors/contract.ts';
import type { Profile } from './commands.ts';
import { type Answer, type RequestHeaders, request } from './http-client.ts';
import { Person } from './person.ts';
import type { SocketClient } from './socket-client.ts';
import { createStore, type Store, type StoreKind } from './stores.ts';
import { freePort, type ServerOptions, TroupeServer } from './troupe-server.ts';

/** The one origin, beside the server's own, whose pages may open sockets. */
export const allowedOrigin = 'https://chat.example.com';

export interface ChatOptions {
  /** Whatever was answered survives also a kill of the store itself. */
  readonly everyWrite?: boolean;
  /** Nodes on the store; every call and every socket goes to the next one. Default 1. */
  readonly nodes?: number;
  readonly environment?: Readonly<Record<string, string>>;
}

export class Chat {
  readonly store: Store;
  readonly #environment: Readonly<Record<string, string>>;
  readonly #sockets = new Set<SocketClient>();
  readonly #port: number;
  #server: TroupeServer;
  #others: readonly TroupeServer[] = [];
  #people = 0;
  #calls = 0;

  private constructor(store: Store, server: TroupeServer, { port, environment = {} }: ServerOptions) {
    this.store = store;
    this.#server = server;
    this.#port = port;
    this.#environment = environment;
  }

  static async start(kind: StoreKind, options: ChatOptions = {}): Promise<Chat> {
    const { everyWrite = false } = options;
    const environment = { ALLOWED_ORIGINS: allowedOrigin, ...options.environment };
    const store = await createStore(kind, { everyWrite });
    try {
      const server = { journal: store.url, port: await freePort(), environment };
      const chat = new Chat(store, await TroupeServer.start(server), server);
      await chat.#join((options.nodes ?? 1) - 1);
      return chat;
    } catch (error) {
      await store.remove();
      throw error;
    }
  }

  get server(): TroupeServer {
    return this.#server;
  }

  /** Where the next call goes. */
  get url(): string {
    const node = this.#calls++ % (this.#others.length + 1);
    return this.#others[node - 1]?.url ?? `http://127.0.0.1:${this.#port}`;
  }

  /** Says what became of a node that ended by itself. */
  get fate(): string | undefined {
    return [this.#server, ...this.#others].find(({ isRunning }) => !isRunning)?.fate;
  }

  async #join(nodes: number): Promise<void> {
    const options = { journal: this.store.url, environment: this.#environment };
    const start = async (): Promise<TroupeServer> => TroupeServer.start({ ...options, port: await freePort() });
    const started = await Promise.allSettled(Array.from({ length: nodes }, start));
    this.#others = started.flatMap((node) => (node.status === 'fulfilled' ? [node.value] : []));
    if (this.#others.length === nodes) return;
    await this.remove();
    throw new Error('A node did not start.');
  }

  /** Starts it again, on the same store and port; it must have ended before. */
  async startAgain(): Promise<void> {
    const options = { journal: this.store.url, port: this.#port, environment: this.#environment };
    this.#server = await TroupeServer.start(options);
  }

  /** SIGTERM, and a new process on the same store and port. */
  async restart(): Promise<void> {
    expect(await this.#server.stop()).toBe(0);
    await this.startAgain();
  }

  /** Whoever has this email, registered or not. */
  async signIn(email: string): Promise<Person> {
    const { status, body } = await this.request<{ token: string; userId: string }>('POST', '/dev/tokens', { email });
    expect(status).toBe(200);
    const signed = { email, id: body.userId, token: body.token };
    return new Person(
      signed,
      () => this.url,
      (socket) => this.#sockets.add(socket),
    );
  }

  /** Somebody new, who has not registered. */
  stranger(name = 'somebody'): Promise<Person> {
    this.#people += 1;
    return this.signIn(`${name}-${this.#people}@example.com`);
  }

  async user(name: string, profile: Partial<Profile> = {}): Promise<Person> {
    const person = await this.stranger(name);
    await person.register({ username: name, ...profile });
    return person;
  }

  translator(name: string, ...languages: readonly [Language, ...Language[]]): Promise<Person> {
    const [primaryLanguage, ...translationLanguages] = languages;
    return this.user(name, { type: 'TRANSLATOR', primaryLanguage, translationLanguages });
  }

  /** A call without a token. */
  request<T>(method: string, path: string, body?: unknown, headers: RequestHeaders = {}): Promise<Answer<T>> {
    return request<T>(`${this.url}${path}`, method, headers, body);
  }

  /** Drops every socket that is still open. */
  disconnect(): void {
    for (const socket of this.#sockets) socket.close();
    this.#sockets.clear();
  }

  async remove(): Promise<void> {
    this.disconnect();
    await Promise.all([this.#server, ...this.#others].map((server) => server.kill()));
    await this.store.remove();
  }
}
