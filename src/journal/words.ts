/**
 * The words that payloads name by number: keys, event types, states, and whatever else an application says again and
 * again. The runtime's own come first; an application declares its own once, when its code is loaded.
 *
 * A number is in stored payloads for ever. So words are only ever added, at the end: none is removed, moved or changed.
 * A payload with a word that this version does not know is refused, never misread; nodes of the version before cannot
 * read what uses a word added since, as with any event type they do not know.
 */

import { TroupeError } from '../errors.ts';

/** The runtime's words, by number. */
const ownWords = [
  'type',
  'payload',
  'operation',
  'event',
  'from',
  'to',
  'id',
  'at',
  'context',
  'value',
  'status',
  'historyValue',
  'children',
  'active',
  'topic',
  'data',
  'kind',
  'trace',
  'error',
  'output',
  'params',
  'code',
] as const;

/** An application's words, each list in its order for ever. */
export interface Words {
  /** At most 96, for keys of objects: they cost one byte there. */
  readonly keys: readonly string[];
  /** At most 65,000. */
  readonly others: readonly string[];
}

/** The first numbers of the two lists: those before are the runtime's, and those up to 127 cost one byte. */
const firstKey = 32;
const firstOther = 128;
const numbersMax = firstOther + 65_000;
/** The writer looks at strings up to this length. */
export const wordCharsMax = 40;

const numbers = new Map<string, number>(ownWords.map((word, i) => [word, i]));
const words: (string | undefined)[] = [...ownWords];

/**
 * Declares an application's words. Declaring them again, or a beginning of them, changes nothing. Throws CONFIG_INVALID
 * when other words have these numbers: two applications in one process must share one list.
 */
export function declareWords({ keys, others }: Words): void {
  declareFrom(firstKey, firstOther, keys);
  declareFrom(firstOther, numbersMax, others);
}

function declareFrom(first: number, end: number, declared: readonly string[]): void {
  for (const [i, word] of declared.entries()) {
    const number = first + i;
    if (words[number] === word) continue;
    const why = whyNot(word, number, end);
    if (why !== undefined) {
      throw new TroupeError('CONFIG_INVALID', `The word "${word}" cannot have the number ${number}: ${why}.`);
    }
    words[number] = word;
    numbers.set(word, number);
  }
}

function whyNot(word: string, number: number, end: number): string | undefined {
  if (number >= end) return 'there are too many';
  if (word.length > wordCharsMax) return `it has more than ${wordCharsMax} characters`;
  if (words[number] !== undefined) return `that is "${words[number]}"`;
  return numbers.has(word) ? `it has the number ${numbers.get(word)}` : undefined;
}

export function numberOfWord(word: string): number | undefined {
  return numbers.get(word);
}

/** Throws JOURNAL_INCOMPATIBLE for a number without a word. */
export function wordOf(number: number): string {
  const word = words[number];
  if (word !== undefined) return word;
  throw new TroupeError(
    'JOURNAL_INCOMPATIBLE',
    `A payload names the word ${number}, which this program does not know; read it with the version that wrote it, or a newer one.`,
    { word: number },
  );
}
