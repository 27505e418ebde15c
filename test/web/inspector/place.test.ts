import { describe, expect, test } from 'vitest';
import { overview, placeOf, searchOf, titleOf } from '../../../web/inspector/place.ts';

const id = '8f14e45f-0000-4000-8000-000000000001';

describe('places', () => {
  test.each([
    ['', overview],
    [`?actor=room/${id}`, { view: 'actor', actor: `room/${id}`, seq: undefined }],
    [`?actor=ROOM_CREATE/${id}&seq=0`, { view: 'actor', actor: `ROOM_CREATE/${id}`, seq: 0 }],
    [`?actor=room/${id}&seq=12`, { view: 'actor', actor: `room/${id}`, seq: 12 }],
    [`?operation=${id}`, { view: 'operation', operation: id }],
  ] as const)('a link %s leads there and back', (search, place) => {
    expect(placeOf(search)).toEqual(place);
    expect(searchOf(place)).toBe(search);
  });

  test('what is to be tried there is in no link', () => {
    expect(searchOf({ view: 'actor', actor: `room/${id}`, seq: 1, tried: { type: 'A' } })).toBe(
      `?actor=room/${id}&seq=1`,
    );
  });

  test('a tab says where it is', () => {
    expect(titleOf(overview)).toBe('Troupe inspector');
    expect(titleOf({ view: 'actor', actor: `room/${id}` })).toBe('room 8f14e45f · Troupe inspector');
    expect(titleOf({ view: 'operation', operation: id })).toBe('Operation 8f14e45f · Troupe inspector');
  });

  test('an encoded link is understood', () => {
    expect(placeOf(`?actor=room%2F${id}&seq=3`)).toEqual({ view: 'actor', actor: `room/${id}`, seq: 3 });
  });

  test('a mistyped link leads to the overview', () => {
    expect(placeOf('?actor=room/12')).toEqual(overview);
    expect(placeOf('?actor=<script>')).toEqual(overview);
    expect(placeOf('?operation=12')).toEqual(overview);
    expect(placeOf(`?actor=room/${id}&seq=-1`)).toEqual({ view: 'actor', actor: `room/${id}`, seq: undefined });
  });
});
