/**
 * What nodes say to each other, as bytes. A message on a channel is a list of what one process had to say there at one
 * time; an empty one comes from the store (cluster-store.ts). Everything in here may get lost and is made up for: parcels
 * by marks and outbox, answers by the asker's deadline, news by offsets and the topic's history.
 *
 * Nodes of two versions run side by side during an upgrade: a kind is only ever added, and an unknown one is ignored.
 */

import type { Address } from '../actor/address.ts';
import { type Envelope, type PackedEnvelope, packedEnvelope } from '../actor/envelope.ts';
import { type ErrorCode, messageOf, TroupeError } from '../errors.ts';
import { decode, encode } from '../journal/codec.ts';
import type { Log } from '../log.ts';
import type { PackedParcel } from '../shard/parcel.ts';
import type { ClusterStore } from './cluster-store.ts';

/** To a shard's owner. */
export type ShardMessage =
  /** With the node of the sending shard, if the acknowledgement may come later. */
  | readonly ['parcel', from: number, n: number, parcel: PackedParcel, gatherFor?: string]
  /** `receiver` has committed everything up to `n`. */
  | readonly ['acknowledge', receiver: number, n: number]
  /** `receiver` stands at `n` and wants what follows. */
  | readonly ['resend', receiver: number, n: number]
  /** Everything that this node's shards had for the shard when it was taken has been said. */
  | readonly ['level', node: string];

/** `receiver` has committed everything of `sender` up to `n`. */
export type Gathered = readonly [sender: number, receiver: number, n: number];

/** To a node. */
export type NodeMessage =
  | readonly ['answer', question: string, value: unknown]
  | readonly ['refusal', question: string, code: string, message: string, params: Readonly<Record<string, unknown>>]
  /** Of shards that are or were at this node; nothing waits for it. */
  | readonly ['acknowledged', gathered: readonly Gathered[]]
  /** That node has seen that this one is there. */
  | readonly ['hello', node: string];

/** To everyone. */
export type CommonMessage =
  /** Who is there has changed. */
  | readonly ['look', node: string]
  /** Something was published from the shard that nobody may have heard. */
  | readonly ['missed', shard: number]
  /** The shard has a new owner, which stands at these marks (pairs of sender and number). */
  | readonly ['took', shard: number, marks: readonly (readonly [number, number])[], node: string];

/** What a node asks of another node's shard, through that shard's inbox. */
export type Request =
  | {
      readonly kind: 'command';
      readonly envelope: Envelope;
      readonly wantsReply: boolean;
      readonly isRepeatable?: boolean;
      /** Ids that were minted for this command, the one of its actor among them: nobody else has ever used one. */
      readonly fresh?: readonly string[];
    }
  | { readonly kind: 'read'; readonly address: Address }
  | { readonly kind: 'settled'; readonly operation: string };

/** A request on its way: the owner journals a command's event as the bytes that have come. */
export type PackedRequest =
  | (Omit<Extract<Request, { kind: 'command' }>, 'envelope'> & {
      readonly envelope: PackedEnvelope<Uint8Array>;
    })
  | Exclude<Request, { kind: 'command' }>;

export interface Question {
  readonly id: string;
  /** The node that asks. */
  readonly node: string;
  readonly request: PackedRequest;
}

/** Throws what `encode` throws. */
export function packedRequest(request: Request): PackedRequest {
  if (request.kind !== 'command') return request;
  const { envelope, ...asked } = request;
  return { envelope: packedEnvelope(envelope, encode(envelope.event)), ...asked };
}

/** Tells every node that the list of nodes or pins was changed by somebody who is none of them. */
export function announce(store: ClusterStore): void {
  const messages: readonly CommonMessage[] = [['look', '']];
  store.publish({ kind: 'everyone' }, encode(messages));
}

/** The messages in some bytes, without what is no message. None, and a warning, when they cannot be read. */
export function messagesIn<T>(payload: Uint8Array, log: Log): readonly T[] {
  try {
    const messages: unknown = decode(payload);
    if (!Array.isArray(messages)) throw new Error('not a list of messages');
    return messages.filter((message) => Array.isArray(message)) as T[];
  } catch (error) {
    log.warn({}, `a message of another node cannot be read: ${messageOf(error)}`);
    return [];
  }
}

export function refusalOf(question: string, error: Error): NodeMessage {
  const known = error instanceof TroupeError ? error : undefined;
  return ['refusal', question, known?.code ?? 'JOURNAL_UNAVAILABLE', error.message, known?.params ?? {}];
}

export function errorOf([, , code, message, params]: Extract<
  NodeMessage,
  readonly ['refusal', ...unknown[]]
>): TroupeError {
  return new TroupeError(code as ErrorCode, message, params);
}

/** A publication on its way to other nodes: its offset in 8 bytes, then its data as it is in the journal. */
export function newsOf(offset: number, payload: Uint8Array): Uint8Array {
  const news = Buffer.allocUnsafe(8 + payload.length);
  news.writeDoubleBE(offset, 0);
  news.set(payload, 8);
  return news;
}

/** Throws when they are too few bytes. */
export function readNews(news: Uint8Array): { readonly offset: number; readonly payload: Uint8Array } {
  const view = new DataView(news.buffer, news.byteOffset, news.byteLength);
  return { offset: view.getFloat64(0), payload: news.subarray(8) };
}
