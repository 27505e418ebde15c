import { expect, test } from 'vitest';
import { durationText, timeText } from '../../../web/inspector/clock-words.ts';

test('a time of another day has its date', () => {
  const at = new Date(2026, 10, 28, 9, 5, 3, 7);

  expect(timeText(at, new Date(2026, 10, 28, 23, 59))).toBe('09:05:03.007');
  expect(timeText(at, new Date(2026, 10, 29))).toBe('28 Nov 09:05:03.007');
  expect(timeText(at, new Date(2027, 10, 28))).toBe('28 Nov 2026 09:05:03.007');
});

test.each([
  [0, '0 ms'],
  [999.4, '999 ms'],
  [999.6, '1.00 s'],
  [9_994, '9.99 s'],
  [9_996, '10.0 s'],
  [59_940, '59.9 s'],
  [59_960, '1 min'],
  [3_600_000, '1.0 h'],
  [19_800_000, '5.5 h'],
  [86_400_000, '1 d'],
  [1_036_800_000, '12 d'],
])('%d ms are said as %s', (ms, text) => {
  expect(durationText(ms)).toBe(text);
});
