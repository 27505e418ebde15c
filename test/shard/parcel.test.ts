/** Parcels on their way: what is told arrives as it was, and bytes are not encoded twice. */

import { expect, test } from 'vitest';
import { encode } from '../../src/journal/codec.ts';
import { keepable, type Parcel, packed, parcelFrom, publicationOf, unpacked } from '../../src/shard/parcel.ts';

const data = { type: 'DONE', tags: ['x'] };

test('a publication arrives with the bytes that it was made with', () => {
  const publication = publicationOf('room:1', data);
  const parcel: Parcel = { ...unpacked({ order: 3, operation: 'o', settled: true }), publication };

  const arrived = parcelFrom(encode(packed(parcel)));

  expect(arrived).toMatchObject({ order: 3, operation: 'o', settled: true });
  expect(arrived.publication?.topic).toBe('room:1');
  expect(Buffer.from(arrived.publication?.payload ?? [])).toEqual(Buffer.from(encode(data)));
  expect(arrived.publication?.data()).toEqual(data);
});

test('an envelope arrives as it was', () => {
  const envelope = { id: '1', to: 'room/1', event: { type: 'ADD' } } as const;

  const parcel = unpacked(packed({ ...unpacked({ order: 1, after: 7 }), envelope }));

  expect(parcel).toEqual({ envelope, order: 1, after: 7 });
});

test('what is absent takes no bytes', () => {
  const envelope = { id: '1', to: 'room/1', from: undefined, event: { type: 'ADD' } } as const;

  const record = packed({ ...unpacked({ order: 1 }), envelope });

  expect(Object.keys(record)).toEqual(['order', 'envelope']);
  expect(Object.keys(record.envelope ?? {})).toEqual(['id', 'to', 'event']);
});

test('a publication in an outbox of before is read', () => {
  const record = encode({ publication: { topic: 'room:1', data }, order: 1 });

  const { publication } = parcelFrom(record);

  expect(publication?.data()).toEqual(data);
  expect(Buffer.from(publication?.payload ?? [])).toEqual(Buffer.from(encode(data)));
});

test('what is kept for long keeps no bytes of others', () => {
  const publication = publicationOf('room:1', data);

  const kept = keepable({ ...unpacked({ order: 1 }), publication }).publication;

  expect(kept?.payload).toEqual(Buffer.from(publication.payload));
  expect(kept?.payload.buffer).not.toBe(publication.payload.buffer);
  expect(kept?.data()).toBe(data);
});
