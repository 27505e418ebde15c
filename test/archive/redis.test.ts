/** The whole of it on a real Redis, with an archive in a folder: what is bounded, what is kept, and how many bytes it takes. */

import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { ActorSystem } from '../../src/actor-system.ts';
import { withArchive } from '../../src/archive/open.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { openRedisJournal } from '../../src/journal/redis.ts';
import { verifyJournal } from '../../src/journal/verify.ts';
import { openSystem } from '../../src/system.ts';
import { eventually } from '../journal/adapter.ts';
import { openClient, startServer } from '../journal/redis-store.ts';
import { takeShard } from '../journal/writer.ts';
import type { RedisServer } from '../redis-server.ts';
import { job, works } from '../runtime/job.ts';
import { idOn, note, notebook } from '../runtime/notebook.ts';

const definitions = [notebook, job];
const limits = {
  journalEntriesMin: 10,
  archiveAfterMs: 0,
  segmentEntriesMin: 20,
  segmentEntriesMax: 100,
  leaseMs: 2_000,
};

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'troupe-archive-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function openJournal(server: RedisServer, folder?: string): Promise<Journal> {
  const journal = await openRedisJournal({ url: server.url, shards: 2 });
  return withArchive(journal, folder === undefined ? undefined : `file:${folder}`);
}

async function open(server: RedisServer, folder: string, version = '1'): Promise<ActorSystem> {
  const journal = await openJournal(server, folder);
  const system = await openSystem({ journal, actors: definitions, projections: [{ ...works, version }], limits });
  onTestFinished(() => system.stop());
  return system;
}

/** Notes of fifty notebooks and jobs on each shard. */
async function work(system: ActorSystem, from: number, to: number): Promise<void> {
  for (let n = from; n < to; n++) {
    await Promise.all(
      [0, 1].flatMap((shard) => [
        system.actor(notebook, idOn(shard, n % 50)).tell(note(`note ${n}`)),
        system.actor(job, idOn(shard, n % 50)).tell({ type: 'ADD', item: `item ${n}` }),
      ]),
    );
  }
}

async function compacted(server: RedisServer): Promise<void> {
  const client = openClient(server);
  await eventually(async () => {
    const lengths = await Promise.all([0, 1].map((shard) => client.xlen(`troupe:{${shard}}:journal`)));
    return lengths.every((length) => length < 31) ? true : undefined;
  });
}

/** What everybody can see: states, histories, rows. */
async function sight(system: ActorSystem): Promise<unknown> {
  const seen: unknown[] = [];
  for (const shard of [0, 1]) {
    for (let n = 0; n < 50; n += 7) {
      for (const ref of [system.actor(notebook, idOn(shard, n)), system.actor(job, idOn(shard, n))]) {
        const state = await ref.snapshot();
        seen.push([ref.address, state?.version, state?.state.context, await ref.history()]);
      }
    }
    seen.push(await system.range('works', idOn(shard, 0), { limit: 200 }));
  }
  return seen;
}

test('actors go on over archive and trim', async () => {
  const server = await startServer();
  const folder = await temporaryFolder();
  const system = await open(server, folder);

  await work(system, 0, 150);
  await compacted(server);
  const before = await sight(system);
  await work(system, 150, 200);
  await compacted(server);

  const history = await system.actor(notebook, idOn(1, 3)).history();
  expect(history.map(({ event }) => 'key' in event && event.key)).toEqual([
    'note 3',
    'note 53',
    'note 103',
    'note 153',
  ]);
  expect(before).toHaveLength(34);
  const bare = verifyJournal({ journal: await openJournal(server), definitions, projections: [works] });
  await expect(bare).rejects.toMatchObject({ code: 'JOURNAL_TRIMMED' });
  const journal = await openJournal(server, folder);
  const findings = await verifyJournal({ journal, definitions, projections: [works] });
  expect(findings.differences).toEqual([]);
  expect(findings.entries).toBe(800);
  expect(findings.segments).toBeGreaterThanOrEqual(8);
  await journal.close();
});

test('a restart and a rebuild give the same', async () => {
  const server = await startServer();
  const folder = await temporaryFolder();
  const system = await open(server, folder);
  await work(system, 0, 120);
  await compacted(server);
  const before = await sight(system);
  await system.stop();
  const client = openClient(server);
  const rows = await client.zrangeBuffer('troupe:{0}:view:works', '0', '-1');
  await client.del('troupe:{0}:view:works', 'troupe:{1}:view:works', 'troupe:{0}:snapshots');

  const again = await open(server, folder, '2');

  expect(await sight(again)).toEqual(before);
  expect(await client.zrangeBuffer('troupe:{0}:view:works', '0', '-1')).toEqual(rows);
});

test('an emptied stream survives a restart of Redis', async () => {
  const server = await startServer({ appendfsync: 'always' });
  const journal = await openJournal(server);
  const writer = await takeShard(journal);
  const actor = 'room/00000000-0000-4000-8000-000000000001' as const;
  for (let n = 0; n < 5; n++) await writer.write({ events: [{ actor, snapshot: `s${n}` }] });
  await journal.trim!(writer.lease, 5);
  await journal.release(writer.lease);
  await journal.close();
  // Written anew as the commands that make it, and as a dump.
  for (const preamble of ['no', 'yes']) {
    const client = openClient(server);
    await client.config('SET', 'aof-use-rdb-preamble', preamble);
    await client.bgrewriteaof();
    await eventually(async () => (await client.info('persistence')).includes('aof_rewrite_in_progress:0') || undefined);
    client.disconnect();
    await server.kill();
    await server.restart();
  }

  const again = await openJournal(server);
  const next = await takeShard(again);
  await next.write({ events: [{ actor }] });

  expect(next.seq).toBe(6);
  expect((await again.readShard(0)).first).toBe(6);
  await again.close();
});

test('a folder holds the segments of both shards', async () => {
  const server = await startServer();
  const folder = await temporaryFolder();
  const system = await open(server, folder);

  await work(system, 0, 60);
  await compacted(server);

  expect((await readdir(folder)).sort()).toEqual(['archive', 'shard-00000', 'shard-00001']);
  const other = await startServer();
  await expect(openJournal(other, folder)).rejects.toMatchObject({ code: 'ARCHIVE_INCOMPATIBLE' });
});
