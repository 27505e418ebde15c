/** haproxy with the configuration of deploy/, in front of nodes on this machine. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';

const configuration = join(import.meta.dirname, '../../deploy/haproxy/haproxy.cfg');

export interface BalancedNode {
  readonly port: string;
  readonly operatorsPort: string;
}

/** A port that was free a moment ago; haproxy does not tell which one it would take. */
async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return String(address.port);
}

export class Haproxy {
  readonly url: string;
  /** What it wrote on stdout and stderr. */
  output = '';
  readonly #child: ChildProcess;

  private constructor(port: string, child: ChildProcess) {
    this.url = `http://127.0.0.1:${port}`;
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (text: Buffer) => {
        this.output += text;
      });
    }
  }

  static async start(nodes: readonly BalancedNode[]): Promise<Haproxy> {
    const port = await freePort();
    const named = nodes.flatMap((node, index) => [
      [`NODE_${index + 1}`, `127.0.0.1:${node.port}`],
      [`NODE_${index + 1}_CHECK_PORT`, node.operatorsPort],
    ]);
    // Not a daemon, and no worker processes: this one process is all there is to end.
    const child = spawn('haproxy', ['-db', '-f', configuration], {
      env: { ...process.env, ...Object.fromEntries(named), BIND: `127.0.0.1:${port}` },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new Haproxy(port, child);
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'close');
  }
}
