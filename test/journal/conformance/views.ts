/** Conformance: view rows, which are ordered by the bytes of their keys. */

import { expect, test } from 'vitest';
import type { Journal, RangeOptions } from '../../../src/journal/journal.ts';
import { freshStore, type JournalAdapter } from '../adapter.ts';
import { bytes, plain, takeShard, text } from '../writer.ts';

const keys = ['B', 'a', 'a!', 'a/1', 'a/10', 'a/2', 'aa', 'b', '~'];

async function withRows(journal: Journal): Promise<void> {
  const writer = await takeShard(journal);
  const shuffled = [...keys].reverse();
  await writer.write({
    views: [
      ...shuffled.map((key) => ({ view: 'names', key, payload: bytes(`row ${key}`) })),
      { view: 'name', key: 'z', payload: bytes('of another view') },
      { view: 'namesake', key: 'z', payload: bytes('of a third view') },
    ],
  });
}

async function rangeOf(journal: Journal, options: Partial<RangeOptions>): Promise<readonly string[]> {
  return (await journal.readRange(0, 'names', { limit: 100, ...options })).map(({ key }) => key);
}

export function viewTests(adapter: JournalAdapter): void {
  test('reads rows in the order asked for', async () => {
    const journal = await (await freshStore(adapter)).open();
    await withRows(journal);

    const rows = await journal.readRows(0, 'names', ['b', 'missing', 'a', 'b']);

    expect(rows.map(text)).toEqual(['row b', undefined, 'row a', 'row b']);
    expect(await journal.readRows(0, 'unknown', ['a'])).toEqual([undefined]);
    expect(await journal.readRows(1, 'names', ['a'])).toEqual([undefined]);
  });

  test('ranges over rows in ASCII order', async () => {
    const journal = await (await freshStore(adapter)).open();
    await withRows(journal);

    expect(await rangeOf(journal, {})).toEqual(keys);
    expect(await rangeOf(journal, { reverse: true })).toEqual([...keys].reverse());
    expect(plain(await journal.readRange(0, 'names', { limit: 1 }))).toEqual([{ key: 'B', payload: 'row B' }]);
  });

  test('ranges over a prefix and no further', async () => {
    const journal = await (await freshStore(adapter)).open();
    await withRows(journal);

    expect(await rangeOf(journal, { prefix: 'a' })).toEqual(['a', 'a!', 'a/1', 'a/10', 'a/2', 'aa']);
    expect(await rangeOf(journal, { prefix: 'a/' })).toEqual(['a/1', 'a/10', 'a/2']);
    expect(await rangeOf(journal, { prefix: 'a/', reverse: true })).toEqual(['a/2', 'a/10', 'a/1']);
    expect(await rangeOf(journal, { prefix: 'c' })).toEqual([]);
    expect(await rangeOf(journal, { prefix: '~' })).toEqual(['~']);
  });

  test('ranges on after a key, exclusively', async () => {
    const journal = await (await freshStore(adapter)).open();
    await withRows(journal);

    expect(await rangeOf(journal, { after: 'a/1', limit: 2 })).toEqual(['a/10', 'a/2']);
    expect(await rangeOf(journal, { after: 'a/1', reverse: true })).toEqual(['a!', 'a', 'B']);
    expect(await rangeOf(journal, { after: 'a/15' })).toEqual(['a/2', 'aa', 'b', '~']);
    expect(await rangeOf(journal, { after: '~' })).toEqual([]);
    expect(await rangeOf(journal, { after: 'B', reverse: true })).toEqual([]);
  });

  test('combines prefix, key, direction and limit', async () => {
    const journal = await (await freshStore(adapter)).open();
    await withRows(journal);

    expect(await rangeOf(journal, { prefix: 'a/', after: 'a/1' })).toEqual(['a/10', 'a/2']);
    expect(await rangeOf(journal, { prefix: 'a/', after: 'a/2', reverse: true, limit: 1 })).toEqual(['a/10']);
    expect(await rangeOf(journal, { prefix: 'a/', after: 'B' })).toEqual(['a/1', 'a/10', 'a/2']);
    expect(await rangeOf(journal, { prefix: 'a/', after: 'b' })).toEqual([]);
    expect(await rangeOf(journal, { prefix: 'a/', after: 'b', reverse: true })).toEqual(['a/2', 'a/10', 'a/1']);
    expect(await rangeOf(journal, { prefix: 'a/', after: 'B', reverse: true })).toEqual([]);
  });

  test('pages through a view without gaps', async () => {
    const journal = await (await freshStore(adapter)).open();
    await withRows(journal);

    const seen: string[] = [];
    for (let page = await rangeOf(journal, { limit: 2 }); page.length > 0; ) {
      seen.push(...page);
      page = await rangeOf(journal, { limit: 2, after: page.at(-1) as string });
    }

    expect(seen).toEqual(keys);
  });

  test('replaces and deletes single rows', async () => {
    const journal = await (await freshStore(adapter)).open();
    const writer = await takeShard(journal);
    await writer.write({ views: ['a', 'b', 'c'].map((key) => ({ view: 'names', key, payload: bytes('old') })) });

    await writer.write({
      views: [
        { view: 'names', key: 'a', payload: bytes('new and longer') },
        { view: 'names', key: 'b' },
        { view: 'names', key: 'never there' },
      ],
    });

    expect(plain(await journal.readRange(0, 'names', { limit: 10 }))).toEqual([
      { key: 'a', payload: 'new and longer' },
      { key: 'c', payload: 'old' },
    ]);
  });

  test('applies changes to one row in order', async () => {
    const journal = await (await freshStore(adapter)).open();
    const writer = await takeShard(journal);

    await writer.write({
      views: [
        { view: 'names', key: 'a', payload: bytes('1') },
        { view: 'names', key: 'b', payload: bytes('1') },
        { view: 'names', key: 'a' },
        { view: 'names', key: 'b', payload: bytes('2') },
      ],
    });

    expect(plain(await journal.readRange(0, 'names', { limit: 10 }))).toEqual([{ key: 'b', payload: '2' }]);
  });

  test('clears a view before its new rows', async () => {
    const journal = await (await freshStore(adapter)).open();
    await withRows(journal);
    const writer = await takeShard(journal);

    await writer.write({
      viewsCleared: ['names', 'unknown'],
      views: [{ view: 'names', key: 'a', payload: bytes('new') }],
    });

    expect(plain(await journal.readRange(0, 'names', { limit: 10 }))).toEqual([{ key: 'a', payload: 'new' }]);
    expect(await journal.readRange(0, 'name', { limit: 10 })).toHaveLength(1);
    expect(await journal.readRange(0, 'namesake', { limit: 10 })).toHaveLength(1);
  });

  test('takes keys of 200 characters', async () => {
    const journal = await (await freshStore(adapter)).open();
    const writer = await takeShard(journal);
    const key = 'k'.repeat(200);

    await writer.write({ views: [{ view: 'names', key, payload: bytes('long') }] });

    expect((await journal.readRows(0, 'names', [key])).map(text)).toEqual(['long']);
    expect(await rangeOf(journal, { prefix: 'k'.repeat(199) })).toEqual([key]);
  });
}
