/**
 * What every turn makes and reads has one shape in V8, wherever it came from. Objects of many shapes, or each of its own
 * (as `{ ...some, key }` gives them in Node 20), cost a microsecond where they are made and at every reader.
 */

import { setFlagsFromString } from 'node:v8';
import { beforeAll, expect, test } from 'vitest';
import { publish, tell } from '../../src/actor/effect.ts';
import { packedEnvelope, unpackedEnvelope } from '../../src/actor/envelope.ts';
import { decode, encode } from '../../src/journal/codec.ts';
import { keepable, packed, parcelFrom, publicationOf, unpacked } from '../../src/shard/parcel.ts';

let haveSameMap: (a: object, b: object) => boolean;

beforeAll(() => {
  setFlagsFromString('--allow-natives-syntax');
  haveSameMap = new Function('a', 'b', 'return %HaveSameMap(a, b)') as typeof haveSameMap;
  setFlagsFromString('--no-allow-natives-syntax');
});

/** Each maker a few times, since the first objects teach V8. */
function shapesOf(makers: readonly (() => object)[]): number {
  const found: object[] = [];
  for (let round = 0; round < 20; round++) {
    for (const make of makers) {
      const made = make();
      if (round > 10 && !found.some((other) => haveSameMap(other, made))) found.push(made);
    }
  }
  return found.length;
}

const event = { type: 'ADD' };
const address = 'room/1' as const;
const whole = { id: '1', to: address, from: address, event, operation: 'o', trace: 't' };
const bare = { id: '1', to: address, event };

test('the check tells shapes apart', () => {
  const spread = (): object => ({ ...bare, operation: 'o' });

  expect(shapesOf([() => ({ a: 1 }), () => ({ b: 1 })])).toBe(2);
  expect(shapesOf([() => ({ a: 1 }), () => ({ a: 2 })])).toBe(1);
  expect(shapesOf([() => bare, spread])).toBeGreaterThan(1);
});

test('envelopes have one shape', () => {
  const sent = (envelope: typeof bare): object => {
    const arrived = decode<typeof bare>(encode(packedEnvelope(envelope, envelope.event)));
    return unpackedEnvelope(arrived, arrived.event);
  };

  expect(shapesOf([() => sent(whole), () => sent(bare), () => unpackedEnvelope(bare, event)])).toBe(1);
});

test('parcels have one shape, and so have their envelopes', () => {
  const publication = publicationOf('room:1', event);
  const makers = [
    () => parcelFrom(encode({ order: 1 })),
    () => parcelFrom(encode(packed({ ...unpacked({ order: 1 }), envelope: whole }))),
    () => unpacked({ order: 1, operation: 'o', settled: true, after: 3, envelope: bare }),
    () => keepable({ ...unpacked({ order: 1 }), publication }),
  ];

  expect(shapesOf(makers)).toBe(1);
  expect(shapesOf([makers[1]!, makers[2]!].map((make) => () => (make() as { envelope: object }).envelope))).toBe(1);
});

test('effects have one shape of each kind', () => {
  const options = { settled: true, operation: 'o' };

  expect(shapesOf([() => tell(address, event), () => tell(address, event, options)])).toBe(1);
  expect(shapesOf([() => publish('room:1', 1), () => publish('room:1', 1, options)])).toBe(1);
});
