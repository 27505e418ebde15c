/**
 * What the runtime needs of a logger: pino's shape, so that a pino logger is one. The runtime logs what a person who
 * operates it must know (lost shards, retries, dead letters); each operation at debug level; nothing per envelope.
 */

export interface Log {
  /** Per operation, for whoever follows one. */
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
