/** The objects of decoded payloads: what they hold, and that they are shaped as the objects were that were encoded. */

import { setFlagsFromString } from 'node:v8';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decode, encode } from '../../src/journal/codec.ts';

/** More often than it takes until a list of keys has its constructor. */
const often = 20;

function decoded<T>(value: T): T {
  const bytes = encode(value);
  let last = decode<T>(bytes);
  for (let i = 0; i < often; i++) last = decode<T>(bytes);
  return last;
}

test('an object has the shape of a literal with its keys', () => {
  setFlagsFromString('--allow-natives-syntax');
  const haveSameShape = new Function('a', 'b', 'return %HaveSameMap(a, b)') as (a: object, b: object) => boolean;
  const written = { type: 'ADD', operationId: 'x', payload: { roomId: 'y', at: 1 } };

  const read = decoded(written);

  expect(read).toEqual(written);
  expect([haveSameShape(read, written), haveSameShape(read.payload, written.payload)]).toEqual([true, true]);
});

test('objects hold the same however often they were read', () => {
  const key = fc.oneof(
    fc.string(),
    fc.constantFrom('a', 'b', 'c', 'type', 'class', '__proto__', 'constructor', '0', 'é'),
  );
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.oneof(fc.string(), fc.integer(), fc.constant(null)),
      fc.array(tie('tree'), { maxLength: 5 }),
      fc.dictionary(key, tie('tree'), { maxKeys: 8, noNullPrototype: true }),
    ),
  }));

  fc.assert(
    fc.property(tree, (value) => {
      expect(decoded(value)).toEqual(value);
    }),
  );
});

test.each([
  ['a prototype', Object.defineProperty({ a: 1 }, '__proto__', { value: { b: 2 }, enumerable: true })],
  ['source text', { a: 1, 'x: process.exit(1), y': 2, b: 3 }],
  ['many keys', Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`k${i}`, { [`k${i}`]: i }]))],
  ['ids', { '0d9f2c1e-5b7a-4c3d-8e9f-001122334455': 1, a: { '1d9f2c1e-5b7a-4c3d-8e9f-001122334455': [{ a: 2 }] } }],
])('keys that are %s are no more than keys', (_, value) => {
  const read = decoded(value);

  expect(Object.entries(read)).toEqual(Object.entries(value));
  expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
});

test('ever other keys are read when no more constructors are made', () => {
  for (let i = 0; i < 6_000; i++) {
    const value = { [`key${i}`]: i, more: { [`inner${i}`]: [i] } };
    expect(decode(encode(value))).toEqual(value);
  }
});

test('what could not be read leaves nothing behind', () => {
  const cut = encode({ a: 1, b: { c: 2, d: 3 } }).slice(0, -1);

  expect(() => decode(cut)).toThrow('no payload');
  expect(decoded({ b: 1, a: { d: 2 } })).toEqual({ b: 1, a: { d: 2 } });
});
