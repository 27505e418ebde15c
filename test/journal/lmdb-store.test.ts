import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { open as openLmdb } from 'lmdb';
import { expect, onTestFinished, test } from 'vitest';
import type { Journal } from '../../src/journal/journal.ts';
import { openLmdbJournal } from '../../src/journal/lmdb.ts';
import { jsonRecord, readJson } from '../../src/journal/lmdb-records.ts';
import { startChild, temporaryFolder } from './child.ts';
import { actorOf, fullDraft, storyOf, takeShard } from './writer.ts';

const ownerKey = Buffer.from('owner');

async function open(path: string, durability: 'process' | 'disk' = 'process', deadlineMs = 5_000): Promise<Journal> {
  const journal = await openLmdbJournal({ path, durability, deadlineMs, shards: 4, lockWaitMs: 0 });
  onTestFinished(() => journal.close());
  return journal;
}

/** Changes the owner's record of a store from outside, past the journal's lock. */
async function changeOwner(path: string, change: object, versionBy: number): Promise<void> {
  const root = openLmdb({ path, noSubdir: false, overlappingSync: false, encoding: 'binary', keyEncoding: 'binary' });
  const table = root.openDB<Buffer, Buffer>({
    name: 'store',
    encoding: 'binary',
    keyEncoding: 'binary',
    useVersions: true,
  });
  const { value, version = 0 } = table.getEntry(ownerKey)!;
  const owner = { ...readJson<object>(ownerKey, value), ...change };
  await table.put(ownerKey, jsonRecord(ownerKey, owner), version + versionBy);
  await root.close();
}

test('refuses a commit that names an inbox', async () => {
  const journal = await open(temporaryFolder());
  const writer = await takeShard(journal);

  const outcome = await journal.commit(writer.draft({ inbox: 1 }));

  expect(outcome).toMatchObject({ kind: 'invalid', message: expect.stringContaining('inbox') });
  expect((await journal.readShard(0)).head.commits).toBe(0);
});

test('refuses a file that is no store', async () => {
  const path = temporaryFolder();
  writeFileSync(join(path, 'data.mdb'), 'this is not a database'.repeat(1_000));

  const attempt = openLmdbJournal({ path, durability: 'process' });

  await expect(attempt).rejects.toMatchObject({ code: 'JOURNAL_DAMAGED', message: expect.stringContaining(path) });
});

test.for(['process', 'disk'] as const)('answers commits while LMDB is held (%s)', async (durability) => {
  const path = temporaryFolder();
  const journal = await open(path, durability, 300);
  const writer = await takeShard(journal);
  await writer.write(fullDraft(1));
  await journal.readEntries(0, 0, 10);
  const child = startChild('lmdb-stall.ts', path);
  await child.lines(1);

  await writer.write(fullDraft(2));

  const [row] = await journal.readRows(0, 'rooms', ['room-2']);
  const [actor] = await journal.readActors(0, [actorOf('room', 2)]);
  expect(row).toBeDefined();
  expect(actor).toMatchObject({ index: { version: 1 } });
  await expect(journal.readEntries(0, 0, 10)).rejects.toMatchObject({ code: 'JOURNAL_UNAVAILABLE' });
  expect(await journal.readEntries(1, 0, 10)).toEqual([]);
  await child.kill();
  expect(await journal.readEntries(0, 0, 10)).toHaveLength(6);
});

test('keeps in the log what LMDB lacks at close', { timeout: 60_000 }, async () => {
  const path = temporaryFolder();
  const journal = await open(path, 'process', 200);
  const writer = await takeShard(journal);
  await writer.write(fullDraft(1));
  await journal.readEntries(0, 0, 10);
  const child = startChild('lmdb-stall.ts', path);
  await child.lines(1);
  await writer.write(fullDraft(2));

  await journal.close();
  expect(readdirSync(path).filter((name) => name.startsWith('redo-'))).toHaveLength(1);
  await child.kill();

  const later = await open(path);
  expect((await later.readShard(0)).head.commits).toBe(2);
  expect(await later.readEntries(0, 0, 10)).toHaveLength(6);
});

test('leaves no log behind a clean close', async () => {
  const path = temporaryFolder();
  const journal = await open(path);
  await (await takeShard(journal)).write(fullDraft(1));

  await journal.close();

  expect(readdirSync(path).filter((name) => name.startsWith('redo-'))).toEqual([]);
});

test('answers nothing after another process took over', async () => {
  const path = temporaryFolder();
  const journal = await open(path);
  const writer = await takeShard(journal);
  await writer.write(fullDraft(1));
  const before = await storyOf(journal);
  await changeOwner(path, { pid: 1 }, 1);

  const outcome = await journal.commit(writer.draft(fullDraft(2)));

  expect(outcome).toMatchObject({ kind: 'unknown', message: expect.stringContaining('took the store over') });
  await expect(takeShard(journal)).rejects.toMatchObject({ code: 'JOURNAL_UNAVAILABLE' });
  expect(await storyOf(journal)).toEqual(before);
});

test.for([
  ['keeps topics after a crash of the process', 'process', {}, true],
  ['gives topics a new epoch after a machine crash', 'process', { boot: 'another' }, false],
  ['keeps topics synced before a machine crash', 'disk', { boot: 'another' }, true],
  ['keeps topics of a store that was closed', 'process', { boot: 'another', clean: true }, true],
] as const)('%s', async ([, durability, change, kept]) => {
  const path = temporaryFolder();
  const journal = await open(path, durability);
  await (await takeShard(journal)).write(fullDraft(1));
  const { epoch } = await journal.readTopic(0, 'room:news', 0, 1);
  await journal.close();
  await changeOwner(path, { clean: false, ...change }, 0);

  const later = await (await open(path, durability)).readTopic(0, 'room:news', 0, 1);

  expect(later.epoch === epoch).toBe(kept);
  expect(later.head).toBe(1);
});

test('sees each commit in reads at once', async () => {
  const path = temporaryFolder();
  const journal = await open(path);
  const writer = await takeShard(journal);

  for (let n = 1; n <= 20; n++) {
    await writer.write(fullDraft(n));
    expect((await journal.readTopic(0, 'room:news', 0, 100)).head).toBe(n);
    expect(await journal.readRange(0, 'rooms', { limit: 100 })).toHaveLength(n);
    expect((await journal.readActors(0, [actorOf('room', n)]))[0]).toMatchObject({ index: { version: 1 } });
  }
});
