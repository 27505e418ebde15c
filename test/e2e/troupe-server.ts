/**
 * The chat server as a process of its own, started as `npm start` starts it. A watchdog ends it when the test's process
 * goes away without saying so, so that none is left over.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';

const bin = join(import.meta.dirname, '../../actors/cli/troupe.js');
const watchdog = 'read -r line; kill -KILL "$0" 2>/dev/null';
const startMs = 60_000;
const readyPauseMs = 20;

export interface ServerOptions {
  /** For `JOURNAL`. */
  readonly journal: string;
  readonly port: number;
  readonly environment?: Readonly<Record<string, string>>;
  /** Another program for Node, which says where it listens as the chat does. */
  readonly program?: readonly string[];
}

/**
 * A port that nobody listens on. A server that is to be started again needs it: one that took its own (PORT=0) leaves
 * connections behind which keep others off that port for a minute.
 */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

export class TroupeServer {
  /** Everything on stdout and stderr. */
  output = '';
  #url = '';
  readonly #child: ChildProcess;
  readonly #watchdog: ChildProcess;
  readonly #exit: Promise<number | null>;

  private constructor({ journal, port, environment = {}, program = [bin, 'start'] }: ServerOptions) {
    const { PATH = '' } = process.env;
    this.#child = spawn(process.execPath, program, {
      env: { PATH, HOST: '127.0.0.1', PORT: String(port), JOURNAL: journal, LOG_LEVEL: 'warn', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#watchdog = spawn('sh', ['-c', watchdog, String(this.#child.pid)], { stdio: ['pipe', 'ignore', 'ignore'] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (text: Buffer) => {
        this.output += text;
        this.#child.emit('output');
      });
    }
    this.#exit = once(this.#child, 'close').then(([code]) => {
      this.#watchdog.kill('SIGKILL');
      this.#child.emit('output');
      return code as number | null;
    });
  }

  /** A process that has just been created. */
  static launch(options: ServerOptions): TroupeServer {
    return new TroupeServer(options);
  }

  /** A server that is ready for calls. */
  static async start(options: ServerOptions): Promise<TroupeServer> {
    const server = TroupeServer.launch(options);
    await server.ready();
    return server;
  }

  /** `http://127.0.0.1:<port>`. */
  get url(): string {
    return this.#url;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Resolves when it is ready for calls; it is killed when it does not get there. */
  async ready(): Promise<void> {
    try {
      await this.#becomeReady();
    } catch (error) {
      await this.kill();
      throw error;
    }
  }

  /** What became of it, and what it said. */
  get fate(): string {
    const { exitCode, signalCode } = this.#child;
    const end = this.isRunning ? 'runs' : `ended with ${signalCode ?? exitCode}`;
    return `The server ${end}. It said:\n${this.output.slice(-4_000)}`;
  }

  /** SIGTERM; gives the exit code. */
  stop(): Promise<number | null> {
    this.#child.kill('SIGTERM');
    return this.#exit;
  }

  /** The process stands still, with everything it holds. */
  pause(): void {
    this.#child.kill('SIGSTOP');
  }

  resume(): void {
    this.#child.kill('SIGCONT');
  }

  /** kill -9; resolves when it is gone. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exit;
  }

  /** The exit code, once it has ended by itself. */
  ended(): Promise<number | null> {
    return this.#exit;
  }

  async #becomeReady(): Promise<void> {
    const signal = AbortSignal.timeout(startMs);
    const failure = (): Error => new Error(`Not ready. ${this.fate}`);
    for (;;) {
      const listens = /Troupe listens on (http:\S+)/.exec(this.output);
      if (listens !== null) {
        this.#url = listens[1] as string;
        break;
      }
      if (!this.isRunning || signal.aborted) throw failure();
      await once(this.#child, 'output', { signal }).catch(() => undefined);
    }
    while (!(await this.#isReady())) {
      if (!this.isRunning || signal.aborted) throw failure();
      await new Promise((resolve) => setTimeout(resolve, readyPauseMs));
    }
  }

  async #isReady(): Promise<boolean> {
    try {
      const answer = await fetch(`${this.#url}/readyz`);
      await answer.arrayBuffer();
      return answer.ok;
    } catch {
      return false;
    }
  }
}
