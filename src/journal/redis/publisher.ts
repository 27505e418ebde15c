/**
 * Messages to channels of one server. What is said in the same turn of the event loop leaves as one call, whatever its
 * channels: a command of its own for each costs this process and the server more than the message does. It guarantees the order
 * in which they were said, and that each is said to be sent, or that it may not have been. A message that is alone is a command of
 * its own. Those of a call that the server refuses to run (too few replicas for a write, no memory) become that too, in which
 * case later ones may come first; or they are all `NotPublished`, for an owner that puts them in order.
 *
 * A server of a cluster may not have a channel's slot (any more): that message alone is said to be `NotPublished`. It deliberately
 * keeps no bound: whoever publishes does (cluster-store.ts).
 */

import type { CallOptions, RedisConnection, Reply } from './connection.ts';
import { functionName } from './library.ts';
import { CommandBytes, commandOf } from './resp.ts';

/** Told once: without an error, the server has it. */
export type Published = (error?: Error) => void;

/** The server has refused this message as one of a call; alone, it would perhaps take it, or say more exactly why not. */
export class NotPublished extends Error {
  override readonly name = 'NotPublished';
}

/** Something to be said on a channel. */
export interface ChannelMessage {
  readonly channel: string;
  readonly payload: Uint8Array;
}

interface Message extends ChannelMessage {
  readonly told: Published;
}

/** Messages and bytes of one call: it keeps everybody else waiting at the server for as long as it runs. */
const messagesMax = 256;
const bytesMax = 1024 * 1024;
const roomPerMessage = 160;

const publishFunction = functionName('publish');

export class Publisher {
  readonly #connection: RedisConnection;
  readonly #refused: 'say each' | 'tell each';
  /** What the next call says, as long as that has not been written. */
  #gathered: Message[] = [];
  #bytes = 0;

  /** `refused` says what becomes of the messages of a call that the server has refused to run. */
  constructor(connection: RedisConnection, refused: 'say each' | 'tell each') {
    this.#connection = connection;
    this.#refused = refused;
  }

  /** The deadline of a call is that of its first message. Default: the connection's. */
  publish(channel: string, payload: Uint8Array, told: Published, deadline?: number): void {
    const isFull = this.#gathered.length >= messagesMax || this.#bytes + payload.length > bytesMax;
    if (isFull || this.#gathered.length === 0) this.#begin(deadline);
    this.#gathered.push({ channel, payload, told });
    this.#bytes += payload.length;
  }

  /** Says one as a command of its own; what is published from here on comes behind it. */
  publishAlone(message: ChannelMessage, options: CallOptions): Promise<Reply> {
    this.#gathered = [];
    return this.#connection.send(spublish(message), options);
  }

  #begin(deadline: number | undefined): void {
    const messages: Message[] = [];
    this.#gathered = messages;
    this.#bytes = 0;
    const write = (): Buffer => {
      if (this.#gathered === messages) this.#gathered = [];
      return bytesOf(messages);
    };
    this.#connection.send(write, deadline === undefined ? {} : { deadline }).then(
      (reply) => tell(messages, reply),
      (error: Error) => {
        if (this.#gathered === messages) this.#gathered = [];
        const isRefused = error.name === 'ReplyError' && messages.length > 1;
        if (isRefused && this.#refused === 'say each') return this.#sayEach(messages);
        const why = isRefused ? new NotPublished(error.message) : error;
        for (const { told } of messages) told(why);
      },
    );
  }

  #sayEach(messages: readonly Message[]): void {
    for (const message of messages) this.#connection.send(spublish(message)).then(() => message.told(), message.told);
  }
}

/** The command for one message. */
function spublish({ channel, payload }: ChannelMessage): Buffer {
  return commandOf('SPUBLISH', channel, payload).done();
}

function bytesOf(messages: readonly Message[]): Buffer {
  const [first] = messages;
  if (first !== undefined && messages.length === 1) return spublish(first);
  const room = messages.reduce((sum, { payload }) => sum + payload.length + roomPerMessage, roomPerMessage);
  const command = new CommandBytes(room).text('FCALL').text(publishFunction).number(0);
  for (const { channel, payload } of messages) command.text(channel).bytes(payload);
  return command.done();
}

/** The reply of the function names what it could not publish, as pairs of a position and the reason. */
function tell(messages: readonly Message[], reply: Reply): void {
  const failed = new Map<number, string>();
  if (Array.isArray(reply)) {
    for (let i = 0; i < reply.length; i += 2) failed.set(Number(reply[i]), String(reply[i + 1]));
  }
  for (const [i, { told }] of messages.entries()) {
    const why = failed.get(i);
    told(why === undefined ? undefined : new NotPublished(why));
  }
}
