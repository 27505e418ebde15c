import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { FolderObjects } from '../../src/archive/folder.ts';
import { openArchive } from '../../src/archive/open.ts';
import { bytes } from '../journal/writer.ts';
import { describeArchive, entriesOf, plainly } from './conformance.ts';

describeArchive('folder', {
  create: async () => {
    const folder = await mkdtemp(join(tmpdir(), 'troupe-archive-'));
    return {
      // One that is not there yet: reading it finds nothing, writing makes it.
      open: () => new FolderObjects(join(folder, 'deep', 'archive')),
      dispose: () => rm(folder, { recursive: true, force: true }),
    };
  },
});

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'troupe-archive-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

test('leaves nothing half-written behind', async () => {
  const folder = await temporaryFolder();
  const objects = new FolderObjects(folder);
  await objects.put('a/one', bytes('1'));

  const failed = objects.put('a/one/two', bytes('2'));

  await expect(failed).rejects.toMatchObject({ code: 'ARCHIVE_UNAVAILABLE' });
  expect(await readdir(join(folder, 'a'))).toEqual(['one']);
});

test('does not list what a crash left', async () => {
  const folder = await temporaryFolder();
  const archive = await openArchive(`file:${folder}`, 'store-a');
  await archive.append(0, entriesOf(1, 3));

  await writeFile(join(folder, 'shard-00000', '0000000000000004-0000000000000009.segment.x.partial'), 'torn');
  await mkdir(join(folder, 'shard-00000', 'sub'));

  expect((await archive.segments(0)).map(({ first }) => first)).toEqual([1]);
  expect(await new FolderObjects(folder).list('shard-00000/')).toHaveLength(1);
});

test('opens by its URL and no other', async () => {
  const folder = await temporaryFolder();

  const archive = await openArchive(`file:${folder}`, 'store-a');

  const segment = await archive.append(7, entriesOf(1, 3));
  expect(archive.description).toBe(`file:${folder}`);
  expect(await readdir(folder)).toEqual(['archive', 'shard-00007']);
  expect(plainly(await archive.readSegment(segment))).toEqual(plainly(entriesOf(1, 3)));
  for (const url of ['file:', 's3://bucket', folder]) {
    await expect(openArchive(url, 'store-a')).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  }
});

test('says that its label is damaged', async () => {
  const folder = await temporaryFolder();
  await (await openArchive(`file:${folder}`, 'store-a')).append(0, entriesOf(1, 3));

  await writeFile(join(folder, 'archive'), 'not a label');

  await expect(openArchive(`file:${folder}`, 'store-a')).rejects.toMatchObject({ code: 'ARCHIVE_DAMAGED' });
});
