/**
 * A connection to one server. Calls made in the same turn of the event loop leave in one write, or in two, in the order they
 * were made. It guarantees that every call settles within the deadline: it rejects with `ConnectionLost` when nobody knows
 * whether the server ran it, with the server's own error, or with `NotSent` when it never left.
 *
 * A call is sent at most once, with one exception: a server that answers "Function not found" (it was restarted, failed
 * over or flushed) ran nothing; it gets the library and then the same calls again, in their order. While there is no
 * connection, calls wait for one until their deadline. A call that misses its deadline ends the connection: what hangs
 * may be the path and not the server, and a new connection finds out.
 *
 * A call may ask to be answered only when replicas have what it wrote. One command behind all calls of a write waits for
 * that; meanwhile the server would run nothing of this connection, so nothing is sent, and what gathers shares the next wait.
 */

import type { Writable } from 'node:stream';
import { Command, type Redis } from 'ioredis';
import { Alarm } from '../../alarm.ts';
import type { Clock } from '../../clock.ts';
import { messageOf } from '../../errors.ts';
import { openClient } from './client.ts';
import { type ClientOptions, type Endpoint, retryMs } from './endpoint.ts';
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

/** The call was not sent, and was taken back so that it can be sent elsewhere. */
export class GivenBack extends NotSent {}

/** The call has run, but too few replicas said in time that they have what it wrote. */
export class NotReplicated extends Error {
  override readonly name = 'NotReplicated';
}

/** How a connection asks whether replicas have all that it wrote (replication.ts). */
export interface Confirmation {
  /** The command, which answers after `ms` at the latest. */
  command(ms: number): Buffer;
  /** What is missing, as a sentence; undefined when nothing is. */
  shortfall(reply: Reply): string | undefined;
}

export interface ConnectionOptions {
  readonly endpoint: Endpoint;
  readonly deadlineMs: number;
  readonly clock: Clock;
  /** What calls with `isReplicated` wait for. Without it they do not. */
  readonly confirmation?: Confirmation | undefined;
  /** Whether a server that has become a replica is left, because the name may lead to the new primary. Default: it is. */
  readonly isLeftAsReplica?: boolean;
  /** The connection has ended, or an attempt has failed; the next one is made by itself. */
  readonly onLost?: () => void;
}

/** How a call differs from the others. */
export interface CallOptions {
  /** On the monotonic clock. Default: `deadlineMs` from now on. */
  readonly deadline?: number;
  /** A slot that is being moved here: the call is meant for this server although it does not have the slot yet. */
  readonly isAsking?: boolean;
  /** Its answer waits for the replicas. */
  readonly isReplicated?: boolean;
}

/** Calls that may wait for a connection; one more is refused at once. */
const waitingMax = 20_000;

/** Times that a call is sent again after loading the library: functions may be flushed again meanwhile, but not for ever. */
const repeatsMax = 5;

interface Call {
  bytes: Buffer | (() => Buffer);
  readonly deadline: number;
  readonly isAsking: boolean;
  readonly isReplicated: boolean;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
  sent: boolean;
  repeats: number;
  /** The reply of a call that waits for the replicas. */
  reply?: Reply;
}

const askingBytes = commandOf('ASKING').done();

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

/** Up to here the bytes of several calls are copied into one piece, which is less work than writing one piece each. */
const joinedBytesMax = 256 * 1024;

/** Takes what commands write in the place of the socket, as a pipeline of ioredis does: all of it is one write. */
class Gathering {
  readonly stream: NonNullable<Parameters<Redis['sendCommand']>[1]>;
  readonly #pieces: Buffer[] = [];
  #bytes = 0;

  constructor(redis: Redis) {
    const write = (piece: string | Buffer): void => {
      const bytes = typeof piece === 'string' ? Buffer.from(piece) : piece;
      this.#pieces.push(bytes);
      this.#bytes += bytes.length;
    };
    this.stream = { isPipeline: true, destination: { redis }, write };
  }

  writeTo(socket: Writable): void {
    const pieces = this.#pieces;
    if (pieces.length <= 1) pieces.forEach((piece) => void socket.write(piece));
    else if (this.#bytes <= joinedBytesMax) socket.write(Buffer.concat(pieces, this.#bytes));
    else {
      socket.cork();
      for (const piece of pieces) socket.write(piece);
      socket.uncork();
    }
  }
}

export class RedisConnection {
  readonly #redis: Redis;
  readonly #clock: Clock;
  readonly #deadlineMs: number;
  readonly #confirmation: Confirmation | undefined;
  readonly #isLeftAsReplica: boolean;
  /** All unsettled calls, oldest first. */
  readonly #calls = new Set<Call>();
  /** Those that have not been sent. */
  #waiting: Call[] = [];
  /** Those that wait for the function library. */
  #repeats: Call[] = [];
  readonly #onSettled = new WeakMap<Call, () => void>();
  #flushDue = false;
  /** In this pass of the event loop. */
  #hasFlushed = false;
  #healing = false;
  #confirming = false;
  readonly #alarm: Alarm;
  #lastError: string | undefined;
  #closed = false;

  constructor({ endpoint, deadlineMs, clock, confirmation, isLeftAsReplica = true, onLost }: ConnectionOptions) {
    this.#clock = clock;
    this.#deadlineMs = deadlineMs;
    this.#confirmation = confirmation;
    this.#isLeftAsReplica = isLeftAsReplica;
    // After pending I/O was read: a process that was held up must not take answers that wait for it for missing ones.
    this.#alarm = new Alarm(clock, () => clock.soon(() => this.#sweep()));
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
    this.#redis.on('close', () => {
      if (!this.#closed) onLost?.();
    });
    this.#redis.on('error', (error: Error) => {
      this.#lastError = error.message === '' ? ((error as NodeJS.ErrnoException).code ?? error.name) : error.message;
    });
  }

  /** What kept the last attempt to connect from succeeding. */
  get trouble(): string | undefined {
    return this.#lastError;
  }

  get isReady(): boolean {
    return this.#redis.status === 'ready';
  }

  /** `bytes` as a function is asked once, when the call is written: until then it may still be added to. */
  send(bytes: Buffer | (() => Buffer), options: CallOptions = {}): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(new NotSent('The journal is closed.'));
      if (this.#waiting.length >= waitingMax)
        return reject(new NotSent(this.#offline(`${waitingMax} calls wait for it`)));
      const now = this.#clock.monotonic();
      const { deadline = now + this.#deadlineMs, isAsking = false } = options;
      const isReplicated = options.isReplicated === true && this.#confirmation !== undefined;
      const call: Call = { bytes, deadline, isAsking, isReplicated, resolve, reject, sent: false, repeats: 0 };
      this.#calls.add(call);
      this.#waiting.push(call);
      this.#alarm.by(deadline);
      this.#flushSoon();
    });
  }

  /** Rejects what has not been sent with `GivenBack`. */
  giveBack(): void {
    const calls = this.#waiting;
    this.#waiting = [];
    for (const call of calls) {
      if (this.#settle(call)) call.reject(new GivenBack(this.#offline('it is not the one to use any more')));
    }
  }

  /** Ends the connection once the calls under way have settled. */
  async close(): Promise<void> {
    this.#closed = true;
    const settled = [...this.#calls].map((call) => new Promise<void>((resolve) => this.#onSettled.set(call, resolve)));
    await Promise.all(settled);
    this.#alarm.cancel();
    this.#redis.disconnect();
  }

  /**
   * The first calls leave behind all that their cause and its promises still do: a tick runs when no microtask is left. What
   * else the event loop finds to do in this pass leaves together at its end: each socket's messages are a cause of their own.
   */
  #flushSoon(): void {
    if (this.#flushDue) return;
    this.#flushDue = true;
    if (!this.#hasFlushed) queueMicrotask(() => process.nextTick(() => this.#flushFirst()));
  }

  #flushFirst(): void {
    this.#hasFlushed = true;
    this.#clock.soon(() => {
      this.#hasFlushed = false;
      if (this.#flushDue) this.#flush();
    });
    this.#flush();
  }

  #flush(): void {
    this.#flushDue = false;
    if (this.#redis.status !== 'ready' || this.#healing || this.#confirming || this.#waiting.length === 0) return;
    const socket = this.#redis.stream;
    if (!socket.writable) return;
    const calls = this.#waiting;
    this.#waiting = [];
    const out = new Gathering(this.#redis);
    for (const call of calls) this.#write(call, out);
    if (this.#confirmation !== undefined) this.#confirm(this.#confirmation, calls, out);
    out.writeTo(socket);
  }

  #write(call: Call, out: Gathering): void {
    if (call.isAsking) {
      const asking = new ReadyCommand(askingBytes);
      asking.promise.catch(() => {});
      this.#redis.sendCommand(asking, out.stream);
    }
    if (typeof call.bytes === 'function') call.bytes = call.bytes();
    const command = new ReadyCommand(call.bytes);
    call.sent = true;
    command.promise.then(
      (reply: Reply) => {
        if (call.isReplicated) call.reply = reply;
        else if (this.#settle(call)) call.resolve(reply);
      },
      (error: Error) => this.#failed(call, error),
    );
    this.#redis.sendCommand(command, out.stream);
  }

  /** Its reply comes behind those of all calls written before. */
  #confirm(confirmation: Confirmation, written: readonly Call[], out: Gathering): void {
    const calls = written.filter(({ isReplicated }) => isReplicated);
    if (calls.length === 0) return;
    const earliest = calls.reduce((least, { deadline }) => Math.min(least, deadline), Number.POSITIVE_INFINITY);
    // Half of the time: a wait in vain must leave its own calls, and those that gather behind it, an answer in time.
    const ms = Math.max(1, Math.floor((earliest - this.#clock.monotonic()) / 2));
    const command = new ReadyCommand(confirmation.command(ms));
    this.#confirming = true;
    command.promise.then(
      (reply: Reply) => this.#confirmed(calls, confirmation.shortfall(reply)),
      (error: Error) => this.#confirmed(calls, messageOf(error)),
    );
    this.#redis.sendCommand(command, out.stream);
  }

  #confirmed(calls: readonly Call[], shortfall: string | undefined): void {
    this.#confirming = false;
    for (const call of calls) {
      if (call.reply === undefined || !this.#settle(call)) continue;
      if (shortfall === undefined) call.resolve(call.reply);
      else call.reject(new NotReplicated(`Too few replicas confirmed it: ${shortfall}.`));
    }
    this.#flush();
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
      // It refuses every write.
      if (this.#isLeftAsReplica && error.message.startsWith('READONLY')) this.#redis.stream.destroy();
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
      if (call.deadline > now) {
        this.#alarm.by(call.deadline);
        continue;
      }
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
  }

  #offline(why: string): string {
    const trouble = this.#lastError === undefined ? '' : `: ${this.#lastError}`;
    return `There is no connection to Redis (${why})${trouble}.`;
  }
}
