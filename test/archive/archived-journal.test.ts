/** A journal with its archive is a journal, and reads as if nothing had been trimmed. */

import { describe, expect, test } from 'vitest';
import { type Archive, archivedEntries } from '../../src/archive/archive.ts';
import { ArchivedJournal } from '../../src/archive/archived-journal.ts';
import { MemoryObjects } from '../../src/archive/memory.ts';
import { ObjectArchive } from '../../src/archive/object-archive.ts';
import { TroupeError } from '../../src/errors.ts';
import type { Journal, JournalEntry } from '../../src/journal/journal.ts';
import { createMemoryStore, type MemoryStore, openMemoryJournal } from '../../src/journal/memory.ts';
import { describeJournal } from '../journal/conformance.ts';
import { actorOf, takeShard } from '../journal/writer.ts';
import { plainly } from './conformance.ts';

describeJournal('memory with an archive', {
  kind: 'memory',
  persistent: true,
  shared: true,
  damages: [],
  losesSnapshots: true,
  stalls: false,
  create: async () => {
    const objects = new MemoryObjects();
    let store: MemoryStore | undefined;
    return {
      open: async (options) => {
        store ??= createMemoryStore(options.shards);
        const archive = await ObjectArchive.open(objects, store.id);
        return new ArchivedJournal(openMemoryJournal({ ...options, store }), archive);
      },
      loseSnapshot: async (shard, actor) => {
        store!.shards[shard]!.snapshots.delete(actor);
      },
      dispose: async () => {},
    };
  },
});

interface Trimmed {
  readonly journal: Journal;
  readonly objects: Map<string, Uint8Array>;
  /** All entries, as they were before anything was trimmed. */
  readonly all: readonly JournalEntry[];
  readonly store: MemoryStore;
}

/** 40 entries in segments of ten, of which the first 25 were trimmed. */
async function trimmed(): Promise<Trimmed> {
  const store = createMemoryStore(1);
  const inner = openMemoryJournal({ store });
  const writer = await takeShard(inner);
  for (let n = 1; n <= 40; n++) await writer.write({ events: [{ actor: actorOf('room', n % 3), snapshot: `s${n}` }] });
  const all = (await inner.readEntries(0, 0, 100)) as readonly JournalEntry[];
  const objects = new Map<string, Uint8Array>();
  const archive = await ObjectArchive.open(new MemoryObjects(objects), store.id);
  for (const first of [1, 11, 21]) await archive.append(0, all.slice(first - 1, first + 9));
  await inner.trim!(writer.lease, 25);
  return { journal: new ArchivedJournal(inner, archive), objects, all, store };
}

/** The archive as an object whose methods can be replaced. */
function fakeOf(archive: Archive): Archive {
  return {
    description: archive.description,
    store: archive.store,
    append: (shard, entries) => archive.append(shard, entries),
    segments: (shard) => archive.segments(shard),
    readSegment: (segment) => archive.readSegment(segment),
    sizeOf: (segment) => archive.sizeOf(segment),
    close: () => archive.close(),
  };
}

describe('archive and journal as one', () => {
  test('a segment with too few entries ends the read', async () => {
    const { journal, all, store } = await trimmed();
    const archive = (journal as ArchivedJournal).archive;
    const short = { ...fakeOf(archive), readSegment: async () => all.slice(0, 5) };
    const reading = new ArchivedJournal(openMemoryJournal({ store }), short);

    await expect(reading.readEntries(0, 0, 40)).rejects.toMatchObject({ code: 'ARCHIVE_DAMAGED' });
    await expect(reading.readEntries(0, 7, 40)).rejects.toMatchObject({ code: 'ARCHIVE_DAMAGED' });
    expect(await archivedEntries(short, 0, 1, 25)).toHaveLength(5);
  });

  test('a segment with other entries ends the read', async () => {
    const { journal, all, store } = await trimmed();
    const archive = (journal as ArchivedJournal).archive;
    const shifted = { ...fakeOf(archive), readSegment: async () => all.slice(3, 13) };
    const reading = new ArchivedJournal(openMemoryJournal({ store }), shifted);

    await expect(reading.readEntries(0, 0, 40)).rejects.toMatchObject({ code: 'ARCHIVE_DAMAGED' });
  });

  test('a trim that names no entry ends the read', async () => {
    const { journal, store } = await trimmed();
    const inner = openMemoryJournal({ store });
    const readEntries = async (): Promise<never> => {
      throw new TroupeError('JOURNAL_TRIMMED', 'It was trimmed.', { first: 0 });
    };
    const reading = new ArchivedJournal({ ...inner, readEntries }, (journal as ArchivedJournal).archive);

    await expect(reading.readEntries(0, 5, 10)).rejects.toMatchObject({ code: 'ARCHIVE_DAMAGED' });
  });

  test('every page is what it was before', async () => {
    const { journal, all } = await trimmed();

    for (let after = 0; after <= 41; after++) {
      for (const limit of [1, 2, 7, 10, 15, 40, 100]) {
        const page = (await journal.readEntries(0, after, limit)) as readonly JournalEntry[];
        expect(plainly(page)).toEqual(plainly(all.slice(after, after + limit)));
      }
    }
    expect(await journal.readEntries(0, 0, 0)).toEqual([]);
  });

  test('a damaged segment hides its own entries', async () => {
    const { journal, objects, all } = await trimmed();
    const name = [...objects.keys()].find((key) => key.includes('0000000011-'))!;
    objects.set(name, objects.get(name)!.slice(0, -1));

    const entries = await journal.readEntries(0, 8, 15);

    expect(plainly(entries.slice(0, 2) as JournalEntry[])).toEqual(plainly(all.slice(8, 10)));
    expect(entries.slice(2, 12).map((entry) => entry instanceof Error && 'code' in entry && entry.code)).toEqual(
      Array.from({ length: 10 }, () => 'ARCHIVE_DAMAGED'),
    );
    expect(plainly(entries.slice(12) as JournalEntry[])).toEqual(plainly(all.slice(20, 23)));
  });

  test('a missing segment is said to be missing', async () => {
    const { journal, objects, all } = await trimmed();
    objects.delete([...objects.keys()].find((key) => key.includes('0000000011-'))!);

    await expect(journal.readEntries(0, 8, 15)).rejects.toMatchObject({
      code: 'JOURNAL_TRIMMED',
      params: { shard: 0, next: 11, first: 26 },
    });
    expect(plainly((await journal.readEntries(0, 0, 10)) as JournalEntry[])).toEqual(plainly(all.slice(0, 10)));
    expect(plainly((await journal.readEntries(0, 20, 100)) as JournalEntry[])).toEqual(plainly(all.slice(20)));
  });

  test('what is trimmed while it reads is found', async () => {
    const { journal, all, store } = await trimmed();
    expect(await journal.readEntries(0, 26, 1)).toHaveLength(1);
    const other = openMemoryJournal({ store });
    const archive = journal.archive!;
    await archive.append(0, all.slice(30, 38));

    await other.trim!((await takeShard(other)).lease, 38);

    expect(plainly((await journal.readEntries(0, 26, 100)) as JournalEntry[])).toEqual(plainly(all.slice(26)));
  });

  test('overlapping segments are read as one', async () => {
    const { journal, all } = await trimmed();

    await journal.archive!.append(0, all.slice(4, 17));

    expect(plainly((await journal.readEntries(0, 0, 100)) as JournalEntry[])).toEqual(plainly(all));
  });
});
