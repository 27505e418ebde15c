/**
 * A TCP proxy on a free loopback port that treats connections badly, on command: it delays, throttles, holds, loses and
 * cuts, each direction of each connection on its own. Whatever it lets through is complete and in order: after bytes
 * were lost (`swallow`), a connection never carries anything again in that direction.
 *
 * `hold` is a partition that heals: what was said meanwhile arrives late, as TCP sends it again. `swallow` is one after
 * which the peers have forgotten each other. In both, neither peer learns that the other one has gone.
 */

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { type Clock, systemClock } from '../../src/clock.ts';
import { Random } from '../crash/random.ts';

export type Direction = 'toServer' | 'toClient';
export const directions: readonly Direction[] = ['toServer', 'toClient'];

export type Flow =
  | { readonly kind: 'pass' }
  /** Everything arrives `ms` later, and up to `jitterMs` more; in order. */
  | { readonly kind: 'delay'; readonly ms: number; readonly jitterMs?: number }
  | { readonly kind: 'throttle'; readonly bytesPerSecond: number }
  /** Nothing arrives until the flow is another. */
  | { readonly kind: 'hold' }
  /** Bytes are taken, and never arrive. */
  | { readonly kind: 'swallow' };

export interface ChaosProxyOptions {
  /** For jitter. */
  readonly seed?: number;
  readonly clock?: Clock;
}

const pass: Flow = { kind: 'pass' };
/** Bytes of one direction that are waiting for their time; more are left to the sender's kernel. */
const waitingBytesMax = 1_048_576;
/** A throttled flow goes on in pieces of this many milliseconds. */
const throttlePieceMs = 20;

interface Piece {
  readonly at: number;
  /** Undefined: the end of the stream. */
  readonly bytes: Buffer | undefined;
}

/** One direction of one connection. */
class Lane {
  /** Bytes that were taken, and handed on. */
  taken = 0;
  given = 0;
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #clock: Clock;
  readonly #random: Random;
  #flow: Flow = pass;
  #waiting: Piece[] = [];
  #waitingBytes = 0;
  #lastAt = 0;
  #cancelTimer: (() => void) | undefined;
  #toIsFull = false;
  #hasLost = false;
  #isBroken = false;

  constructor(from: Socket, to: Socket, clock: Clock, random: Random) {
    this.#from = from;
    this.#to = to;
    this.#clock = clock;
    this.#random = random;
    from.on('data', (bytes) => this.#take(bytes));
    from.on('end', () => this.#take(undefined));
    from.on('error', () => {
      this.#isBroken = true;
      if (!this.#isCut) to.resetAndDestroy();
    });
    to.on('drain', () => {
      this.#toIsFull = false;
      this.#give();
    });
  }

  set flow(flow: Flow) {
    if (this.#hasLost && flow.kind !== 'swallow') {
      this.#from.resetAndDestroy();
      this.#to.resetAndDestroy();
      return;
    }
    this.#flow = flow;
    if (this.#isBroken && !this.#isCut) {
      this.#to.resetAndDestroy();
      return;
    }
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#lastAt = 0;
    for (const { bytes } of waiting) this.#enqueue(bytes);
    this.#give();
  }

  /** Whether neither peer hears of the other. */
  get #isCut(): boolean {
    return this.#flow.kind === 'hold' || this.#flow.kind === 'swallow';
  }

  /** What was taken, and waits for its time. */
  get waiting(): Buffer {
    return Buffer.concat(this.#waiting.flatMap(({ bytes }) => (bytes === undefined ? [] : [bytes])));
  }

  forget(): void {
    this.#cancelTimer?.();
    this.#waiting = [];
    this.#waitingBytes = 0;
  }

  #take(bytes: Buffer | undefined): void {
    this.taken += bytes?.length ?? 0;
    this.#enqueue(bytes);
    this.#give();
  }

  #enqueue(bytes: Buffer | undefined): void {
    const flow = this.#flow;
    if (flow.kind === 'swallow') {
      this.#hasLost = true;
      return;
    }
    const length = bytes?.length ?? 0;
    const pieceBytes =
      flow.kind === 'throttle' ? Math.max(1, Math.floor((flow.bytesPerSecond * throttlePieceMs) / 1000)) : length;
    if (bytes === undefined || length <= pieceBytes) return this.#wait(bytes);
    for (let start = 0; start < length; start += pieceBytes) this.#wait(bytes.subarray(start, start + pieceBytes));
  }

  #wait(bytes: Buffer | undefined): void {
    const flow = this.#flow;
    const now = this.#clock.monotonic();
    let at = now;
    if (flow.kind === 'delay') at += flow.ms + this.#random.next() * (flow.jitterMs ?? 0);
    if (flow.kind === 'throttle') {
      at = Math.max(now, this.#lastAt) + ((bytes?.length ?? 0) * 1000) / flow.bytesPerSecond;
    }
    this.#lastAt = Math.max(this.#lastAt, at);
    this.#waiting.push({ at: this.#lastAt, bytes });
    this.#waitingBytes += bytes?.length ?? 0;
  }

  #give(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    while (!this.#toIsFull && this.#flow.kind !== 'hold' && !this.#to.destroyed) {
      const next = this.#waiting[0];
      if (next === undefined) break;
      const waitMs = next.at - this.#clock.monotonic();
      if (waitMs > 0) {
        this.#cancelTimer = this.#clock.after(waitMs, () => this.#give());
        break;
      }
      this.#waiting.shift();
      this.#hand(next.bytes);
    }
    const isFull = this.#toIsFull || this.#waitingBytes >= waitingBytesMax || this.#flow.kind === 'hold';
    if (isFull) this.#from.pause();
    else this.#from.resume();
  }

  #hand(bytes: Buffer | undefined): void {
    if (bytes === undefined) {
      this.#to.end();
      return;
    }
    this.#waitingBytes -= bytes.length;
    this.given += bytes.length;
    this.#toIsFull = !this.#to.write(bytes);
  }
}

/** One client's connection and the one to the server that was made for it. */
export class ChaosConnection {
  /** From 1, in the order in which they came. */
  readonly id: number;
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #lanes: Readonly<Record<Direction, Lane>>;

  constructor(id: number, client: Socket, server: Socket, clock: Clock, seed: number) {
    this.id = id;
    this.#client = client;
    this.#server = server;
    this.#lanes = {
      toServer: new Lane(client, server, clock, new Random(seed + 2 * id)),
      toClient: new Lane(server, client, clock, new Random(seed + 2 * id + 1)),
    };
    for (const socket of [client, server]) socket.on('close', () => this.#closed());
  }

  get isOpen(): boolean {
    return !this.#client.destroyed || !this.#server.destroyed;
  }

  /** Bytes that came in a direction, and those that were let through. */
  bytes(direction: Direction): { readonly taken: number; readonly given: number } {
    const { taken, given } = this.#lanes[direction];
    return { taken, given };
  }

  /** What a delayed direction has for later. */
  waiting(direction: Direction): Buffer {
    return this.#lanes[direction].waiting;
  }

  flow(direction: Direction | 'both', flow: Flow): void {
    for (const one of directions) if (direction === 'both' || direction === one) this.#lanes[one].flow = flow;
  }

  /** `rst`: both peers get an error. `fin`: both are told that the other one has ended. What was waiting is lost. */
  cut(how: 'rst' | 'fin'): void {
    this.#forget();
    for (const socket of [this.#client, this.#server]) {
      if (how === 'rst') socket.resetAndDestroy();
      else {
        // A socket that is closed with something unread sends RST.
        socket.removeAllListeners('data').resume();
        socket.once('end', () => socket.destroy());
        socket.end();
      }
    }
  }

  destroy(): void {
    this.#forget();
    this.#client.destroy();
    this.#server.destroy();
  }

  #forget(): void {
    for (const direction of directions) this.#lanes[direction].forget();
  }

  #closed(): void {
    if (!this.isOpen) this.#forget();
  }
}

export class ChaosProxy {
  readonly port: number;
  readonly #listener: Server;
  readonly #target: number;
  readonly #clock: Clock;
  readonly #seed: number;
  readonly #connections = new Set<ChaosConnection>();
  #flows: Record<Direction, Flow> = { toServer: pass, toClient: pass };
  #refuses = false;
  #accepted = 0;
  /** Connections that were turned away. */
  refused = 0;

  private constructor(listener: Server, target: number, { seed = 1, clock = systemClock }: ChaosProxyOptions) {
    this.port = (listener.address() as AddressInfo).port;
    this.#listener = listener;
    this.#target = target;
    this.#clock = clock;
    this.#seed = seed;
    listener.on('connection', (client) => this.#accept(client));
  }

  /** In front of a port of this machine; passes everything at first. */
  static async start(targetPort: number, options: ChaosProxyOptions = {}): Promise<ChaosProxy> {
    // Without `allowHalfOpen` a socket would answer a FIN before it could be delayed.
    const listener = createServer({ allowHalfOpen: true, noDelay: true }).listen(0, '127.0.0.1');
    await once(listener, 'listening');
    return new ChaosProxy(listener, targetPort, options);
  }

  /** With another scheme for another protocol. */
  url(scheme = 'redis'): string {
    return `${scheme}://127.0.0.1:${this.port}`;
  }

  get connections(): readonly ChaosConnection[] {
    return [...this.#connections];
  }

  /** For all open connections and those to come. */
  flow(direction: Direction | 'both', flow: Flow): void {
    for (const one of directions) if (direction === 'both' || direction === one) this.#flows[one] = flow;
    for (const connection of this.#connections) connection.flow(direction, flow);
  }

  /** Nothing gets through in either direction, and nobody is told. */
  partition(): void {
    this.flow('both', { kind: 'hold' });
  }

  /** Ends all open connections; gives how many there were. */
  cut(how: 'rst' | 'fin'): number {
    const { connections } = this;
    for (const connection of connections) connection.cut(how);
    return connections.length;
  }

  /** New connections are reset as soon as they come; open ones stay. */
  refuse(): void {
    this.#refuses = true;
  }

  /** Everything passes again. What was held arrives; connections that lost something are cut. */
  heal(): void {
    this.#refuses = false;
    this.flow('both', pass);
  }

  async close(): Promise<void> {
    const closed = once(this.#listener, 'close');
    this.#listener.close();
    for (const connection of this.#connections) connection.destroy();
    await closed;
  }

  #accept(client: Socket): void {
    if (this.#refuses) {
      this.refused += 1;
      client.on('error', () => undefined);
      client.resetAndDestroy();
      return;
    }
    const server = connect({ port: this.#target, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    this.#accepted += 1;
    const connection = new ChaosConnection(this.#accepted, client, server, this.#clock, this.#seed);
    this.#connections.add(connection);
    const forget = (): void => {
      if (!connection.isOpen) this.#connections.delete(connection);
    };
    for (const socket of [client, server]) socket.on('close', forget);
    for (const direction of directions) connection.flow(direction, this.#flows[direction]);
  }
}
