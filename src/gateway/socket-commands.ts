/**
 * Commands over a socket: `{"id","type","data"}` in, `{"re","ok",…}` out, with the same declarations, checks and limits as
 * over HTTP. It is the hot path: what is known is not awaited, and a reply is one string. `idempotencyKey` may stand
 * beside `data`. `PING` does nothing; its reply proves that everything before it was taken up.
 */

import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { CommandEnd, GatewayObserver } from '../observer.ts';
import type { Call, Command, Prepared } from './command.ts';
import type { Connection } from './connection.ts';
import type { InFlight } from './in-flight.ts';
import { idempotencyKey } from './preferences.ts';
import { endOf, type Problem, Refusal, refusalOf } from './problem.ts';
import type { RateLimiter } from './token-bucket.ts';
import type { Claims } from './tokens.ts';
import { validated } from './validation.ts';

/** One signed-in socket, as its commands see it. */
export interface Caller {
  readonly connection: Connection;
  readonly claims: Claims;
  readonly language: () => string | undefined;
  close(refusal: Refusal): void;
  /** Commands of this socket under way. */
  inFlight: number;
}

/** A command, and how it is answered. */
export interface SocketCommand {
  readonly type: string;
  readonly data: unknown;
  readonly idempotencyKey: string | undefined;
  /** Monotonic ms. */
  readonly receivedAt: number;
  /** The frame that says that it has begun. */
  accepted(operationId: string): string;
  /** The frame that says that it has not. */
  refused(problem: Problem): string;
}

interface CommandFrame extends SocketCommand {
  readonly id: string | number;
}

export interface SocketCommandLimits {
  /** Commands of one socket under way at once. */
  readonly inFlightMax: number;
  /** Unread bytes at which a socket that still sends commands is cut off. */
  readonly unreadBytesMax: number;
}

const idCharactersMax = 128;
/** What observers hear instead of a name that no command has. */
const unknownCommand = 'unknown';

function refusalFrame(id: string | number | null, error: Problem): string {
  return JSON.stringify({ re: id, ok: false, error });
}

function frameOf(text: string, receivedAt: number): CommandFrame | undefined {
  let frame: Partial<CommandFrame>;
  try {
    frame = JSON.parse(text) as Partial<CommandFrame>;
  } catch {
    return undefined;
  }
  if (typeof frame !== 'object' || frame === null) return undefined;
  const { id, type, data, idempotencyKey: key } = frame;
  const identified = (typeof id === 'string' && id.length <= idCharactersMax) || typeof id === 'number';
  if (!identified || typeof type !== 'string' || (key !== undefined && typeof key !== 'string')) return undefined;
  return {
    id,
    type,
    data,
    idempotencyKey: key,
    receivedAt,
    accepted: (operationId) => `{"re":${JSON.stringify(id)},"ok":true,"data":{"operationId":"${operationId}"}}`,
    refused: (problem) => refusalFrame(id, problem),
  };
}

export class SocketCommands {
  readonly #commands: ReadonlyMap<string, { readonly command: Command; readonly pathFields: readonly string[] }>;
  readonly #limiter: RateLimiter;
  readonly #inFlight: InFlight;
  readonly #limits: SocketCommandLimits;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #observer: GatewayObserver;
  readonly #problem: (refusal: Refusal, language: string | undefined) => Problem;
  #draining = false;

  constructor(options: {
    readonly commands: readonly Command[];
    readonly limiter: RateLimiter;
    readonly inFlight: InFlight;
    readonly limits: SocketCommandLimits;
    readonly log: Log;
    readonly clock: Clock;
    readonly observer: GatewayObserver;
    readonly problem: (refusal: Refusal, language: string | undefined) => Problem;
  }) {
    this.#commands = new Map(
      options.commands.map((command) => [command.command, { command, pathFields: Object.keys(command.params.shape) }]),
    );
    this.#limiter = options.limiter;
    this.#inFlight = options.inFlight;
    this.#limits = options.limits;
    this.#log = options.log;
    this.#clock = options.clock;
    this.#observer = options.observer;
    this.#problem = options.problem;
  }

  /** From here on every command is answered SERVER_RESTARTING. */
  drain(): void {
    this.#draining = true;
  }

  receive(caller: Caller, text: string): void {
    if (caller.connection.unread > this.#limits.unreadBytesMax) {
      caller.close(new Refusal('FELL_BEHIND'));
      return;
    }
    const frame = frameOf(text, this.#clock.monotonic());
    if (frame === undefined) {
      const problem = this.#problem(new Refusal('FRAME_INVALID'), caller.language());
      caller.connection.send(refusalFrame(null, problem));
      return;
    }
    if (frame.type === 'PING') {
      caller.connection.send(`{"re":${JSON.stringify(frame.id)},"ok":true,"data":{}}`);
      return;
    }
    this.run(caller, frame);
  }

  has(type: string): boolean {
    return this.#commands.has(type);
  }

  /** Carries a command out and answers it, in whatever protocol it came. */
  run(caller: Caller, frame: SocketCommand): void {
    this.#inFlight.begin();
    caller.inFlight += 1;
    try {
      const prepared = this.#prepare(caller, frame);
      if (prepared instanceof Promise) {
        prepared.then(
          (ready) => this.#start(caller, frame, ready),
          (error: unknown) => this.#fail(caller, frame, error),
        );
      } else this.#start(caller, frame, prepared);
    } catch (error) {
      this.#fail(caller, frame, error);
    }
  }

  #prepare(caller: Caller, frame: SocketCommand): Prepared | Promise<Prepared> {
    const known = this.#commands.get(frame.type);
    if (known === undefined) throw new Refusal('COMMAND_UNKNOWN', { params: { type: frame.type.slice(0, 64) } });
    if (this.#draining) throw new Refusal('SERVER_RESTARTING');
    const waitMs = caller.inFlight > this.#limits.inFlightMax ? 1000 : this.#limiter.take(caller.claims.email);
    if (waitMs > 0) {
      this.#observer.rateLimited();
      throw new Refusal('RATE_LIMITED', { params: { retryAfterMs: waitMs } });
    }
    const data = validated(known.command.data, frame.data, 422, known.pathFields);
    const call: Call = {
      claims: caller.claims,
      language: caller.language(),
      idempotencyKey: idempotencyKey(frame.idempotencyKey),
    };
    return known.command.prepare(data as never, call);
  }

  #start(caller: Caller, frame: SocketCommand, prepared: Prepared): void {
    const { connection } = caller;
    const { operationId } = prepared;
    const accepted = frame.accepted(operationId);
    // With an idempotency key an outcome may be of an earlier, different request: it proves nothing about this one.
    connection.expectReply(operationId, frame.idempotencyKey === undefined ? accepted : undefined);
    prepared.start().then(
      () => {
        connection.reply(operationId, accepted);
        this.#log.debug({ operationId, command: frame.type }, 'operation started');
        this.#end(caller, frame, 'done');
      },
      (error: unknown) => {
        const problem = this.#problemOf(caller, frame, error, operationId);
        connection.reply(operationId, frame.refused(problem));
        this.#end(caller, frame, endOf(problem.status));
      },
    );
  }

  #fail(caller: Caller, frame: SocketCommand, error: unknown): void {
    const problem = this.#problemOf(caller, frame, error, undefined);
    caller.connection.send(frame.refused(problem));
    this.#end(caller, frame, endOf(problem.status));
  }

  #end(caller: Caller, { type, receivedAt }: SocketCommand, end: CommandEnd): void {
    caller.inFlight -= 1;
    this.#inFlight.end();
    this.#observer.command(this.#commands.has(type) ? type : unknownCommand, end, this.#clock.monotonic() - receivedAt);
  }

  #problemOf(caller: Caller, frame: SocketCommand, error: unknown, operationId: string | undefined): Problem {
    const refusal = refusalOf(error, operationId);
    if (!(error instanceof Refusal)) {
      this.#log.error({ operationId, command: frame.type, code: refusal.code, err: error }, 'command failed');
    }
    return this.#problem(refusal, caller.language());
  }
}
