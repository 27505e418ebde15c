import { describe, expect, test } from 'vitest';
import type { HistoryPage } from '../../../src/inspect/answers.ts';
import { charactersMax, pageSize, pagesMax, StepPages } from '../../../web/inspector/step-pages.ts';

function steps(after: number, count: number): HistoryPage {
  const all = Array.from({ length: count }, (_, i) => ({
    version: after + i + 1,
    shardSeq: after + i + 1,
    at: 0,
    event: { type: 'A' },
    value: 'a',
    status: 'active',
    context: {},
    effects: [],
    taken: [],
  }));
  const initial = { version: after, value: 'initial', status: 'active', context: {} };
  return { address: 'room/1', type: 'room', shard: 0, version: after + count, steps: all, more: false, initial };
}

describe('pages of steps', () => {
  test('a version is on the page that is asked for', () => {
    const pages = new StepPages();

    expect([0, 1, pageSize, pageSize + 1].map((version) => StepPages.after(version))).toEqual([0, 0, 0, pageSize]);
    pages.add(StepPages.after(pageSize + 1), steps(pageSize, 3), 1);

    expect(pages.at(pageSize + 3)?.version).toBe(pageSize + 3);
    expect(pages.at(pageSize + 4)).toBeUndefined();
    expect(pages.at(1)).toBeUndefined();
  });

  test('a page says what was before its first step', () => {
    const pages = new StepPages();
    pages.add(pageSize, steps(pageSize, 3), 1);

    expect(pages.before(pageSize + 1)).toMatchObject({ version: pageSize, value: 'initial' });
    expect(pages.before(pageSize + 2)).toMatchObject({ version: pageSize + 1, value: 'a' });
    expect(pages.before(1)).toBeUndefined();
  });

  test('a page that has grown takes the place of the old one', () => {
    const pages = new StepPages();
    pages.add(0, steps(0, 1), 1);

    pages.add(0, steps(0, 2), 1);

    expect(pages.all().map(({ version }) => version)).toEqual([1, 2]);
  });

  test('pages that nobody looked at leave first', () => {
    const pages = new StepPages();
    for (let page = 0; page < pagesMax; page += 1) pages.add(page * pageSize, steps(page * pageSize, 1), 1);
    pages.at(1);

    pages.add(pagesMax * pageSize, steps(pagesMax * pageSize, 1), 1);

    expect(pages.at(1)).toBeDefined();
    expect(pages.at(pageSize + 1)).toBeUndefined();
    expect(pages.all()).toHaveLength(pagesMax);
  });

  test('no more text is kept than the bound, and always two pages', () => {
    const pages = new StepPages();
    for (let page = 0; page < 4; page += 1) {
      pages.add(page * pageSize, steps(page * pageSize, 1), Math.ceil(charactersMax / 3));
    }

    expect(pages.all().map(({ version }) => version)).toEqual([2, 3].map((page) => page * pageSize + 1));
    pages.add(0, steps(0, 1), 2 * charactersMax);
    expect(pages.all().map(({ version }) => version)).toEqual([1, 3 * pageSize + 1]);
    pages.add(0, steps(0, 1), 1);
    pages.add(pageSize, steps(pageSize, 1), 1);
    expect(pages.all()).toHaveLength(3);
  });
});
