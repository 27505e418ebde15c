/**
 * What the runtime needs of a logger: pino's shape, so that a pino logger is one. The runtime logs what a person who
 * operates it must know (lost shards, retries, dead letters) and nothing per envelope.
 */

export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export const silentLog: Log = {
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
