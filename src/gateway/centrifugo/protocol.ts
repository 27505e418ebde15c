/**
 * The Centrifugo client protocol on the wire: its JSON commands, replies and pushes, and its codes. A frame holds commands
 * or replies, one a line. What comes in is checked here, field by field, so that nothing behind it meets a shape it does
 * not know; what a field means is left to whoever carries a command out. The same in Protobuf is next door (protobuf.ts).
 *
 * Not spoken: deltas, filters by tags, map and shared-poll subscriptions, subscription tokens.
 */

import * as z from 'zod';

/** An error that a command is answered with. Codes below 400 are the protocol's own. */
export class ProtocolError extends Error {
  readonly code: number;
  /** The same command may succeed later. */
  readonly isTemporary: boolean;

  constructor(code: number, message: string, isTemporary = false) {
    super(message);
    this.name = 'ProtocolError';
    this.code = code;
    this.isTemporary = isTemporary;
  }
}

export const errors = {
  internal: new ProtocolError(100, 'internal server error', true),
  unauthorized: new ProtocolError(101, 'unauthorized'),
  unknownChannel: new ProtocolError(102, 'unknown channel'),
  permissionDenied: new ProtocolError(103, 'permission denied'),
  methodNotFound: new ProtocolError(104, 'method not found'),
  alreadySubscribed: new ProtocolError(105, 'already subscribed'),
  limitExceeded: new ProtocolError(106, 'limit exceeded'),
  badRequest: new ProtocolError(107, 'bad request'),
  notAvailable: new ProtocolError(108, 'not available'),
  tokenExpired: new ProtocolError(109, 'token expired'),
  tooManyRequests: new ProtocolError(111, 'too many requests', true),
  unrecoverable: new ProtocolError(112, 'unrecoverable position'),
} as const;

/** Why a connection ends. After 3000 to 3499 a client connects again by itself, after 3500 to 3999 it does not. */
export interface Disconnect {
  readonly code: number;
  readonly reason: string;
}

export const disconnects = {
  shutdown: { code: 3001, reason: 'shutdown' },
  serverError: { code: 3004, reason: 'internal server error' },
  expired: { code: 3005, reason: 'connection expired' },
  slow: { code: 3008, reason: 'slow' },
  insufficientState: { code: 3010, reason: 'insufficient state' },
  noPong: { code: 3012, reason: 'no pong' },
  tooManyRequests: { code: 3013, reason: 'too many requests' },
  invalidToken: { code: 3500, reason: 'invalid token' },
  badRequest: { code: 3501, reason: 'bad request' },
  stale: { code: 3502, reason: 'stale' },
  notAvailable: { code: 3508, reason: 'not available' },
} as const satisfies Readonly<Record<string, Disconnect>>;

const byRefusal: Readonly<Record<string, Disconnect>> = {
  SERVER_RESTARTING: disconnects.shutdown,
  FELL_BEHIND: disconnects.slow,
  TOKEN_EXPIRED: disconnects.expired,
  TOKEN_INVALID: disconnects.invalidToken,
  EMAIL_NOT_VERIFIED: disconnects.invalidToken,
  RATE_LIMITED: disconnects.tooManyRequests,
};

/** By the code of the refusal that ends a connection; one that is not known may pass, so that the client comes again. */
export function disconnectOf(refusalCode: string): Disconnect {
  return byRefusal[refusalCode] ?? disconnects.serverError;
}

/** What ends one subscription and not the connection; below 2500 the client does not subscribe again by itself. */
export const unsubscribed = { code: 2000, reason: 'server unsubscribe' } as const;

/** Of a subscribe command's `flag`: rather an error than a subscription that was not recovered. */
export const rejectUnrecovered = 2;

const offset = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const channel = z.string().min(1).max(255);
const epoch = z.string().max(255);
const position = { recover: z.boolean().optional(), offset: offset.optional(), epoch: epoch.optional() };

const requests = {
  connect: z.object({
    token: z.string().max(16_384).optional(),
    subs: z.record(channel, z.object(position)).optional(),
    headers: z.record(z.string(), z.string()).optional(),
  }),
  subscribe: z.object({
    ...position,
    channel,
    join_leave: z.boolean().optional(),
    flag: z.number().int().min(0).optional(),
    /** Anything but a plain stream. */
    type: z.number().int().optional(),
    tf: z.unknown().optional(),
  }),
  unsubscribe: z.object({ channel }),
  publish: z.object({ channel, data: z.unknown() }),
  presence: z.object({ channel }),
  presence_stats: z.object({ channel }),
  history: z.object({
    channel,
    limit: z.number().int().min(-1).optional(),
    since: z.object({ offset: offset.optional(), epoch: epoch.optional() }).optional(),
    reverse: z.boolean().optional(),
  }),
  rpc: z.object({ method: z.string().max(128).optional(), data: z.unknown().optional() }),
  refresh: z.object({ token: z.string().max(16_384).optional() }),
  ping: z.object({}),
  send: z.object({}),
  sub_refresh: z.object({}),
} as const;

type Requests = { readonly [K in keyof typeof requests]: z.infer<(typeof requests)[K]> };
export type RequestName = keyof Requests;
export type Request<K extends RequestName> = Requests[K];
export type Position = z.infer<z.ZodObject<typeof position>>;

/** A command; `pong` is the empty one that answers a ping. */
export type Command =
  | { readonly kind: 'pong' }
  | { readonly kind: 'unreadable'; readonly id: number; readonly error: ProtocolError }
  | { [K in RequestName]: { readonly kind: K; readonly id: number; readonly request: Requests[K] } }[RequestName];

const names = Object.keys(requests) as readonly RequestName[];

/** Commands, or lines, of a frame. A client that comes again subscribes to all of its channels in one. */
export const frameCommandsMax = 2_048;

function commandOf(parsed: unknown): Command | undefined {
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return undefined;
  const fields = parsed as Readonly<Record<string, unknown>>;
  if (Object.keys(fields).length === 0) return { kind: 'pong' };
  const id = fields.id ?? 0;
  if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id > 0xffff_ffff) return undefined;
  const kind = names.find((name) => fields[name] !== undefined);
  if (kind === undefined) return { kind: 'unreadable', id, error: errors.methodNotFound };
  const request = requests[kind].safeParse(fields[kind]);
  if (!request.success) return { kind: 'unreadable', id, error: errors.badRequest };
  return { kind, id, request: request.data } as Command;
}

/** The commands of a frame that is parsed; undefined when one of them is none of the protocol's, or there are none. */
export function checkedCommands(frame: readonly unknown[]): readonly Command[] | undefined {
  const commands: Command[] = [];
  for (const parsed of frame) {
    const command = commandOf(parsed);
    // Whatever wants an answer has an id; only a message and a pong have none.
    if (command === undefined || (command.kind !== 'pong' && command.kind !== 'send' && command.id === 0)) {
      return undefined;
    }
    commands.push(command);
  }
  return commands.length === 0 ? undefined : commands;
}

/** The commands of a frame; undefined when it is not one of the protocol's. */
export function commandsOf(frame: string): readonly Command[] | undefined {
  const lines = frame.split('\n', frameCommandsMax + 1);
  if (lines.length > frameCommandsMax) return undefined;
  const commands = lines.filter((line) => line.trim() !== '');
  try {
    return checkedCommands(commands.map((line): unknown => JSON.parse(line)));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** A server's ping. */
export const ping = '{}';

export function replyFrame(id: number, kind: RequestName, result: string): string {
  return `{"id":${id},"${kind}":${result}}`;
}

export function errorFrame(id: number, error: ProtocolError): string {
  const { code, message, isTemporary } = error;
  return JSON.stringify({ id, error: { code, message, ...(isTemporary ? { temporary: true } : {}) } });
}

export function pushFrame(channel: string, kind: 'join' | 'leave' | 'unsubscribe', content: object): string {
  return JSON.stringify({ push: { channel, [kind]: content } });
}

/** A publication as JSON, of data that is JSON already. One without an offset is not part of a channel's history. */
export function publicationOf(data: string, offset: number | undefined, info?: ClientInfo): string {
  const position = offset === undefined ? '' : `,"offset":${offset}`;
  return `{"data":${data}${position}${info === undefined ? '' : `,"info":${JSON.stringify(info)}`}}`;
}

/** Of a publication as JSON. */
export function publicationFrame(channel: string, publication: string): string {
  return `{"push":{"channel":${JSON.stringify(channel)},"pub":${publication}}}`;
}

/** Who a connection is to others. */
export interface ClientInfo {
  readonly user: string;
  readonly client: string;
}
