import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open as openLmdb } from 'lmdb';
import { openLmdbJournal } from '../../src/journal/lmdb.ts';
import { entryKey, kinds, nameKey, outboxKey, publicationKey, rowKey, timerKey } from '../../src/journal/lmdb-keys.ts';
import type { DamageTarget, JournalAdapter } from './adapter.ts';
import { describeJournal } from './conformance.ts';

/** Opens one table of a closed store, and works on it. */
async function withTable(
  path: string,
  name: string,
  work: (table: ReturnType<typeof openLmdb>) => Promise<unknown>,
): Promise<void> {
  const root = openLmdb({ path, noSubdir: false, overlappingSync: false, encoding: 'binary', keyEncoding: 'binary' });
  await work(root.openDB({ name, encoding: 'binary', keyEncoding: 'binary' }) as ReturnType<typeof openLmdb>);
  await root.close();
}

function keyOf(target: DamageTarget): Buffer {
  switch (target.kind) {
    case 'entry':
      return entryKey(target.shard, target.seq);
    case 'index':
      return nameKey(kinds.index, target.shard, target.actor);
    case 'snapshot':
      return nameKey(kinds.snapshot, target.shard, target.actor);
    case 'timer':
      return timerKey(target.shard, target.actor, target.id);
    case 'outbox':
      return outboxKey(target.shard, target.to, target.n);
    case 'publication':
      return publicationKey(target.shard, target.topic, target.offset);
    case 'row':
      return rowKey(target.shard, target.view, target.key);
  }
}

function lmdb(durability: 'process' | 'disk'): JournalAdapter {
  return {
    kind: 'lmdb',
    persistent: true,
    shared: false,
    damages: ['entry', 'index', 'snapshot', 'timer', 'outbox', 'publication', 'row'],
    losesSnapshots: true,
    stalls: false,
    create: async () => {
      const path = mkdtempSync(join(tmpdir(), 'troupe-lmdb-'));
      return {
        open: (options) => openLmdbJournal({ path, durability, lockWaitMs: 0, ...options }),
        damage: (target) =>
          withTable(path, target.kind === 'entry' ? 'journal' : 'state', async (table) => {
            const record = Buffer.from(table.getBinary(keyOf(target)) as Buffer);
            record[record.length - 1]! ^= 1;
            await table.put(keyOf(target), record);
          }),
        loseSnapshot: (shard, actor) =>
          withTable(path, 'state', (table) => table.remove(nameKey(kinds.snapshot, shard, actor))),
        dispose: async () => rmSync(path, { recursive: true, force: true }),
      };
    },
  };
}

describeJournal('lmdb (process)', lmdb('process'));
describeJournal('lmdb (disk)', lmdb('disk'));
