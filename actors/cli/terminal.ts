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
  /** On a screen, replaces what it drew last, cut to the screen; in a pipe, an empty line and the next block follow. */
  draw(lines: readonly string[]): void;
  /** Aborted when the command is asked to end, by a signal or because nobody reads its output; it ends by itself then. */
  interruption(): AbortSignal;
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

/** As much of a block as fits on the screen, over what was there. */
export function drawing(lines: readonly string[], columns: number, rows: number): string {
  const isWhole = lines.length < rows;
  const shown = isWhole ? lines : [...lines.slice(0, rows - 2), `… ${count(lines.length - rows + 2, 'more line')}`];
  return `\u001b[H${shown.map((line) => `${line.slice(0, columns)}\u001b[K\n`).join('')}\u001b[J`;
}

function interruptionOfProcess(): AbortSignal {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  process.once('SIGINT', abort);
  process.once('SIGTERM', abort);
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    abort();
  });
  return controller.signal;
}

export function processTerminal(): Terminal {
  let open = false;
  let drawn = false;
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
    draw: (lines) => {
      end();
      const { isTTY, columns = 80, rows = 24 } = process.stdout;
      if (isTTY) process.stdout.write(`${drawn ? '' : '\u001b[2J'}${drawing(lines, columns, rows)}`);
      else process.stdout.write(`${drawn ? '\n' : ''}${lines.join('\n')}\n`);
      drawn = true;
    },
    interruption: interruptionOfProcess,
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
