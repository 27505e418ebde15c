/** Processes of their own for the tests of the LMDB store; each is killed when its test is over. */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { eventually } from './adapter.ts';

export interface Child {
  readonly pid: number;
  /** What it wrote so far. */
  output(): string;
  /** Resolves when `output` holds at least `lines` whole lines. */
  lines(lines: number): Promise<void>;
  /** Kills it at once (SIGKILL) and waits until it is gone. */
  kill(): Promise<void>;
}

/** Runs a TypeScript file beside this one. */
export function startChild(file: string, ...args: string[]): Child {
  const script = fileURLToPath(new URL(file, import.meta.url));
  const child: ChildProcess = spawn(process.execPath, ['--import', 'tsx', script, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  child.stdout?.on('data', (data) => {
    output += String(data);
  });
  child.stderr?.on('data', (data) => {
    errors += String(data);
  });
  const gone = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await gone;
  };
  onTestFinished(kill);
  return {
    pid: child.pid as number,
    output: () => output,
    lines: async (lines) => {
      await eventually(async () => {
        if (child.exitCode !== null) throw new Error(`The process ended early: ${errors}`);
        return output.split('\n').length > lines ? true : undefined;
      });
    },
    kill,
  };
}

/** A folder that is removed after the running test. */
export function temporaryFolder(): string {
  const path = mkdtempSync(join(tmpdir(), 'troupe-lmdb-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
