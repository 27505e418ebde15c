/**
 * The connection to the server, by the `centrifuge` client as it is: calls by name, a channel per room, one's own channel.
 * It knows what an answer and an error look like; what they mean to the chat is for chat-session.ts.
 */

import { Centrifuge, type StreamPosition, type Subscription, UnauthorizedError } from 'centrifuge';
import type { Renewal } from '../shared/oidc.ts';
import { isProblem, type Problem } from '../shared/problem.ts';

/** Where a channel stood when something was read. */
export interface FeedPosition {
  readonly channel: string;
  readonly epoch: string;
  readonly offset: number;
}

export interface Answer<T> {
  readonly data: T;
  /** Where the next page begins. */
  readonly next?: string;
  readonly feed?: readonly FeedPosition[];
}

const roomPrefix = 'room:';

/** The room whose channel it is, if it is a room's. */
export function roomOf(channel: string): string | undefined {
  return channel.startsWith(roomPrefix) ? channel.slice(roomPrefix.length) : undefined;
}

/** The server's own no. */
export class CallRefused extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.title);
    this.name = 'CallRefused';
    this.problem = problem;
  }
}

/** No answer: it may have arrived, or not. */
export class CallInterrupted extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'CallInterrupted';
  }
}

/** The client's own codes are below: no connection, no answer in time. */
const serverCodesMin = 100;

function errorOf(error: unknown): Error {
  const { code = 0, message = '' } = error as { readonly code?: number; readonly message?: string };
  if (code < serverCodesMin) return new CallInterrupted(message);
  try {
    const problem: unknown = JSON.parse(message);
    if (isProblem(problem)) return new CallRefused(problem);
  } catch {
    // An error of the protocol, which says no more than this.
  }
  return new CallRefused({ status: code, code: 'PROTOCOL', title: message, detail: message });
}

export interface WireEvents {
  connected(): void;
  /** It connects again by itself. */
  interrupted(): void;
  /** It does not; `isRefused`: because of the token. */
  ended(isRefused: boolean): void;
  /** On one's own channel. */
  own(data: unknown): void;
  /** One's own channel could not give what was missed. */
  ownLost(): void;
  /** The token is about to end, or has ended. */
  freshen(token: string): Promise<Renewal>;
}

export interface RoomEvents {
  /** `offset`: in the room's channel; none for what is kept nowhere. */
  news(data: unknown, offset: number | undefined): void;
  came(client: string, userId: string): void;
  left(client: string): void;
  /** Followed from here on, with what was missed on its way, unless `isWhole` says that it is gone. */
  followed(isWhole: boolean): void;
}

/** The client's code for a token that the server does not take, and the server's own. */
const refusedCodes: ReadonlySet<number> = new Set([1, 3500]);

export class Wire {
  readonly #client: Centrifuge;
  /** What the client came with last. */
  #token: string;

  constructor(token: string, language: string, events: WireEvents) {
    const { protocol, host } = window.location;
    this.#token = token;
    this.#client = new Centrifuge(`${protocol.replace('http', 'ws')}//${host}/connection/websocket`, {
      token,
      getToken: () => this.#freshToken(events),
      headers: { 'accept-language': language },
      name: 'web',
      minReconnectDelay: 200,
      maxReconnectDelay: 5_000,
    });
    this.#client.on('connected', () => events.connected());
    this.#client.on('connecting', () => events.interrupted());
    this.#client.on('disconnected', ({ code }) => {
      if (code !== 0) events.ended(refusedCodes.has(code));
    });
    this.#client.on('publication', ({ data }) => events.own(data));
    this.#client.on('subscribed', ({ wasRecovering, recovered }) => {
      if (wasRecovering && !recovered) events.ownLost();
    });
  }

  async #freshToken({ freshen }: WireEvents): Promise<string> {
    const renewal = await freshen(this.#token);
    // The client asks again later.
    if (renewal.kind === 'unavailable') throw new Error('The issuer of tokens does not answer.');
    if (renewal.kind === 'over') throw new UnauthorizedError('');
    this.#token = renewal.token;
    return renewal.token;
  }

  connect(): void {
    this.#client.connect();
  }

  close(): void {
    this.#client.disconnect();
  }

  get isConnected(): boolean {
    return this.#client.state === 'connected';
  }

  /** Texts of the server are in this language from the next connection on, which is at once. */
  speak(language: string): void {
    this.#client.setHeaders({ 'accept-language': language });
    if (!this.isConnected) return;
    this.#client.disconnect();
    this.#client.connect();
  }

  /** Throws `CallRefused` or `CallInterrupted`. */
  async query<T>(name: string, data: Readonly<Record<string, unknown>> = {}): Promise<Answer<T>> {
    try {
      return (await this.#client.rpc(name, data)).data as Answer<T>;
    } catch (error) {
      throw errorOf(error);
    }
  }

  /** The operation's id. Throws `CallRefused` or `CallInterrupted`. */
  async command(name: string, data: object, idempotencyKey: string): Promise<string> {
    try {
      const answer = await this.#client.rpc(name, { ...data, idempotencyKey });
      return (answer.data as { readonly operationId: string }).operationId;
    } catch (error) {
      throw errorOf(error);
    }
  }

  isFollowing(roomId: string): boolean {
    return this.#client.getSubscription(roomPrefix + roomId) !== null;
  }

  /** Follows a room from where it was read; what is followed already goes on as it is. */
  follow(roomId: string, since: StreamPosition, events: RoomEvents): void {
    if (this.isFollowing(roomId)) return;
    const subscription = this.#client.newSubscription(roomPrefix + roomId, {
      joinLeave: true,
      recoverable: true,
      since,
    });
    subscription.on('publication', ({ data, offset }) => events.news(data, offset));
    subscription.on('join', ({ info }) => events.came(info.client, info.user));
    subscription.on('leave', ({ info }) => events.left(info.client));
    subscription.on('subscribed', ({ wasRecovering, recovered }) => events.followed(!wasRecovering || recovered));
    subscription.subscribe();
  }

  /** Connections that follow a room, and whose they are. */
  async presence(roomId: string): Promise<Readonly<Record<string, string>>> {
    try {
      const { clients } = await this.#client.presence(roomPrefix + roomId);
      return Object.fromEntries(Object.values(clients).map(({ client, user }) => [client, user]));
    } catch (error) {
      throw errorOf(error);
    }
  }

  /** Tells a room's others, if there is a connection; nothing depends on it. */
  tell(roomId: string, said: object): void {
    const subscription: Subscription | null = this.#client.getSubscription(roomPrefix + roomId);
    if (subscription === null || !this.isConnected) return;
    subscription.publish(said).catch(() => undefined);
  }
}
