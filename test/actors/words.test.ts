/** The chat's words: payloads in stores name them by number, for ever. */

import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { sagaNames } from '../../actors/contract.ts';
import { chatWords } from '../../actors/words.ts';

/** Digests of the lists as they were released: a list may only grow behind them. */
const released = {
  keys: { count: 53, digest: 'dd41fa23f8b4f2e9' },
  others: { count: 80, digest: '67131152bd4fb53b' },
} as const;

test.each(['keys', 'others'] as const)('released %s keep their numbers for ever', (list) => {
  const { count, digest } = released[list];

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
