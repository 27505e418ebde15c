/** HTTP as a client of the chat uses it: JSON in, JSON out, with what the tests look at. */

import type { OperationState, SagaName } from '../../actors/contract.ts';

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly params?: Readonly<Record<string, string | number>>;
  readonly operationId?: string;
  readonly retryable?: true;
  readonly errors?: readonly { readonly field: string; readonly detail: string }[];
}

export interface Operation<T = unknown> {
  readonly operationId: string;
  readonly type: SagaName;
  readonly state: OperationState;
  readonly responsibleUserId: string;
  readonly result?: T;
  readonly error?: Problem;
}

export interface Answer<T> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
}

export type RequestHeaders = Readonly<Record<string, string>>;

/** A server that takes longer hangs. */
const answerMs = 60_000;

/** `body`: text and bytes as they are, anything else as JSON; undefined for none. */
export async function request<T>(
  url: string,
  method: string,
  headers: RequestHeaders,
  body?: unknown,
  deadlineMs: number = answerMs,
): Promise<Answer<T>> {
  const raw = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
  const answer = await fetch(url, {
    method,
    signal: AbortSignal.timeout(deadlineMs),
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(raw === undefined ? {} : { body: raw as NonNullable<RequestInit['body']> }),
  });
  const text = await answer.text();
  const isJson = /[/+]json/.test(answer.headers.get('content-type') ?? '');
  return { status: answer.status, headers: answer.headers, body: (isJson ? JSON.parse(text) : text) as T };
}
