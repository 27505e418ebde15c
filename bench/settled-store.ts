/**
 * Settles a store that nobody uses as its own compaction does, only without waiting for the retention: ended operations
 * are reduced to their outcome, entries move to an archive, and every actor is left with a snapshot.
 */

import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { chatActors, chatProjections } from '../actors/chat.ts';
import { withArchive } from '../src/archive/open.ts';
import { openSystem } from '../src/index.ts';
import { openStore, type StoreAddress } from './stores.ts';

/** At once, and to the last entry. */
const limits = {
  retentionMs: 1,
  archiveAfterMs: 1,
  journalEntriesMin: 0,
  segmentEntriesMin: 1,
};
const lookAgainMs = 500;
const settleMs = 180_000;

/** Resolves with the bytes of the archive's files. */
export async function settleStore(store: StoreAddress, client: Redis): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'troupe-archive-'));
  try {
    const journal = await withArchive(await openStore(store), `file:${folder}`);
    const system = await openSystem({ journal, actors: chatActors, projections: chatProjections, limits });
    const giveUpAt = performance.now() + settleMs;
    // Entries leave behind the retirements' own progress, so that an empty journal says that all is done.
    while (!(await isSettled(journal.shards, client))) {
      if (performance.now() > giveUpAt) throw new Error(`The store has not settled within ${settleMs} ms.`);
      await new Promise((resolve) => setTimeout(resolve, lookAgainMs));
    }
    await system.stop();
    return await bytesIn(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function bytesIn(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const stats = await Promise.all(files.map(({ parentPath, name }) => stat(join(parentPath, name))));
  return stats.reduce((sum, { size }) => sum + size, 0);
}

/** Whether no shard has entries left, and all that were written are behind its retirements. */
async function isSettled(shards: number, client: Redis): Promise<boolean> {
  for (let shard = 0; shard < shards; shard++) {
    const [entries, seq, retired] = await Promise.all([
      client.xlen(`troupe:{${shard}}:journal`),
      client.hget(`troupe:{${shard}}:shard`, 'seq'),
      client.hget(`troupe:{${shard}}:projections`, 'troupe.retired'),
    ]);
    if (entries > 0 || Number(retired ?? 0) < Number(seq ?? 0)) return false;
  }
  return true;
}
