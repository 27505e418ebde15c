/** Slots that move and primaries that die, while commits to a Redis Cluster are under way. */

import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { parseLocation } from '../../src/journal/redis/endpoint.ts';
import { commandOf } from '../../src/journal/redis/resp.ts';
import { openWire } from '../../src/journal/redis/servers.ts';
import { slotOf } from '../../src/journal/redis/slots.ts';
import type { Wire } from '../../src/journal/redis/wire.ts';
import { askServer } from '../redis-sentinel.ts';
import { eventually } from './adapter.ts';
import { expectWhole, numbered, Stream } from './commit-stream.ts';
import { Ear } from './ear.ts';
import { clusterForFile, newPrefix, openGroupJournal } from './redis-groups.ts';
import { fullDraft, takeShard } from './writer.ts';

const cluster = clusterForFile();
const slot = slotOf('{0}');

async function openTestWire(): Promise<Wire> {
  const wire = await openWire(parseLocation(cluster().url), { deadlineMs: 10_000, clock: systemClock });
  onTestFinished(() => wire.close());
  return wire;
}

test('knows the slots that the servers know', async () => {
  const [server] = cluster().servers;

  for (const key of ['', 'a', '{a}b', 'x{a}b', '{}a', 'x{', 'a{}{b}', 'a{{b}}', 'ü{ß}', '123456789', '{0}', '{63}']) {
    expect([key, await askServer(server!, 'CLUSTER', 'KEYSLOT', key)]).toEqual([key, slotOf(key)]);
  }
});

test('finds the cluster behind one member', async () => {
  const journal = await openGroupJournal({ url: cluster().servers[0]!.url, servers: [] }, { shards: 16 });

  const writers = await Promise.all(Array.from({ length: 16 }, (_, shard) => takeShard(journal, shard)));
  await Promise.all(writers.map((writer) => writer.write(fullDraft(1))));

  const owners = await Promise.all(writers.map((_, shard) => cluster().primaryOf(slotOf(`{${shard}}`))));
  expect(new Set(owners).size).toBe(3);
  for (const shard of writers.keys()) expect((await journal.readShard(shard)).head.commits).toBe(1);
});

test('commits follow a slot that moves', async () => {
  const journal = await openGroupJournal(cluster(), { deadlineMs: 20_000 });
  const writer = await takeShard(journal);
  await writer.write(numbered(1));

  for (const round of [1, 2, 3]) {
    const moving = cluster().migrateSlot(slot);
    const drafts = Array.from({ length: 30 }, (_, i) => writer.draft(numbered(30 * round + i - 28)));
    const outcomes = await Promise.all(drafts.map((draft) => journal.commit(draft)));
    await moving;
    expect(outcomes.map(({ kind }) => kind)).toEqual(drafts.map(() => 'done'));
  }

  await expectWhole(journal, 91);
});

test('a commit waits for its keys to arrive', async () => {
  const journal = await openGroupJournal(cluster(), { deadlineMs: 20_000 });
  const writer = await takeShard(journal);
  await writer.write(numbered(1));
  const from = await cluster().primaryOf(slot);
  const to = await cluster().otherPrimary(slot);

  await cluster().beginMigration(slot, to);
  await cluster().moveKeys(slot, to, 3);
  const settled: string[] = [];
  const commits = [2, 3, 4].map(async (n) =>
    settled.push(`${n} ${(await journal.commit(writer.draft(numbered(n)))).kind}`),
  );
  await eventually(
    async () => /errorstat_TRYAGAIN/.test(String(await askServer(from, 'INFO', 'errorstats'))) || undefined,
  );
  expect(settled).toEqual([]);
  while ((await cluster().moveKeys(slot, to)) > 0);
  await cluster().endMigration(slot, to);
  await Promise.all(commits);

  expect(settled).toEqual(['2 done', '3 done', '4 done']);
  await expectWhole(journal, 4);
});

test('asks where a key has gone ahead', async () => {
  const prefix = newPrefix();
  const journal = await openGroupJournal(cluster(), { prefix });
  await journal.initMeta('color', 'green');
  const meta = slotOf(`${prefix}:meta`);
  const from = await cluster().primaryOf(meta);
  const to = await cluster().otherPrimary(meta);

  await cluster().beginMigration(meta, to);
  await cluster().moveKeys(meta, to);
  const read = await Promise.all([1, 2, 3].map(() => journal.readMeta('color')));
  await journal.initMeta('shape', 'round');
  await cluster().endMigration(meta, to);

  expect(read).toEqual(['green', 'green', 'green']);
  expect(String(await askServer(from, 'INFO', 'errorstats'))).toContain('errorstat_ASK');
  expect(await journal.readMeta('shape')).toBe('round');
});

test('loads its functions on a primary without them', async () => {
  const journal = await openGroupJournal(cluster());
  const writer = await takeShard(journal);
  await writer.write(numbered(1));
  const to = await cluster().otherPrimary(slot);

  await askServer(to, 'FUNCTION', 'FLUSH', 'SYNC');
  await cluster().migrateSlot(slot, to);
  for (const n of [2, 3]) await writer.write(numbered(n));

  await expectWhole(journal, 3);
});

test('commits go on over an orderly failover', async () => {
  const journal = await openGroupJournal(cluster(), { durability: 'replica' });
  const stream = new Stream(journal);
  await stream.goesOn();

  for (let round = 0; round < 3; round++) {
    await cluster().failover(slot);
    await stream.goesOn();
  }

  await stream.stop();
});

test('subscriptions follow their slot', { timeout: 30_000 }, async () => {
  const wire = await openTestWire();
  const ear = new Ear();
  wire.listen('news:{0}', ear);
  await eventually(async () => ear.actives > 0 || undefined);
  const hears = async (text: string) => {
    await wire.send('news:{0}', commandOf('SPUBLISH', 'news:{0}', text).done());
    await eventually(async () => ear.heard.includes(text) || undefined);
  };
  await hears('at home');

  await cluster().migrateSlot(slot);
  await eventually(async () => ear.actives > 1 || undefined);
  await hears('moved');
  const actives = ear.actives;
  await cluster().failover(slot);
  await eventually(async () => ear.actives > actives || undefined);
  await hears('failed over');

  const texts = ear.heard.filter((one) => one !== 'active');
  expect(texts).toEqual(['at home', 'moved', 'failed over']);
});

test('answered commits survive the death of a primary', { timeout: 60_000 }, async () => {
  const journal = await openGroupJournal(cluster(), { durability: 'replica', deadlineMs: 20_000 });
  const wire = await openTestWire();
  const ear = new Ear();
  wire.listen('news:{0}', ear);
  const lighter = await openGroupJournal(cluster(), { deadlineMs: 20_000 });
  await (await takeShard(lighter)).write(numbered(1));
  const stream = new Stream(journal);
  await stream.goesOn();
  await eventually(async () => ear.actives > 0 || undefined);

  const actives = ear.actives;
  const dead = await cluster().killPrimary(slot);
  await eventually(async () => stream.interruptions > 0 || undefined);
  // What leaves before the end of its connection was seen is lost; the next one waits for the new primary.
  const early = eventually(() => lighter.readShard(0).catch(() => undefined), 20_000);
  await cluster().primaryAfter(slot, dead);
  expect((await early).head.commits).toBe(1);
  await dead.restart();
  await stream.goesOn();
  await eventually(async () => ear.actives > actives || undefined);

  await stream.stop();
});

test('leaves a primary that hangs', { timeout: 60_000 }, async () => {
  const journal = await openGroupJournal(cluster(), { durability: 'replica', deadlineMs: 3_000 });
  const lighter = await openGroupJournal(cluster(), { deadlineMs: 3_000 });
  const stream = new Stream(journal);
  await stream.goesOn();

  const hung = await cluster().primaryOf(slot);
  hung.pause();
  onTestFinished(() => hung.resume());
  await cluster().primaryAfter(slot, hung);
  const writer = await eventually(() => takeShard(lighter).catch(() => undefined));
  await writer.write(numbered(1));
  expect(await cluster().primaryOf(slot)).not.toBe(hung);
  hung.resume();
  await stream.goesOn();

  expect(stream.interruptions).toBeGreaterThan(0);
  await stream.stop();
  await expectWhole(lighter, 1);
});
