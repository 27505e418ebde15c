/**
 * The gateway: one listening port with an application's calls and sockets on it. It puts the parts of this folder
 * together and owns their lifecycle: health, limits, and a shutdown in the right order (stop accepting and turn readiness
 * off, finish what is under way, tell the sockets with jitter, close). It knows nothing of the application but what is
 * declared to it.
 */

import type { Clock } from '../clock.ts';
import type { Ids } from '../ids.ts';
import type { Log } from '../log.ts';
import { type GatewayObserver, silentGatewayObserver } from '../observer.ts';
import { bearerToken, createAuthenticator } from './authentication.ts';
import type { Command, OpenRoute, Operations, Query } from './command.ts';
import { Flusher } from './connection.ts';
import { type Admission, type HttpRequest, type HttpResponse, json } from './http.ts';
import { HttpCalls } from './http-calls.ts';
import { InFlight } from './in-flight.ts';
import { negotiateLanguage } from './preferences.ts';
import { type Problem, type ProblemCatalog, problemOf, Refusal } from './problem.ts';
import { Router } from './router.ts';
import { SocketCommands } from './socket-commands.ts';
import { type SocketRoute, SocketSession } from './socket-session.ts';
import { type RateLimit, RateLimiter } from './token-bucket.ts';
import type { Claims } from './tokens.ts';
import { openTransport, type Transport } from './uws.ts';

/** Every bound of the gateway. */
export interface GatewayLimits {
  /** Bytes of an HTTP body; more is a 413. */
  readonly bodyBytesMax: number;
  /** Bytes of a socket's frame; more ends it with 1006. */
  readonly frameBytesMax: number;
  /** Unread bytes of a socket at which it is no longer fed. */
  readonly bufferedBytesMax: number;
  /** Unread bytes at which a socket that still sends commands is cut off. */
  readonly unreadBytesMax: number;
  /** Commands of one socket under way at once. */
  readonly socketCommandsMax: number;
  /** Sockets at once; one more is refused with 503. */
  readonly socketsMax: number;
  /** The longest `Prefer: wait`. */
  readonly waitMsMax: number;
  /** How long a socket may stay without a token. */
  readonly signInMs: number;
  /** A silent peer is dropped after this; 8 to 960. */
  readonly idleSeconds: number;
  /** Calls per user. */
  readonly rate: RateLimit;
}

export const defaultGatewayLimits: GatewayLimits = {
  bodyBytesMax: 64 * 1024,
  frameBytesMax: 64 * 1024,
  bufferedBytesMax: 256 * 1024,
  unreadBytesMax: 2 * 1024 * 1024,
  socketCommandsMax: 1_024,
  socketsMax: 100_000,
  waitMsMax: 30_000,
  signInMs: 10_000,
  idleSeconds: 120,
  rate: { burst: 20_000, perSecond: 10_000 },
};

export interface GatewayOptions {
  readonly host: string;
  readonly port: number;
  readonly authSecret: string;
  /** Origins that may open a socket, beside the server's own. */
  readonly allowedOrigins: readonly string[];
  readonly limits: GatewayLimits;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly catalog: ProblemCatalog;
  readonly languageOf: (claims: Claims) => string | undefined | Promise<string | undefined>;
  readonly commands: readonly Command[];
  readonly queries: readonly Query[];
  readonly openRoutes: readonly OpenRoute[];
  readonly operations: Operations;
  /** The sockets' routes; they get what runs the declared commands. */
  readonly sockets: (commands: SocketCommands) => readonly SocketRoute[];
  /** Whether the application can take calls. */
  readonly ready: () => boolean;
  readonly observer?: GatewayObserver;
  /** `GET /metrics`, when it is to be served here: open to whoever reaches the port. */
  readonly metrics?: MetricsText;
}

/** What is measured, in the format of whoever scrapes it. */
export interface MetricsText {
  readonly contentType: string;
  text(): Promise<string>;
}

export interface Gateway {
  readonly port: number;
  /** Open sockets. */
  sockets(): number;
  /** Stops accepting, turns readiness off, and resolves when nothing is under way any more, or at the deadline. */
  drain(deadlineMs: number): Promise<void>;
  /** Closes every socket with 1012, each at a random moment within `jitterMs`. */
  closeSockets(jitterMs: number): Promise<void>;
  /** Drops what is left. */
  close(): void;
}

class Sockets {
  readonly open = new Set<SocketSession>();
  readonly #options: GatewayOptions;
  readonly #router: Router<SocketRoute & { readonly method: string }>;
  readonly #session: Pick<
    ConstructorParameters<typeof SocketSession>[0],
    | 'authenticator'
    | 'flusher'
    | 'clock'
    | 'observer'
    | 'limits'
    | 'signInMs'
    | 'problem'
    | 'opened'
    | 'closed'
    | 'failed'
  >;
  draining = false;

  constructor(
    options: GatewayOptions,
    routes: readonly SocketRoute[],
    problem: (r: Refusal, l: string | undefined) => Problem,
  ) {
    const { limits, clock, log, authSecret, observer = silentGatewayObserver } = options;
    observer.watchSockets(() => this.open.size);
    this.#options = options;
    this.#router = new Router(routes.map((route) => ({ ...route, method: 'GET' })));
    this.#session = {
      authenticator: createAuthenticator(authSecret, clock),
      flusher: new Flusher(clock),
      clock,
      observer,
      limits: { bufferedBytesMax: limits.bufferedBytesMax, resumeBytes: limits.bufferedBytesMax / 4 },
      signInMs: limits.signInMs,
      problem,
      opened: (session) => this.open.add(session),
      closed: (session) => this.open.delete(session),
      failed: (error) => log.error({ err: error }, 'a socket failed'),
    };
  }

  /** Throws a `Refusal`. */
  admit(request: HttpRequest): Admission {
    const { headers, path, query } = request;
    const match = this.#router.match('GET', path);
    if (match.kind !== 'found') throw new Refusal('NOT_FOUND');
    if (headers['sec-websocket-version'] !== '13') {
      throw new Refusal('UPGRADE_REQUIRED', { headers: { upgrade: 'websocket', 'sec-websocket-version': '13' } });
    }
    if (!this.#originAllowed(headers.origin, headers.host)) {
      throw new Refusal('ORIGIN_NOT_ALLOWED', { params: { origin: (headers.origin ?? '').slice(0, 200) } });
    }
    if (this.draining) throw new Refusal('SERVER_RESTARTING');
    if (this.open.size >= this.#options.limits.socketsMax) throw new Refusal('OVERLOADED');
    match.route.admit(match.params);
    const authorization = headers.authorization;
    const inQuery = query.includes('access_token=') ? new URLSearchParams(query).get('access_token') : null;
    // A header without a bearer token is a bad token, not an absent one.
    const token = authorization === undefined ? (inQuery ?? undefined) : (bearerToken(authorization) ?? '');
    const language = negotiateLanguage(headers['accept-language'], this.#options.catalog.languages);
    const session = new SocketSession({ ...this.#session, route: match.route, params: match.params, token, language });
    return { kind: 'accept', handlers: session };
  }

  #originAllowed(origin: string | undefined, host: string | undefined): boolean {
    if (origin === undefined || this.#options.allowedOrigins.includes(origin)) return true;
    return URL.canParse(origin) && host !== undefined && new URL(origin).host === host.toLowerCase();
  }
}

function healthRoutes(ready: () => boolean): readonly OpenRoute[] {
  return [
    { method: 'GET', path: '/livez', answer: () => json(200, { status: 'live' }) },
    {
      method: 'GET',
      path: '/readyz',
      answer: () =>
        ready() ? json(200, { status: 'ready' }) : json(503, { status: 'not ready' }, { 'retry-after': '1' }),
    },
  ];
}

function metricsRoutes(metrics: MetricsText | undefined): readonly OpenRoute[] {
  if (metrics === undefined) return [];
  const answer = async (): Promise<HttpResponse> => ({
    status: 200,
    headers: { 'content-type': metrics.contentType, 'cache-control': 'no-store' },
    body: await metrics.text(),
  });
  return [{ method: 'GET', path: '/metrics', answer }];
}

function lifecycle(
  options: GatewayOptions,
  transport: Transport,
  sockets: Sockets,
  inFlight: InFlight,
  stop: () => void,
): Gateway {
  const { clock, ids } = options;
  return {
    port: transport.port,
    sockets: () => sockets.open.size,
    async drain(deadlineMs) {
      stop();
      transport.stopAccepting();
      let cancel = (): void => undefined;
      const deadline = new Promise<void>((resolve) => {
        cancel = clock.after(deadlineMs, resolve, { keepAlive: true });
      });
      await Promise.race([inFlight.idle(), deadline]);
      cancel();
    },
    async closeSockets(jitterMs) {
      const closing = [...sockets.open].map(
        (session) =>
          new Promise<void>((resolve) => {
            const close = (): void => {
              session.close(new Refusal('SERVER_RESTARTING'));
              resolve();
            };
            clock.after(Math.floor(ids.random() * jitterMs), close, { keepAlive: true });
          }),
      );
      await Promise.all(closing);
    },
    close: () => transport.close(),
  };
}

/** Listens. Rejects with `CONFIG_INVALID` when the port is taken or the transport's binary is missing. */
export async function openGateway(options: GatewayOptions): Promise<Gateway> {
  const { limits, clock, log, catalog, observer = silentGatewayObserver } = options;
  const inFlight = new InFlight();
  const limiter = new RateLimiter(limits.rate, clock);
  const defaultLanguage = catalog.languages[0] as string;
  const problem = (refusal: Refusal, language: string | undefined): Problem =>
    problemOf(refusal, language ?? defaultLanguage, catalog);
  const commands = new SocketCommands({
    commands: options.commands,
    limiter,
    inFlight,
    limits: { inFlightMax: limits.socketCommandsMax, unreadBytesMax: limits.unreadBytesMax },
    log,
    clock,
    observer,
    problem,
  });
  const routes = options.sockets(commands);
  const sockets = new Sockets(options, routes, problem);
  const calls = new HttpCalls({
    ...options,
    openRoutes: [
      ...healthRoutes(() => !sockets.draining && options.ready()),
      ...metricsRoutes(options.metrics),
      ...options.openRoutes,
    ],
    observer,
    socketPaths: routes.map((route) => route.path),
    authenticator: createAuthenticator(options.authSecret, clock),
    limiter,
    waitMsMax: limits.waitMsMax,
  });
  const upgrade = (request: HttpRequest): Admission => {
    try {
      return sockets.admit(request);
    } catch (error) {
      const refusal = error instanceof Refusal ? error : new Refusal('INTERNAL', { cause: error });
      return { kind: 'refuse', response: calls.refuse(request, refusal) };
    }
  };
  const transport = await openTransport({
    host: options.host,
    port: options.port,
    bodyBytesMax: limits.bodyBytesMax,
    frameBytesMax: limits.frameBytesMax,
    idleSeconds: limits.idleSeconds,
    inFlight,
    request: (request): Promise<HttpResponse> => calls.answer(request),
    tooLarge: (request) =>
      calls.refuse(request, new Refusal('BODY_TOO_LARGE', { params: { bytesMax: limits.bodyBytesMax } })),
    upgrade,
  });
  return lifecycle(options, transport, sockets, inFlight, () => {
    sockets.draining = true;
    commands.drain();
  });
}
