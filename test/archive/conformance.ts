/**
 * The conformance suite of the archive port, which is that of the objects below it as well. An adapter's test is
 *
 *     describeArchive('memory', adapter);
 *
 * where `adapter` makes empty places and opens objects on them.
 */

import { describe, expect, onTestFinished, test } from 'vitest';
import type { Archive } from '../../src/archive/archive.ts';
import { ObjectArchive } from '../../src/archive/object-archive.ts';
import type { ObjectStore } from '../../src/archive/objects.ts';
import type { JournalEntry } from '../../src/journal/journal.ts';
import { actorOf, bytes } from '../journal/writer.ts';

/** A place that outlives the objects opened on it. */
export interface Place {
  open(): ObjectStore;
  dispose(): Promise<void>;
}

export interface ArchiveAdapter {
  create(): Promise<Place>;
}

export async function freshPlace(adapter: ArchiveAdapter): Promise<Place> {
  const place = await adapter.create();
  onTestFinished(() => place.dispose());
  return place;
}

/** The entry `seq` of a shard: some have every optional part, some have none. */
export function entryOf(seq: number): JournalEntry {
  const bare = { seq, actor: actorOf('room', seq % 3), version: Math.ceil(seq / 3), type: 'TOLD', emitted: [] };
  const at = 1_700_000_000_000 + seq * 7 + (seq % 5 === 0 ? 0.25 : 0);
  if (seq % 2 === 0) return { ...bare, at, payload: bytes(`payload ${seq}`) };
  const operation = `operation-${seq}`;
  const emitted = ['told', 'with, comma'];
  return { ...bare, emitted, at, payload: bytes(`ü ${seq}`), from: actorOf('user', seq), operation };
}

export function entriesOf(first: number, last: number): readonly JournalEntry[] {
  return Array.from({ length: last - first + 1 }, (_, i) => entryOf(first + i));
}

/** Bytes compare by content, whatever holds them. */
export function plainly(entries: readonly JournalEntry[]): readonly unknown[] {
  return entries.map((entry) => ({ ...entry, payload: Buffer.from(entry.payload).toString('hex') }));
}

async function ranges(archive: Archive, shard: number): Promise<readonly string[]> {
  return (await archive.segments(shard)).map(({ first, last }) => `${first}-${last}`);
}

function archiveTests(adapter: ArchiveAdapter): void {
  test('gives back everything an entry holds', async () => {
    const archive = await ObjectArchive.open((await freshPlace(adapter)).open(), 'store-a');

    const segment = await archive.append(3, entriesOf(1, 20));

    expect(segment).toMatchObject({ shard: 3, first: 1, last: 20 });
    expect(plainly(await archive.readSegment(segment))).toEqual(plainly(entriesOf(1, 20)));
    expect(await archive.sizeOf(segment)).toBeGreaterThan(100);
  });

  test('is found again by whoever opens it next', async () => {
    const place = await freshPlace(adapter);
    await (await ObjectArchive.open(place.open(), 'store-a')).append(0, entriesOf(1, 5));

    const again = await ObjectArchive.open(place.open(), 'store-a');
    const [segment] = await again.segments(0);

    expect(plainly(await again.readSegment(segment!))).toEqual(plainly(entriesOf(1, 5)));
  });

  test('lists segments of one shard in order', async () => {
    const archive = await ObjectArchive.open((await freshPlace(adapter)).open(), 'store-a');

    for (const [first, last] of [
      [90, 110],
      [1, 9],
      [10, 89],
      [1, 20],
    ] as const)
      await archive.append(1, entriesOf(first, last));
    await archive.append(10, entriesOf(1, 2));

    expect(await ranges(archive, 1)).toEqual(['1-9', '1-20', '10-89', '90-110']);
    expect(await ranges(archive, 10)).toEqual(['1-2']);
    expect(await ranges(archive, 2)).toEqual([]);
  });

  test('appending a range again changes nothing', async () => {
    const place = await freshPlace(adapter);
    const objects = place.open();
    const one = await ObjectArchive.open(objects, 'store-a');
    const other = await ObjectArchive.open(place.open(), 'store-a');
    const { name } = await one.append(0, entriesOf(1, 30));
    const before = Buffer.from((await objects.get(name))!).toString('hex');

    await Promise.all([one.append(0, entriesOf(1, 30)), other.append(0, entriesOf(1, 30))]);

    expect(await ranges(one, 0)).toEqual(['1-30']);
    expect(Buffer.from((await objects.get(name))!).toString('hex')).toBe(before);
  });

  test('refuses the archive of another store', async () => {
    const place = await freshPlace(adapter);
    const early = await ObjectArchive.open(place.open(), 'store-b');
    await (await ObjectArchive.open(place.open(), 'store-a')).append(0, entriesOf(1, 5));

    await expect(ObjectArchive.open(place.open(), 'store-b')).rejects.toMatchObject({ code: 'ARCHIVE_INCOMPATIBLE' });
    // Opened while it was still nobody's.
    await expect(early.append(0, entriesOf(1, 5))).rejects.toMatchObject({ code: 'ARCHIVE_INCOMPATIBLE' });
  });

  test('an archive nobody wrote to is empty', async () => {
    const place = await freshPlace(adapter);

    const archive = await ObjectArchive.open(place.open(), 'store-a');

    expect(await archive.segments(0)).toEqual([]);
    expect(await place.open().list('')).toEqual([]);
  });

  test('refuses entries with a gap between them', async () => {
    const archive = await ObjectArchive.open((await freshPlace(adapter)).open(), 'store-a');

    for (const entries of [[entryOf(1), entryOf(3)], []]) {
      await expect(archive.append(0, entries)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    }
    expect(await archive.segments(0)).toEqual([]);
  });

  test('names a damaged segment and reads the others', async () => {
    const objects = (await freshPlace(adapter)).open();
    const archive = await ObjectArchive.open(objects, 'store-a');
    const segments = [await archive.append(0, entriesOf(1, 5)), await archive.append(0, entriesOf(6, 9))];
    const { name } = segments[0]!;
    const whole = (await objects.get(name))!;

    const damages = [...whole.keys()].map((at) => whole.map((byte, i) => (i === at ? byte ^ 4 : byte)));
    const cuts = [0, 3, 20, whole.length - 1].map((length) => whole.slice(0, length));
    for (const bad of [...damages, ...cuts]) {
      await objects.put(name, bad);
      const again = await ObjectArchive.open(objects, 'store-a');
      const reading = again.readSegment((await again.segments(0))[0]!);
      await expect(reading).rejects.toMatchObject({ message: expect.stringContaining(name) });
      await expect(reading).rejects.toHaveProperty('code', expect.stringMatching(/^ARCHIVE_(DAMAGED|INCOMPATIBLE)$/));
    }
    const last = await ObjectArchive.open(objects, 'store-a');
    expect(plainly(await last.readSegment(segments[1]!))).toEqual(plainly(entriesOf(6, 9)));
  });

  test('finds a segment under another name', async () => {
    const objects = (await freshPlace(adapter)).open();
    const archive = await ObjectArchive.open(objects, 'store-a');
    const { name } = await archive.append(0, entriesOf(1, 5));
    const renamed = [
      name.replace('shard-00000', 'shard-00001'),
      name.replace('-0000000000000005.', '-0000000000000006.'),
    ];

    for (const other of renamed) await objects.put(other, (await objects.get(name))!);

    const [moved] = await archive.segments(1);
    const stretched = (await archive.segments(0)).find(({ last }) => last === 6);
    for (const segment of [moved, stretched]) {
      await expect(archive.readSegment(segment!)).rejects.toMatchObject({ code: 'ARCHIVE_DAMAGED' });
    }
  });

  test('says that a segment is missing', async () => {
    const archive = await ObjectArchive.open((await freshPlace(adapter)).open(), 'store-a');

    const reading = archive.readSegment({ shard: 0, first: 1, last: 2, name: 'shard-00000/gone.segment' });

    await expect(reading).rejects.toMatchObject({ code: 'ARCHIVE_DAMAGED', message: expect.stringContaining('gone') });
  });
}

function objectTests(adapter: ArchiveAdapter): void {
  test('puts, replaces, gets and lists objects', async () => {
    const objects = (await freshPlace(adapter)).open();

    await objects.put('b/2', bytes('two'));
    await objects.put('b/1', bytes('one'));
    await objects.put('b/1', bytes('one again'));
    await objects.put('a', bytes(''));

    expect(Buffer.from((await objects.get('b/1'))!).toString()).toBe('one again');
    expect(await objects.get('b/3')).toBeUndefined();
    expect(await objects.list('b/')).toEqual(['b/1', 'b/2']);
    expect([await objects.size('a'), await objects.size('b/2'), await objects.size('c')]).toEqual([0, 3, undefined]);
  });

  test('creates an object for one of several', async () => {
    const place = await freshPlace(adapter);
    const stores = Array.from({ length: 4 }, () => place.open());

    const made = await Promise.all(stores.map((objects, i) => objects.create('label', bytes(`label ${i}`))));

    expect(made.filter(Boolean)).toHaveLength(1);
    expect(Buffer.from((await stores[0]!.get('label'))!).toString()).toBe(`label ${made.indexOf(true)}`);
    expect(await stores[0]!.create('label', bytes('late'))).toBe(false);
  });
}

export function describeArchive(name: string, adapter: ArchiveAdapter): void {
  describe(`${name} archive`, () => archiveTests(adapter));
  describe(`${name} objects`, () => objectTests(adapter));
}
