/** Short keys in Redis: actors and rows are found under them, and ranges of rows are what their texts say. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Address } from '../../src/actor/address.ts';
import type { RangeOptions } from '../../src/journal/journal.ts';
import { mergedRows, rowRanges } from '../../src/journal/redis/ranges.ts';
import { actorField, actorOfField, readRowKey, rowKeyBytes } from '../../src/journal/redis/records.ts';

const ascii = fc.string({ unit: fc.constantFrom(...'0123456789abcdefg-/AZ~ _'), maxLength: 6 });
const id = fc.oneof(
  fc.uuid(),
  fc.constantFrom('00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff'),
);
const key = fc.oneof(
  id,
  fc.tuple(id, ascii).map((parts) => parts.join('/')),
  ascii.filter((text) => text !== ''),
);

/** What Redis does with members `key, zero byte, payload`. */
function rangeOf(keys: readonly string[], options: RangeOptions): readonly string[] {
  const members = keys.map((text) => Buffer.concat([rowKeyBytes(text), Buffer.from('\0payload')])).sort(Buffer.compare);
  const parts = rowRanges(options).map(({ command, from, to }) => {
    const isReverse = command === 'ZREVRANGEBYLEX';
    const [low, high] = (isReverse ? [to, from] : [from, to]).map((bound) => Buffer.from(bound.subarray(1)));
    const within = members.filter((m) => Buffer.compare(m, low!) >= 0 && Buffer.compare(m, high!) < 0);
    const page = (isReverse ? within.reverse() : within).slice(0, options.limit);
    return page.map((member) => ({ key: readRowKey(member)!.key, payload: member }));
  });
  return mergedRows(parts, options).map((row) => row.key);
}

function expected(keys: readonly string[], { prefix = '', after, reverse, limit }: RangeOptions): readonly string[] {
  const sorted = keys.filter((text) => text.startsWith(prefix)).sort((a, b) => (a < b ? -1 : 1));
  if (reverse !== true) return sorted.filter((text) => after === undefined || text > after).slice(0, limit);
  return sorted
    .filter((text) => after === undefined || text < after)
    .reverse()
    .slice(0, limit);
}

test('a range of rows is that of their texts', () => {
  const cut = fc.tuple(key, fc.nat(40)).map(([text, length]) => text.slice(0, length));

  fc.assert(
    fc.property(
      fc.uniqueArray(key, { maxLength: 30 }),
      fc.nat(29),
      fc.nat(40),
      fc.option(fc.oneof(cut, key), { nil: undefined }),
      fc.option(fc.oneof(cut, key), { nil: undefined }),
      fc.boolean(),
      fc.integer({ min: 1, max: 12 }),
      (keys, i, length, prefixed, behind, reverse, limit) => {
        const known = keys[i % Math.max(1, keys.length)];
        const prefix = prefixed ?? known?.slice(0, length) ?? '';
        const after = behind ?? known;
        const options = { prefix, reverse, limit, ...(after === undefined || after === '' ? {} : { after }) };
        expect(rangeOf(keys, options)).toEqual(expected(keys, options));
      },
    ),
    { numRuns: 3_000 },
  );
});

test('a key that begins with an id is read back', () => {
  fc.assert(
    fc.property(key, (text) => {
      const member = Buffer.concat([rowKeyBytes(text), Buffer.from('\0\0payload')]);
      expect(readRowKey(member)).toEqual({ key: text, end: rowKeyBytes(text).length });
    }),
  );
});

test('an address becomes a field and comes back', () => {
  const addresses = ['room/0d9f2c1e-5b7a-4c3d-8e9f-001122334455', 'r/00000000-0000-0000-0000-000000000000', 'room/1'];

  const fields = (addresses as Address[]).map((address) => Buffer.from(actorField(address)));

  expect(fields.map((field) => field.length)).toEqual([20, 17, 6]);
  expect(fields.map(actorOfField)).toEqual(addresses);
});
