/** A client of a socket that keeps what it got, and waits for it with a deadline. */

import { type ClientOptions, WebSocket } from 'ws';

const deadlineMs = 10_000;

export interface ClientFrame {
  readonly type?: string;
  readonly re?: string | number | null;
  readonly ok?: boolean;
  readonly operationId?: string;
  readonly code?: number;
  readonly data?: Record<string, unknown>;
  readonly error?: Record<string, unknown>;
}

export class SocketClient {
  readonly socket: WebSocket;
  readonly frames: ClientFrame[] = [];
  /** The close code once it is closed. */
  readonly closed: Promise<number>;
  #changed: () => void = () => undefined;

  constructor(url: string, options: ClientOptions = {}) {
    this.socket = new WebSocket(url, options);
    this.socket.on('message', (data) => {
      this.frames.push(JSON.parse(data.toString()) as ClientFrame);
      this.#changed();
    });
    this.closed = new Promise((resolve) => this.socket.on('close', resolve));
    this.socket.on('error', () => undefined);
  }

  /** Resolves when it is open; rejects with the refusing status. */
  static open(url: string, options: ClientOptions = {}): Promise<SocketClient> {
    const client = new SocketClient(url, options);
    return new Promise((resolve, reject) => {
      client.socket.on('open', () => resolve(client));
      client.socket.on('unexpected-response', (_, response) => {
        response.resume();
        reject(new Error(String(response.statusCode)));
      });
    });
  }

  send(frame: object | string): void {
    this.socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  /** The first frame that matches, come or still to come. */
  async frame(matches: (frame: ClientFrame) => boolean): Promise<ClientFrame> {
    const timer = setTimeout(() => this.#changed(), deadlineMs);
    const until = performance.now() + deadlineMs;
    try {
      for (;;) {
        const found = this.frames.find(matches);
        if (found !== undefined) return found;
        if (performance.now() >= until) throw new Error(`no such frame among ${this.#summary()}`);
        await new Promise<void>((resolve) => {
          this.#changed = resolve;
        });
      }
    } finally {
      clearTimeout(timer);
    }
  }

  #summary(): string {
    const last = this.frames.slice(-20).map((frame) => JSON.stringify(frame).slice(0, 120));
    return `${this.frames.length} frames, the last ones: ${last.join(' ')}`;
  }

  ofType(type: string): Promise<ClientFrame> {
    return this.frame((frame) => frame.type === type);
  }

  reply(re: string | number | null): Promise<ClientFrame> {
    return this.frame((frame) => frame.re === re);
  }
}
