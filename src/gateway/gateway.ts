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
import { type Authenticator, bearerToken, createAuthenticator } from './authentication.ts';
import { type CentrifugoOptions, centrifugoSockets, type SocketEntry } from './centrifugo/centrifugo.ts';
import type { Command, OpenRoute, Operations, Query } from './command.ts';
import { Flusher } from './connection.ts';
import { type Admission, type HttpRequest, type HttpResponse, json } from './http.ts';
import { HttpCalls } from './http-calls.ts';
import { InFlight } from './in-flight.ts';
import type { Issuer } from './issuer.ts';
import { openPages, type PagesOptions } from './pages.ts';
import { negotiateLanguage } from './preferences.ts';
import { type Problem, type ProblemCatalog, problemOf, Refusal } from './problem.ts';
import { Router } from './router.ts';
import { SocketCommands } from './socket-commands.ts';
import { type SessionOptions, type SocketRoute, SocketSession } from './socket-session.ts';
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
  /** What one client of the Centrifugo protocol tells others: who is typing. */
  readonly tellRate: RateLimit;
  /** Channels of one such client. */
  readonly channelsMax: number;
  /** Bytes of its frames: one holds the subscriptions to all of its channels when it comes again. */
  readonly batchBytesMax: number;
  /** Between pings to such a client, and how long its answer is waited for. */
  readonly pingSeconds: number;
  readonly pongMs: number;
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
  tellRate: { burst: 10, perSecond: 2 },
  channelsMax: 1_000,
  batchBytesMax: 256 * 1024,
  pingSeconds: 25,
  pongMs: 8_000,
};

export interface GatewayOptions {
  readonly host: string;
  readonly port: number;
  /** Signs tokens of the server's own (HS256); undefined: none are accepted. */
  readonly authSecret: string | undefined;
  /** Whose tokens are accepted, beside or instead of them. */
  readonly issuer?: Issuer | undefined;
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
  /** The channels of the Centrifugo protocol, if it is to be spoken. */
  readonly channels?: Pick<CentrifugoOptions, 'rules' | 'topics'>;
  /** Whether the application can take calls. */
  readonly ready: () => boolean;
  readonly observer?: GatewayObserver;
  /** `GET /metrics`, when it is to be served here: open to whoever reaches the port. */
  readonly metrics?: MetricsText;
  /** Web pages to serve. */
  readonly pages?: PagesOptions;
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

/** An open socket, of whatever protocol. */
interface OpenSocket {
  close(refusal: Refusal): void;
}

class Sockets {
  readonly open = new Set<OpenSocket>();
  readonly frameBytesMaxAt: Readonly<Record<string, number>>;
  readonly #options: GatewayOptions;
  readonly #paths: readonly string[];
  readonly #router: Router<SocketEntry & { readonly method: string }>;
  readonly #session: Omit<SessionOptions, 'route' | 'params' | 'query' | 'token' | 'language' | 'opened' | 'closed'> & {
    opened(session: OpenSocket): void;
    closed(session: OpenSocket): void;
  };
  draining = false;

  constructor(
    options: GatewayOptions,
    routes: readonly SocketRoute[],
    authenticator: Authenticator,
    calls: Pick<CentrifugoOptions, 'commands' | 'limiter' | 'inFlight'>,
    problem: (r: Refusal, l: string | undefined) => Problem,
  ) {
    const { limits, clock, log, observer = silentGatewayObserver } = options;
    observer.watchSockets(() => this.open.size);
    this.#options = options;
    this.#session = {
      authenticator,
      flusher: new Flusher(clock),
      clock,
      observer,
      limits: { bufferedBytesMax: limits.bufferedBytesMax, resumeBytes: limits.bufferedBytesMax / 4 },
      signInMs: limits.signInMs,
      problem,
      opened: (session: OpenSocket) => this.open.add(session),
      closed: (session: OpenSocket) => this.open.delete(session),
      failed: (error) => log.error({ err: error }, 'a socket failed'),
    };
    const { channels } = options;
    const plain = routes.map((route) => this.#plain(route));
    const shared = { ...options, ...this.#session, ...calls, limits };
    const entries = channels === undefined ? plain : [...plain, centrifugoSockets({ ...shared, ...channels })];
    this.#paths = entries.map(({ path }) => path);
    this.frameBytesMaxAt = Object.fromEntries(
      entries.flatMap(({ path, frameBytesMax }) => (frameBytesMax === undefined ? [] : [[path, frameBytesMax]])),
    );
    this.#router = new Router(entries.map((entry) => ({ ...entry, method: 'GET' })));
  }

  get paths(): readonly string[] {
    return this.#paths;
  }

  /** Throws a `Refusal`. */
  admit(request: HttpRequest): Admission {
    const { headers, path } = request;
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
    const language = negotiateLanguage(headers['accept-language'], this.#options.catalog.languages);
    return { kind: 'accept', ...match.route.accept(match.params, request, language) };
  }

  #plain(route: SocketRoute): SocketEntry {
    return {
      path: route.path,
      accept: (params, request, language) => ({ handlers: this.#open(route, params, request, language) }),
    };
  }

  #open(
    route: SocketRoute,
    params: Readonly<Record<string, string>>,
    { headers, query }: HttpRequest,
    language: string | undefined,
  ): SocketSession {
    route.admit(params, query);
    const authorization = headers.authorization;
    const inQuery = query.includes('access_token=') ? new URLSearchParams(query).get('access_token') : null;
    // A header without a bearer token is a bad token, not an absent one.
    const token = authorization === undefined ? (inQuery ?? undefined) : (bearerToken(authorization) ?? '');
    return new SocketSession({ ...this.#session, route, params, query, token, language });
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
  const authenticator = createAuthenticator({ secret: options.authSecret, issuer: options.issuer, clock });
  const sockets = new Sockets(options, routes, authenticator, { commands, limiter, inFlight }, problem);
  const calls = new HttpCalls({
    ...options,
    openRoutes: [
      ...healthRoutes(() => !sockets.draining && options.ready()),
      ...metricsRoutes(options.metrics),
      ...(options.pages === undefined ? [] : openPages(options.pages)),
      ...options.openRoutes,
    ],
    observer,
    socketPaths: sockets.paths,
    authenticator,
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
    frameBytesMaxAt: sockets.frameBytesMaxAt,
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
