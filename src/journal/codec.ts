/**
 * The journal's codec: plain data to msgpack bytes and back, with msgpackr. Records (a msgpackr extension) are off, so
 * that any msgpack reader, also one years from now, reads a payload without this program.
 */

import { Packr } from 'msgpackr';

/** Payloads share allocations of this size: msgpackr's own 8 KiB would make a new one of every few. */
const slabBytes = 128 * 1024;

const packr = new Packr({ useRecords: false, moreTypes: false, mapsAsObjects: true });
packr.useBuffer(Buffer.allocUnsafeSlow(slabBytes));

/** The msgpack bytes of plain data (what JSON can hold, and `undefined`). They share their allocation with others: copy what is kept for long. */
export function encode(value: unknown): Uint8Array {
  return packr.pack(value);
}

/** The data behind `encode`'s bytes. Throws on bytes that are not msgpack. */
export function decode<T>(bytes: Uint8Array): T {
  return packr.unpack(bytes) as T;
}
