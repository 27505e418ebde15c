import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { chatActors, chatProjections } from '../../actors/chat.ts';
import { openJournal, openSystem } from '../../src/index.ts';
import { alice, fillChatStore } from './chat-store.ts';
import { troupe } from './command-line.ts';
import { storeKinds, type TestStore } from './stores.ts';

describe.each(storeKinds)('troupe rebuild on $kind', ({ kind, make }) => {
  let store: TestStore;
  let JOURNAL: string;
  beforeEach(async () => {
    store = await make();
    JOURNAL = store.url;
    await fillChatStore(JOURNAL);
  });
  afterEach(() => store.remove());

  async function rowOfAlice(): Promise<Uint8Array | undefined> {
    const journal = await openJournal(JOURNAL);
    try {
      return (await journal.readRows(0, 'users', [alice]))[0];
    } finally {
      await journal.close();
    }
  }

  test('every view is written as it was', async () => {
    const before = await rowOfAlice();

    const { code, out } = await troupe(['rebuild'], { JOURNAL });

    expect(code).toBe(0);
    expect(out).toEqual([expect.stringMatching(/^Rebuilt operations, users, .*\(4 rows\) from 8 entries\.$/)]);
    expect(before).toBeDefined();
    expect(await rowOfAlice()).toEqual(before);
    expect((await troupe(['verify'], { JOURNAL })).code).toBe(0);
  });

  test('one named view brings those of its projection', async () => {
    const { out } = await troupe(['rebuild', 'memberships'], { JOURNAL });

    expect(out).toEqual(['Rebuilt users, memberships (2 rows) from 8 entries.']);
  });

  test('snapshots alone leave the views as they are', async () => {
    const { out } = await troupe(['rebuild', '--snapshots'], { JOURNAL });

    expect(out).toEqual(['Rebuilt 4 snapshots from 8 entries.']);
    const verified = await troupe(['verify', '--json'], { JOURNAL });
    expect(JSON.parse(verified.out[0]!)).toMatchObject({ ok: true, snapshots: 4 });
  });

  test('an unknown view is refused with the known ones', async () => {
    const { code, err } = await troupe(['rebuild', 'dreams'], { JOURNAL });

    expect(code).toBe(2);
    expect(err[0]).toMatch(/^There is no view "dreams"; there are operations, users, /);
  });

  test('a running server keeps its store', { timeout: 60_000 }, async () => {
    const journal = await openJournal(JOURNAL);
    const system = await openSystem({ journal, actors: chatActors, projections: chatProjections });

    const { code, out, err } = await troupe(['rebuild'], { JOURNAL });
    await system.stop();

    expect({ code, out }).toEqual({ code: 1, out: [] });
    expect(err.join('\n')).toMatch(kind === 'redis' ? /is in use by node .*; stop the server/ : /./);
  });
});
