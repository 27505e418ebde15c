/**
 * What an application declares of a call, once, for HTTP and sockets alike. A command has a name, a place in HTTP, the
 * schemas of its path parameters and its body (over a socket both are its `data`), and `prepare`, which checks the
 * caller and names the operation before anything has happened; `start` makes it durable. A query only reads.
 */

import * as z from 'zod';
import type { HttpRequest, HttpResponse } from './http.ts';
import type { Claims } from './tokens.ts';
import type { Schema } from './validation.ts';

/** Who calls, and what they prefer. */
export interface Call {
  readonly claims: Claims;
  /** The negotiated language; undefined when the caller names none. */
  readonly language: string | undefined;
  readonly idempotencyKey: string | undefined;
}

/** An operation that can be started. Its id is known before it exists, so that its outcome cannot be missed. */
export interface Prepared {
  readonly operationId: string;
  /** Resolves when the operation's start is durable; rejects with a `Refusal` or a `TroupeError`. */
  start(): Promise<Started>;
}

/** `repeated`: it had been started before, by the same request under the same idempotency key. */
export interface Started {
  readonly repeated: boolean;
}

export interface Command {
  readonly command: string;
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly params: Schema;
  readonly body: Schema;
  /** `params` and `body` in one: a socket's `data`. */
  readonly data: Schema;
  prepare(data: never, call: Call): Prepared | Promise<Prepared>;
}

export function defineCommand<TParams extends z.ZodRawShape, TBody extends z.ZodRawShape>(options: {
  readonly command: string;
  readonly method: Command['method'];
  readonly path: string;
  readonly params: z.ZodObject<TParams>;
  readonly body: z.ZodObject<TBody>;
  prepare(data: z.infer<z.ZodObject<TParams>> & z.infer<z.ZodObject<TBody>>, call: Call): Prepared | Promise<Prepared>;
}): Command {
  const data = options.params.extend(options.body.shape) as unknown as Schema;
  return { ...options, data };
}

/** A query's call: validated path parameters and query parameters. */
export interface QueryCall<TParams, TQuery> {
  readonly claims: Claims;
  readonly language: string | undefined;
  readonly params: TParams;
  readonly query: TQuery;
  /** The path as it was asked for, for links. */
  readonly path: string;
}

export interface Query {
  /** What it is called where a call has no path, as a command is by its `command`. Without one it is for HTTP alone. */
  readonly name?: string;
  /** POST: a question whose parameters come in a body; it changes nothing all the same. */
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly params: Schema;
  readonly query: Schema;
  /** Of a POST. */
  readonly body?: Schema;
  /** Anybody else is refused (ADMIN_REQUIRED) before anything is looked at. */
  readonly isForAdmins?: boolean;
  answer(call: QueryCall<never, never>): Promise<HttpResponse>;
}

export function defineQuery<TParams extends z.ZodRawShape, TQuery extends z.ZodRawShape>(options: {
  readonly name?: string;
  readonly path: string;
  readonly params: z.ZodObject<TParams>;
  readonly query: z.ZodObject<TQuery>;
  answer(call: QueryCall<z.infer<z.ZodObject<TParams>>, z.infer<z.ZodObject<TQuery>>>): Promise<HttpResponse>;
}): Query {
  return { method: 'GET', ...options, query: options.query.strict() as unknown as Schema } as unknown as Query;
}

/** A query that does not fit into a URL: its parameters come in the body of a POST. */
export function defineQuestion<TParams extends z.ZodRawShape, TBody extends z.ZodRawShape>(options: {
  readonly path: string;
  readonly params: z.ZodObject<TParams>;
  readonly body: z.ZodObject<TBody>;
  answer(
    call: QueryCall<z.infer<z.ZodObject<TParams>>, unknown> & { readonly body: z.infer<z.ZodObject<TBody>> },
  ): Promise<HttpResponse>;
}): Query {
  return { method: 'POST', query: z.object({}).strict(), ...options } as unknown as Query;
}

/** A route outside the API proper: open to anyone, unvalidated. */
export interface OpenRoute {
  readonly method: string;
  readonly path: string;
  answer(request: HttpRequest, language: string): HttpResponse | Promise<HttpResponse>;
}

/** The application's operations, for answers over HTTP. */
export interface Operations {
  /** The path where an operation can be looked at. */
  location(operationId: string): string;
  /**
   * Starts it and waits: the operation as its location would show it once completed, undefined when it has not ended in
   * time. Rejects with a `Refusal` when it ends in an error.
   */
  startAndWait(prepared: Prepared, claims: Claims, waitMs: number): Promise<unknown>;
}
