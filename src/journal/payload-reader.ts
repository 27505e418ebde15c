/**
 * Reads the codec's bytes (codec.ts says what they are). It guarantees to end: bytes that are cut, malformed or followed
 * by others throw, and so does a word that this version does not know.
 */

import { Unpackr } from 'msgpackr';
import { filled, noKeys, objectOf, withKey } from './shapes.ts';
import { uuidText } from './uuid-bytes.ts';
import { wordOf } from './words.ts';

/** Types of msgpack's extensions. */
export const extension = { undefined: 0, word: 1, uuid: 2, seen: 3, foreign: 4 } as const;

/** UUIDs of a payload that may be referred to: the writer walks over them for each. */
export const uuidsMax = 16;

/** Reads what is no plain data. */
const unpackr = new Unpackr({ useRecords: false, moreTypes: false, mapsAsObjects: true });

let source: Buffer = Buffer.alloc(0);
let at = 0;
const seen: string[] = [];
let seenCount = 0;
/** The values of the maps that are being read, those of the innermost on top. */
const values: unknown[] = [];
let top = 0;

export function readPayload(bytes: Uint8Array): unknown {
  source = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  at = 0;
  seenCount = 0;
  top = 0;
  const value = read();
  if (at !== source.length) throw malformed();
  return value;
}

function malformed(): Error {
  return new Error(`These ${source.length} bytes are no payload: byte ${at} does not fit.`);
}

/** The position of the next so many bytes, which are then behind us. */
function take(bytes: number): number {
  const from = at;
  at += bytes;
  if (at > source.length) throw malformed();
  return from;
}

function byte(): number {
  return source[take(1)] as number;
}

function unsigned(bytes: 1 | 2 | 4): number {
  return source.readUIntBE(take(bytes), bytes);
}

function read(): unknown {
  const type = byte();
  if (type < 0x80) return type;
  if (type < 0x90) return map(type & 15);
  if (type < 0xa0) return array(type & 15);
  if (type < 0xc0) return text(type & 31);
  if (type >= 0xe0) return type - 0x100;
  switch (type) {
    case 0xc0:
      return null;
    case 0xc2:
      return false;
    case 0xc3:
      return true;
    case 0xc4:
      return bytesOf(unsigned(1));
    case 0xc5:
      return bytesOf(unsigned(2));
    case 0xc6:
      return bytesOf(unsigned(4));
    case 0xd9:
      return text(unsigned(1));
    case 0xda:
      return text(unsigned(2));
    case 0xdb:
      return text(unsigned(4));
    case 0xdc:
      return array(unsigned(2));
    case 0xdd:
      return array(unsigned(4));
    case 0xde:
      return map(unsigned(2));
    case 0xdf:
      return map(unsigned(4));
    default:
      return type >= 0xca && type <= 0xd3 ? number(type) : extended(type);
  }
}

function number(type: number): number {
  switch (type) {
    case 0xca:
      return source.readFloatBE(take(4));
    case 0xcb:
      return source.readDoubleBE(take(8));
    case 0xcc:
      return byte();
    case 0xcd:
      return unsigned(2);
    case 0xce:
      return unsigned(4);
    case 0xcf:
      return unsigned(4) * 0x100000000 + unsigned(4);
    case 0xd0:
      return source.readInt8(take(1));
    case 0xd1:
      return source.readInt16BE(take(2));
    case 0xd2:
      return source.readInt32BE(take(4));
    default:
      return Number(source.readBigInt64BE(take(8)));
  }
}

function extended(type: number): unknown {
  // fixext 1, 2, 4, 8 and 16, then ext 8, 16 and 32.
  let length: number;
  if (type >= 0xd4 && type <= 0xd8) length = 1 << (type - 0xd4);
  else if (type === 0xc7) length = unsigned(1);
  else if (type === 0xc8) length = unsigned(2);
  else if (type === 0xc9) length = unsigned(4);
  else throw malformed();
  const kind = byte();
  const from = take(length);
  switch (kind) {
    case extension.undefined:
      return undefined;
    case extension.word:
      return wordOf(source.readUIntBE(from, length));
    case extension.uuid: {
      if (length !== 16) throw malformed();
      const id = uuidText(source, from);
      if (seenCount < uuidsMax) seen[seenCount++] = id;
      return id;
    }
    case extension.seen: {
      const index = source[from] as number;
      if (index >= seenCount) throw malformed();
      return seen[index];
    }
    case extension.foreign:
      return unpackr.unpack(source.subarray(from, at));
    default:
      throw malformed();
  }
}

function text(length: number): string {
  const from = take(length);
  return source.toString('utf8', from, from + length);
}

/** A view on the payload, as msgpackr gives one. */
function bytesOf(length: number): Buffer {
  const from = take(length);
  return source.subarray(from, from + length);
}

function array(length: number): unknown[] {
  // Every element has a byte at least: a length beyond the payload is not believed.
  if (length > source.length - at) throw malformed();
  const values = new Array<unknown>(length);
  for (let i = 0; i < length; i++) values[i] = read();
  return values;
}

function key(): string {
  const name = read();
  const text = typeof name === 'number' ? wordOf(name) : name;
  if (typeof text !== 'string') throw malformed();
  return text;
}

function map(length: number): Record<string, unknown> {
  const from = top;
  let keys = noKeys;
  for (let i = 0; i < length; i++) {
    const name = key();
    const longer = withKey(keys, name);
    if (longer === undefined) {
      top = from;
      return mapOn(filled(keys.list, values, from), name, length - i);
    }
    keys = longer;
    const value = read();
    values[top++] = value;
  }
  top = from;
  return objectOf(keys, values, from);
}

/** The rest of a map, key by key. */
function mapOn(fields: Record<string, unknown>, first: string, length: number): Record<string, unknown> {
  let name = first;
  for (let i = 0; i < length; i++) {
    if (i > 0) name = key();
    if (name === '__proto__') {
      // A field like any other, and nobody's prototype.
      Object.defineProperty(fields, name, { value: read(), enumerable: true, configurable: true, writable: true });
    } else fields[name] = read();
  }
  return fields;
}
