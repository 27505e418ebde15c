/**
 * A socket that says what it is told to, line by line, and keeps what it is answered: for what no official client sends.
 * It answers pings, unless it is to be silent.
 */

import { type ClientOptions, WebSocket } from 'ws';
import { Bell, centrifugoUrl } from './client.ts';

export interface RawReply {
  readonly id?: number;
  readonly error?: { readonly code: number; readonly message: string; readonly temporary?: boolean };
  readonly push?: Readonly<Record<string, unknown>>;
  readonly [kind: string]: unknown;
}

export class RawClient {
  readonly socket: WebSocket;
  readonly replies: RawReply[] = [];
  /** Pings of the server. */
  pings = 0;
  isSilent = false;
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  readonly #bell = new Bell();
  #id = 0;

  private constructor(base: string, options: ClientOptions) {
    this.socket = new WebSocket(centrifugoUrl(base), options);
    this.socket.on('error', () => undefined);
    this.socket.on('message', (text) => {
      for (const line of text.toString().split('\n')) {
        const reply = JSON.parse(line) as RawReply;
        if (Object.keys(reply).length > 0) this.replies.push(reply);
        else {
          this.pings += 1;
          if (!this.isSilent) this.say({});
        }
      }
      this.#bell.ring();
    });
    this.closed = new Promise((resolve) => {
      this.socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    });
  }

  static async open(base: string, options: ClientOptions = {}): Promise<RawClient> {
    const client = new RawClient(base, options);
    await new Promise((resolve, reject) => {
      client.socket.once('open', resolve);
      client.socket.once('error', reject);
    });
    return client;
  }

  static async connected(base: string, token: string, options: ClientOptions = {}): Promise<RawClient> {
    const client = await RawClient.open(base, options);
    await client.call('connect', { token });
    return client;
  }

  say(...commands: readonly (object | string)[]): void {
    this.socket.send(commands.map((one) => (typeof one === 'string' ? one : JSON.stringify(one))).join('\n'));
  }

  /** The reply to a command. */
  call(kind: string, request: object): Promise<RawReply> {
    this.#id += 1;
    const id = this.#id;
    this.say({ id, [kind]: request });
    return this.reply((reply) => reply.id === id);
  }

  reply(matches: (reply: RawReply) => boolean): Promise<RawReply> {
    const last = (): string => `no such reply among ${JSON.stringify(this.replies.slice(-10)).slice(0, 2_000)}`;
    return this.#bell.until(() => this.replies.find(matches), last);
  }

  pinged(times: number): Promise<true> {
    return this.#bell.until(
      () => (this.pings >= times ? true : undefined),
      () => 'not pinged',
    );
  }

  close(): void {
    this.socket.terminate();
  }
}
