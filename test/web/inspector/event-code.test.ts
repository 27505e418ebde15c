import { expect, test } from 'vitest';
import { codeOf } from '../../../web/inspector/event-code.ts';

test('the code nearest to the top is found', () => {
  const error = { code: 'USER_NOT_FOUND', params: { userId: '1', code: 'deeper' } };

  expect(codeOf({ type: 'REJECTED', payload: { error } } as never)).toBe('USER_NOT_FOUND');
  expect(codeOf({ type: 'A', list: [{ code: 'IN_A_LIST' }] } as never)).toBe('IN_A_LIST');
  expect(codeOf({ type: 'A', code: 'own', payload: { error } } as never)).toBe('own');
});

test('what is no word is no code', () => {
  expect(codeOf({ type: 'A' })).toBeUndefined();
  expect(codeOf({ type: 'A', code: 12, payload: { code: 'let a = 1;' } } as never)).toBeUndefined();
  expect(codeOf({ type: 'A', payload: { code: '…' } } as never)).toBeUndefined();
});

test('a large event is not searched to its end', () => {
  const many = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`f${i}`, i]));

  expect(codeOf({ type: 'A', many, later: { at: { last: { code: 'FAR' } } } } as never)).toBeUndefined();
});
