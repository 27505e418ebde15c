/**
 * `rpc`: every command and query of the API by its name, with the declarations, checks and limits it has over HTTP. What
 * HTTP takes from the path, the query and the body is one object here. A problem is an error whose code is its status and
 * whose message is the problem itself as JSON, since a client gets to see nothing else of an error.
 */

import type { Clock } from '../../clock.ts';
import type { Log } from '../../log.ts';
import type { GatewayObserver } from '../../observer.ts';
import type { Query } from '../command.ts';
import type { HttpResponse } from '../http.ts';
import type { InFlight } from '../in-flight.ts';
import { type Problem, Refusal, refusalOf } from '../problem.ts';
import type { Caller, SocketCommands } from '../socket-commands.ts';
import type { RateLimiter } from '../token-bucket.ts';
import { validated } from '../validation.ts';
import { errorFrame, errors, ProtocolError, type Request, replyFrame } from './protocol.ts';

export interface CallsOptions {
  readonly commands: SocketCommands;
  readonly queries: readonly Query[];
  readonly limiter: RateLimiter;
  readonly inFlight: InFlight;
  readonly clock: Clock;
  readonly log: Log;
  readonly observer: GatewayObserver;
  problem(refusal: Refusal, language: string | undefined): Problem;
}

function problemError(problem: Problem): ProtocolError {
  return new ProtocolError(problem.status, JSON.stringify(problem), problem.retryable === true);
}

/** What HTTP says in a header, beside what it says in the body. */
function resultOf({ body = 'null', headers = {}, feed }: HttpResponse): string {
  const next = /[?&]before=([^&>]+)[^>]*>; rel="next"/.exec(headers.link ?? '')?.[1];
  const more = {
    ...(next === undefined ? {} : { next: decodeURIComponent(next) }),
    ...(feed === undefined ? {} : { feed }),
  };
  const rest = JSON.stringify(more).slice(1);
  return `{"data":${body}${rest === '}' ? '' : ','}${rest}`;
}

/** Values of a query as HTTP has them. */
function texts(data: Readonly<Record<string, unknown>>, names: ReadonlySet<string>): Record<string, unknown> {
  const fields = Object.entries(data).filter(([name]) => names.has(name));
  return Object.fromEntries(
    fields.map(([name, value]) => [
      name,
      typeof value === 'number' || typeof value === 'boolean' ? String(value) : value,
    ]),
  );
}

function pathOf(template: string, data: Readonly<Record<string, unknown>>): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(data[name])));
}

export class Calls {
  readonly #options: CallsOptions;
  readonly #queries: ReadonlyMap<string, Query>;

  constructor(options: CallsOptions) {
    this.#options = options;
    const named = options.queries.flatMap((query) => (query.name === undefined ? [] : [[query.name, query] as const]));
    this.#queries = new Map(named);
  }

  /** Answers by frames of the caller's connection. */
  call(caller: Caller, id: number, { method = '', data }: Request<'rpc'>): void {
    const { commands, clock } = this.#options;
    if (commands.has(method)) {
      const key =
        typeof data === 'object' && data !== null ? (data as Record<string, unknown>).idempotencyKey : undefined;
      if (key !== undefined && typeof key !== 'string') {
        caller.connection.send(errorFrame(id, errors.badRequest));
        return;
      }
      commands.run(caller, {
        type: method,
        data,
        idempotencyKey: key,
        receivedAt: clock.monotonic(),
        accepted: (operationId) => replyFrame(id, 'rpc', `{"data":{"operationId":"${operationId}"}}`),
        refused: (problem) => errorFrame(id, problemError(problem)),
      });
      return;
    }
    const query = this.#queries.get(method);
    if (query === undefined) caller.connection.send(errorFrame(id, errors.methodNotFound));
    else void this.#query(caller, id, query, data);
  }

  async #query(caller: Caller, id: number, query: Query, data: unknown): Promise<void> {
    const { inFlight, problem } = this.#options;
    inFlight.begin();
    caller.inFlight += 1;
    try {
      const response = await this.#answer(caller, query, data ?? {});
      caller.connection.send(replyFrame(id, 'rpc', `{"data":${resultOf(response)}}`));
    } catch (error) {
      const refusal = refusalOf(error);
      if (!(error instanceof Refusal)) {
        this.#options.log.error({ query: query.name, code: refusal.code, err: error }, 'query failed');
      }
      caller.connection.send(errorFrame(id, problemError(problem(refusal, caller.language()))));
    } finally {
      caller.inFlight -= 1;
      inFlight.end();
    }
  }

  async #answer(caller: Caller, query: Query, data: unknown): Promise<HttpResponse> {
    const { limiter, observer } = this.#options;
    const waitMs = limiter.take(caller.claims.email);
    if (waitMs > 0) {
      observer.rateLimited();
      throw new Refusal('RATE_LIMITED', { params: { retryAfterMs: waitMs } });
    }
    if (typeof data !== 'object' || data === null || Array.isArray(data)) {
      throw new Refusal('VALIDATION_FAILED', { status: 400, params: { fields: 'data' } });
    }
    const fields = data as Readonly<Record<string, unknown>>;
    const inPath = new Set(Object.keys(query.params.shape));
    const inQuery = new Set(Object.keys(fields).filter((name) => !inPath.has(name)));
    return query.answer({
      claims: caller.claims,
      language: caller.language(),
      params: validated(query.params, texts(fields, inPath), 400),
      query: validated(query.query, texts(fields, inQuery), 400),
      path: pathOf(query.path, fields),
    } as never);
  }
}
