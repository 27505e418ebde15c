/**
 * The Centrifugo client protocol of a gateway: the parts of this folder put together behind one path of a socket. It
 * knows nothing of the application but its rules for channels and its declared calls.
 */

import type { HttpRequest, SocketHandlers } from '../http.ts';
import type { ProblemCatalog } from '../problem.ts';
import { type RateLimit, RateLimiter } from '../token-bucket.ts';
import { Calls, type CallsOptions } from './calls.ts';
import { Channels } from './channels.ts';
import { commandsOfBytes, ProtobufSocket } from './protobuf.ts';
import { disconnects } from './protocol.ts';
import { ClientSession, type ClientSessionOptions } from './session.ts';

/** What is behind the path of a socket. */
export interface SocketEntry {
  readonly path: string;
  /** Undefined: as every other socket's. */
  readonly frameBytesMax?: number;
  /** Throws a `Refusal` to refuse the upgrade. */
  accept(params: Readonly<Record<string, string>>, request: HttpRequest, language: string | undefined): Accepted;
}

export interface Accepted {
  readonly handlers: SocketHandlers;
  /** The subprotocol to confirm. */
  readonly protocol?: string;
}

type FromSession =
  | 'rules'
  | 'topics'
  | 'authenticator'
  | 'flusher'
  | 'clock'
  | 'ids'
  | 'observer'
  | 'limiter'
  | 'languageOf'
  | 'failed';

/** Those of the gateway's bounds that matter here; see there. */
export interface CentrifugoLimits {
  readonly bufferedBytesMax: number;
  readonly unreadBytesMax: number;
  readonly socketCommandsMax: number;
  readonly signInMs: number;
  readonly channelsMax: number;
  readonly batchBytesMax: number;
  readonly pingSeconds: number;
  readonly pongMs: number;
  readonly tellRate: RateLimit;
}

export interface CentrifugoOptions extends Pick<ClientSessionOptions, FromSession>, CallsOptions {
  readonly catalog: ProblemCatalog;
  readonly limits: CentrifugoLimits;
  opened(session: ClientSession): void;
  closed(session: ClientSession): void;
}

const protobuf = 'centrifuge-protobuf';
const subprotocols: readonly string[] = ['centrifuge-json', protobuf];

/** What a client wants to speak: it asks by a subprotocol, which browsers want confirmed, or in the query. */
function wishOf({ headers, query }: HttpRequest): { readonly isProtobuf: boolean; readonly protocol?: string } {
  const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
  const protocol = offered.find((name) => subprotocols.includes(name));
  const asked = new URLSearchParams(query);
  const isProtobuf = [protocol, asked.get('format'), asked.get('cf_protocol')].some(
    (one) => one === protobuf || one === 'protobuf',
  );
  return { isProtobuf, ...(protocol === undefined ? {} : { protocol }) };
}

/** A session whose frames are Protobuf, both ways. */
function inProtobuf(session: ClientSession): SocketHandlers {
  return {
    open: (socket) => session.open(new ProtobufSocket(socket)),
    message: () => session.end(disconnects.badRequest),
    binary: (frame) => session.receive(() => commandsOfBytes(frame), frame.length),
    drain: () => session.drain(),
    closed: () => session.closed(),
  };
}

export function centrifugoSockets(options: CentrifugoOptions): SocketEntry {
  const { rules, topics, clock, failed, limits } = options;
  const shared = {
    ...options,
    channels: new Channels({ rules, topics, clock, failed }),
    calls: new Calls(options),
    tellLimiter: new RateLimiter(limits.tellRate, clock),
    languages: options.catalog.languages,
    connectionLimits: { bufferedBytesMax: limits.bufferedBytesMax, resumeBytes: limits.bufferedBytesMax / 4 },
    limits: {
      channelsMax: limits.channelsMax,
      commandsMax: limits.socketCommandsMax,
      unreadBytesMax: limits.unreadBytesMax,
      connectMs: limits.signInMs,
      pingSeconds: limits.pingSeconds,
      pongMs: limits.pongMs,
    },
  };
  return {
    path: '/connection/websocket',
    frameBytesMax: limits.batchBytesMax,
    accept: (_params, request, language) => {
      const { isProtobuf, ...confirmed } = wishOf(request);
      const session = new ClientSession({ ...shared, language });
      return { handlers: isProtobuf ? inProtobuf(session) : session, ...confirmed };
    },
  };
}
