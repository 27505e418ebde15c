/**
 * The lexicographic bounds of a range, for sorted sets whose members are keys, or keys followed by a zero byte and a
 * payload: the same bounds fit both. Keys are printable ASCII, so that a byte below a space ends before every key that
 * goes on, and one above 127 ends behind it.
 *
 * Members of views have a UUID their key begins with as bytes (records.ts). Those stand together, before the others and
 * in the order of their keys, so that a range of rows is one range of members or two, to be merged.
 */

import type { RangeOptions, ViewRow } from '../journal.ts';
import { writeUuid } from '../uuid-bytes.ts';
import { idMark } from './records.ts';

export interface LexRange {
  readonly command: 'ZRANGEBYLEX' | 'ZREVRANGEBYLEX';
  readonly from: Uint8Array;
  readonly to: Uint8Array;
}

export function lexRange(options: RangeOptions): LexRange {
  const { low, high } = textBounds(options);
  return between(options, Buffer.from(low === '' ? ' ' : low, 'latin1'), Buffer.from(high, 'latin1'));
}

/** The ranges of members that hold a range of rows. */
export function rowRanges(options: RangeOptions): readonly LexRange[] {
  const { low, high } = textBounds(options);
  const [first, end] = [firstShortKey(low), firstShortKey(high)];
  const short = Buffer.compare(first, end) < 0 ? [between(options, first, end)] : [];
  const beginsWithId = writeUuid(options.prefix ?? '', scratch, 0);
  return beginsWithId ? short : [...short, lexRange(options)];
}

/** The rows of a range, from those of its ranges of members. */
export function mergedRows(
  parts: readonly (readonly ViewRow[])[],
  { reverse, limit }: RangeOptions,
): readonly ViewRow[] {
  const [first = [], ...others] = parts;
  if (others.every((part) => part.length === 0)) return first;
  const sign = reverse === true ? -1 : 1;
  return parts
    .flat()
    .sort((a, b) => (a.key < b.key ? -sign : sign))
    .slice(0, limit);
}

/** The first key in the range, and the first one behind it. */
function textBounds({ prefix = '', after, reverse = false }: RangeOptions): {
  readonly low: string;
  readonly high: string;
} {
  const high = `${prefix}\xff`;
  if (reverse) return { low: prefix, high: after !== undefined && after < high ? after : high };
  return { low: after !== undefined && after >= prefix ? `${after}\x01` : prefix, high };
}

function between({ reverse }: RangeOptions, low: Uint8Array, high: Uint8Array): LexRange {
  const [from, to] = [bound('[', low), bound('(', high)];
  return reverse === true ? { command: 'ZREVRANGEBYLEX', from: to, to: from } : { command: 'ZRANGEBYLEX', from, to };
}

const scratch = Buffer.alloc(16);
const dashes = [8, 13, 18, 23];
const digits = '0123456789abcdef';

/** As bytes, the first key not before `text` of those that begin with a UUID. */
function firstShortKey(text: string): Buffer {
  const bytes = Buffer.alloc(17);
  bytes[0] = idMark;
  let nibbles = 0;
  for (let i = 0; i < 36; i++) {
    const char = text.charAt(i);
    if (char === '') return bytes;
    if (dashes.includes(i)) {
      if (char < '-') return bytes;
      if (char > '-') return behind(bytes, nibbles);
      continue;
    }
    const value = [...digits].findIndex((digit) => digit >= char);
    if (value < 0) return behind(bytes, nibbles);
    setNibble(bytes, nibbles, value);
    nibbles++;
    if (digits[value] !== char) return bytes;
  }
  return Buffer.concat([bytes, Buffer.from(text.slice(36), 'latin1')]);
}

function setNibble(bytes: Buffer, n: number, value: number): void {
  const at = 1 + (n >> 1);
  bytes[at] = n % 2 === 0 ? value << 4 : (bytes[at] as number) | value;
}

/** The first bytes behind all that begin with these nibbles. */
function behind(bytes: Buffer, nibbles: number): Buffer {
  const value = BigInt(`0x${bytes.toString('hex')}`) + (1n << BigInt(4 * (32 - nibbles)));
  return Buffer.from(value.toString(16).padStart(34, '0'), 'hex');
}

function bound(kind: '(' | '[', key: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(kind), key]);
}
