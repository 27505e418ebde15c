/**
 * A socket from its upgrade to its close: it is signed in first (a token in a header, in the query, or in the first
 * message, within a deadline), then handed to its route as a connection. Nothing is sent before the token is verified. It
 * is closed with an announced code: a frame `{"type":"CLOSING","code","data":problem}` precedes each close of ours.
 */

import type { Clock } from '../clock.ts';
import type { GatewayObserver } from '../observer.ts';
import type { Authenticator } from './authentication.ts';
import { Connection, type ConnectionLimits, type Flusher, type History } from './connection.ts';
import type { Socket, SocketHandlers } from './http.ts';
import { type Problem, Refusal } from './problem.ts';
import type { Claims } from './tokens.ts';

/** Close codes by the problem that closes a socket: 4000 to 4499 may reconnect, 4500 to 4999 may not. */
export const closeCodes: Readonly<Record<string, number>> = {
  TOKEN_EXPIRED: 4001,
  UNAUTHENTICATED: 4002,
  ISSUER_UNAVAILABLE: 4003,
  RATE_LIMITED: 4029,
  TOKEN_INVALID: 4501,
  NOT_OWN_USER: 4503,
  ADMIN_REQUIRED: 4504,
  EMAIL_NOT_VERIFIED: 4505,
  SERVER_RESTARTING: 1012,
  FELL_BEHIND: 1013,
  FRAME_INVALID: 1003,
};
const closeCodeOfOthers = 1011;

/** What a socket's route does with it once its token is verified. */
export interface SocketRoute {
  /** A template, such as `/ws/chat/{userId}`. */
  readonly path: string;
  /** Checks the path and the query (without the question mark) before the upgrade. Throws a `Refusal`. */
  admit(params: Readonly<Record<string, string>>, query: string): void;
  readonly history: History;
  /** Throws a `Refusal` to close the socket again. */
  open(opened: OpenedSocket): SignedIn;
}

export interface OpenedSocket {
  readonly connection: Connection;
  readonly claims: Claims;
  readonly params: Readonly<Record<string, string>>;
  /** Of the upgrade's URL, without the question mark. */
  readonly query: string;
  /** Negotiated at the upgrade. */
  readonly language: string | undefined;
  close(refusal: Refusal): void;
}

export interface SignedIn {
  /** Until it resolves, messages wait. It does not reject. */
  readonly ready: Promise<void>;
  message(text: string): void;
  closed(): void;
}

export interface SessionOptions {
  readonly route: SocketRoute;
  readonly params: Readonly<Record<string, string>>;
  readonly query: string;
  /** The token of the upgrade request. */
  readonly token: string | undefined;
  readonly language: string | undefined;
  readonly authenticator: Authenticator;
  readonly flusher: Flusher;
  readonly clock: Clock;
  readonly observer: GatewayObserver;
  readonly limits: ConnectionLimits;
  /** How long a socket may stay without a token. */
  readonly signInMs: number;
  problem(refusal: Refusal, language: string | undefined): Problem;
  opened(session: SocketSession): void;
  closed(session: SocketSession): void;
  failed(error: unknown): void;
}

/** Messages that may come before the socket is ready. */
const earlyMessagesMax = 1_024;
const earlyCharactersMax = 512 * 1024;

/** The token of a first message: bare, or `{"token"}`, or `{"id","type":"AUTHENTICATE","data":{"token"}}`. */
function tokenOf(text: string): { readonly token: string | undefined; readonly id?: unknown } {
  if (!text.startsWith('{')) return { token: text.replace(/^"(.*)"$/, '$1') };
  try {
    const frame = JSON.parse(text) as Record<string, unknown>;
    const data = (frame.data ?? frame) as Record<string, unknown>;
    const token = data.token ?? data.access_token;
    return { token: typeof token === 'string' ? token : undefined, id: frame.id };
  } catch {
    return { token: undefined };
  }
}

export class SocketSession implements SocketHandlers {
  readonly #options: SessionOptions;
  #connection: Connection | undefined;
  #signedIn: SignedIn | undefined;
  #state: 'anonymous' | 'verifying' | 'open' | 'closed' = 'anonymous';
  #early: string[] = [];
  #earlyCharacters = 0;
  #cancelDeadline: () => void = () => undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  open(socket: Socket): void {
    const { flusher, limits, route, token, clock, observer, signInMs } = this.#options;
    this.#connection = new Connection({
      socket,
      flusher,
      limits,
      observer,
      history: route.history,
      lost: (error) => {
        if (error !== undefined) this.#options.failed(error);
        this.close(new Refusal('FELL_BEHIND'));
      },
    });
    this.#options.opened(this);
    if (token !== undefined) this.#verify(token, undefined);
    else this.#cancelDeadline = clock.after(signInMs, () => this.close(new Refusal('UNAUTHENTICATED')));
  }

  message(text: string): void {
    if (this.#state === 'open') this.#signedIn?.message(text);
    else if (this.#state === 'anonymous') {
      const { token, id } = tokenOf(text);
      if (token === undefined) this.close(new Refusal('UNAUTHENTICATED'));
      else this.#verify(token, id);
    } else if (this.#state === 'verifying') {
      this.#earlyCharacters += text.length;
      const fits = this.#early.length < earlyMessagesMax && this.#earlyCharacters <= earlyCharactersMax;
      if (fits) this.#early.push(text);
      else this.close(new Refusal('RATE_LIMITED'));
    }
  }

  binary(): void {
    this.close(new Refusal('FRAME_INVALID'));
  }

  drain(): void {
    this.#connection?.drained();
  }

  closed(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#cancelDeadline();
    this.#early = [];
    this.#connection?.closed();
    this.#signedIn?.closed();
    this.#options.closed(this);
  }

  /** Announces why, and closes. */
  close(refusal: Refusal): void {
    if (this.#state === 'closed' || this.#connection === undefined) return;
    const code = closeCodes[refusal.code] ?? closeCodeOfOthers;
    const data = this.#options.problem(refusal, this.#options.language);
    this.#options.observer.socketClosed(code);
    this.#connection.close(code, refusal.code, JSON.stringify({ type: 'CLOSING', code, data }));
  }

  #verify(token: string, id: unknown): void {
    this.#cancelDeadline();
    this.#state = 'verifying';
    // Also a known token is taken up after the upgrade's own turn: nothing may be sent from inside `open`.
    Promise.resolve()
      .then(() => this.#options.authenticator.verify(token))
      .then((claims) => this.#enter(claims, id))
      .catch((error: unknown) => this.#refuse(error));
  }

  async #enter(claims: Claims, id: unknown): Promise<void> {
    const connection = this.#connection;
    if (this.#state !== 'verifying' || connection === undefined) return;
    const { route, params, query, language, clock } = this.#options;
    const signedIn = route.open({
      connection,
      claims,
      params,
      query,
      language,
      close: (refusal) => this.close(refusal),
    });
    this.#signedIn = signedIn;
    if (claims.expiresAt !== undefined) {
      const left = claims.expiresAt * 1000 - clock.now();
      this.#cancelDeadline = clock.after(left, () => this.close(new Refusal('TOKEN_EXPIRED')));
    }
    await signedIn.ready;
    if (this.#isClosed()) return;
    this.#state = 'open';
    if (id !== undefined) connection.send(JSON.stringify({ re: id, ok: true, data: {} }));
    const early = this.#early;
    this.#early = [];
    for (const text of early) signedIn.message(text);
  }

  #isClosed(): boolean {
    return this.#state === 'closed';
  }

  #refuse(error: unknown): void {
    if (error instanceof Refusal) {
      this.close(error);
      return;
    }
    this.#options.failed(error);
    this.close(new Refusal('INTERNAL'));
  }
}
