/**
 * One client's connection from its upgrade to its close. The first command connects it: the token is verified, the client
 * is subscribed to its own channel from where it left off, and whatever came meanwhile is taken up after the reply. From
 * then on it is pinged, its token runs out unless it is refreshed, and it is told why when it ends.
 *
 * Memory is bounded: commands that wait are, those under way are, and a client that does not read what it asked for is
 * cut off.
 */

import type { Clock } from '../../clock.ts';
import type { Ids } from '../../ids.ts';
import type { GatewayObserver } from '../../observer.ts';
import type { Authenticator } from '../authentication.ts';
import { Connection, type ConnectionLimits, type Flusher } from '../connection.ts';
import type { Socket, SocketHandlers } from '../http.ts';
import { negotiateLanguage } from '../preferences.ts';
import { Refusal } from '../problem.ts';
import type { Caller } from '../socket-commands.ts';
import type { RateLimiter } from '../token-bucket.ts';
import type { Claims } from '../tokens.ts';
import { answer, type Timely } from './answers.ts';
import type { Calls } from './calls.ts';
import type { ChannelRules, ChannelTopics } from './channel-rules.ts';
import type { Channels } from './channels.ts';
import { Heartbeat } from './heartbeat.ts';
import {
  type Command,
  commandsOf,
  type Disconnect,
  disconnectOf,
  disconnects,
  errorFrame,
  errors,
  ProtocolError,
  ping,
  type Request,
  replyFrame,
} from './protocol.ts';
import { Subscriptions } from './subscriptions.ts';

export interface ClientLimits {
  /** Channels of one client. */
  readonly channelsMax: number;
  /** Commands of one client under way at once. */
  readonly commandsMax: number;
  /** Unread bytes at which a client that still sends commands is cut off. */
  readonly unreadBytesMax: number;
  /** How long a client may stay without connecting. */
  readonly connectMs: number;
  /** Between pings of the server, and how long it waits for the answer. */
  readonly pingSeconds: number;
  readonly pongMs: number;
}

export interface ClientSessionOptions {
  readonly rules: ChannelRules;
  readonly topics: ChannelTopics;
  readonly channels: Channels;
  readonly calls: Calls;
  readonly authenticator: Authenticator;
  readonly flusher: Flusher;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly observer: GatewayObserver;
  readonly limits: ClientLimits;
  readonly connectionLimits: ConnectionLimits;
  /** Calls of one user, whatever they are. */
  readonly limiter: RateLimiter;
  /** What one client tells others. */
  readonly tellLimiter: RateLimiter;
  /** The languages of texts, the default one first. */
  readonly languages: readonly string[];
  languageOf(claims: Claims): string | undefined | Promise<string | undefined>;
  /** Negotiated at the upgrade. */
  readonly language: string | undefined;
  opened(session: ClientSession): void;
  closed(session: ClientSession): void;
  failed(error: unknown): void;
}

type Connected = { readonly caller: Caller; readonly subscriptions: Subscriptions };

const earlyCommandsMax = 1_024;
const earlyLengthMax = 512 * 1024;
/** A client renews its token so long before it runs out, or at half of what is left. */
const renewSeconds = 20;

export class ClientSession implements SocketHandlers {
  readonly #options: ClientSessionOptions;
  readonly #id: string;
  #connection: Connection | undefined;
  #connected: Connected | undefined;
  #claims: Claims | undefined;
  #language: string | undefined;
  #learning: Promise<void> | undefined;
  #state: 'anonymous' | 'connecting' | 'connected' | 'closed' = 'anonymous';
  #early: Command[] = [];
  #earlyLength = 0;
  #cancelDeadline: () => void = () => undefined;
  #heartbeat: Heartbeat | undefined;

  constructor(options: ClientSessionOptions) {
    this.#options = options;
    this.#id = options.ids.mint();
    this.#language = options.language;
  }

  open(socket: Socket): void {
    const { flusher, connectionLimits, observer, topics, clock, limits } = this.#options;
    this.#connection = new Connection({
      socket,
      flusher,
      limits: connectionLimits,
      observer,
      history: {
        read: (topic, position) => topics.readTopic(topic, position),
        delivery: (publication) => this.#connected?.subscriptions.delivery(publication) ?? { frames: [] },
      },
      lost: (error) => {
        if (error !== undefined) this.#options.failed(error);
        this.end(disconnects.insufficientState);
      },
    });
    this.#options.opened(this);
    this.#cancelDeadline = clock.after(limits.connectMs, () => this.end(disconnects.stale));
  }

  message(text: string): void {
    this.receive(() => commandsOf(text), text.length);
  }

  /** A frame of so many characters or bytes. */
  receive(read: () => readonly Command[] | undefined, length: number): void {
    if (this.#state === 'closed' || this.#connection === undefined) return;
    if (this.#connection.unread > this.#options.limits.unreadBytesMax) {
      this.end(disconnects.slow);
      return;
    }
    if (this.#state === 'connecting') this.#earlyLength += length;
    const commands = this.#earlyLength > earlyLengthMax ? undefined : read();
    if (commands === undefined) this.end(disconnects.badRequest);
    else for (const command of commands) this.#take(command);
  }

  binary(): void {
    this.end(disconnects.badRequest);
  }

  drain(): void {
    this.#connection?.drained();
  }

  closed(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#cancelDeadline();
    this.#heartbeat?.stop();
    this.#early = [];
    this.#connection?.closed();
    this.#connected?.subscriptions.close();
    this.#options.closed(this);
  }

  /** Ends the connection, for a reason that any socket may have. */
  close(refusal: Refusal): void {
    this.end(disconnectOf(refusal.code));
  }

  /** Closes with a code and no push before it: behind one, the Python SDK takes any close for a lost connection. */
  end({ code, reason }: Disconnect): void {
    if (this.#state === 'closed' || this.#connection === undefined) return;
    this.#options.observer.socketClosed(code);
    this.#connection.close(code, reason);
  }

  #take(command: Command): void {
    switch (this.#state) {
      case 'closed':
        return;
      case 'anonymous':
        if (command.kind === 'connect') this.#connect(command.id, command.request);
        else this.end(disconnects.badRequest);
        return;
      case 'connecting':
        if (command.kind === 'connect' || this.#early.length >= earlyCommandsMax) this.end(disconnects.badRequest);
        else this.#early.push(command);
        return;
      case 'connected':
        this.#carryOut(command, this.#connected as Connected);
    }
  }

  #connect(id: number, request: Request<'connect'>): void {
    this.#state = 'connecting';
    this.#enter(id, request).catch((error: unknown) => this.#connectFailed(id, error));
  }

  async #enter(id: number, { token, subs = {}, headers = {} }: Request<'connect'>): Promise<void> {
    const { authenticator, rules, languages, languageOf } = this.#options;
    if (token === undefined || token === '') throw new Refusal('TOKEN_INVALID');
    const claims = await authenticator.verify(token);
    const wanted = Object.entries(headers).find(([name]) => name.toLowerCase() === 'accept-language')?.[1];
    this.#language = negotiateLanguage(wanted, languages) ?? this.#language ?? (await languageOf(claims));
    const connection = this.#connection;
    if (this.#isClosed() || connection === undefined) return;
    const connected = this.#connectedAs(claims, connection);
    const own = rules.ownChannel(claims);
    await connected.subscriptions.subscribe({ ...subs[own], channel: own }, (result) => {
      this.#state = 'connected';
      const { pingSeconds } = this.#options.limits;
      const settings = { client: this.#id, version: 'troupe', ping: pingSeconds, pong: true, ...this.#expiry(claims) };
      const subscribed = `"subs":{${JSON.stringify(own)}:${result}}`;
      connection.send(replyFrame(id, 'connect', `${JSON.stringify(settings).slice(0, -1)},${subscribed}}`));
    });
    if (this.#isClosed()) return;
    this.#expireWith(claims);
    this.#heartbeat = this.#beat();
    const early = this.#early;
    this.#early = [];
    for (const command of early) this.#take(command);
  }

  #connectedAs(claims: Claims, connection: Connection): Connected {
    const { rules, channels, limits } = this.#options;
    this.#claims = claims;
    const language = (): string => this.#language ?? (this.#options.languages[0] as string);
    const current = (): Claims => this.#claims ?? claims;
    const caller: Caller = {
      connection,
      // A refreshed token may say something else.
      get claims() {
        return current();
      },
      language: () => this.#language,
      close: (refusal) => this.close(refusal),
      inFlight: 0,
    };
    const subscriptions = new Subscriptions({
      channels,
      rules,
      connection,
      info: { user: rules.userOf(claims), client: this.#id },
      channelsMax: limits.channelsMax,
      claims: current,
      language,
      end: (disconnect) => this.end(disconnect),
    });
    this.#connected = { caller, subscriptions };
    return this.#connected;
  }

  #connectFailed(id: number, error: unknown): void {
    if (this.#isClosed()) return;
    this.#state = 'anonymous';
    this.#early = [];
    if (error instanceof Refusal && error.code === 'TOKEN_EXPIRED') {
      // The client gets itself another token and comes again.
      this.#connection?.send(errorFrame(id, errors.tokenExpired));
      return;
    }
    if (error instanceof Refusal) {
      this.close(error);
      return;
    }
    this.#options.failed(error);
    this.end(disconnects.serverError);
  }

  #carryOut(command: Command, connected: Connected): void {
    switch (command.kind) {
      case 'connect':
        return this.end(disconnects.badRequest);
      case 'pong':
        this.#heartbeat?.pong();
        return;
      case 'unreadable':
        this.#send(errorFrame(command.id, command.error));
        return;
      case 'send':
        this.end(disconnects.notAvailable);
        return;
      case 'ping':
        this.#send(replyFrame(command.id, 'ping', '{}'));
        return;
      case 'rpc':
        this.#call(command, connected);
        return;
      default:
        this.#counted(command, connected);
    }
  }

  #call({ id, request }: Extract<Command, { readonly kind: 'rpc' }>, { caller }: Connected): void {
    const { calls } = this.#options;
    if (this.#language !== undefined) calls.call(caller, id, request);
    // Somebody who was not registered may be by then, and what comes of this is told in the user's language.
    else void this.#learnLanguage().then(() => calls.call(caller, id, request));
  }

  #learnLanguage(): Promise<void> {
    const learn = async (): Promise<void> => {
      try {
        this.#language ??= await this.#options.languageOf(this.#claims as Claims);
      } catch (error) {
        this.#options.failed(error);
      } finally {
        this.#learning = undefined;
      }
    };
    this.#learning ??= learn();
    return this.#learning;
  }

  /** Carries out what takes time and a part of the user's rate. */
  #counted(command: Timely, connected: Connected): void {
    const { limiter, limits, observer } = this.#options;
    const { caller } = connected;
    const { id, kind } = command;
    if (caller.inFlight >= limits.commandsMax || limiter.take(caller.claims.email) > 0) {
      observer.rateLimited();
      this.#send(errorFrame(id, errors.tooManyRequests));
      return;
    }
    caller.inFlight += 1;
    const reply = (result: string): void => this.#send(replyFrame(id, kind, result));
    this.#answer(command, connected, reply)
      .catch((error: unknown) => {
        if (error instanceof ProtocolError) this.#send(errorFrame(id, error));
        else if (!this.#isClosed()) {
          this.#options.failed(error);
          this.#send(errorFrame(id, errors.internal));
        }
      })
      .finally(() => {
        caller.inFlight -= 1;
      });
  }

  async #answer(command: Timely, { subscriptions }: Connected, reply: (result: string) => void): Promise<void> {
    if (command.kind === 'refresh') return this.#refresh(command.request.token, reply);
    const language = this.#language ?? (this.#options.languages[0] as string);
    return answer(
      command,
      { ...this.#options, subscriptions, language, client: this.#id, claims: this.#claims as Claims },
      reply,
    );
  }

  async #refresh(token: string | undefined, reply: (result: string) => void): Promise<void> {
    const { authenticator, rules } = this.#options;
    try {
      const claims = await authenticator.verify(token ?? '');
      if (rules.userOf(claims) !== rules.userOf(this.#claims as Claims)) throw new Refusal('TOKEN_INVALID');
      if (this.#isClosed()) return;
      this.#claims = claims;
      this.#expireWith(claims);
      reply(JSON.stringify({ client: this.#id, version: 'troupe', ...this.#expiry(claims) }));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      // The token that the client has may be good for a while.
      if (error.code === 'ISSUER_UNAVAILABLE') throw errors.internal;
      this.close(error);
    }
  }

  /** When the client is to come with another token. */
  #expiry({ expiresAt }: Claims): { readonly expires?: true; readonly ttl?: number } {
    if (expiresAt === undefined) return {};
    const left = expiresAt - this.#options.clock.now() / 1000;
    return { expires: true, ttl: Math.max(1, Math.floor(Math.max(left - renewSeconds, left / 2))) };
  }

  #expireWith({ expiresAt }: Claims): void {
    this.#cancelDeadline();
    if (expiresAt === undefined) return;
    const { clock } = this.#options;
    this.#cancelDeadline = clock.after(expiresAt * 1000 - clock.now(), () => this.end(disconnects.expired));
  }

  #beat(): Heartbeat {
    const { clock, ids, limits } = this.#options;
    return new Heartbeat({
      clock,
      chance: ids.random(),
      pingMs: limits.pingSeconds * 1000,
      pongMs: limits.pongMs,
      ping: () => this.#send(ping),
      gone: () => this.end(disconnects.noPong),
    });
  }

  #send(frame: string): void {
    this.#connection?.send(frame);
  }

  #isClosed(): boolean {
    return this.#state === 'closed';
  }
}
