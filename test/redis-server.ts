/**
 * A real redis-server for tests: on a free loopback port, with an append-only file in a folder of its own, and with the
 * ways a store can die. A watchdog ends it when the test's process goes away without saying so, so that none is left over.
 */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface RedisServerOptions {
  /** Default `everysec`. */
  readonly appendfsync?: 'always' | 'everysec' | 'no';
  /** A node of a cluster, without slots at first. */
  readonly cluster?: boolean;
  /** A Sentinel, with these lines of its file; the other options are a server's. */
  readonly sentinel?: readonly string[];
  /** Further settings, for example `{ requirepass: 'hush' }`; several words of one are a list. */
  readonly settings?: Readonly<Record<string, string | readonly string[]>>;
}

/** Ends the server and removes its folder as soon as its standard input closes, which the kernel does for a killed parent. */
const watchdog = 'read -r line; kill -KILL "-$0" 2>/dev/null; rm -rf "$1" || { sleep 1; rm -rf "$1"; }';
const startMs = 10_000;
const sentinelFile = 'sentinel.conf';
/** What a server, and a Sentinel, says when it has its port. */
const isUp = /Ready to accept connections|Sentinel ID is/;

export class RedisServer {
  readonly port: number;
  readonly #folder: string;
  readonly #args: readonly string[];
  #server: ChildProcess | undefined;
  #watchdog: ChildProcess | undefined;
  #log = '';

  private constructor(port: number, busPort: number, folder: string, options: RedisServerOptions) {
    const { appendfsync = 'everysec', cluster = false, sentinel, settings = {} } = options;
    this.port = port;
    this.#folder = folder;
    if (sentinel !== undefined) {
      this.#args = [
        join(folder, sentinelFile),
        '--sentinel',
        '--port',
        String(port),
        '--bind',
        '127.0.0.1',
        '--dir',
        folder,
      ];
      return;
    }
    const all = {
      bind: '127.0.0.1',
      port: String(port),
      dir: folder,
      save: '',
      appendonly: 'yes',
      appendfsync,
      // By default a node's bus is 10,000 ports further, where there may be none.
      ...(cluster ? { 'cluster-enabled': 'yes', 'cluster-port': String(busPort) } : {}),
      ...settings,
    };
    this.#args = Object.entries(all).flatMap(([name, value]) => [`--${name}`, ...[value].flat()]);
  }

  /** Starts a server without data. Rejects with a sentence when redis-server is not installed. */
  static async start(options: RedisServerOptions = {}): Promise<RedisServer> {
    if (spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).error !== undefined) {
      throw new Error('redis-server is not installed; on Debian: sudo apt-get install redis-server (7.0 or newer).');
    }
    const folder = await mkdtemp(join(tmpdir(), 'troupe-redis-'));
    // A Sentinel writes what it learns into its file.
    if (options.sentinel !== undefined) await writeFile(join(folder, sentinelFile), `${options.sentinel.join('\n')}\n`);
    for (let attempt = 1; ; attempt++) {
      const server = new RedisServer(await freePort(), await freePort(), folder, options);
      try {
        await server.restart();
        return server;
      } catch (error) {
        // Somebody else may have taken the port between its choice and its use.
        if (attempt < 3 && server.#log.includes('Address already in use')) continue;
        await server.dispose();
        throw error;
      }
    }
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Starts the server again, on the same port and data. */
  async restart(): Promise<void> {
    this.#log = '';
    // A process group of its own, so that a fork that saves or rewrites dies with it.
    const server = spawn('redis-server', this.#args, { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
    server.stdout.on('data', (text: Buffer) => {
      this.#log += text;
    });
    this.#server = server;
    this.#watchdog = spawn('sh', ['-c', watchdog, String(server.pid), this.#folder], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    const end = performance.now() + startMs;
    // Until it has said so, who answers on its port may be somebody else, who was quicker.
    while (!((await answersPing(this.port)) && isUp.test(this.#log))) {
      if (server.exitCode !== null || performance.now() > end) {
        await this.kill();
        throw new Error(`redis-server did not start:\n${this.#log}`);
      }
    }
  }

  /** kill -9: what the server had not handed to the kernel is lost. */
  async kill(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server?.pid !== undefined && server.exitCode === null && server.signalCode === null) {
      const gone = once(server, 'exit');
      process.kill(-server.pid, 'SIGKILL');
      await gone;
    }
    this.#watchdog?.kill('SIGKILL');
    this.#watchdog = undefined;
  }

  /** The server hangs: it keeps its connections, takes what the kernel buffers, and answers nothing. */
  pause(): void {
    this.#server?.kill('SIGSTOP');
  }

  resume(): void {
    this.#server?.kill('SIGCONT');
  }

  /** Ends the server and removes its data. */
  async dispose(): Promise<void> {
    await this.kill();
    // A fork that dies may just have made one more file.
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('The system gave no port.');
  return address.port;
}

/** Whether the server takes commands: while it loads its data it answers an error. */
function answersPing(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    const answer = (alive: boolean): void => {
      socket.destroy();
      resolve(alive);
    };
    socket.setTimeout(1_000, () => answer(false));
    // A server with a password is up, too.
    socket.once('data', (data) => answer(/^(\+PONG|-NOAUTH)/.test(String(data))));
    socket.once('error', () => setImmediate(answer, false));
  });
}
