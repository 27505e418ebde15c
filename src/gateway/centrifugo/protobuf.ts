/**
 * The Centrifugo client protocol in Protobuf, for SDKs that speak nothing else (Dart, Swift, Java and Kotlin). It is the
 * JSON protocol in other letters: a frame holds commands, each behind its length, and is checked as JSON is (protocol.ts);
 * a reply is made as JSON and written as Protobuf when it leaves. Data stays JSON, as text in the field of bytes.
 *
 * The bytes are protobufjs' affair. The schema names what is spoken here: what a command has beside it is skipped, as the
 * format asks for; what a reply has beside it is left out. No message holds one of its own kind, so decoding is as deep as
 * the schema is, and groups, which no field here is, are skipped to a depth of 100. protobufjs does not look whether a
 * field is laid out as its type is: it reads what is there, and what comes of that is checked like any command.
 */

import protobuf from 'protobufjs/light.js';
import type { Frame, Socket } from '../http.ts';
import { type Command, checkedCommands, errors, frameCommandsMax } from './protocol.ts';

const one = (type: string, id: number): protobuf.IField => ({ type, id });
const list = (type: string, id: number): protobuf.IField => ({ type, id, rule: 'repeated' });
const map = (type: string, id: number): protobuf.IMapField => ({ type, id, keyType: 'string' });

const refreshed = {
  client: one('string', 1),
  version: one('string', 2),
  expires: one('bool', 3),
  ttl: one('uint32', 4),
};

/** Fields by message, in the protocol's own types. */
const messages: Readonly<Record<string, Record<string, protobuf.IField>>> = {
  Nothing: {},
  InChannel: { channel: one('string', 1) },
  Command: {
    id: one('uint32', 1),
    connect: one('ConnectRequest', 4),
    subscribe: one('SubscribeRequest', 5),
    unsubscribe: one('InChannel', 6),
    publish: one('PublishRequest', 7),
    presence: one('InChannel', 8),
    presence_stats: one('InChannel', 9),
    history: one('HistoryRequest', 10),
    ping: one('Nothing', 11),
    send: one('Nothing', 12),
    rpc: one('RpcRequest', 13),
    refresh: one('RefreshRequest', 14),
    sub_refresh: one('Nothing', 15),
  },
  // `subs` is a map, here as the list of entries that it is on the wire: of a map, protobufjs makes null of an entry that
  // has no value, which is an empty request.
  ConnectRequest: { token: one('string', 1), subs: list('ConnectEntry', 3), headers: map('string', 6) },
  ConnectEntry: { key: one('string', 1), value: one('SubscribeRequest', 2) },
  SubscribeRequest: {
    channel: one('string', 1),
    recover: one('bool', 3),
    epoch: one('string', 6),
    offset: one('uint64', 7),
    join_leave: one('bool', 11),
    tf: one('Nothing', 13),
    flag: one('int64', 14),
    type: one('int32', 15),
  },
  PublishRequest: { channel: one('string', 1), data: one('bytes', 2) },
  HistoryRequest: {
    channel: one('string', 1),
    limit: one('int32', 7),
    since: one('StreamPosition', 8),
    reverse: one('bool', 9),
  },
  StreamPosition: { offset: one('uint64', 1), epoch: one('string', 2) },
  RpcRequest: { data: one('bytes', 1), method: one('string', 2) },
  RefreshRequest: { token: one('string', 1) },

  Reply: {
    id: one('uint32', 1),
    error: one('Error', 2),
    push: one('Push', 4),
    connect: one('ConnectResult', 5),
    subscribe: one('SubscribeResult', 6),
    unsubscribe: one('Nothing', 7),
    publish: one('Nothing', 8),
    presence: one('PresenceResult', 9),
    presence_stats: one('PresenceStatsResult', 10),
    history: one('HistoryResult', 11),
    ping: one('Nothing', 12),
    rpc: one('RpcResult', 13),
    refresh: one('RefreshResult', 14),
  },
  Error: { code: one('uint32', 1), message: one('string', 2), temporary: one('bool', 3) },
  Push: {
    channel: one('string', 2),
    pub: one('Publication', 4),
    join: one('WhoCame', 5),
    leave: one('WhoCame', 6),
    unsubscribe: one('Unsubscribe', 7),
  },
  ClientInfo: { user: one('string', 1), client: one('string', 2) },
  Publication: { data: one('bytes', 4), info: one('ClientInfo', 5), offset: one('uint64', 6) },
  WhoCame: { info: one('ClientInfo', 1) },
  Unsubscribe: { code: one('uint32', 2), reason: one('string', 3) },
  ConnectResult: { ...refreshed, subs: map('SubscribeResult', 6), ping: one('uint32', 7), pong: one('bool', 8) },
  SubscribeResult: {
    recoverable: one('bool', 3),
    epoch: one('string', 6),
    publications: list('Publication', 7),
    recovered: one('bool', 8),
    offset: one('uint64', 9),
    positioned: one('bool', 10),
    was_recovering: one('bool', 12),
  },
  PresenceResult: { presence: map('ClientInfo', 1) },
  PresenceStatsResult: { num_clients: one('uint32', 1), num_users: one('uint32', 2) },
  HistoryResult: { publications: list('Publication', 1), epoch: one('string', 2), offset: one('uint64', 3) },
  RpcResult: { data: one('bytes', 1) },
  RefreshResult: refreshed,
};

const schema = protobuf.Root.fromJSON({
  nested: Object.fromEntries(Object.entries(messages).map(([name, fields]) => [name, { fields }])),
});
const commands = schema.lookupType('Command');
const replies = schema.lookupType('Reply');

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Refuses texts that are not UTF-8, where protobufjs' own would make something up. */
class TextReader extends protobuf.Reader {
  override string(): string {
    return utf8.decode(this.bytes());
  }
}

/** A command as protobufjs leaves it. */
interface Decoded {
  readonly connect?: { subs?: unknown };
  readonly publish?: { data?: unknown };
  readonly rpc?: { data?: unknown };
}

interface Entry {
  readonly key?: string;
  readonly value?: object;
}

/** Undefined when these bytes are no commands, or too many. */
function decoded(frame: Uint8Array): readonly Decoded[] | undefined {
  const reader = new TextReader(frame);
  const all: Decoded[] = [];
  while (reader.pos < reader.len) {
    if (all.length === frameCommandsMax) return undefined;
    try {
      // Numbers are exact up to 2^53; beyond it they are refused as they are in JSON.
      all.push(commands.toObject(commands.decodeDelimited(reader), { longs: Number }));
    } catch {
      // Errors of many classes; the bytes alone can be their reason.
      return undefined;
    }
  }
  return all;
}

/** Makes of a command, in place, what `JSON.parse` would give. False when its data is no JSON. */
function restore({ connect, publish, rpc }: Decoded): boolean {
  if (connect?.subs !== undefined) {
    const entries = connect.subs as readonly Entry[];
    // Not by assignment: a key may be any text.
    connect.subs = Object.fromEntries(entries.map(({ key = '', value = {} }) => [key, value]));
  }
  for (const request of [publish, rpc]) {
    if (request?.data === undefined) continue;
    const bytes = request.data as Uint8Array;
    try {
      request.data = bytes.length === 0 ? undefined : JSON.parse(utf8.decode(bytes));
    } catch {
      return false;
    }
  }
  return true;
}

/** The commands of a frame, which is not kept; undefined when it is not one of the protocol's. */
export function commandsOfBytes(frame: Uint8Array): readonly Command[] | undefined {
  const all = decoded(frame);
  if (all === undefined) return undefined;
  const areJson = all.map(restore);
  return checkedCommands(all)?.map((command, i): Command => {
    if (areJson[i] === true || command.kind === 'pong') return command;
    return { kind: 'unreadable', id: command.id, error: errors.badRequest };
  });
}

/** Writes data as JSON. */
class DataWriter extends protobuf.BufferWriter {
  override bytes(data: unknown): protobuf.Writer {
    // On the wire, text and bytes are the same.
    return this.string(JSON.stringify(data));
  }
}

/** A reply, or a ping, of JSON. */
export function bytesOfReply(json: string): Uint8Array {
  return replies.encodeDelimited(JSON.parse(json) as object, new DataWriter()).finish();
}

/** Of frames that are encoded already since they go to many sockets; each is forgotten with its frame. */
const known = new WeakMap<Uint8Array, Uint8Array>();

function bytesOfFrame(frame: Frame): Uint8Array {
  if (typeof frame === 'string') return bytesOfReply(frame);
  const before = known.get(frame);
  if (before !== undefined) return before;
  const bytes = bytesOfReply(utf8.decode(frame));
  known.set(frame, bytes);
  return bytes;
}

/** A socket whose frames leave in Protobuf. */
export class ProtobufSocket implements Socket {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  send(frame: Frame): ReturnType<Socket['send']> {
    return this.#socket.send(bytesOfFrame(frame), true);
  }

  cork(sends: () => void): void {
    this.#socket.cork(sends);
  }

  buffered(): number {
    return this.#socket.buffered();
  }

  end(code: number, reason: string): void {
    this.#socket.end(code, reason);
  }

  terminate(): void {
    this.#socket.terminate();
  }
}
