/**
 * The journal's codec: plain data to msgpack bytes and back, with msgpackr. Records (a msgpackr extension) are off, so
 * that any msgpack reader, also one years from now, reads a payload without this program.
 */

import { Packr } from 'msgpackr';

const packr = new Packr({ useRecords: false, moreTypes: false, mapsAsObjects: true });

/** The msgpack bytes of plain data (what JSON can hold, and `undefined`). The buffer is the caller's own. */
export function encode(value: unknown): Uint8Array {
  return packr.pack(value);
}

/** The data behind `encode`'s bytes. Throws on bytes that are not msgpack. */
export function decode<T>(bytes: Uint8Array): T {
  return packr.unpack(bytes) as T;
}
