/**
 * The bytes of a segment. A header that says whose entries these are, then the entries, compressed together, then a
 * checksum of everything before it; each entry carries a checksum of its own under its shard and `seq`, as a record of
 * the journal does. Written twice by one program, a range gives the same bytes.
 *
 * Layout, big-endian: magic (4), version of the format (1), length of the header (4), header (msgpack array of store,
 * shard, first, last, bytes of the body when it is not compressed), length of the body (4), body (brotli), sha-256 of all
 * of it (32). The body is a row of records: length (4), crc32 (4), msgpack array of version, time since the
 * entry before, actor, type, emitted, operation, from, payload.
 */

import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { brotliCompress, brotliDecompress, constants, crc32 } from 'node:zlib';
import type { Address } from '../actor/address.ts';
import { TroupeError } from '../errors.ts';
import { decode, encode } from '../journal/codec.ts';
import type { JournalEntry } from '../journal/entry.ts';

const magic = Buffer.from('TRPA');
const formatVersion = 1;
const frameBytes = magic.length + 1 + 4;
const hashBytes = 32;
/** Of the chat's entries, 250 bytes each, it leaves 27; level 9 leaves as many in half as much time again, deflate 32. */
const level = 5;
/** A body that says it is larger is damaged, and is not unpacked. */
const bodyBytesMax = 1024 * 1024 * 1024;

const compress = promisify(brotliCompress);
const decompress = promisify(brotliDecompress);

export interface SegmentHeader {
  readonly store: string;
  readonly shard: number;
  readonly first: number;
  readonly last: number;
}

type Record = readonly [
  version: number,
  /** From the entry before, or the time itself where a distance would not be exact. */
  since: number | readonly [number],
  actor: string,
  type: string,
  emitted: readonly string[],
  operation: string | null,
  from: string | null,
  payload: Uint8Array,
];

function checksum(shard: number, seq: number, record: Uint8Array): number {
  return crc32(record, crc32(`${shard} ${seq}`));
}

function bodyOf(shard: number, entries: readonly JournalEntry[]): Buffer {
  const parts: Uint8Array[] = [];
  let before = 0;
  for (const { seq, version, at, actor, type, emitted, operation, from, payload } of entries) {
    const since = before + (at - before) === at ? at - before : ([at] as const);
    const record: Record = [version, since, actor, type, emitted, operation ?? null, from ?? null, payload];
    before = at;
    const bytes = encode(record);
    const frame = Buffer.allocUnsafe(8);
    frame.writeUInt32BE(bytes.length, 0);
    frame.writeUInt32BE(checksum(shard, seq, bytes), 4);
    parts.push(frame, bytes);
  }
  return Buffer.concat(parts);
}

/** The bytes of a segment of consecutive entries. */
export async function encodeSegment(
  store: string,
  shard: number,
  entries: readonly JournalEntry[],
): Promise<Uint8Array> {
  const [first, last] = [entries[0]?.seq ?? 0, entries.at(-1)?.seq ?? 0];
  const isRun = entries.length > 0 && entries.every((entry, i) => entry.seq === first + i);
  if (!isRun) throw new TroupeError('CONFIG_INVALID', 'A segment is made of consecutive entries, and of at least one.');
  const body = bodyOf(shard, entries);
  const packed = await compress(body, {
    params: { [constants.BROTLI_PARAM_QUALITY]: level, [constants.BROTLI_PARAM_SIZE_HINT]: body.length },
  });
  const header = encode([store, shard, first, last, body.length]);
  const frame = Buffer.alloc(frameBytes);
  magic.copy(frame);
  frame[magic.length] = formatVersion;
  frame.writeUInt32BE(header.length, magic.length + 1);
  const length = Buffer.allocUnsafe(4);
  length.writeUInt32BE(packed.length);
  const whole = Buffer.concat([frame, header, length, packed]);
  return Buffer.concat([whole, createHash('sha256').update(whole).digest()]);
}

/**
 * The entries behind a segment's bytes. Rejects with ARCHIVE_DAMAGED, naming the segment, unless every checksum fits and
 * it holds what `expected` says; with ARCHIVE_INCOMPATIBLE when a newer program wrote it.
 */
export async function decodeSegment(
  name: string,
  bytes: Uint8Array,
  expected: SegmentHeader,
): Promise<readonly JournalEntry[]> {
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = whole.length - hashBytes;
  if (end < frameBytes || !whole.subarray(0, magic.length).equals(magic)) throw damaged(name, 'it is cut short');
  const version = whole[magic.length] as number;
  if (version > formatVersion) {
    const message = `Segment ${name} has format ${version}; this version of Troupe reads up to ${formatVersion}.`;
    throw new TroupeError('ARCHIVE_INCOMPATIBLE', message, { segment: name, version });
  }
  const hash = createHash('sha256').update(whole.subarray(0, end)).digest();
  if (!hash.equals(whole.subarray(end))) throw damaged(name, 'its checksum does not fit');
  try {
    const headerEnd = frameBytes + whole.readUInt32BE(magic.length + 1);
    const header = decode<readonly [string, number, number, number, number]>(whole.subarray(frameBytes, headerEnd));
    const [store, shard, first, last, size] = header;
    const is = { store, shard, first, last };
    if (store !== expected.store || shard !== expected.shard || first !== expected.first || last !== expected.last) {
      throw damaged(name, `it says that it is ${JSON.stringify(is)}`);
    }
    if (size > bodyBytesMax) throw damaged(name, `it says that it has ${size} bytes`);
    const packed = whole.subarray(headerEnd + 4, headerEnd + 4 + whole.readUInt32BE(headerEnd));
    return entriesOf(name, await decompress(packed, { maxOutputLength: size + 1 }), is);
  } catch (error) {
    if (error instanceof TroupeError) throw error;
    throw damaged(name, 'it cannot be unpacked', error);
  }
}

function entriesOf(name: string, body: Buffer, { shard, first, last }: SegmentHeader): readonly JournalEntry[] {
  const entries: JournalEntry[] = [];
  let before = 0;
  for (let at = 0; at < body.length; ) {
    const seq = first + entries.length;
    const record = body.subarray(at + 8, at + 8 + body.readUInt32BE(at));
    if (body.readUInt32BE(at + 4) !== checksum(shard, seq, record)) throw damaged(name, `entry ${seq} is damaged`);
    at += 8 + record.length;
    const [version, since, actor, type, emitted, operation, from, payload] = decode<Record>(record);
    before = typeof since === 'number' ? before + since : since[0];
    entries.push({
      seq,
      actor: actor as Address,
      version,
      type,
      emitted,
      at: before,
      payload,
      ...(from === null ? {} : { from: from as Address }),
      ...(operation === null ? {} : { operation }),
    });
  }
  if (entries.length === last - first + 1) return entries;
  throw damaged(name, `it holds ${entries.length} entries, not ${last - first + 1}`);
}

function damaged(name: string, why: string, cause?: unknown): TroupeError {
  return new TroupeError('ARCHIVE_DAMAGED', `Segment ${name} is damaged: ${why}.`, { segment: name }, cause);
}
