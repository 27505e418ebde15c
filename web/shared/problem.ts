/** What the server says when something cannot be done (RFC 9457), in the language it was asked in. */

export interface Problem {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly code: string;
  readonly retryable?: boolean;
  readonly operationId?: string;
}

export function isProblem(value: unknown): value is Problem {
  return typeof value === 'object' && value !== null && 'code' in value && 'title' in value;
}
