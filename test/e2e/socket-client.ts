/** A client of the plain protocol: it records every frame and waits for one by predicate. */

import { once } from 'node:events';
import { type ClientOptions, WebSocket } from 'ws';
import type { Command } from './commands.ts';
import { within } from './deadline.ts';
import type { Problem } from './http-client.ts';

/** A frame from the server, of any of its kinds. */
export interface Frame {
  readonly type?: string;
  readonly operationId?: string;
  readonly data?: unknown;
  readonly re?: string;
  readonly ok?: boolean;
  readonly error?: Problem;
}

export interface Close {
  readonly code: number;
  readonly reason: string;
}

interface Waiter {
  readonly matches: (frame: Frame) => boolean;
  readonly found: (frame: Frame) => void;
  readonly failed: (error: Error) => void;
}

export class SocketClient {
  /** In the order they came. */
  readonly frames: Frame[] = [];
  /** Resolves when the socket has closed. */
  readonly closed: Promise<Close>;
  readonly #socket: WebSocket;
  readonly #waiters = new Set<Waiter>();
  #commands = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (text: Buffer) => this.#receive(JSON.parse(text.toString()) as Frame));
    // A connection that breaks also closes; what waits is told then.
    socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => {
      socket.on('close', (code: number, reason: Buffer) => {
        const close = { code, reason: reason.toString() };
        for (const { failed } of this.#waiters) failed(new Error(`The socket closed: ${code} ${close.reason}`));
        this.#waiters.clear();
        resolve(close);
      });
    });
  }

  /** Rejects when the upgrade is refused. */
  static async open(url: string, options: ClientOptions = {}): Promise<SocketClient> {
    const socket = new WebSocket(url, options);
    const client = new SocketClient(socket);
    try {
      await within(once(socket, 'open'), () => `${url} does not open`);
    } catch (error) {
      socket.terminate();
      throw error;
    }
    return client;
  }

  /** Its kind, in the order they came; replies are left out. */
  get types(): readonly string[] {
    return this.frames.flatMap(({ type }) => type ?? []);
  }

  /** The first frame that matches, of those that came and those to come. */
  frame(matches: (frame: Frame) => boolean, what: string): Promise<Frame> {
    const seen = this.frames.find(matches);
    if (seen !== undefined) return Promise.resolve(seen);
    const found = new Promise<Frame>((resolve, reject) => {
      const waiter: Waiter = { matches, found: resolve, failed: reject };
      this.#waiters.add(waiter);
    });
    return within(found, () => `No frame: ${what}. There were: ${this.#summary()}`);
  }

  /** The first frame of a type whose data matches. */
  news<T>(type: string, matches: (data: T) => boolean = () => true): Promise<Frame & { readonly data: T }> {
    const isIt = (frame: Frame): boolean => frame.type === type && matches(frame.data as T);
    return this.frame(isIt, type) as Promise<Frame & { readonly data: T }>;
  }

  /** The outcome of an operation. */
  outcome(operationId: string): Promise<Frame> {
    return this.frame((frame) => frame.operationId === operationId, `the outcome of ${operationId}`);
  }

  /** Every frame of a type whose data matches. */
  all<T>(type: string, matches: (data: T) => boolean = () => true): readonly T[] {
    return this.frames.filter((frame) => frame.type === type && matches(frame.data as T)).map(({ data }) => data as T);
  }

  send(value: unknown): void {
    this.#socket.send(typeof value === 'string' ? value : JSON.stringify(value));
  }

  sendBinary(bytes: Uint8Array): void {
    this.#socket.send(bytes);
  }

  /** Sends a command and gives its reply. */
  async command({ type, data }: Pick<Command, 'type' | 'data'>, idempotencyKey?: string): Promise<Frame> {
    return this.request(type, data, idempotencyKey);
  }

  /** As `command`, for what no command of ours is. */
  async request(type: string, data: unknown, idempotencyKey?: string): Promise<Frame> {
    this.#commands += 1;
    const id = `c${this.#commands}`;
    this.send({ id, type, data, ...(idempotencyKey === undefined ? {} : { idempotencyKey }) });
    return this.frame(({ re }) => re === id, `the reply to ${type}`);
  }

  /** Everything sent before was taken up by the server. */
  async ping(): Promise<void> {
    await this.request('PING', {});
  }

  close(): void {
    this.#socket.terminate();
  }

  #receive(frame: Frame): void {
    this.frames.push(frame);
    for (const waiter of this.#waiters) {
      if (!waiter.matches(frame)) continue;
      this.#waiters.delete(waiter);
      waiter.found(frame);
    }
  }

  #summary(): string {
    const last = this.frames.slice(-12).map((frame) => JSON.stringify(frame).slice(0, 160));
    return `${this.frames.length} frames, the last: ${last.join(' ')}`;
  }
}
