import { expect, onTestFinished, test } from 'vitest';
import type { Journal } from '../../src/journal/journal.ts';
import { type LmdbJournalOptions, openLmdbJournal } from '../../src/journal/lmdb.ts';
import { eventually } from './adapter.ts';
import { startChild, temporaryFolder } from './child.ts';
import { actorOf, fullDraft, storyOf, takeShard } from './writer.ts';

async function open(options: Omit<LmdbJournalOptions, 'durability'>): Promise<Journal> {
  const journal = await openLmdbJournal({ durability: 'process', lockWaitMs: 0, ...options });
  onTestFinished(() => journal.close());
  return journal;
}

test('refuses a second writer with a sentence', async () => {
  const path = temporaryFolder();
  const child = startChild('lmdb-writer.ts', path, 'process', 'idle');
  await child.lines(1);

  const attempt = open({ path, lockWaitMs: 100 });

  await expect(attempt).rejects.toMatchObject({
    name: 'TroupeError',
    code: 'JOURNAL_LOCKED',
    message: expect.stringContaining(`Process ${child.pid}`),
    params: { path },
  });
});

test('refuses a second journal in one process', async () => {
  const path = temporaryFolder();
  await open({ path });

  await expect(open({ path })).rejects.toMatchObject({ code: 'JOURNAL_LOCKED' });
});

test('knows a store by any of its paths', async () => {
  const path = temporaryFolder();
  await open({ path });

  await expect(open({ path: `${path}/../${path.split('/').at(-1)}` })).rejects.toMatchObject({
    code: 'JOURNAL_LOCKED',
  });
});

test('waits for a dying writer', async () => {
  const path = temporaryFolder();
  const child = startChild('lmdb-writer.ts', path, 'process');
  await child.lines(10);

  const opening = open({ path, lockWaitMs: 10_000 });
  await child.kill();
  const journal = await opening;

  expect((await journal.readShard(0)).head.commits).toBeGreaterThan(0);
});

test('takes the leases of a killed writer', async () => {
  const path = temporaryFolder();
  const child = startChild('lmdb-writer.ts', path, 'process');
  await child.lines(10);
  await child.kill();

  const journal = await open({ path, lockWaitMs: 5_000 });
  const outcome = await journal.acquire(0, { node: 'node-b', nonce: 'nonce-b' }, 1_000);

  expect(outcome).toMatchObject({ kind: 'acquired', lease: { epoch: { number: 2, nonce: 'nonce-b' } } });
});

test('frees the lock when a journal closes', async () => {
  const path = temporaryFolder();
  await (await open({ path })).close();

  const journal = await open({ path });

  expect(journal.kind).toBe('lmdb');
});

test('frees the lock when opening fails', async () => {
  const path = temporaryFolder();
  await (await open({ path, shards: 2 })).close();
  await expect(open({ path, shards: 3 })).rejects.toMatchObject({ code: 'JOURNAL_INCOMPATIBLE' });

  const journal = await open({ path });

  expect(journal.shards).toBe(2);
});

test('reads beside a running writer', async () => {
  const path = temporaryFolder();
  const child = startChild('lmdb-writer.ts', path, 'disk');
  await child.lines(10);

  const journal = await open({ path, readOnly: true });
  const before = (await journal.readShard(0)).head.commits;
  const after = await eventually(async () => {
    const { commits } = (await journal.readShard(0)).head;
    return commits > before ? commits : undefined;
  });

  expect(after).toBeGreaterThan(before);
  expect(journal.description).toContain('read-only');
});

test('refuses writes to a read-only journal', async () => {
  const path = temporaryFolder();
  const writer = await takeShard(await open({ path, shards: 4 }));
  await writer.write(fullDraft(1));

  const journal = await open({ path, readOnly: true });

  await expect(journal.commit(writer.draft(fullDraft(2)))).rejects.toMatchObject({ code: 'JOURNAL_LOCKED' });
  await expect(takeShard(journal)).rejects.toMatchObject({ code: 'JOURNAL_LOCKED' });
  await expect(journal.initMeta('a', 'b')).rejects.toMatchObject({ code: 'JOURNAL_LOCKED' });
  const written = await storyOf(writer.journal);
  expect(await storyOf(journal)).toEqual(written);
});

test('makes no store for a reader', async () => {
  const path = temporaryFolder();

  await expect(open({ path: `${path}/none`, readOnly: true })).rejects.toMatchObject({ code: 'JOURNAL_INCOMPATIBLE' });
});

test('keeps the process alive no longer than needed', async () => {
  const path = temporaryFolder();
  const journal = await open({ path });
  const writer = await takeShard(journal);

  await writer.write({ events: [{ actor: actorOf('room', 1) }] });

  const handles = process.getActiveResourcesInfo().filter((name) => name === 'PipeServerWrap');
  expect(handles).toEqual([]);
});
