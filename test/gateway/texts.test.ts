import { describe, expect, test } from 'vitest';
import { chatCatalog, chatStatuses, texts } from '../../actors/texts.ts';
import { gatewayStatuses } from '../../src/gateway/problem.ts';

const codes = [...Object.keys(chatStatuses), ...Object.keys(gatewayStatuses)];
const languages = Object.keys(texts);

function placeholders(text: string): readonly string[] {
  return [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string).sort();
}

describe('texts', () => {
  test('three languages are there, English first', () => {
    expect(chatCatalog.languages).toEqual(['en', 'uk', 'it']);
    expect(languages).toEqual(['en', 'uk', 'it']);
  });

  test.each(codes)('%s has a title and a sentence in each language', (code) => {
    const each = languages.map((language) => texts[language]?.[code as never] as readonly [string, string] | undefined);

    for (const text of each) {
      expect(text?.[0]).toMatch(/^\p{Lu}.{2,60}[^.]$/u);
      expect(text?.[1]).toMatch(/^[\p{Lu}{].{8,}\.$/u);
    }
    expect(new Set(each.map((text) => text?.[1])).size).toBe(3);
    expect(new Set(each.map((text) => placeholders(text?.[1] ?? '').join())).size).toBe(1);
  });

  test('no language has a text that nobody gives', () => {
    for (const language of languages) {
      expect(Object.keys(texts[language] ?? {}).filter((code) => !codes.includes(code))).toEqual([]);
    }
  });

  test('Ukrainian is written in Cyrillic', () => {
    for (const [, detail] of Object.values(texts.uk ?? {})) expect(detail).toMatch(/\p{Script=Cyrillic}/u);
  });

  test('parameters are filled in', () => {
    expect(chatCatalog.text('ROOM_NOT_FOUND', { roomId: 'r1' }, 'en').detail).toBe('There is no room r1.');
    expect(chatCatalog.text('ROOM_NOT_FOUND', undefined, 'en').detail).toBe('There is no room ?.');
  });

  test('an unknown code says no more than that', () => {
    expect(chatCatalog.text('NO_SUCH_CODE', undefined, 'it').title).toBe('Errore interno');
  });
});
