/**
 * HTTP requests against the declared calls: routing, the caller's identity and rate, their preferences, validation, and
 * the answer of commands (202 with a Location, or the outcome when it was waited for) and queries. Whatever is thrown
 * becomes a problem in the caller's language. It knows no socket and no transport.
 */

import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { GatewayObserver } from '../observer.ts';
import { type Authenticator, adminOf } from './authentication.ts';
import type { Command, OpenRoute, Operations, Query } from './command.ts';
import { type HttpRequest, type HttpResponse, json } from './http.ts';
import { idempotencyKey, negotiateLanguage, waitPreference } from './preferences.ts';
import { endOf, type ProblemCatalog, problemResponse, Refusal, refusalOf } from './problem.ts';
import { Router } from './router.ts';
import type { RateLimiter } from './token-bucket.ts';
import type { Claims } from './tokens.ts';
import { jsonOf, queryObject, validated } from './validation.ts';

export interface HttpCallsOptions {
  readonly commands: readonly Command[];
  readonly queries: readonly Query[];
  readonly openRoutes: readonly OpenRoute[];
  /** Templates of sockets: a plain GET there is told to upgrade. */
  readonly socketPaths: readonly string[];
  readonly operations: Operations;
  readonly catalog: ProblemCatalog;
  /** The language of a caller that names none. */
  readonly languageOf: (claims: Claims) => string | undefined | Promise<string | undefined>;
  readonly authenticator: Authenticator;
  readonly limiter: RateLimiter;
  readonly waitMsMax: number;
  readonly log: Log;
  readonly clock: Clock;
  readonly observer: GatewayObserver;
}

type Route = { readonly method: string; readonly path: string } & (
  | {
      readonly kind: 'command';
      readonly command: Command;
      readonly pathFields: readonly string[];
      readonly hasBody: boolean;
    }
  | { readonly kind: 'query'; readonly query: Query }
  | { readonly kind: 'open'; readonly open: OpenRoute }
  | { readonly kind: 'socket' }
);

function routesOf(options: HttpCallsOptions): readonly Route[] {
  return [
    ...options.commands.map(
      (command): Route => ({
        kind: 'command',
        method: command.method,
        path: command.path,
        command,
        pathFields: Object.keys(command.params.shape),
        hasBody: Object.keys(command.body.shape).length > 0,
      }),
    ),
    ...options.queries.map((query): Route => ({ kind: 'query', method: query.method, path: query.path, query })),
    ...options.openRoutes.map((open): Route => ({ kind: 'open', method: open.method, path: open.path, open })),
    ...options.socketPaths.map((path): Route => ({ kind: 'socket', method: 'GET', path })),
  ];
}

/** What is known of a request when its problem is written. */
interface Scope {
  readonly request: HttpRequest;
  readonly language: string | undefined;
  claims: Claims | undefined;
  route: Route | undefined;
}

export class HttpCalls {
  readonly #options: HttpCallsOptions;
  readonly #router: Router<Route>;

  constructor(options: HttpCallsOptions) {
    this.#options = options;
    this.#router = new Router(routesOf(options));
  }

  /** Answers every request; never rejects. */
  async answer(request: HttpRequest): Promise<HttpResponse> {
    const { catalog, clock, observer } = this.#options;
    const startedAt = clock.monotonic();
    const language = negotiateLanguage(request.headers['accept-language'], catalog.languages);
    const scope: Scope = { request, language, claims: undefined, route: undefined };
    const response = await this.#dispatch(scope).catch((error: unknown) => this.#problem(scope, error));
    const ms = clock.monotonic() - startedAt;
    observer.request(request.method, scope.route?.path, response.status, ms);
    if (scope.route?.kind === 'command') {
      observer.command(scope.route.command.command, endOf(response.status), ms);
    }
    return response;
  }

  /** A problem without a call, for what the transport refuses by itself. */
  refuse(request: HttpRequest, refusal: Refusal): HttpResponse {
    const { catalog, observer } = this.#options;
    const language = negotiateLanguage(request.headers['accept-language'], catalog.languages);
    const match = this.#router.match(request.method, request.path);
    const response = problemResponse(refusal, language ?? (catalog.languages[0] as string), catalog);
    observer.request(request.method, match.kind === 'found' ? match.route.path : undefined, response.status, 0);
    return response;
  }

  async #dispatch(scope: Scope): Promise<HttpResponse> {
    const { request, language } = scope;
    const match = this.#router.match(request.method, request.path);
    if (match.kind === 'none') throw new Refusal('NOT_FOUND');
    if (match.kind === 'other-method') {
      const allow = match.allow.join(', ');
      if (request.method === 'OPTIONS') return { status: 204, headers: { allow } };
      throw new Refusal('METHOD_NOT_ALLOWED', { params: { method: request.method }, headers: { allow } });
    }
    const { route, params } = match;
    scope.route = route;
    if (route.kind === 'open')
      return route.open.answer(request, language ?? (this.#options.catalog.languages[0] as string));
    if (route.kind === 'socket') throw new Refusal('UPGRADE_REQUIRED', { headers: { upgrade: 'websocket' } });
    const claims = await this.#options.authenticator.authenticate(request.headers.authorization);
    scope.claims = claims;
    this.#limit(claims);
    if (route.kind === 'command') return this.#command(scope, claims, route, params);
    const { query } = route;
    if (query.isForAdmins === true) adminOf(claims);
    const response = await query.answer({
      claims,
      language,
      params: validated(query.params, params, 400),
      query: validated(query.query, queryObject(request.query), 400),
      path: request.path,
      ...(query.body === undefined ? undefined : { body: validated(query.body, jsonOf(request.body), 422) }),
    } as never);
    return withFeedHeader(response);
  }

  #limit(claims: Claims): void {
    const waitMs = this.#options.limiter.take(claims.email);
    if (waitMs === 0) return;
    this.#options.observer.rateLimited();
    const headers = { 'retry-after': String(Math.ceil(waitMs / 1000)) };
    throw new Refusal('RATE_LIMITED', { params: { retryAfterMs: waitMs }, headers });
  }

  async #command(
    scope: Scope,
    claims: Claims,
    route: Extract<Route, { readonly kind: 'command' }>,
    params: Readonly<Record<string, string>>,
  ): Promise<HttpResponse> {
    const { request, language } = scope;
    const { operations, log, waitMsMax } = this.#options;
    const { command, pathFields } = route;
    const key = idempotencyKey(request.headers['idempotency-key']);
    const body = route.hasBody ? jsonOf(request.body) : {};
    const whole = typeof body === 'object' && body !== null && !Array.isArray(body) ? { ...body, ...params } : body;
    const data = validated(command.data, whole, 422, pathFields);
    const prepared = await command.prepare(data as never, { claims, language, idempotencyKey: key });
    const { operationId } = prepared;
    const waitMs = waitPreference(request.headers.prefer, waitMsMax);
    try {
      if (waitMs === 0) await prepared.start();
      const outcome = waitMs === 0 ? undefined : await operations.startAndWait(prepared, claims, waitMs);
      log.debug({ operationId, command: command.command }, 'operation started');
      const applied = waitMs === 0 ? {} : { 'preference-applied': `wait=${Math.ceil(waitMs / 1000)}` };
      const location = operations.location(operationId);
      if (outcome !== undefined) return json(200, outcome, { 'content-location': location, ...applied });
      return json(202, { operationId }, { location, ...applied });
    } catch (error) {
      throw refusalOf(error, operationId);
    }
  }

  async #problem(scope: Scope, error: unknown): Promise<HttpResponse> {
    const { catalog, languageOf, log } = this.#options;
    const refusal = refusalOf(error);
    const { operationId, cause } = refusal.options;
    const language =
      scope.language ?? (await ownLanguage(scope.claims, languageOf)) ?? (catalog.languages[0] as string);
    const response = problemResponse(refusal, language, catalog);
    if (response.status >= 500) {
      const { method, path } = scope.request;
      log.error(
        { operationId, code: refusal.code, status: response.status, method, path, err: cause },
        'request failed',
      );
    }
    return response;
  }
}

/** Channels that a header names; a header must not grow with the number of rooms. */
const feedChannelsMax = 50;

/** `Troupe-Feed: room:…;epoch=…;offset=12, …`: the position in each channel that the answer is good from. */
function withFeedHeader(response: HttpResponse): HttpResponse {
  const { feed } = response;
  if (feed === undefined || feed.length === 0) return response;
  const named = feed.slice(0, feedChannelsMax);
  const header = named.map(({ channel, epoch, offset }) => `${channel};epoch=${epoch};offset=${offset}`).join(', ');
  return { ...response, headers: { ...response.headers, 'troupe-feed': header } };
}

/** A problem is told in some language also when the caller's own cannot be found out. */
async function ownLanguage(
  claims: Claims | undefined,
  languageOf: HttpCallsOptions['languageOf'],
): Promise<string | undefined> {
  try {
    return claims === undefined ? undefined : await languageOf(claims);
  } catch {
    return undefined;
  }
}
