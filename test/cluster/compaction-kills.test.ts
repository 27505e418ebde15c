/** Nodes die while they archive, trim and retire: no history, outcome or repeated command is any the worse for it. */

import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { sagaNames } from '../../actors/contract.ts';
import type { Address } from '../../src/actor/address.ts';
import { withArchive } from '../../src/archive/open.ts';
import { openJournal } from '../../src/index.ts';
import { Random } from '../crash/random.ts';
import { poll } from '../e2e/deadline.ts';
import { Cluster } from './cluster.ts';
import { Load } from './load.ts';
import { auditLoad } from './load-audit.ts';

const shards = 2;
const slowlyMs = 240_000;
const kills = 4;
const entriesMax = 1_000_000;
const sagaTypes: ReadonlySet<string> = new Set(sagaNames);

async function segmentsIn(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  return names.filter((name) => name.endsWith('.segment')).length;
}

async function start(nodes: number): Promise<{ readonly cluster: Cluster; readonly folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'troupe-archive-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const environment = { ARCHIVE: `file:${folder}` };
  const cluster = await Cluster.start({ program: 'compacting', nodes, leaseMs: 1_000, shards, environment });
  onTestFinished(() => cluster.dispose());
  return { cluster, folder };
}

/** Kills a node at some moment while entries move; whoever has no answer yet gets it before it could be retired. */
async function killWhileCompacting(cluster: Cluster, load: Load, folder: string, random: Random): Promise<void> {
  const segments = await segmentsIn(folder);
  const isMoving = async () => ((await segmentsIn(folder)) > segments ? true : undefined);
  await poll(isMoving, 'Nothing is archived', 60_000);
  await new Promise((resolve) => setTimeout(resolve, random.below(2_000)));
  const node = random.pick(cluster.live);
  await node.kill();
  await node.restart();
  for (const entry of load.unanswered.splice(0)) {
    await load.clientOf(entry.who.email).insist(entry);
    load.world.learn(entry);
  }
}

/** What is wrong with the events of all actors, out of archive and journal: each is there once, and every saga ended once. */
async function auditHistories(load: Load, journalUrl: string, archive: string): Promise<readonly string[]> {
  const journal = await withArchive(await openJournal(journalUrl, { readOnly: true }), archive);
  const known = new Set(load.ledger.entries.map(({ operationId }) => operationId));
  const found: string[] = [];
  try {
    for (let shard = 0; shard < shards; shard++) {
      const events = new Map<Address, string[]>();
      for (const entry of await journal.readEntries(shard, 0, entriesMax)) {
        if (entry instanceof Error) throw entry;
        const before = events.get(entry.actor) ?? [];
        if (entry.version !== before.length + 1) found.push(`${entry.actor} lacks what is before ${entry.version}`);
        events.set(entry.actor, [...before, entry.emitted.join()]);
      }
      const actors = [...events.keys()];
      const records = await journal.readActors(shard, actors);
      for (const [i, actor] of actors.entries()) {
        const record = records[i];
        const { length } = events.get(actor) ?? [];
        if (record instanceof Error || record?.index.version !== length) found.push(`${actor} has another version`);
        const [type = '', id = ''] = actor.split('/');
        if (!sagaTypes.has(type)) continue;
        const ends = events.get(actor)!.filter((emitted) => /_(COMPLETED|ERROR)\b/.test(emitted)).length;
        if (ends !== 1) found.push(`${actor} ended ${ends} times`);
        if (!known.has(id)) found.push(`${actor} is there, and nobody knows of it`);
      }
    }
    return found;
  } finally {
    await journal.close();
  }
}

test.each([1, 2])('%i nodes killed while compacting lose nothing', { timeout: slowlyMs }, async (nodes) => {
  const seed = Number(process.env.SEED ?? 30 + nodes);
  const { cluster, folder } = await start(nodes);
  const load = new Load({ doors: () => cluster.live, seed, people: 4, retires: true });
  await load.gather();
  load.start();

  const random = new Random(seed);
  for (let n = 0; n < kills; n++) await killWhileCompacting(cluster, load, folder, random);
  await load.goesOn(20);
  await load.stop();
  process.stdout.write(`${load.summary}, ${await segmentsIn(folder)} segments\n`);

  const ended = load.ledger.entries.filter(({ outcome }) => outcome?.state === 'COMPLETED');
  const isRetired = async () => {
    for (const { who, operationId } of ended) {
      const { status, body } = await load
        .clientOf(who.email)
        .get<{ readonly state: string; readonly result?: unknown }>(`/v1/operations/${operationId}`);
      expect([status, body.state]).toEqual([200, 'COMPLETED']);
      if (body.result === undefined) return true;
    }
    return undefined;
  };
  await poll(isRetired, 'No operation is retired', slowlyMs);
  for (const entry of load.ledger.entries) await load.clientOf(entry.who.email).insist(entry);
  expect(await auditHistories(load, cluster.redis.url, `file:${folder}`)).toEqual([]);
  expect(await auditLoad(load, cluster.redis.url, `file:${folder}`)).toEqual([]);
  expect(cluster.crashes).toEqual([]);
});
