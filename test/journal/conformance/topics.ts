/** Conformance: topics: offsets, bounded history, epoch. */

import { expect, test } from 'vitest';
import { freshStore, type JournalAdapter, testWhere } from '../adapter.ts';
import { bytes, plain, takeShard, type Writer } from '../writer.ts';

function publish(writer: Writer, topic: string, ...news: string[]): Promise<readonly number[] | undefined> {
  return writer.write({ publications: news.map((item) => ({ topic, payload: bytes(item) })) });
}

export function topicTests(adapter: JournalAdapter): void {
  test('gives an unknown topic as empty', async () => {
    const journal = await (await freshStore(adapter)).open();

    const page = await journal.readTopic(0, 'room:none', 0, 10);

    expect(page).toEqual({ epoch: expect.any(String), head: 0, oldest: 1, publications: [] });
    expect(page.epoch).not.toBe('');
  });

  test('numbers publications per topic from one', async () => {
    const journal = await (await freshStore(adapter)).open();
    const writer = await takeShard(journal);

    const offsets = await writer.write({
      publications: [
        { topic: 'room:a', payload: bytes('a1') },
        { topic: 'room:b', payload: bytes('b1') },
        { topic: 'room:a', payload: bytes('a2') },
      ],
    });

    expect(offsets).toEqual([1, 1, 2]);
    expect(await publish(writer, 'room:b', 'b2', 'b3')).toEqual([2, 3]);
    expect(plain((await journal.readTopic(0, 'room:a', 0, 10)).publications)).toEqual([
      { offset: 1, payload: 'a1' },
      { offset: 2, payload: 'a2' },
    ]);
  });

  test('keeps apart topics whose names begin alike', async () => {
    const journal = await (await freshStore(adapter)).open();
    const writer = await takeShard(journal);
    await publish(writer, 'room:1', 'short');
    await publish(writer, 'room:11', 'long', 'longer');

    expect(plain((await journal.readTopic(0, 'room:1', 0, 10)).publications)).toEqual([
      { offset: 1, payload: 'short' },
    ]);
    expect((await journal.readTopic(0, 'room:11', 0, 10)).head).toBe(2);
    expect((await journal.readTopic(0, 'room:', 0, 10)).head).toBe(0);
  });

  test('reads a topic on from an offset', async () => {
    const journal = await (await freshStore(adapter)).open();
    const writer = await takeShard(journal);
    await publish(writer, 'room:a', '1', '2', '3', '4', '5');

    const page = await journal.readTopic(0, 'room:a', 2, 2);

    expect(plain(page)).toMatchObject({
      head: 5,
      oldest: 1,
      publications: [
        { offset: 3, payload: '3' },
        { offset: 4, payload: '4' },
      ],
    });
    expect((await journal.readTopic(0, 'room:a', 5, 10)).publications).toEqual([]);
    expect((await journal.readTopic(0, 'room:a', 99, 10)).publications).toEqual([]);
  });

  test('keeps a bounded history per topic', async () => {
    const journal = await (await freshStore(adapter)).open({ topicHistoryMax: 3 });
    const writer = await takeShard(journal);
    await publish(writer, 'room:b', 'other');
    for (let i = 1; i <= 10; i++) await publish(writer, 'room:a', `${i}`);

    const page = await journal.readTopic(0, 'room:a', 0, 100);

    expect(plain(page)).toMatchObject({
      head: 10,
      oldest: 8,
      publications: [
        { offset: 8, payload: '8' },
        { offset: 9, payload: '9' },
        { offset: 10, payload: '10' },
      ],
    });
    expect((await journal.readTopic(0, 'room:b', 0, 100)).publications).toHaveLength(1);
  });

  test('bounds the history within one commit', async () => {
    const journal = await (await freshStore(adapter)).open({ topicHistoryMax: 2 });
    const writer = await takeShard(journal);

    const offsets = await publish(writer, 'room:a', '1', '2', '3', '4', '5');

    expect(offsets).toEqual([1, 2, 3, 4, 5]);
    expect(await journal.readTopic(0, 'room:a', 0, 100)).toMatchObject({
      head: 5,
      oldest: 4,
      publications: [{ offset: 4 }, { offset: 5 }],
    });
  });

  test('keeps the epoch while offsets go on', async () => {
    const store = await freshStore(adapter);
    const journal = await store.open();
    const { epoch } = await journal.readTopic(0, 'room:a', 0, 1);
    const writer = await takeShard(journal);
    await publish(writer, 'room:a', '1', '2');
    await takeShard(journal);

    const page = await journal.readTopic(0, 'room:a', 0, 10);

    expect(page).toMatchObject({ epoch, head: 2 });
  });

  testWhere(adapter.persistent)('goes on numbering after a reopening', async () => {
    const store = await freshStore(adapter);
    const journal = await store.open({ topicHistoryMax: 3 });
    await publish(await takeShard(journal), 'room:a', '1', '2', '3', '4');
    const { epoch } = await journal.readTopic(0, 'room:a', 0, 1);

    const later = await store.reopen(journal, { topicHistoryMax: 3 });
    const offsets = await publish(await takeShard(later), 'room:a', '5');

    expect(offsets).toEqual([5]);
    expect(plain(await later.readTopic(0, 'room:a', 3, 10))).toEqual({
      epoch,
      head: 5,
      oldest: 3,
      publications: [
        { offset: 4, payload: '4' },
        { offset: 5, payload: '5' },
      ],
    });
  });
}
