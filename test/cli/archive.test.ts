/** The commands on a store whose entries have moved to an archive. */

import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chatActors, chatProjections } from '../../actors/chat.ts';
import { openJournal, openSystem, withArchive } from '../../src/index.ts';
import { eventually } from '../journal/adapter.ts';
import { alice, fillChatStore } from './chat-store.ts';
import { troupe } from './command-line.ts';
import { storeKinds, type TestStore } from './stores.ts';

const limits = { journalEntriesMin: 0, archiveAfterMs: 0, segmentEntriesMin: 1 };

describe.each(storeKinds)('an archived store on $kind', ({ make }) => {
  let store: TestStore;
  let folder: string;
  let environment: { readonly JOURNAL: string; readonly ARCHIVE: string };
  beforeAll(async () => {
    store = await make();
    folder = await mkdtemp(join(tmpdir(), 'troupe-archive-'));
    environment = { JOURNAL: store.url, ARCHIVE: `file:${folder}` };
    await fillChatStore(store.url);
    const journal = await withArchive(await openJournal(store.url), environment.ARCHIVE);
    const system = await openSystem({ journal, actors: chatActors, projections: chatProjections, limits });
    await eventually(async () => {
      const states = await Promise.all([0, 1, 2, 3].map((shard) => journal.readShard(shard)));
      return states.every(({ first, head }) => first > head.seq) || undefined;
    });
    await system.stop();
  });
  afterAll(async () => {
    await store?.remove();
    await rm(folder, { recursive: true, force: true });
  });

  test('history and verification read the archive', async () => {
    const history = await troupe(['history', `user/${alice}`, '--json'], environment);
    const verify = await troupe(['verify', '--json'], environment);

    const versions = (JSON.parse(history.out[0]!) as { readonly version: number }[]).map(({ version }) => version);
    expect(versions).toEqual([1, 2]);
    expect(JSON.parse(verify.out[0]!)).toMatchObject({ ok: true, actors: 4, segments: expect.any(Number) });
  });

  test('views are rebuilt from the archive', async () => {
    const rebuild = await troupe(['rebuild'], environment);
    const verify = await troupe(['verify'], environment);

    expect(rebuild).toMatchObject({ code: 0, err: [] });
    expect(verify).toMatchObject({ code: 0, err: [] });
  });

  test('without the archive they say what is missing', async () => {
    const { JOURNAL } = environment;

    for (const args of [['history', `user/${alice}`], ['verify'], ['rebuild']]) {
      const { code, err } = await troupe(args, { JOURNAL });
      expect(code).toBe(1);
      expect(err.join(' ')).toMatch(/Entry 1 of shard \d was moved to an archive/);
    }
    expect(await troupe(['show', `user/${alice}`], { JOURNAL })).toMatchObject({ code: 0, err: [] });
  });

  test('verification names a damaged segment', async () => {
    const shard = (await readdir(folder)).find((name) => name.startsWith('shard-'))!;
    const [segment] = await readdir(join(folder, shard));

    await writeFile(join(folder, shard, segment!), 'damaged');

    const { code, out } = await troupe(['verify'], environment);
    expect(code).toBe(1);
    expect(out.join('\n')).toContain(`${shard}/${segment} cannot be read`);
  });
});
