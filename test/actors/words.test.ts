/** The chat's words: payloads in stores name them by number, for ever. */

import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { sagaNames } from '../../actors/contract.ts';
import { chatWords } from '../../actors/words.ts';

/** Digests of the lists as they have been: a list may only grow behind them. */
const released = [
  ['keys', 53, 'dd41fa23f8b4f2e9'],
  ['others', 80, '67131152bd4fb53b'],
  ['keys', 58, '1570f1c1da6b7175'],
  ['others', 81, 'a93ecbc6677a681e'],
] as const;

test.each(released)('the first released %s, %i of them, keep their numbers', (list, count, digest) => {
  const words = chatWords[list].slice(0, count);

  expect([words.length, createHash('sha256').update(words.join('\n')).digest('hex').slice(0, 16)]).toEqual([
    count,
    digest,
  ]);
});

test('every saga has words for its events', () => {
  const missing = sagaNames
    .flatMap((saga) => [saga, `${saga}_START`, `${saga}_APPROVED`, `${saga}_COMPLETED`, `${saga}_ERROR`])
    .filter((word) => !chatWords.others.includes(word as never));

  expect(missing).toEqual([]);
});
