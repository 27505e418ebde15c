/**
 * Other processes of a measurement: workers that run one task each on a heap of their own, and servers. All of them end
 * with this one, also when it is killed without a word.
 */

import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CpuMeter } from './load.ts';
import type { InputOf, OutputOf, TaskName } from './tasks.ts';

/** From a worker to whoever started it. */
export type WorkerMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'doing'; readonly what: string }
  | { readonly kind: 'done'; readonly output: unknown }
  | { readonly kind: 'failed'; readonly message: string };

export interface NodeOptions {
  /** Flags of the measured processes, for example `--max-semi-space-size=64`. */
  readonly nodeFlags: readonly string[];
}

const root = join(import.meta.dirname, '..');
const loader = import.meta.resolve('tsx/esm');
const startMs = 30_000;
/** Characters kept of what a server prints, for when it fails. */
const saidMax = 4_000;

/** Ends the process (its first argument) when its standard input closes, which the kernel does for a killed parent. */
const watchdog = 'read -r line; kill -KILL "$0" 2>/dev/null';

const alive = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

function owned(child: ChildProcess): ChildProcess {
  const guard = spawn('sh', ['-c', watchdog, String(child.pid)], { stdio: ['pipe', 'ignore', 'ignore'] });
  alive.add(child);
  child.once('exit', () => {
    alive.delete(child);
    guard.kill('SIGKILL');
  });
  return child;
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

export interface TaskRun<T> {
  readonly output: T;
  /** Wall-clock time at which the process was asked for. */
  readonly spawnedAt: number;
}

/** Runs a task in a process of its own, which is killed (-9) at its end. */
export async function runTask<T extends TaskName>(
  name: T,
  input: InputOf<T>,
  options: NodeOptions,
  say: (doing: string) => void,
): Promise<TaskRun<OutputOf<T>>> {
  const spawnedAt = performance.timeOrigin + performance.now();
  const child = owned(
    fork(join(root, 'bench/worker.ts'), [], {
      cwd: root,
      execArgv: ['--import', loader, '--expose-gc', ...options.nodeFlags],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    }),
  );
  try {
    const output = await new Promise<OutputOf<T>>((resolve, reject) => {
      child.on('message', (message: WorkerMessage) => {
        if (message.kind === 'ready') child.send({ name, input });
        else if (message.kind === 'doing') say(message.what);
        else if (message.kind === 'done') resolve(message.output as OutputOf<T>);
        else reject(new Error(message.message));
      });
      child.once('error', reject);
      child.once('exit', (code, signal) => reject(new Error(`The worker of ${name} ended with ${signal ?? code}.`)));
    });
    // A profile is written at an orderly end only.
    if (options.nodeFlags.some((flag) => flag.startsWith('--cpu-prof'))) {
      child.disconnect();
      await once(child, 'exit');
    }
    return { output, spawnedAt };
  } finally {
    await killed(child);
  }
}

export interface ServerProcess {
  readonly pid: number;
  readonly port: number;
  readonly cpu: CpuMeter;
  /** What it printed last. */
  said(): string;
  stop(): Promise<void>;
}

export interface ServerCommand extends NodeOptions {
  /** The script and its arguments. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Starts a server and waits for the line that names its port. */
export async function startServer({ args, env, nodeFlags }: ServerCommand): Promise<ServerProcess> {
  const child = owned(
    spawn(process.execPath, [...nodeFlags, ...args], {
      cwd: root,
      env: { PATH: process.env.PATH, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  );
  let said = '';
  const port = await new Promise<number>((resolve, reject) => {
    const giveUp = (why: string): void => reject(new Error(`The server ${why}:\n${said}`));
    const timer = setTimeout(giveUp, startMs, `did not start within ${startMs} ms`);
    const listen = (text: Buffer): void => {
      said = (said + String(text)).slice(-saidMax);
      const found = /listens on http:\/\/127\.0\.0\.1:(\d+)/.exec(said)?.[1];
      if (found === undefined) return;
      clearTimeout(timer);
      resolve(Number(found));
    };
    child.stdout?.on('data', listen);
    child.stderr?.on('data', listen);
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      giveUp(`ended with ${signal ?? code}`);
    });
  }).catch(async (error: unknown) => {
    await killed(child);
    throw error;
  });
  return {
    pid: child.pid as number,
    port,
    cpu: () => cpuOf(child.pid as number),
    said: () => said,
    async stop() {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), startMs);
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      clearTimeout(timer);
    },
  };
}

/** The script's `--import` for TypeScript on Nodes that cannot strip types. */
export const typeScript: readonly string[] = ['--import', loader];

/** Ticks of `/proc/<pid>/stat` per second; the kernel shows 100 on every platform Node runs on. */
const ticksPerSecond = 100;

function cpuOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name in parentheses may hold spaces; user and system time are the 12th and 13th field behind it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) / ticksPerSecond) * 1e6;
}
