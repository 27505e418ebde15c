/**
 * Signed-in sockets that send commands from this process, one socket per user. A command ends with its reply, or with the
 * frame of its operation's outcome.
 */

import { once } from 'node:events';
import { WebSocket } from 'ws';
import { userIdOf } from '../actors/cli/application.ts';
import { signToken } from '../src/index.ts';
import { forEach } from './load.ts';

interface Frame {
  readonly re?: string | number;
  readonly ok?: boolean;
  readonly type?: string;
  readonly operationId?: string;
  readonly data?: { readonly operationId?: string; readonly id?: string };
  readonly error?: unknown;
}

interface Waiting {
  readonly until: 'reply' | 'outcome';
  resolve(data: Frame['data']): void;
  reject(error: Error): void;
}

export interface SocketOptions {
  /** Of the nodes; each user is at the one that its id picks. */
  readonly ports: readonly number[];
  /** Before the user's id in the path. */
  readonly path: string;
  readonly users: number;
  readonly authSecret: string;
}

const connectingAtOnce = 32;

export class SocketUsers {
  readonly userIds: readonly string[];
  /** Frames that came, of any kind. */
  frames = 0;
  readonly #sockets: WebSocket[] = [];
  readonly #replies = new Map<string, Waiting>();
  readonly #outcomes = new Map<string, Waiting>();
  #next = 0;
  #closing = false;

  private constructor(users: number) {
    this.userIds = Array.from({ length: users }, (_, i) => userIdOf(emailOf(i)));
  }

  static async connect({ ports, path, users, authSecret }: SocketOptions): Promise<SocketUsers> {
    const all = new SocketUsers(users);
    await forEach(users, connectingAtOnce, async (i) => {
      const token = await signToken(authSecret, emailOf(i), Date.now());
      const userId = all.userIds[i] as string;
      const port = ports[pickOf(userId, ports.length)];
      const socket = new WebSocket(`ws://127.0.0.1:${port}${path}/${userId}`, {
        headers: { authorization: `Bearer ${token}` },
        perMessageDeflate: false,
      });
      all.#sockets[i] = socket;
      socket.on('message', (text: Buffer) => all.#hear(text.toString()));
      socket.on('close', (code) => all.#lost(new Error(`A socket was closed with ${code}.`)));
      await once(socket, 'open');
    });
    return all;
  }

  /** Sends a command as the `i`th user. Resolves with the reply's or the outcome's data. */
  send(i: number, type: string, data: unknown, until: Waiting['until']): Promise<Frame['data']> {
    const id = String(this.#next++);
    return new Promise((resolve, reject) => {
      this.#replies.set(id, { until, resolve, reject });
      this.#sockets[i % this.#sockets.length]?.send(JSON.stringify({ id, type, data }));
    });
  }

  close(): void {
    this.#closing = true;
    for (const socket of this.#sockets) socket.terminate();
  }

  #hear(text: string): void {
    this.frames++;
    const frame = JSON.parse(text) as Frame;
    if (frame.re !== undefined) this.#reply(String(frame.re), frame);
    else if (frame.operationId !== undefined) this.#outcome(frame.operationId, frame);
  }

  #reply(id: string, { ok, data, error }: Frame): void {
    const waiting = this.#replies.get(id);
    if (waiting === undefined) return;
    this.#replies.delete(id);
    if (ok !== true) waiting.reject(new Error(`A command was refused: ${JSON.stringify(error)}`));
    else if (waiting.until === 'reply') waiting.resolve(data);
    else this.#outcomes.set(data?.operationId as string, waiting);
  }

  #outcome(operationId: string, { type, data }: Frame): void {
    const waiting = this.#outcomes.get(operationId);
    if (waiting === undefined) return;
    this.#outcomes.delete(operationId);
    if (type?.endsWith('_COMPLETED') === true) waiting.resolve(data);
    else waiting.reject(new Error(`${type}: ${JSON.stringify(data)}`));
  }

  #lost(error: Error): void {
    if (this.#closing) return;
    for (const waiting of [...this.#replies.values(), ...this.#outcomes.values()]) waiting.reject(error);
  }
}

/** By the first part of an id, which has nothing to do with its shard. */
export function pickOf(id: string, count: number): number {
  return Number.parseInt(id.slice(0, 8), 16) % count;
}

function emailOf(i: number): string {
  return `bench-${i}@example.com`;
}
