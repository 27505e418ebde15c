/**
 * The keys of the LMDB adapter. LMDB orders keys by their bytes and is fast where keys rise, so entries are keyed by
 * (shard, seq): a commit appends to its shard's range. Everything else is keyed by (kind, shard, …), so that the small,
 * hot kinds of all shards (heads, marks) share few pages. Numbers are big-endian; names are printable ASCII and end with
 * a zero byte where something follows them. No key is longer than LMDB's 1,978 bytes: checks.ts bounds what goes in.
 */

import type { Address } from '../actor/address.ts';

/** First byte of a key in the `state` table. Never renumber: stores hold them. */
export const kinds = {
  head: 1,
  epoch: 2,
  projections: 3,
  mark: 4,
  outboxLast: 5,
  outbox: 6,
  timer: 7,
  index: 8,
  snapshot: 9,
  topic: 10,
  publication: 11,
  deadLetter: 12,
  row: 13,
  trimmed: 14,
} as const;

export type Kind = (typeof kinds)[keyof typeof kinds];

/** A half-open range of keys. */
export interface KeyRange {
  readonly start: Buffer;
  readonly end: Buffer;
}

const scratch = Buffer.allocUnsafe(2048);

/** (shard, seq), of the `journal` table. */
export function entryKey(shard: number, seq: number): Buffer {
  const key = Buffer.allocUnsafe(8);
  key.writeUInt16BE(shard, 0);
  key.writeUIntBE(seq, 2, 6);
  return key;
}

/** (kind, shard): the only record of a kind in a shard, or the start of its range. */
export function shardKey(kind: Kind, shard: number): Buffer {
  const key = Buffer.allocUnsafe(3);
  key[0] = kind;
  key.writeUInt16BE(shard, 1);
  return key;
}

/** (kind, shard, other shard), of marks and outboxLast. */
export function pairKey(kind: Kind, shard: number, other: number): Buffer {
  const key = Buffer.allocUnsafe(5);
  key[0] = kind;
  key.writeUInt16BE(shard, 1);
  key.writeUInt16BE(other, 3);
  return key;
}

/** (outbox, shard, receiving shard, n). */
export function outboxKey(shard: number, to: number, n: number): Buffer {
  const key = Buffer.allocUnsafe(11);
  key[0] = kinds.outbox;
  key.writeUInt16BE(shard, 1);
  key.writeUInt16BE(to, 3);
  key.writeUIntBE(n, 5, 6);
  return key;
}

/** (deadLetter, shard, n), where n rises. */
export function deadLetterKey(shard: number, n: number): Buffer {
  const key = Buffer.allocUnsafe(9);
  key[0] = kinds.deadLetter;
  key.writeUInt16BE(shard, 1);
  key.writeUIntBE(n, 3, 6);
  return key;
}

/** (kind, shard, name): an actor's index or snapshot, a topic's numbers. */
export function nameKey(kind: Kind, shard: number, name: string): Buffer {
  const end = 3 + scratch.write(name, 3, 'latin1');
  return cut(kind, shard, end);
}

export function timerKey(shard: number, actor: Address, id: string): Buffer {
  return partsKey(kinds.timer, shard, actor, id);
}

export function rowKey(shard: number, view: string, key: string): Buffer {
  return partsKey(kinds.row, shard, view, key);
}

export function publicationKey(shard: number, topic: string, offset: number): Buffer {
  const end = 3 + scratch.write(topic, 3, 'latin1');
  scratch[end] = 0;
  scratch.writeUIntBE(offset, end + 1, 6);
  return cut(kinds.publication, shard, end + 7);
}

/** What follows (kind, shard) in `key`, as text: `nameKey`'s name. */
export function nameIn(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1', 3);
}

/** The second part of a `rowKey`. */
export function rowIn(key: Uint8Array): string {
  const bytes = Buffer.from(key.buffer, key.byteOffset, key.byteLength);
  return bytes.toString('latin1', bytes.indexOf(0, 3) + 1);
}

/** The number a key ends with. */
export function numberIn(key: Uint8Array): number {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).readUIntBE(key.byteLength - 6, 6);
}

/** The other shard in a `pairKey` or `outboxKey`. */
export function otherIn(key: Uint8Array): number {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).readUInt16BE(3);
}

/** All keys that begin with `prefix`. */
export function rangeOf(prefix: Buffer): KeyRange {
  return { start: prefix, end: successor(prefix) };
}

/** The first key after all keys that begin with `prefix`, which has a byte below 255. */
function successor(prefix: Buffer): Buffer {
  let length = prefix.length;
  while (prefix[length - 1] === 0xff) length -= 1;
  const end = Buffer.from(prefix.subarray(0, length));
  end[length - 1] = (end[length - 1] as number) + 1;
  return end;
}

function partsKey(kind: Kind, shard: number, first: string, second: string): Buffer {
  const middle = 3 + scratch.write(first, 3, 'latin1');
  scratch[middle] = 0;
  return cut(kind, shard, middle + 1 + scratch.write(second, middle + 1, 'utf8'));
}

function cut(kind: Kind, shard: number, end: number): Buffer {
  scratch[0] = kind;
  scratch.writeUInt16BE(shard, 1);
  return Buffer.from(scratch.subarray(0, end));
}
