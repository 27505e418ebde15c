/**
 * Parcels: what crosses between shards. A publication is encoded once, where it is made: its bytes go into the outbox,
 * to the other shard and into the topic as they are, and are decoded only where somebody hears them.
 */

import { type Envelope, type PackedEnvelope, packedEnvelope, unpackedEnvelope } from '../actor/envelope.ts';
import { decode, encode } from '../journal/codec.ts';
import type { Published } from '../topic/hub.ts';

/** A parcel of one of this process' shards, or one that has come here. All have the same fields in the same order. */
export interface Parcel {
  readonly envelope: Envelope | undefined;
  readonly publication: Published | undefined;
  readonly operation: string | undefined;
  /** Leaves only when everything its operation sent before it has been acknowledged. */
  readonly settled: boolean | undefined;
  /** Rises with every parcel of the sending shard, whoever it is for. */
  readonly order: number;
  /**
   * It follows the parcel with this number, or any later one: those between are nowhere any more, because a store has lost
   * them. One that carries nothing says just that.
   */
  readonly after: number | undefined;
}

/** A parcel as plain data, without what is absent: in an outbox record, or on its way to another node. */
export interface PackedParcel {
  readonly envelope?: PackedEnvelope;
  readonly publication?:
    | { readonly topic: string; readonly payload: Uint8Array }
    /** In stores of before. */
    | { readonly topic: string; readonly data: unknown };
  readonly operation?: string;
  readonly settled?: boolean;
  readonly order: number;
  readonly after?: number;
}

/** The publication of some data. Throws what `encode` throws. */
export function publicationOf(topic: string, data: unknown): Published {
  return { topic, payload: encode(data), data: () => data };
}

export function packed({ envelope, publication, operation, settled, order, after }: Parcel): PackedParcel {
  return {
    order,
    ...(envelope === undefined ? undefined : { envelope: packedEnvelope(envelope, envelope.event) }),
    ...(publication === undefined
      ? undefined
      : { publication: { topic: publication.topic, payload: publication.payload } }),
    ...(operation === undefined ? undefined : { operation }),
    ...(settled === undefined ? undefined : { settled }),
    ...(after === undefined ? undefined : { after }),
  };
}

export function unpacked({
  envelope: letter,
  publication: news,
  operation,
  settled,
  order,
  after,
}: PackedParcel): Parcel {
  const envelope = letter === undefined ? undefined : unpackedEnvelope(letter, letter.event);
  return { envelope, publication: publicationIn(news), operation, settled, order, after };
}

function publicationIn(news: PackedParcel['publication']): Published | undefined {
  if (news === undefined) return undefined;
  const { topic } = news;
  if ('data' in news) return publicationOf(topic, news.data);
  const { payload } = news;
  return { topic, payload, data: () => decode(payload) };
}

/** The parcel of an outbox record. */
export function parcelFrom(record: Uint8Array): Parcel {
  return keepable(unpacked(decode(record)));
}

/** The same with bytes of its own: those of `encode`, or of a reply, are a part of many others', which it would keep. */
export function keepable({ envelope, publication, operation, settled, order, after }: Parcel): Parcel {
  const kept = publication && keepablePublication(publication);
  return { envelope, publication: kept, operation, settled, order, after };
}

function keepablePublication({ topic, payload, data }: Published): Published {
  return { topic, payload: Buffer.from(payload), data };
}
