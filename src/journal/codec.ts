/**
 * The journal's codec: plain data to bytes and back. The bytes are msgpack, so that any reader of it reads them years
 * from now, with shortenings that leave less than half of them: a canonical UUID is the extension 2 with its 16 bytes,
 * one that came before in the same payload is the extension 3 with its number among them (from 0), and a known word is
 * the extension 1 with its number, or that number alone where it is a key of a map. Extension 4 holds what msgpackr
 * makes of what JSON cannot hold (dates, big integers).
 *
 * It guarantees that what was written is read for ever: the words (words.ts) are only ever added to. It copies nothing
 * out of its slab: whoever keeps a payload for long does.
 */

import { Packr } from 'msgpackr';
import { extension, readPayload, uuidsMax } from './payload-reader.ts';
import { writeUuid } from './uuid-bytes.ts';
import { numberOfWord, wordCharsMax } from './words.ts';

/** Payloads share allocations of this size: one each would cost more than writing it. */
const slabBytes = 128 * 1024;

/** Writes what is no plain data. */
const packr = new Packr({ useRecords: false, moreTypes: false, mapsAsObjects: true });

let slab = Buffer.allocUnsafeSlow(slabBytes);
let start = 0;
let at = 0;
const seen: string[] = [];
let seenCount = 0;

/** The bytes of plain data (what JSON can hold, and `undefined`). They share their allocation with others: copy what is kept for long. */
export function encode(value: unknown): Uint8Array {
  start = at;
  seenCount = 0;
  try {
    write(value);
  } catch (error) {
    at = start;
    throw error;
  }
  return slab.subarray(start, at);
}

/** The data behind `encode`'s bytes. Throws on bytes that are none, and JOURNAL_INCOMPATIBLE on words that are not known. */
export function decode<T>(bytes: Uint8Array): T {
  return readPayload(bytes) as T;
}

/** Makes room for so many more bytes, if need be in another slab with what is written of this payload. */
function reserve(bytes: number): void {
  if (at + bytes <= slab.length) return;
  const written = at - start;
  const larger = Buffer.allocUnsafeSlow(Math.max(slabBytes, 2 * (written + bytes)));
  slab.copy(larger, 0, start, at);
  slab = larger;
  start = 0;
  at = written;
}

function write(value: unknown): void {
  reserve(48);
  switch (typeof value) {
    case 'string':
      writeString(value);
      return;
    case 'number':
      writeNumber(value);
      return;
    case 'boolean':
      slab[at++] = value ? 0xc3 : 0xc2;
      return;
    case 'undefined':
      // As msgpackr writes it: the extension 0.
      slab[at++] = 0xd4;
      slab[at++] = 0;
      slab[at++] = 0;
      return;
    case 'object':
      if (value === null) slab[at++] = 0xc0;
      else writeObject(value);
      return;
    default:
      writeForeign(value);
  }
}

function writeObject(value: object): void {
  if (Array.isArray(value)) {
    writeHead(0x90, 0xdc, value.length);
    for (let i = 0; i < value.length; i++) write(value[i]);
    return;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) {
    const fields = value as Readonly<Record<string, unknown>>;
    const keys = Object.keys(fields);
    writeHead(0x80, 0xde, keys.length);
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i] as string;
      writeKey(key);
      write(fields[key]);
    }
  } else if (value instanceof Uint8Array) writeBytes(value);
  else writeForeign(value);
}

/** Head of an array or a map. */
function writeHead(short: number, long: number, count: number): void {
  if (count < 16) slab[at++] = short | count;
  else if (count < 0x10000) {
    slab[at] = long;
    at = slab.writeUInt16BE(count, at + 1);
  } else {
    slab[at] = long + 1;
    at = slab.writeUInt32BE(count, at + 1);
  }
}

function writeKey(key: string): void {
  reserve(48);
  const word = numberOfWord(key);
  if (word === undefined) writeString(key);
  else writeNumber(word);
}

function writeString(text: string): void {
  const { length } = text;
  if (length === 36 && writeId(text)) return;
  if (length > wordCharsMax) {
    writeLongString(text);
    return;
  }
  const word = numberOfWord(text);
  if (word !== undefined) writeWord(word);
  else if (!writeAscii(text)) writeLongString(text);
}

function writeWord(word: number): void {
  if (word < 0x100) {
    slab[at++] = 0xd4;
    slab[at++] = extension.word;
    slab[at++] = word;
    return;
  }
  slab[at++] = 0xd5;
  slab[at++] = extension.word;
  at = slab.writeUInt16BE(word, at);
}

/** Whether it is a canonical UUID, and was written. */
function writeId(text: string): boolean {
  for (let i = 0; i < seenCount; i++) {
    if (seen[i] !== text) continue;
    slab[at++] = 0xd4;
    slab[at++] = extension.seen;
    slab[at++] = i;
    return true;
  }
  if (!writeUuid(text, slab, at + 2)) return false;
  if (seenCount < uuidsMax) seen[seenCount++] = text;
  slab[at] = 0xd8;
  slab[at + 1] = extension.uuid;
  at += 18;
  return true;
}

/** Whether a short string is ASCII, and was written. */
function writeAscii(text: string): boolean {
  const { length } = text;
  let to = at;
  if (length < 32) slab[to++] = 0xa0 | length;
  else {
    slab[to++] = 0xd9;
    slab[to++] = length;
  }
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code > 127) return false;
    slab[to++] = code;
  }
  at = to;
  return true;
}

function writeLongString(text: string): void {
  // At most three bytes a character; how many is known when they are written.
  const most = text.length * 3;
  reserve(most + 5);
  if (most < 32) {
    const bytes = slab.write(text, at + 1, 'utf8');
    slab[at] = 0xa0 | bytes;
    at += 1 + bytes;
    return;
  }
  const bytes = most < 0x100 ? most : Buffer.byteLength(text);
  writeLength(0xd9, bytes);
  const lengthAt = at;
  const written = slab.write(text, at, 'utf8');
  if (most < 0x100) slab[lengthAt - 1] = written;
  at += written;
}

function writeBytes(value: Uint8Array): void {
  reserve(value.length + 5);
  writeLength(0xc4, value.length);
  slab.set(value, at);
  at += value.length;
}

/** A type of which there are three: with a length of one, two and four bytes. */
function writeLength(type: number, length: number): void {
  if (length < 0x100) {
    slab[at++] = type;
    slab[at++] = length;
  } else if (length < 0x10000) {
    slab[at] = type + 1;
    at = slab.writeUInt16BE(length, at + 1);
  } else {
    slab[at] = type + 2;
    at = slab.writeUInt32BE(length, at + 1);
  }
}

function writeNumber(value: number): void {
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
    slab[at] = 0xcb;
    at = slab.writeDoubleBE(value, at + 1);
  } else if (value >= 0) writeUnsigned(value);
  else if (value >= -32) slab[at++] = value & 0xff;
  else if (value >= -0x80000000) {
    slab[at] = 0xd2;
    at = slab.writeInt32BE(value, at + 1);
  } else {
    slab[at] = 0xd3;
    at = slab.writeBigInt64BE(BigInt(value), at + 1);
  }
}

function writeUnsigned(value: number): void {
  if (value < 0x80) slab[at++] = value;
  else if (value < 0x100) {
    slab[at++] = 0xcc;
    slab[at++] = value;
  } else if (value < 0x10000) {
    slab[at] = 0xcd;
    at = slab.writeUInt16BE(value, at + 1);
  } else if (value < 0x100000000) {
    slab[at] = 0xce;
    at = slab.writeUInt32BE(value, at + 1);
  } else {
    slab[at] = 0xcf;
    at = slab.writeUInt32BE(Math.floor(value / 0x100000000), at + 1);
    at = slab.writeUInt32BE(value % 0x100000000, at);
  }
}

function writeForeign(value: unknown): void {
  const bytes = packr.pack(value);
  reserve(bytes.length + 6);
  writeLength(0xc7, bytes.length);
  slab[at++] = extension.foreign;
  slab.set(bytes, at);
  at += bytes.length;
}
