import { describe, expect, test } from 'vitest';
import { idempotencyKey, negotiateLanguage, waitPreference } from '../../src/gateway/preferences.ts';

describe('Prefer: wait', () => {
  test.each([
    [undefined, 0],
    ['', 0],
    ['wait=3', 3_000],
    ['respond-async, wait=10', 10_000],
    ['Wait = "2"; foo', 2_000],
    ['return=minimal;x=y,wait=1', 1_000],
    ['wait=9999', 30_000],
    ['wait=0', 0],
    ['wait=-1', 0],
    ['wait=1.5', 0],
    ['await=5', 0],
    ['handling=strict', 0],
  ])('%j waits the given time', (header, ms) => {
    expect(waitPreference(header, 30_000)).toBe(ms);
  });
});

describe('Idempotency-Key', () => {
  test('a key is the same with and without quotes', () => {
    expect(idempotencyKey('"8e03978e-40d5"')).toBe('8e03978e-40d5');
    expect(idempotencyKey(' 8e03978e-40d5 ')).toBe('8e03978e-40d5');
    expect(idempotencyKey(String.raw`"a\"b\\c"`)).toBe(String.raw`a"b\c`);
    expect(idempotencyKey(undefined)).toBeUndefined();
  });

  test.each(['', '""', '  ', 'x'.repeat(256)])('an empty or long key is refused', (header) => {
    expect(() => idempotencyKey(header)).toThrow(
      expect.objectContaining({ code: 'VALIDATION_FAILED', options: expect.objectContaining({ status: 400 }) }),
    );
  });
});

describe('Accept-Language', () => {
  test.each([
    [undefined, undefined],
    ['uk', 'uk'],
    ['uk-UA,uk;q=0.9,en;q=0.8', 'uk'],
    ['de, it;q=0.5, en;q=0.4', 'it'],
    ['en;q=0.1, IT-it;q=0.9', 'it'],
    ['*', undefined],
    ['de', undefined],
    ['en;q=0', undefined],
    ['it;q=x, en;q=0.5', 'it'],
  ])('%j picks %j', (header, language) => {
    expect(negotiateLanguage(header, ['en', 'uk', 'it'])).toBe(language);
  });
});
