/**
 * Parcels: what crosses between shards. A publication is encoded once, where it is made: its bytes go into the outbox,
 * to the other shard and into the topic as they are, and are decoded only where somebody hears them.
 */

import type { Envelope } from '../actor/envelope.ts';
import { decode, encode } from '../journal/codec.ts';
import type { Published } from '../topic/hub.ts';

/** A parcel of one of this process' shards, or one that has come here. */
export interface Parcel {
  readonly envelope?: Envelope;
  readonly publication?: Published;
  readonly operation?: string;
  /** Leaves only when everything its operation sent before it has been acknowledged. */
  readonly settled?: boolean;
  /** Rises with every parcel of the sending shard, whoever it is for. */
  readonly order: number;
  /**
   * It follows the parcel with this number, or any later one: those between are nowhere any more, because a store has lost
   * them. One that carries nothing says just that.
   */
  readonly after?: number;
}

/** A parcel as plain data: in an outbox record, or on its way to another node. */
export interface PackedParcel extends Omit<Parcel, 'publication'> {
  readonly publication?:
    | { readonly topic: string; readonly payload: Uint8Array }
    /** In stores of before. */
    | { readonly topic: string; readonly data: unknown };
}

/** The publication of some data. Throws what `encode` throws. */
export function publicationOf(topic: string, data: unknown): Published {
  return { topic, payload: encode(data), data: () => data };
}

export function packed(parcel: Parcel): PackedParcel {
  const { publication } = parcel;
  if (publication === undefined) return parcel as PackedParcel;
  const { topic, payload } = publication;
  return { ...parcel, publication: { topic, payload } };
}

export function unpacked(parcel: PackedParcel): Parcel {
  const { publication } = parcel;
  if (publication === undefined) return parcel as Parcel;
  const { topic } = publication;
  if ('data' in publication) return { ...parcel, publication: publicationOf(topic, publication.data) };
  const { payload } = publication;
  return { ...parcel, publication: { topic, payload, data: () => decode(payload) } };
}

/** The parcel of an outbox record. */
export function parcelFrom(record: Uint8Array): Parcel {
  return keepable(unpacked(decode(record)));
}

/** The same with bytes of its own: those of `encode`, or of a reply, are a part of many others', which it would keep. */
export function keepable(parcel: Parcel): Parcel {
  const { publication } = parcel;
  if (publication === undefined) return parcel;
  return { ...parcel, publication: { ...publication, payload: Buffer.from(publication.payload) } };
}
