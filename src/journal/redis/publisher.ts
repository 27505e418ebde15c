/**
 * Messages to channels of one server. What is said in the same turn of the event loop leaves as one call, whatever its
 * channels: a command of its own for each costs this process and the server more than the message does. It guarantees the order
 * in which they were said, and that each is said to be sent, or that it may not have been; a message that is alone, and
 * all messages of a call that the server refuses to run (too few replicas for a write, no memory), are commands of their own.
 *
 * A server of a cluster may not have a channel's slot (any more): that message alone is said to be `NotPublished`. It deliberately
 * keeps no bound: whoever publishes does (cluster-store.ts).
 */

import type { RedisConnection, Reply } from './connection.ts';
import { functionName } from './library.ts';
import { CommandBytes, commandOf } from './resp.ts';

/** Told once: without an error, the server has it. */
export type Published = (error?: Error) => void;

/** The server has run the call, but refused this one of its messages; alone, it would say more exactly why. */
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
  /** What the next call says, as long as that has not been written. */
  #gathered: Message[] = [];
  #bytes = 0;

  constructor(connection: RedisConnection) {
    this.#connection = connection;
  }

  publish(channel: string, payload: Uint8Array, told: Published): void {
    const isFull = this.#gathered.length >= messagesMax || this.#bytes + payload.length > bytesMax;
    if (isFull || this.#gathered.length === 0) this.#begin();
    this.#gathered.push({ channel, payload, told });
    this.#bytes += payload.length;
  }

  #begin(): void {
    const messages: Message[] = [];
    this.#gathered = messages;
    this.#bytes = 0;
    const write = (): Buffer => {
      if (this.#gathered === messages) this.#gathered = [];
      return bytesOf(messages);
    };
    this.#connection.send(write).then(
      (reply) => tell(messages, reply),
      (error: Error) => {
        if (this.#gathered === messages) this.#gathered = [];
        if (error.name === 'ReplyError' && messages.length > 1) this.#sayEach(messages);
        else for (const { told } of messages) told(error);
      },
    );
  }

  #sayEach(messages: readonly Message[]): void {
    for (const message of messages) this.#connection.send(spublish(message)).then(() => message.told(), message.told);
  }
}

/** The command for one message. */
export function spublish({ channel, payload }: ChannelMessage): Buffer {
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
