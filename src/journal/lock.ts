/**
 * The writer's lock of a store on disk: at most one process holds it, and it ends with its process, however that ends.
 * It is a listening socket, because a listening socket cannot outlive its process and a pid file can: pids are used
 * again, and a zombie still answers to its pid. On Linux the socket is abstract (no file to clean up) and named after the
 * store's device and inode, so that one store has one name under every mount; elsewhere it is a socket file in the
 * system's temporary folder, or a named pipe, named after the real path. Whoever connects is told the owner's pid.
 *
 * What it does not see: processes in another network namespace (two containers that share a volume). Against those the
 * store keeps its owner's number, which every transaction depends on: see lmdb.ts.
 */

import { createHash } from 'node:crypto';
import { realpathSync, rmSync, statSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, sleep } from '../clock.ts';
import { TroupeError } from '../errors.ts';

export interface StoreLock {
  release(): Promise<void>;
}

const retryMs = 25;

/** Takes the lock of the store in `path` (an existing folder), or throws JOURNAL_LOCKED after `waitMs`. */
export async function lockStore(path: string, waitMs: number, clock: Clock): Promise<StoreLock> {
  const name = lockName(path);
  const giveUpAt = clock.monotonic() + waitMs;
  for (;;) {
    const server = await listen(name);
    if (server !== undefined) return { release: () => new Promise((resolve) => server.close(() => resolve())) };
    const owner = await askOwner(name);
    // A socket file that nobody listens on was left by a crash. (An abstract name and a pipe go with their process.)
    if (owner === 'dead' && name.startsWith(tmpdir())) rmSync(name, { force: true });
    if (clock.monotonic() >= giveUpAt) throw locked(path, owner, waitMs);
    await sleep(clock, retryMs);
  }
}

function lockName(path: string): string {
  const real = realpathSync(path);
  if (process.platform === 'linux') {
    const { dev, ino } = statSync(real, { bigint: true });
    return `\0troupe-store-${dev}-${ino}`;
  }
  const digest = createHash('sha256').update(real).digest('hex').slice(0, 32);
  return process.platform === 'win32' ? `\\\\.\\pipe\\troupe-${digest}` : join(tmpdir(), `troupe-${digest}.sock`);
}

/** A server that holds the name; undefined when it is taken. */
function listen(name: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.end(String(process.pid));
    });
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(new TroupeError('JOURNAL_LOCKED', `The writer's lock cannot be taken: ${error.message}`, {}, error));
    });
    server.listen(name, () => {
      // The lock alone does not keep a process alive.
      server.unref();
      resolve(server);
    });
  });
}

/** The owner's pid, 'dead' when nobody listens, undefined when it does not answer. */
function askOwner(name: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    let pid = '';
    const socket = connect(name);
    socket.setTimeout(500, () => socket.destroy());
    socket.on('data', (data) => {
      pid += data.toString();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED' ? 'dead' : undefined));
    socket.on('close', () => resolve(/^\d+$/.test(pid) ? pid : undefined));
  });
}

function locked(path: string, owner: string | undefined, waitMs: number): TroupeError {
  const who = owner === undefined || owner === 'dead' ? 'Another process' : `Process ${owner}`;
  return new TroupeError(
    'JOURNAL_LOCKED',
    `${who} writes the store in ${path}, and still did after ${waitMs} ms. Stop it first, or open the store read-only.`,
    { path, owner },
  );
}
