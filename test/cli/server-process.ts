/** `troupe start`, or another command that runs on, as a process of its own. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const bin = join(import.meta.dirname, '../../actors/cli/troupe.js');
const lineMs = 30_000;

export class ServerProcess {
  /** Everything on stdout and stderr, in the order it came. */
  output = '';
  readonly #child: ChildProcess;
  readonly #exit: Promise<number | null>;

  constructor(environment: Readonly<Record<string, string>>, args: readonly string[] = ['start']) {
    const { PATH = '' } = process.env;
    this.#child = spawn(process.execPath, [bin, ...args], {
      env: { PATH, PORT: '0', LOG_LEVEL: 'warn', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (text: Buffer) => {
        this.output += text;
        this.#child.emit('output');
      });
    }
    this.#exit = once(this.#child, 'close').then(([code]) => {
      this.#child.emit('output');
      return code as number | null;
    });
  }

  /** The groups of the first match in the output. Rejects when the process ends, or takes too long, without one. */
  async prints(pattern: RegExp): Promise<readonly string[]> {
    const signal = AbortSignal.timeout(lineMs);
    for (;;) {
      const match = pattern.exec(this.output);
      if (match !== null) return match.slice(1);
      const hasEnded = this.#child.exitCode !== null || this.#child.signalCode !== null;
      if (hasEnded || signal.aborted) throw new Error(`no ${pattern} in:\n${this.output}`);
      await once(this.#child, 'output', { signal }).catch(() => undefined);
    }
  }

  /** Nobody reads what it prints from here on. */
  hangUp(): void {
    this.#child.stdout?.destroy();
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** The exit code once the process has ended and everything it wrote is here. */
  ended(): Promise<number | null> {
    return this.#exit;
  }
}
