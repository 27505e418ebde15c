/**
 * One connection that subscribes to sharded channels of one server, and keeps doing so: after every reconnection it
 * subscribes to all of them again, and says of each when the server has confirmed it. It guarantees that a channel said
 * to be subscribed gets every message from then on until it is said to be interrupted, or is subscribed again.
 *
 * A server that has another part of the cluster refuses a channel, or ends its subscription when its slot moves; the
 * hearer is told, and takes the channel elsewhere. A connection that is only half there would bring no news for ever, so
 * the server is asked for a sign of life each `deadlineMs`.
 */

import type { Redis } from 'ioredis';
import type { Clock } from '../../clock.ts';
import { openClient } from './client.ts';
import { type Endpoint, retryMs } from './endpoint.ts';

export interface Hearer {
  message(channel: string, payload: Buffer): void;
  subscribed(channel: string): void;
  interrupted(channel: string): void;
  /** The server does not have this channel (any more). */
  refused(channel: string): void;
  /** The connection has ended; another attempt is made by itself. */
  lost(): void;
}

export class SubscriberConnection {
  readonly #redis: Redis;
  readonly #hearer: Hearer;
  readonly #clock: Clock;
  readonly #deadlineMs: number;
  /** Each wanted channel, and the attempt that is under way or held; a later attempt replaces it. */
  readonly #channels = new Map<string, { isHeld: boolean }>();
  #cancelCheck: (() => void) | undefined;
  #closed = false;

  constructor(endpoint: Endpoint, deadlineMs: number, clock: Clock, hearer: Hearer) {
    this.#hearer = hearer;
    this.#clock = clock;
    this.#deadlineMs = deadlineMs;
    this.#redis = openClient(endpoint, {
      connectTimeout: Math.min(deadlineMs, 10_000),
      retryStrategy: retryMs,
      autoResubscribe: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      enableOfflineQueue: false,
      connectionName: 'troupe-subscriber',
    });
    this.#redis.on('smessageBuffer', (channel: Buffer, payload: Buffer) => hearer.message(String(channel), payload));
    this.#redis.on('ready', () => this.#ready());
    this.#redis.on('close', () => this.#lost());
    // The server ended a subscription by itself: its slot has moved.
    this.#redis.on('moved', () => this.#moved());
    this.#redis.on('error', () => {});
  }

  add(channel: string): void {
    if (this.#closed || this.#channels.has(channel)) return;
    this.#channels.set(channel, { isHeld: false });
    if (this.#redis.status === 'ready') this.#subscribe(channel);
  }

  remove(channel: string): void {
    if (!this.#channels.delete(channel) || this.#redis.status !== 'ready') return;
    this.#redis.sunsubscribe(channel).catch(() => {});
  }

  close(): void {
    this.#closed = true;
    this.#channels.clear();
    this.#cancelCheck?.();
    this.#redis.disconnect();
  }

  #ready(): void {
    for (const channel of [...this.#channels.keys()]) this.#subscribe(channel);
    this.#checkSoon();
  }

  #subscribe(channel: string): void {
    const attempt = { isHeld: false };
    this.#channels.set(channel, attempt);
    const isCurrent = (): boolean => this.#channels.get(channel) === attempt;
    this.#redis.ssubscribe(channel).then(
      () => {
        if (!isCurrent()) return;
        attempt.isHeld = true;
        this.#hearer.subscribed(channel);
      },
      (error: Error) => {
        if (!isCurrent()) return;
        // Else the connection is gone, and the next one tries again.
        if (error.name === 'ReplyError') this.#hearer.refused(channel);
      },
    );
  }

  #lost(): void {
    this.#cancelCheck?.();
    this.#cancelCheck = undefined;
    for (const [channel, attempt] of [...this.#channels]) {
      if (!attempt.isHeld) continue;
      this.#channels.set(channel, { isHeld: false });
      this.#hearer.interrupted(channel);
    }
    if (!this.#closed) this.#hearer.lost();
  }

  /** The client has taken the channels that were ended off its own list, and does not say which they were. */
  #moved(): void {
    const condition = this.#redis.condition?.subscriber;
    const left = new Set(condition ? condition.channels('ssubscribe') : []);
    for (const [channel, attempt] of [...this.#channels]) {
      if (!attempt.isHeld || left.has(channel)) continue;
      this.#channels.set(channel, { isHeld: false });
      this.#hearer.interrupted(channel);
      this.#hearer.refused(channel);
    }
  }

  #checkSoon(): void {
    this.#cancelCheck?.();
    this.#cancelCheck = this.#clock.after(this.#deadlineMs, () => this.#check());
  }

  #check(): void {
    let answered = false;
    const socket = this.#redis.stream;
    this.#redis.ping().then(
      () => {
        answered = true;
      },
      () => {},
    );
    this.#cancelCheck = this.#clock.after(this.#deadlineMs, () => {
      // After pending I/O was read: a process that was held up must not take an answer that waits for a missing one.
      this.#clock.soon(() => {
        if (this.#closed || this.#redis.stream !== socket || this.#redis.status !== 'ready') return;
        if (answered) this.#check();
        else socket.destroy();
      });
    });
  }
}
