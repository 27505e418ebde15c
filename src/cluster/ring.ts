/**
 * What the store itself says on a shard's channel when an envelope was put into the shard's inbox. An empty message says
 * no more than that; one that begins with `ringByte` brings the envelope along, so that an owner who has read everything
 * before it need not ask for it. It guarantees nothing that the inbox does not: a ring may get lost, and the envelope stays
 * where it is until a commit says that it was handled.
 *
 * The format is shared with journal/redis/cluster.lua: the byte, the envelope's number as a big-endian double, 1 if the
 * actor that its sender named did not exist when it was sent (else 0), and the envelope.
 */

import type { InboxRecord } from './cluster-store.ts';

/** No list of messages begins with it: msgpack does not use it. */
const ringByte = 0xc1;
const headBytes = 10;

/** Envelopes that may wait in an inbox, and the bytes of one, up to which rings bring them along. */
export const broughtMax = 1_024;
export const broughtBytesMax = 16 * 1024;

export function ringWith({ n, payload, isAbsent }: InboxRecord): Uint8Array {
  const ring = Buffer.allocUnsafe(headBytes + payload.length);
  ring[0] = ringByte;
  ring.writeDoubleBE(n, 1);
  ring[9] = isAbsent === true ? 1 : 0;
  ring.set(payload, headBytes);
  return ring;
}

/** The envelope that a message brings along; undefined for any other message. */
export function broughtBy(message: Uint8Array): InboxRecord | undefined {
  if (message[0] !== ringByte || message.length < headBytes) return undefined;
  const n = new DataView(message.buffer, message.byteOffset, message.byteLength).getFloat64(1);
  return { n, payload: message.subarray(headBytes), isAbsent: message[9] === 1 };
}
