/** Commands as bytes: whatever a text's length and letters are, its length in bytes goes before it. */

import { expect, test } from 'vitest';
import { commandOf } from '../../src/journal/redis/resp.ts';

/** As the protocol defines it. */
function bytesOf(...texts: readonly string[]): string {
  const parts = texts.map((text) => `$${Buffer.byteLength(text)}\r\n${text}\r\n`);
  return `*${texts.length}\r\n${parts.join('')}`;
}

test.for(['x', 'ü', '世', '🎭'])('texts of any length that end in %s are whole', (last) => {
  const lengths = [0, 1, 9, 14, 15, 16, 17, 98, 99, 100, 126, 127, 128, 129, 300];
  const texts = lengths.map((length) => 'a'.repeat(length) + last);

  for (const text of texts) expect(commandOf(text, 'next').done().toString()).toBe(bytesOf(text, 'next'));
  expect(
    commandOf(...texts)
      .done()
      .toString(),
  ).toBe(bytesOf(...texts));
});
