/**
 * A connection to one server. Calls made in the same turn of the event loop leave in one write, in the order they were
 * made. It guarantees that every call settles within the deadline: it rejects with `ConnectionLost` when nobody knows
 * whether the server ran it, with the server's own error, or with `NotSent` when it never left.
 *
 * A call is sent at most once, with one exception: a server that answers "Function not found" (it was restarted, failed
 * over or flushed) ran nothing; it gets the library and then the same calls again, in their order. While there is no
 * connection, calls wait for one until their deadline. A call that misses its deadline ends the connection: what hangs
 * may be the path and not the server, and a new connection finds out.
 */

import { Command, type Redis } from 'ioredis';
import type { Clock } from '../../clock.ts';
import { messageOf } from '../../errors.ts';
import { type ClientOptions, type Endpoint, openClient, retryMs } from './endpoint.ts';
import { librarySource } from './library.ts';
import { commandOf } from './resp.ts';

export type Reply = Buffer | number | null | readonly Reply[];

/** The call was sent, and its answer will never be known. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';
}

/** The call never left. */
export class NotSent extends Error {
  override readonly name = 'NotSent';
}

/** Calls that may wait for a connection; one more is refused at once. */
const waitingMax = 20_000;

/** Times that a call is sent again after loading the library: functions may be flushed again meanwhile, but not for ever. */
const repeatsMax = 5;

interface Call {
  readonly bytes: Buffer;
  readonly deadline: number;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
  sent: boolean;
  repeats: number;
}

/** A command whose bytes are ready: ioredis only has to match the reply to it. */
class ReadyCommand extends Command {
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    super('fcall', []);
    this.#bytes = bytes;
  }

  override toWritable(): Buffer {
    return this.#bytes;
  }
}

export class RedisConnection {
  readonly #redis: Redis;
  readonly #clock: Clock;
  readonly #deadlineMs: number;
  /** All unsettled calls, oldest first. */
  readonly #calls = new Set<Call>();
  /** Those that have not been sent. */
  #waiting: Call[] = [];
  /** Those that wait for the function library. */
  #repeats: Call[] = [];
  readonly #onSettled = new WeakMap<Call, () => void>();
  #flushDue = false;
  #healing = false;
  #cancelSweep: (() => void) | undefined;
  #lastError: string | undefined;
  #closed = false;

  constructor(endpoint: Endpoint, deadlineMs: number, clock: Clock) {
    this.#clock = clock;
    this.#deadlineMs = deadlineMs;
    const options = {
      connectTimeout: Math.min(deadlineMs, 10_000),
      retryStrategy: retryMs,
      // A call whose connection is lost fails at that moment: it is never sent twice, and nothing waits for a retry.
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      // Waiting for a connection is done here, where a call that has missed its deadline can still be taken back.
      enableOfflineQueue: false,
      connectionName: 'troupe',
    } satisfies ClientOptions;
    this.#redis = openClient(endpoint, options);
    this.#redis.on('ready', () => {
      this.#lastError = undefined;
      this.#flush();
    });
    this.#redis.on('error', (error: Error) => {
      this.#lastError = error.message === '' ? ((error as NodeJS.ErrnoException).code ?? error.name) : error.message;
    });
  }

  /** What kept the last attempt to connect from succeeding. */
  get trouble(): string | undefined {
    return this.#lastError;
  }

  send(bytes: Buffer): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(new NotSent('The journal is closed.'));
      if (this.#waiting.length >= waitingMax)
        return reject(new NotSent(this.#offline(`${waitingMax} calls wait for it`)));
      const deadline = this.#clock.monotonic() + this.#deadlineMs;
      const call: Call = { bytes, deadline, resolve, reject, sent: false, repeats: 0 };
      this.#calls.add(call);
      this.#waiting.push(call);
      this.#cancelSweep ??= this.#sweepIn(this.#deadlineMs);
      this.#flushSoon();
    });
  }

  /** Ends the connection once the calls under way have settled. */
  async close(): Promise<void> {
    this.#closed = true;
    const settled = [...this.#calls].map((call) => new Promise<void>((resolve) => this.#onSettled.set(call, resolve)));
    await Promise.all(settled);
    this.#cancelSweep?.();
    this.#redis.disconnect();
  }

  /** Last in this turn of the event loop, behind all that its promises still do: a tick runs when no microtask is left. */
  #flushSoon(): void {
    if (this.#flushDue) return;
    this.#flushDue = true;
    queueMicrotask(() => process.nextTick(() => this.#flush()));
  }

  #flush(): void {
    this.#flushDue = false;
    if (this.#redis.status !== 'ready' || this.#healing || this.#waiting.length === 0) return;
    const socket = this.#redis.stream;
    if (!socket.writable) return;
    const calls = this.#waiting;
    this.#waiting = [];
    socket.cork();
    for (const call of calls) this.#write(call);
    socket.uncork();
  }

  #write(call: Call): void {
    const command = new ReadyCommand(call.bytes);
    call.sent = true;
    command.promise.then(
      (reply: Reply) => {
        if (this.#settle(call)) call.resolve(reply);
      },
      (error: Error) => this.#failed(call, error),
    );
    this.#redis.sendCommand(command);
  }

  #failed(call: Call, error: Error): void {
    if (!this.#calls.has(call)) return;
    if (error.name !== 'ReplyError') {
      this.#settle(call);
      call.reject(new ConnectionLost(`The connection to Redis was lost (${this.#lastError ?? error.message}).`));
    } else if (error.message.includes('Function not found') && call.repeats < repeatsMax) {
      call.repeats += 1;
      call.sent = false;
      this.#heal(call);
    } else {
      // A server that has become a replica refuses every write; the name in the URL may lead to the new primary.
      if (error.message.startsWith('READONLY')) this.#redis.stream.destroy();
      this.#settle(call);
      call.reject(error);
    }
  }

  /** Loads the library. Its reply comes behind those of all calls sent before, so by then every call to repeat is known. */
  #heal(call: Call): void {
    this.#repeats.push(call);
    if (this.#healing) return;
    this.#healing = true;
    this.#load().then(
      () => this.#healed(undefined),
      (error: unknown) => this.#healed(error),
    );
  }

  #healed(error: unknown): void {
    const repeats = this.#repeats;
    this.#repeats = [];
    this.#healing = false;
    if (error === undefined) this.#waiting = [...repeats, ...this.#waiting];
    else {
      for (const call of repeats) {
        if (this.#settle(call)) call.reject(new NotSent(`The function library cannot be loaded: ${messageOf(error)}`));
      }
    }
    this.#flush();
  }

  async #load(): Promise<void> {
    const command = new ReadyCommand(commandOf('FUNCTION', 'LOAD', librarySource).done());
    this.#redis.sendCommand(command);
    try {
      await command.promise;
    } catch (error) {
      if (!messageOf(error).includes('already exists')) throw error;
    }
  }

  #settle(call: Call): boolean {
    const open = this.#calls.delete(call);
    if (open && this.#closed) this.#onSettled.get(call)?.();
    return open;
  }

  #sweep(): void {
    const now = this.#clock.monotonic();
    let missed = false;
    for (const call of this.#calls) {
      if (call.deadline > now) break;
      missed = true;
      this.#settle(call);
      if (call.sent) call.reject(new ConnectionLost(`Redis did not answer within ${this.#deadlineMs} ms.`));
      else call.reject(new NotSent(this.#offline(`none came up within ${this.#deadlineMs} ms`)));
    }
    if (missed) {
      this.#waiting = this.#waiting.filter((call) => this.#calls.has(call));
      this.#repeats = this.#repeats.filter((call) => this.#calls.has(call));
      const { status } = this.#redis;
      if (status === 'ready' || status === 'connect') this.#redis.stream.destroy();
    }
    const [oldest] = this.#calls;
    this.#cancelSweep = oldest && this.#sweepIn(oldest.deadline - now);
  }

  /** After pending I/O was read: a process that was held up must not take answers that wait for it for missing ones. */
  #sweepIn(ms: number): () => void {
    return this.#clock.after(ms, () => this.#clock.soon(() => this.#sweep()));
  }

  #offline(why: string): string {
    const trouble = this.#lastError === undefined ? '' : `: ${this.#lastError}`;
    return `There is no connection to Redis (${why})${trouble}.`;
  }
}
