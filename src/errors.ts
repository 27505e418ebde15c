/**
 * The one error class of the runtime. Callers switch on `code`, which is stable; the message is for people and says
 * what is wrong and what to do. Expected outcomes of the ports (a refused commit, a lease held elsewhere) are values,
 * not errors.
 */

export type ErrorCode =
  | 'ADDRESS_INVALID'
  | 'ACTOR_TYPE_UNKNOWN'
  | 'ACTOR_DAMAGED'
  | 'ARCHIVE_DAMAGED'
  | 'ARCHIVE_INCOMPATIBLE'
  | 'ARCHIVE_UNAVAILABLE'
  | 'ASK_TIMEOUT'
  | 'CONFIG_INVALID'
  | 'EVENT_REFUSED'
  | 'JOURNAL_DAMAGED'
  | 'JOURNAL_LOCKED'
  | 'JOURNAL_TRIMMED'
  | 'JOURNAL_UNAVAILABLE'
  | 'JOURNAL_INCOMPATIBLE'
  | 'LIMIT_EXCEEDED'
  | 'MACHINE_FAILED'
  | 'MACHINE_REFUSED'
  | 'MAILBOX_FULL'
  | 'NODE_TAKEN'
  | 'NO_REPLY'
  | 'OUTBOX_FULL'
  | 'SHARD_LOST'
  | 'STOPPED'
  | 'TOPIC_INVALID'
  | 'VERSION_UNKNOWN';

export class TroupeError extends Error {
  readonly code: ErrorCode;
  readonly params: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, params: Readonly<Record<string, unknown>> = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'TroupeError';
    this.code = code;
    this.params = params;
  }
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
