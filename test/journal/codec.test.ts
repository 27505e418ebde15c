/** The codec: what goes in comes out, in bytes that any reader of msgpack takes apart. */

import fc from 'fast-check';
import { Unpackr } from 'msgpackr';
import { expect, test } from 'vitest';
import { decode, encode } from '../../src/journal/codec.ts';
import { declareWords } from '../../src/journal/words.ts';

const id = '0d9f2c1e-5b7a-4c3d-8e9f-001122334455';

test('gives back whatever plain data it is handed', () => {
  const text = fc.oneof(fc.string(), fc.string({ unit: 'grapheme', maxLength: 300 }), fc.uuid(), fc.constant('type'));
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.oneof(text, fc.integer(), fc.maxSafeInteger(), fc.double(), fc.boolean(), fc.constant(null)),
      fc.array(tie('tree'), { maxLength: 20 }),
      fc.dictionary(text, tie('tree'), { maxKeys: 20, noNullPrototype: true }),
    ),
  }));

  fc.assert(
    fc.property(tree, (value) => {
      expect(decode(encode(value))).toEqual(value);
    }),
  );
});

test('payloads stay as they are when others are made', () => {
  const contents = Array.from({ length: 5_000 }, (_, i) => `${i} `.repeat(i % 100));

  const payloads = contents.map((content) => encode({ type: 'ADD', content }));

  expect(payloads.map((payload) => decode<{ content: string }>(payload).content)).toEqual(contents);
});

test('an id takes sixteen bytes, and three when repeated', () => {
  const none = encode(['']).length;

  const [once, twice] = [[id], [id, id]].map((value) => encode(value).length) as [number, number];

  expect([once - none, twice - once]).toEqual([17, 3]);
});

test('ids that are not canonical stay the texts they are', () => {
  const texts = [id.toUpperCase(), id.replaceAll('-', '0'), id.replace('c', 'g'), ` ${id}`];

  expect(texts.map((text) => decode(encode(text)))).toEqual(texts);
});

test('any reader of msgpack takes its bytes apart', () => {
  const reader = new Unpackr({ mapsAsObjects: false });

  const read = reader.unpack(Buffer.from(encode({ type: 'ADD', by: 2, tags: ['x'] })));

  expect([...read]).toEqual([
    [0, 'ADD'],
    ['by', 2],
    ['tags', ['x']],
  ]);
});

test('keeps dates and big integers as before', () => {
  const value = { on: new Date(1_000), many: 2n ** 60n };

  expect(decode(encode(value))).toEqual(value);
});

test('bytes that were cut or prolonged are refused', () => {
  const payload = encode({ type: 'ADD', id, values: [1, 300, 'text'], on: new Date(0) });

  const damaged = [...payload.keys()].map((end) => payload.subarray(0, end));
  damaged.push(Buffer.concat([payload, Buffer.from([1])]));

  for (const bytes of damaged) expect(() => decode(bytes)).toThrow();
});

test('a word that nobody declared is refused', () => {
  const unknown = Buffer.from([0xd5, 1, 0xff, 0xfe]);

  expect(() => decode(unknown)).toThrow(/word 65534, which this program does not know/);
});

test('no prototype comes out of a payload', () => {
  const value = JSON.parse('{"__proto__":{"isAdmin":true}}');

  const read = decode<{ isAdmin?: boolean }>(encode(value));

  expect([read.isAdmin, Object.keys(read)]).toEqual([undefined, ['__proto__']]);
});

test('another word under a number is refused', () => {
  declareWords({ keys: ['first'], others: [] });

  declareWords({ keys: ['first', 'second'], others: [] });

  expect(() => declareWords({ keys: ['second'], others: [] })).toThrow(/cannot have the number 32: that is "first"/);
  expect(() => declareWords({ keys: ['first', 'second', 'first'], others: [] })).toThrow(/it has the number 32/);
});
