/**
 * Refusals and problems. A `Refusal` is what the gateway or the application throws: a stable code and what fills its text
 * in. A `Problem` (RFC 9457) is what a client gets of it, in the client's language. Texts and statuses of an
 * application's own codes come from its catalogue; nothing unexpected ever shows its message to a client.
 */

import { type ErrorCode, TroupeError } from '../errors.ts';
import type { CommandEnd } from '../observer.ts';
import type { HttpResponse } from './http.ts';

export type Params = Readonly<Record<string, string | number>>;

export interface FieldError {
  /** A JSON pointer into the body or the frame's data, or the name of a parameter. */
  readonly field: string;
  readonly detail: string;
}

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly params?: Params;
  readonly operationId?: string;
  /** True when the same request may succeed later. */
  readonly retryable?: true;
  readonly errors?: readonly FieldError[];
}

interface RefusalOptions {
  readonly params?: Params | undefined;
  readonly operationId?: string | undefined;
  /** Overrides the code's own status. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** The fields that are wrong, in a language. */
  readonly errors?: (language: string) => readonly FieldError[];
  readonly cause?: unknown;
}

export class Refusal extends Error {
  readonly code: string;
  readonly options: RefusalOptions;

  constructor(code: string, options: RefusalOptions = {}) {
    super(code, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'Refusal';
    this.code = code;
    this.options = options;
  }
}

/** Statuses of the codes the gateway itself gives. */
export const gatewayStatuses = {
  ADMIN_REQUIRED: 403,
  BODY_TOO_LARGE: 413,
  COMMAND_UNKNOWN: 400,
  EMAIL_NOT_VERIFIED: 403,
  FELL_BEHIND: 503,
  FRAME_INVALID: 400,
  IDEMPOTENCY_KEY_REUSED: 422,
  INTERNAL: 500,
  INVALID_JSON: 400,
  ISSUER_UNAVAILABLE: 503,
  METHOD_NOT_ALLOWED: 405,
  NOT_FOUND: 404,
  ORIGIN_NOT_ALLOWED: 403,
  OVERLOADED: 503,
  RATE_LIMITED: 429,
  SERVER_RESTARTING: 503,
  TOKEN_EXPIRED: 401,
  TOKEN_INVALID: 401,
  UNAUTHENTICATED: 401,
  UPGRADE_REQUIRED: 426,
  VALIDATION_FAILED: 422,
  // What the runtime may answer. Any other of its codes is an INTERNAL to a client.
  ACTOR_DAMAGED: 500,
  ASK_TIMEOUT: 504,
  JOURNAL_UNAVAILABLE: 503,
  MACHINE_FAILED: 500,
  MAILBOX_FULL: 503,
  OUTBOX_FULL: 503,
  SHARD_LOST: 503,
  STOPPED: 503,
} as const;
export type GatewayCode = keyof typeof gatewayStatuses;

/** How a command ended that was answered with a status. */
export function endOf(status: number): CommandEnd {
  if (status < 400) return 'done';
  if (status === gatewayStatuses.RATE_LIMITED) return 'rate-limited';
  return status < 500 ? 'refused' : 'failed';
}

const shownRuntimeCodes: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'ACTOR_DAMAGED',
  'ASK_TIMEOUT',
  'JOURNAL_UNAVAILABLE',
  'MACHINE_FAILED',
  'MAILBOX_FULL',
  'OUTBOX_FULL',
  'SHARD_LOST',
  'STOPPED',
]);

/** What a client is told of anything thrown; `operationId` when the call had one already. */
export function refusalOf(error: unknown, operationId?: string): Refusal {
  if (error instanceof Refusal) return error;
  const code = error instanceof TroupeError && shownRuntimeCodes.has(error.code) ? error.code : 'INTERNAL';
  return new Refusal(code, { cause: error, operationId });
}

/** An application's own codes: their statuses, and the text of every code (its own and the gateway's) in each language. */
export interface ProblemCatalog {
  /** Language tags, the default one first. */
  readonly languages: readonly string[];
  /** Undefined for a code that is not the application's. */
  status(code: string): number | undefined;
  /** Whether an own code may succeed later. */
  retryable(code: string): boolean;
  text(code: string, params: Params | undefined, language: string): { readonly title: string; readonly detail: string };
}

function statusOf(code: string, catalog: ProblemCatalog): number {
  return catalog.status(code) ?? gatewayStatuses[code as GatewayCode] ?? 500;
}

export function problemOf(refusal: Refusal, language: string, catalog: ProblemCatalog): Problem {
  const { params, operationId, errors } = refusal.options;
  const { title, detail } = catalog.text(refusal.code, params, language);
  const status = refusal.options.status ?? statusOf(refusal.code, catalog);
  return {
    type: `urn:troupe:problem:${refusal.code.toLowerCase().replaceAll('_', '-')}`,
    title,
    status,
    detail,
    code: refusal.code,
    ...(params === undefined ? {} : { params }),
    ...(operationId === undefined ? {} : { operationId }),
    ...(status >= 502 || status === 429 || catalog.retryable(refusal.code) ? { retryable: true } : {}),
    ...(errors === undefined ? {} : { errors: errors(language) }),
  };
}

/** The answer that carries a problem, with the headers its status asks for. */
export function problemResponse(refusal: Refusal, language: string, catalog: ProblemCatalog): HttpResponse {
  const problem = problemOf(refusal, language, catalog);
  const headers: Record<string, string> = {
    'content-type': 'application/problem+json; charset=utf-8',
    'content-language': language,
    'cache-control': 'no-store',
    ...refusal.options.headers,
  };
  if (problem.status === 401) {
    const reason = refusal.code === 'UNAUTHENTICATED' ? '' : ', error="invalid_token"';
    headers['www-authenticate'] = `Bearer realm="troupe"${reason}`;
  }
  if (problem.retryable === true) headers['retry-after'] ??= '1';
  return { status: problem.status, headers, body: JSON.stringify(problem) };
}
