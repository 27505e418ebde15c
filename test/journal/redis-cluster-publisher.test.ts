/** Messages to channels of a Redis Cluster: one call per primary for what is said in one turn, also while a slot moves. */

import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { parseLocation } from '../../src/journal/redis/endpoint.ts';
import { commandOf } from '../../src/journal/redis/resp.ts';
import { openWire } from '../../src/journal/redis/servers.ts';
import { slotOf } from '../../src/journal/redis/slots.ts';
import type { Wire } from '../../src/journal/redis/wire.ts';
import { eventually } from './adapter.ts';
import { callsOf, listenOn, sayAll } from './ear.ts';
import { clusterForFile } from './redis-groups.ts';

const cluster = clusterForFile();
const moved = 'a:{0}';

async function openTestWire(): Promise<Wire> {
  const wire = await openWire(parseLocation(cluster().url), { deadlineMs: 10_000, clock: systemClock });
  onTestFinished(() => wire.close());
  return wire;
}

/** Channels of other slots than `moved`, by the primary that has them. */
async function channelsByPrimary(): Promise<ReadonlyMap<string, readonly string[]>> {
  const channels = new Map<string, string[]>();
  for (let shard = 1; shard <= 12; shard++) {
    const { url } = await cluster().primaryOf(slotOf(`{${shard}}`));
    channels.set(url, [...(channels.get(url) ?? []), `a:{${shard}}`]);
  }
  return channels;
}

/** It knows the primaries after that, and they have the library. */
async function speaker(channels: readonly string[]): Promise<Wire> {
  const wire = await openTestWire();
  for (const text of ['where?', 'hello']) {
    await sayAll(
      wire,
      [...channels, ...channels].map((channel) => [channel, text]),
    );
  }
  return wire;
}

/** What the primaries have counted since they were asked last, by a wire that is open: a new client makes errors of its own. */
async function statsOf(wire: Wire): Promise<readonly string[]> {
  const replies = await wire.sendToAll(commandOf('INFO', 'commandstats', 'errorstats').done());
  await wire.sendToAll(commandOf('CONFIG', 'RESETSTAT').done());
  return replies.map(String);
}

/** Errors without a name of their own, as those of commands within functions. */
function refusalsIn(stats: readonly string[]): number {
  return stats.reduce((sum, text) => sum + Number(/errorstat_ERR:count=(\d+)/.exec(text)?.[1] ?? 0), 0);
}

test('what is said in one turn is one call per primary, in its order', async () => {
  const byPrimary = await channelsByPrimary();
  const channels = [...byPrimary.values()].flat();
  const wire = await speaker(channels);
  const ears = await Promise.all(channels.map((channel) => listenOn(wire, channel)));
  await statsOf(wire);

  const fates = await sayAll(
    wire,
    ['1', '2', '3'].flatMap((text) => channels.map((channel) => [channel, text] as const)),
  );
  await eventually(async () => ears.every((ear) => ear.heard.length === 3) || undefined);

  expect(byPrimary.size).toBe(3);
  expect(new Set(fates)).toEqual(new Set(['sent']));
  expect(ears.map(({ heard }) => heard)).toEqual(ears.map(() => ['1', '2', '3']));
  const stats = await statsOf(wire);
  expect(stats.map((text) => callsOf(text, 'fcall'))).toEqual([1, 1, 1]);
  expect(refusalsIn(stats)).toBe(0);
});

test('messages of a slot that has moved follow it, in their order, and take no others along', {
  timeout: 60_000,
}, async () => {
  const hearing = await openTestWire();
  const wire = await speaker([moved]);
  const ear = await listenOn(hearing, moved);
  let hasRefused = false;

  for (let round = 0; round < 5 && !hasRefused; round++) {
    const home = await cluster().primaryOf(slotOf(moved));
    const other = (await channelsByPrimary()).get(home.url)?.[0] as string;
    const otherEar = await listenOn(hearing, other);
    // As a rule the speaker has stopped reading its map by then, and what it says goes where the slot was.
    await pause(1_000);
    const { actives } = ear;
    await cluster().migrateSlot(slotOf(moved));
    await eventually(async () => ear.actives > actives || undefined);
    ear.heard.splice(0);
    await statsOf(hearing);

    const fates = await sayAll(wire, [
      [moved, '1'],
      [other, 'x'],
      [moved, '2'],
      [other, 'y'],
    ]);
    await eventually(async () => (ear.heard.length === 2 && otherEar.heard.length === 2) || undefined);

    expect(fates).toEqual(['sent', 'sent', 'sent', 'sent']);
    expect([ear.heard, otherEar.heard]).toEqual([
      ['1', '2'],
      ['x', 'y'],
    ]);
    hasRefused = refusalsIn(await statsOf(hearing)) > 0;
  }

  expect(hasRefused).toBe(true);
});

test('what is said during an orderly failover is sent, unless a later message was', { timeout: 120_000 }, async () => {
  const wire = await speaker([moved]);
  const fates: Promise<readonly string[]>[] = [];

  for (let round = 0; round < 3; round++) {
    let isOver = false;
    const failing = cluster()
      .failover(slotOf(moved))
      .finally(() => {
        isOver = true;
      });
    while (!isOver) {
      fates.push(
        sayAll(
          wire,
          ['x', 'y', 'z'].map((text) => [moved, text]),
        ),
      );
      await pause(5);
    }
    await failing;
  }

  const all = (await Promise.all(fates)).flat();
  expect(all.filter((fate) => fate !== 'sent' && !fate.startsWith('A later call has overtaken it'))).toEqual([]);
  expect(all.filter((fate) => fate === 'sent').length).toBeGreaterThan(0.9 * all.length);
});
