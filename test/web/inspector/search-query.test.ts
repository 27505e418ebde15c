import { describe, expect, test } from 'vitest';
import { searchQuery } from '../../../web/inspector/search-query.ts';

const id = '8f14e45f-0000-4000-8000-000000000001';
const types = [
  { type: 'room', definition: { states: { absent: {}, open: { states: { inner: {} } } } } },
  { type: 'ROOM_CREATE', definition: { states: { READY: {}, COMPLETED: {}, ERROR: {} } } },
];

describe('search', () => {
  test('an address leads to its actor', () => {
    expect(searchQuery(` room/${id} `, types)).toEqual({ address: `room/${id}` });
  });

  test('an id is an operation or an actor', () => {
    expect(searchQuery(id, types)).toEqual({ operation: id, actors: { id } });
  });

  test('words are types and states', () => {
    expect(searchQuery('room open', types).actors).toEqual({ type: 'room', state: 'open' });
    expect(searchQuery('open', types).actors).toEqual({ state: 'open' });
    expect(searchQuery('error', types).actors).toEqual({ state: 'ERROR' });
    expect(searchQuery('room inner', types).actors).toEqual({ type: 'room', state: 'inner' });
    expect(searchQuery('room_c comp', types).actors).toEqual({ type: 'ROOM_CREATE', state: 'COMPLETED' });
  });

  test('words may say what they are', () => {
    expect(searchQuery(`type:room state:open`, types).actors).toEqual({ type: 'room', state: 'open' });
    expect(searchQuery(`op:${id} room`, types).actors).toEqual({ operation: id, type: 'room' });
    expect(searchQuery(`room ${id}`, types).actors).toEqual({ type: 'room', id });
  });

  test('a word that means nothing is named', () => {
    expect(searchQuery('room nowhere', types)).toEqual({ unknown: 'nowhere' });
    expect(searchQuery('state:room', types)).toEqual({ unknown: 'state:room' });
    expect(searchQuery('  ', types)).toEqual({});
  });
});
