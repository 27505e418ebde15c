/** What a command sees of the world outside: its two streams, the environment, and the way to end. */

import type { Environment } from '../config.ts';

export interface Terminal {
  readonly environment: Environment;
  /** One line on stdout. */
  out(line: string): void;
  /** One line on stderr: hints, progress, errors. */
  err(line: string): void;
  /** Replaces the line written last by `progress`; shown to people only, never in a pipe. */
  progress(line: string): void;
}

/** Ends a command with exit code 1, and with a sentence unless everything is said already. */
export class Failure extends Error {
  constructor(sentence = '') {
    super(sentence);
    this.name = 'Failure';
  }
}

/** The user typed a value that cannot be: exit code 2. */
export class UsageError extends Error {
  constructor(sentence: string) {
    super(sentence);
    this.name = 'UsageError';
  }
}

export function processTerminal(): Terminal {
  let open = false;
  const end = (): void => {
    if (open) process.stderr.write('\r\u001b[K');
    open = false;
  };
  return {
    environment: process.env,
    out: (line) => {
      end();
      process.stdout.write(`${line}\n`);
    },
    err: (line) => {
      end();
      process.stderr.write(`${line}\n`);
    },
    progress: (line) => {
      if (!process.stderr.isTTY) return;
      process.stderr.write(`\r\u001b[K${line}`);
      open = true;
    },
  };
}

/** Columns padded to their widest cell; the last one is left as it is. */
export function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}

export function count(n: number, one: string, many = `${one}s`): string {
  return `${n.toLocaleString('en')} ${n === 1 ? one : many}`;
}
