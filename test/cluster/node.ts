/**
 * One node of a cluster under test: a real process, and what can be done to it. It keeps its id over restarts, and takes
 * a new port each time. It ends with the test's process, also when that is killed.
 */

import { join } from 'node:path';
import type { Role } from '../../src/cluster/cluster-store.ts';
import { within } from '../e2e/deadline.ts';
import { TroupeServer } from '../e2e/troupe-server.ts';
import type { ChaosProxy } from './chaos-proxy.ts';

/** The chat server, the counters of counter-node.ts, or the chat server of compacting-node.ts. */
export type Program = 'chat' | 'counter' | 'compacting';

export interface NodeSpec {
  readonly id: string;
  /** Default `all`. */
  readonly role?: Role;
  readonly weight?: number;
  /** Further settings. */
  readonly environment?: Readonly<Record<string, string>>;
}

export interface NodeOptions extends NodeSpec {
  readonly program: Program;
  /** Of its journal, as it is reached from here. */
  readonly journal: string;
  readonly leaseMs: number;
  /** What its journal is reached through, if anything. */
  readonly proxy?: ChaosProxy | undefined;
}

const programs: Readonly<Record<Program, readonly string[] | undefined>> = {
  chat: undefined,
  counter: ['--import', import.meta.resolve('tsx/esm'), join(import.meta.dirname, 'counter-node.ts')],
  compacting: ['--import', import.meta.resolve('tsx/esm'), join(import.meta.dirname, 'compacting-node.ts')],
};
const stopMs = 45_000;

export class ClusterNode {
  readonly id: string;
  readonly proxy: ChaosProxy | undefined;
  readonly #options: NodeOptions;
  #server: TroupeServer;
  #isPaused = false;
  /** Whether somebody ended it; a node that ends by itself is a finding. */
  #isEnded = false;
  #earlierOutput = '';

  private constructor(options: NodeOptions) {
    this.id = options.id;
    this.proxy = options.proxy;
    this.#options = options;
    this.#server = this.#launch();
  }

  /** A process that has just been created. */
  static launch(options: NodeOptions): ClusterNode {
    return new ClusterNode(options);
  }

  /** `http://127.0.0.1:<port>`; another one after a restart. */
  get url(): string {
    return this.#server.url;
  }

  get pid(): number | undefined {
    return this.#server.pid;
  }

  /** Whether there is a process that can answer. */
  get isLive(): boolean {
    return this.#server.isRunning && !this.#isPaused && this.url !== '';
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** It ended, and nobody had asked for it. */
  get hasCrashed(): boolean {
    return !this.#server.isRunning && !this.#isEnded;
  }

  /** Everything it ever printed. */
  get output(): string {
    return `${this.#earlierOutput}${this.#server.output}`;
  }

  /** Of its log, all lines that match. */
  lines(pattern: RegExp): readonly string[] {
    return this.output.split('\n').filter((line) => pattern.test(line));
  }

  get fate(): string {
    return `${this.id}: ${this.#server.fate}`;
  }

  /** Resolves when it says that it is ready; it is killed when it does not get there. */
  ready(): Promise<void> {
    return this.#server.ready();
  }

  /** kill -9. */
  async kill(): Promise<void> {
    this.#isEnded = true;
    this.#isPaused = false;
    await this.#server.kill();
  }

  /** SIGTERM; gives the exit code when it is gone. */
  async stop(): Promise<number | null> {
    this.resume();
    this.#isEnded = true;
    return within(this.#server.stop(), () => `It does not stop. ${this.fate}`, stopMs);
  }

  /** SIGSTOP: it stands still, with everything it holds, its connections and its open calls. */
  pause(): void {
    this.#isPaused = true;
    this.#server.pause();
  }

  resume(): void {
    this.#server.resume();
    this.#isPaused = false;
  }

  /** Starts it again, stopping it in order if it runs. Does not wait until it is ready. */
  async relaunch(): Promise<void> {
    if (this.#server.isRunning) await this.stop();
    this.#earlierOutput = this.output;
    this.#server = this.#launch();
    this.#isEnded = false;
  }

  async restart(): Promise<void> {
    await this.relaunch();
    await this.ready();
  }

  #launch(): TroupeServer {
    const { id, program, journal, leaseMs, role = 'all', weight = 1, environment = {} } = this.#options;
    const args = programs[program];
    return TroupeServer.launch({
      journal,
      port: 0,
      environment: {
        NODE_ID: id,
        ROLE: role,
        WEIGHT: String(weight),
        LEASE_MS: String(leaseMs),
        ...environment,
      },
      ...(args === undefined ? {} : { program: args }),
    });
  }
}
