/**
 * The lexicographic bounds of a range, for sorted sets whose members are keys, or keys followed by a zero byte and a
 * payload: the same bounds fit both. Keys are printable ASCII, so that a byte below a space ends before every key that
 * goes on, and one above 127 ends behind it.
 */

import type { RangeOptions } from '../journal.ts';

export interface LexRange {
  readonly command: 'ZRANGEBYLEX' | 'ZREVRANGEBYLEX';
  readonly from: Uint8Array;
  readonly to: Uint8Array;
}

export function lexRange({ prefix = '', after, reverse = false }: RangeOptions): LexRange {
  const low = prefix === '' ? ' ' : prefix;
  const high = `${prefix}\xff`;
  if (reverse) {
    const top = after !== undefined && after < high ? after : high;
    return { command: 'ZREVRANGEBYLEX', from: bound('(', top), to: bound('[', low) };
  }
  const bottom = after !== undefined && after >= low ? `${after}\x01` : low;
  return { command: 'ZRANGEBYLEX', from: bound('[', bottom), to: bound('(', high) };
}

function bound(kind: '(' | '[', key: string): Uint8Array {
  return Buffer.from(kind + key, 'latin1');
}
