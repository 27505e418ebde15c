/**
 * The records of the LMDB adapter: their bytes, and a checksum in front of each. The checksum covers the record's key
 * too, so that bytes that are whole but belong elsewhere are found as well. Reading a record whose checksum is wrong
 * throws `DamagedRecord`; who reads it knows its name, and says it.
 *
 * Layout: crc32 (4 bytes, big-endian), then the fields. Numbers are LEB128 varints (times: 8-byte floats), texts are a
 * length and UTF-8, a payload is the rest. Never change a layout: raise `formatVersion` (lmdb-tables.ts) and convert.
 */

import { crc32 } from 'node:zlib';
import type { Address } from '../actor/address.ts';
import type { ActorIndex, DeadLetterRecord, Head, JournalEntry, SnapshotRecord, TimerRecord } from './journal.ts';

/** The checksum of a record does not fit its bytes. */
export class DamagedRecord extends Error {}

const slabBytes = 256 * 1024;
/** Fields beside texts and payload: generous, so that no field checks for room. */
const spareBytes = 64;

/** Writes fields one after the other into slabs, so that a record costs no allocation of its own. */
class RecordWriter {
  #slab = Buffer.allocUnsafeSlow(slabBytes);
  #start = 0;
  #at = 0;

  /** Begins a record of at most `bytes` bytes beside its checksum. */
  begin(bytes: number): void {
    const room = bytes + spareBytes;
    if (this.#slab.length - this.#at < room) {
      this.#slab = Buffer.allocUnsafeSlow(Math.max(slabBytes, room));
      this.#at = 0;
    }
    this.#start = this.#at;
    this.#at += 4;
  }

  number(value: number): void {
    let rest = value;
    while (rest > 0x7f) {
      this.#slab[this.#at++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#slab[this.#at++] = rest;
  }

  float(value: number): void {
    this.#at = this.#slab.writeDoubleBE(value, this.#at);
  }

  text(value: string): void {
    // A length of one byte is the usual case: the text is written behind it, and moved only when it was longer.
    const from = this.#at + 1;
    const written = this.#slab.write(value, from, 'utf8');
    if (written > 0x7f) this.#slab.copyWithin(from + varintBytes(written) - 1, from, from + written);
    this.number(written);
    this.#at += written;
  }

  rest(payload: Uint8Array): void {
    this.#slab.set(payload, this.#at);
    this.#at += payload.length;
  }

  end(key: Uint8Array): Buffer {
    const record = this.#slab.subarray(this.#start, this.#at);
    record.writeUInt32BE(crc32(record.subarray(4), crc32(key)), 0);
    return record;
  }
}

class RecordReader {
  readonly #bytes: Buffer;
  #at = 4;

  constructor(key: Uint8Array, record: Uint8Array) {
    this.#bytes = Buffer.from(record.buffer, record.byteOffset, record.length);
    if (record.length < 4 || this.#bytes.readUInt32BE(0) !== crc32(this.#bytes.subarray(4), crc32(key))) {
      throw new DamagedRecord('its checksum does not fit its bytes');
    }
  }

  number(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.#bytes[this.#at++] as number;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  float(): number {
    this.#at += 8;
    return this.#bytes.readDoubleBE(this.#at - 8);
  }

  text(): string {
    const length = this.number();
    this.#at += length;
    return this.#bytes.toString('utf8', this.#at - length, this.#at);
  }

  rest(): Uint8Array {
    return this.#bytes.subarray(this.#at);
  }
}

const writer = new RecordWriter();

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes += 1;
  return bytes;
}

/** UTF-8 takes at most three bytes for each of a JavaScript string's units. */
function room(...texts: readonly (string | undefined)[]): number {
  let chars = 0;
  for (const text of texts) chars += (text?.length ?? 0) + 3;
  return chars * 3;
}

/** A payload and nothing else: rows, outbox messages, publications. */
export function payloadRecord(key: Uint8Array, payload: Uint8Array): Buffer {
  writer.begin(payload.length);
  writer.rest(payload);
  return writer.end(key);
}

export function readPayload(key: Uint8Array, record: Uint8Array): Uint8Array {
  return new RecordReader(key, record).rest();
}

/** Some whole numbers: an epoch's, a mark's, a topic's. */
export function numbersRecord(key: Uint8Array, numbers: readonly number[]): Buffer {
  writer.begin(numbers.length * 8);
  for (const value of numbers) writer.number(value);
  return writer.end(key);
}

export function readNumbers(key: Uint8Array, record: Uint8Array, count: number): number[] {
  const reader = new RecordReader(key, record);
  return Array.from({ length: count }, () => reader.number());
}

/** Small plain data, as JSON. */
export function jsonRecord(key: Uint8Array, value: unknown): Buffer {
  return payloadRecord(key, Buffer.from(JSON.stringify(value)));
}

export function readJson<T>(key: Uint8Array, record: Uint8Array): T {
  return JSON.parse(Buffer.from(readPayload(key, record)).toString()) as T;
}

export function headRecord(key: Uint8Array, head: Head): Buffer {
  writer.begin(room(head.commitId));
  writer.number(head.commits);
  writer.number(head.seq);
  writer.text(head.commitId);
  return writer.end(key);
}

export function readHead(key: Uint8Array, record: Uint8Array): Head {
  const reader = new RecordReader(key, record);
  return { commits: reader.number(), seq: reader.number(), commitId: reader.text() };
}

export function entryRecord(key: Uint8Array, entry: JournalEntry): Buffer {
  const { actor, type, emitted, from, operation, payload } = entry;
  writer.begin(room(actor, type, from, operation, ...emitted) + payload.length);
  writer.number(entry.version);
  writer.float(entry.at);
  writer.text(actor);
  writer.text(type);
  writer.number(emitted.length);
  for (const name of emitted) writer.text(name);
  writer.number((from === undefined ? 0 : 1) | (operation === undefined ? 0 : 2));
  if (from !== undefined) writer.text(from);
  if (operation !== undefined) writer.text(operation);
  writer.rest(payload);
  return writer.end(key);
}

export function readEntry(key: Uint8Array, seq: number, record: Uint8Array): JournalEntry {
  const reader = new RecordReader(key, record);
  const version = reader.number();
  const at = reader.float();
  const actor = reader.text() as Address;
  const type = reader.text();
  const emitted = Array.from({ length: reader.number() }, () => reader.text());
  const flags = reader.number();
  const from = flags & 1 ? { from: reader.text() as Address } : undefined;
  const operation = flags & 2 ? { operation: reader.text() } : undefined;
  return { seq, actor, version, type, emitted, ...from, ...operation, at, payload: reader.rest() };
}

/** The address is in the key. The tail is kept as differences, which are small. */
export function indexRecord(key: Uint8Array, index: ActorIndex): Buffer {
  writer.begin((index.tail.length + 2) * 8);
  writer.number(index.version);
  writer.number(index.snapshotVersion);
  let before = 0;
  for (const seq of index.tail) {
    writer.number(seq - before);
    before = seq;
  }
  return writer.end(key);
}

export function readIndex(key: Uint8Array, actor: Address, record: Uint8Array): ActorIndex {
  const reader = new RecordReader(key, record);
  const version = reader.number();
  const snapshotVersion = reader.number();
  let seq = 0;
  const tail = Array.from({ length: version - snapshotVersion }, () => {
    seq += reader.number();
    return seq;
  });
  return { actor, version, snapshotVersion, tail };
}

export function snapshotRecord(key: Uint8Array, { version, payload }: SnapshotRecord): Buffer {
  writer.begin(payload.length);
  writer.number(version);
  writer.rest(payload);
  return writer.end(key);
}

export function readSnapshot(key: Uint8Array, actor: Address, record: Uint8Array): SnapshotRecord {
  const reader = new RecordReader(key, record);
  return { actor, version: reader.number(), payload: reader.rest() };
}

export function timerRecord(key: Uint8Array, timer: TimerRecord): Buffer {
  writer.begin(room(timer.actor, timer.id, timer.operation) + timer.payload.length);
  writer.text(timer.actor);
  writer.text(timer.id);
  writer.float(timer.dueAt);
  writer.number(timer.generation);
  writer.number(timer.operation === undefined ? 0 : 1);
  if (timer.operation !== undefined) writer.text(timer.operation);
  writer.rest(timer.payload);
  return writer.end(key);
}

export function readTimer(key: Uint8Array, record: Uint8Array): TimerRecord {
  const reader = new RecordReader(key, record);
  const actor = reader.text() as Address;
  const id = reader.text();
  const dueAt = reader.float();
  const generation = reader.number();
  const operation = reader.number() === 1 ? { operation: reader.text() } : undefined;
  return { actor, id, dueAt, generation, ...operation, payload: reader.rest() };
}

export function deadLetterRecord(key: Uint8Array, letter: DeadLetterRecord): Buffer {
  writer.begin(room(letter.code, letter.reason) + letter.payload.length);
  writer.float(letter.at);
  writer.text(letter.code);
  writer.text(letter.reason);
  writer.rest(letter.payload);
  return writer.end(key);
}

export function readDeadLetter(key: Uint8Array, record: Uint8Array): DeadLetterRecord {
  const reader = new RecordReader(key, record);
  return { at: reader.float(), code: reader.text(), reason: reader.text(), payload: reader.rest() };
}
