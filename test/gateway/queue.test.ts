/** The translators' queue is merged from rooms, and a page costs what it looks at. */

import { describe, expect, test } from 'vitest';
import { translationQueue } from '../../actors/api-queue.ts';
import { Views } from '../../actors/api-views.ts';
import type { Language, MessageDto } from '../../actors/contract.ts';
import { missingOf, queueKey } from '../../actors/views.ts';
import type { ActorSystem } from '../../src/actor-system.ts';
import { systemIds } from '../../src/ids.ts';

const all: readonly Language[] = ['ENGLISH', 'UKRAINIAN', 'ITALIAN'];
const languages: readonly Language[] = ['ENGLISH', 'ITALIAN'];

interface RangeArguments {
  readonly prefix: string;
  readonly after?: string;
  readonly limit: number;
}

/** Messages in English, one after another in one room or the next; of `translated`, an Italian text is there. */
function given(rooms: number, count: number, translated: (n: number) => boolean) {
  const roomIds = Array.from({ length: rooms }, () => systemIds.mint());
  const messages = Array.from({ length: count }, (_, n): MessageDto => {
    const translation = { translatorId: '', translation: '', language: 'ITALIAN', isModified: false } as const;
    const texts = { content: `${n}`, originalLanguage: 'ENGLISH', translations: translated(n) ? [translation] : [] };
    const place = { id: systemIds.mint(), roomId: roomIds[n % rooms]!, dateCreated: 1_000 + Math.floor(n / 3) };
    return { ...place, ...texts, senderId: '', read: [], modified: false } as MessageDto;
  });
  const rows = messages
    .map((message) => ({ key: queueKey(message), value: missingOf(message, all) }))
    .sort((a, b) => (a.key < b.key ? 1 : -1));
  let rowsRead = 0;
  const system = {
    shards: 1,
    range: async (_view: string, _near: string, { prefix, after = '~', limit }: RangeArguments) => {
      const found = rows.filter(({ key }) => key.startsWith(prefix) && key < after).slice(0, limit);
      rowsRead += found.length;
      return found;
    },
    rows: async (_view: string, _near: string, ids: readonly string[]) =>
      ids.map((wanted) => messages.find(({ id }) => id === wanted)),
  } as unknown as ActorSystem;
  const look = (max: number, before?: string) => {
    return translationQueue(system, new Views(system), { roomIds, languages, max, before });
  };
  const inOrder = [...messages].sort((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1));
  return { look, inOrder, rowsRead: () => rowsRead };
}

function placeOf(message: MessageDto): string {
  return queueKey(message).slice(message.roomId.length);
}

/** Contents of every page, the newest page first. */
async function pagesOf(look: ReturnType<typeof given>['look'], max: number): Promise<readonly (readonly string[])[]> {
  const pages: (readonly string[])[] = [];
  for (let before: string | undefined, first = true; first || before !== undefined; first = false) {
    const page = await look(max, before);
    pages.push(page.messages.map(({ content }) => content));
    before = page.before;
  }
  return pages;
}

describe('the translators’ queue', () => {
  test('gives each message of all rooms once, by time', async () => {
    const { look, inOrder } = given(5, 300, () => false);

    const pages = await pagesOf(look, 37);

    expect([...pages].reverse().flat()).toEqual(inOrder.map(({ content }) => content));
    expect(pages.slice(0, -1).every(({ length }) => length === 37)).toBe(true);
  });

  test('leaves out what lacks another’s language alone', async () => {
    const { look, inOrder } = given(4, 200, (n) => n % 4 !== 0);

    const pages = await pagesOf(look, 50);

    const untranslated = inOrder.filter(({ translations }) => translations.length === 0);
    expect([...pages].reverse().flat()).toEqual(untranslated.map(({ content }) => content));
  });

  test('reads no more than a page needs', async () => {
    const { look, rowsRead } = given(10, 3_000, () => false);

    await look(20);

    expect(rowsRead()).toBeLessThan(10 * 16 + 20 + 16);
  });

  test('cuts a page short rather than read everything', async () => {
    const { look, rowsRead } = given(3, 5_000, (n) => n > 10);

    const first = await look(20);

    expect(first.messages).toEqual([]);
    expect(first.before).toBeDefined();
    expect(rowsRead()).toBeLessThan(2_000 + 3 * 16 + 1);
    expect((await pagesOf(look, 20)).flat()).toHaveLength(11);
  });
});
