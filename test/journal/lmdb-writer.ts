/**
 * A process of its own that writes a store until it is killed. It tells its parent about each answered commit on a line
 * of its output, after the answer. Run by lmdb-crash.test.ts and lock.test.ts as
 * `node --import tsx lmdb-writer.ts <folder> <process|disk> [idle]`.
 */

import { writeSync } from 'node:fs';
import { openLmdbJournal } from '../../src/journal/lmdb.ts';
import { actorOf, bytes, type Draft, takeShard } from './writer.ts';

const [path = '', durability = 'process', mode = 'write'] = process.argv.slice(2);

/** The `n`th commit of a shard: records of each kind, from which a half-applied commit can be told. */
export function nthDraft(n: number): Draft {
  return {
    events: [
      { actor: actorOf('room', 1) },
      { actor: actorOf('user', n), payload: new Uint8Array(2_000).fill(n), snapshot: `${n}` },
      { actor: actorOf('room', 1), snapshot: `${n}` },
    ],
    outbox: [{ to: 1, n, payload: bytes(`${n}`) }],
    outboxAcked: n > 3 ? [{ shard: 1, n: n - 3 }] : [],
    publications: [{ topic: 'room:news', payload: bytes(`${n}`) }],
    views: [
      { view: 'rows', key: `${n}`.padStart(8, '0'), payload: bytes(`${n}`) },
      { view: 'rows', key: 'newest', payload: bytes(`${n}`) },
    ],
  };
}

async function write(): Promise<void> {
  const journal = await openLmdbJournal({ path, durability: durability === 'disk' ? 'disk' : 'process', shards: 4 });
  if (mode === 'idle') {
    writeSync(1, 'open\n');
    setInterval(() => {}, 60_000);
    return;
  }
  await Promise.all(
    [0, 1, 2, 3].map(async (shard) => {
      const writer = await takeShard(journal, shard);
      const [room] = await journal.readActors(shard, [actorOf('room', 1)]);
      if (room instanceof Error) throw room;
      if (room !== undefined) writer.actors.set(room.index.actor, room.index);
      for (let n = writer.commits + 1; ; n++) {
        await writer.write({ ...nthDraft(n), ...(shard === 1 ? { outbox: [], outboxAcked: [] } : {}) });
        writeSync(1, `${shard} ${n}\n`);
      }
    }),
  );
}

if (path !== '') await write();
