/** The wire to one server: what its subscriptions promise. */

import { Socket } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { parseLocation } from '../../src/journal/redis/endpoint.ts';
import { commandOf } from '../../src/journal/redis/resp.ts';
import { openWire } from '../../src/journal/redis/servers.ts';
import type { Wire } from '../../src/journal/redis/wire.ts';
import { eventually } from './adapter.ts';
import { Ear } from './ear.ts';
import { openClient, startServer } from './redis-store.ts';

async function openTestWire(url: string, deadlineMs = 5_000): Promise<Wire> {
  const wire = await openWire(parseLocation(url), { deadlineMs, clock: systemClock });
  onTestFinished(() => wire.close());
  return wire;
}

const publish = (wire: Wire, channel: string, text: string) =>
  wire.send(channel, commandOf('SPUBLISH', channel, text).done());

test('says active once a subscription is confirmed', async () => {
  const server = await startServer();
  const wire = await openTestWire(server.url);
  const client = openClient(server);
  const ear = new Ear();

  wire.listen('news:{1}', ear);
  expect(ear.heard).toEqual([]);
  await eventually(async () => ear.actives > 0 || undefined);

  expect(await client.call('PUBSUB', 'SHARDNUMSUB', 'news:{1}')).toEqual(['news:{1}', 1]);
  expect(await publish(wire, 'news:{1}', 'a')).toBe(1);
  await publish(wire, 'news:{1}', 'b');
  await eventually(async () => ear.heard.length === 3 || undefined);
  expect(ear.heard).toEqual(['active', 'a', 'b']);
});

test('listeners of one channel share a subscription', async () => {
  const server = await startServer();
  const wire = await openTestWire(server.url);
  const client = openClient(server);
  const [first, second, late] = [new Ear(), new Ear(), new Ear()];

  const leaveFirst = wire.listen('news:{1}', first);
  const leaveSecond = wire.listen('news:{1}', second);
  await eventually(async () => second.actives > 0 || undefined);
  const leaveLate = wire.listen('news:{1}', late);
  expect(late.actives).toBe(0);
  await eventually(async () => late.actives > 0 || undefined);
  await publish(wire, 'news:{1}', 'a');
  await eventually(async () => late.heard.includes('a') || undefined);
  leaveFirst();
  await publish(wire, 'news:{1}', 'b');
  await eventually(async () => late.heard.includes('b') || undefined);

  expect(await client.info('commandstats')).toContain('cmdstat_ssubscribe:calls=1,');
  expect([first, second, late].map(({ heard }) => heard)).toEqual([
    ['active', 'a'],
    ['active', 'a', 'b'],
    ['active', 'a', 'b'],
  ]);
  leaveSecond();
  leaveLate();
  await eventually(async () => (await publish(wire, 'news:{1}', 'c')) === 0 || undefined);
});

test('says active again after every reconnection', async () => {
  const server = await startServer();
  const wire = await openTestWire(server.url);
  const ears = [new Ear(), new Ear()];
  for (const [i, ear] of ears.entries()) wire.listen(`news:{${i}}`, ear);
  await eventually(async () => ears.every(({ actives }) => actives === 1) || undefined);

  for (const round of [2, 3]) {
    await server.kill();
    await server.restart();
    await eventually(async () => ears.every(({ actives }) => actives === round) || undefined);
    await publish(wire, 'news:{0}', `round ${round}`);
    await eventually(async () => ears[0]!.heard.includes(`round ${round}`) || undefined);
  }

  expect(ears[0]!.heard).toEqual(['active', 'active', 'round 2', 'active', 'round 3']);
});

test('a listener that returns at once hears again', async () => {
  const server = await startServer();
  const wire = await openTestWire(server.url);
  const [first, second] = [new Ear(), new Ear()];
  const leave = wire.listen('news:{1}', first);
  await eventually(async () => first.actives > 0 || undefined);

  leave();
  wire.listen('news:{1}', second);
  await eventually(async () => second.actives > 0 || undefined);
  await publish(wire, 'news:{1}', 'a');
  await eventually(async () => second.heard.includes('a') || undefined);

  expect(first.heard).toEqual(['active']);
  expect(second.heard).toEqual(['active', 'a']);
});

test('leaves a subscriber connection that hangs', async () => {
  const server = await startServer();
  const wire = await openTestWire(server.url, 300);
  const ear = new Ear();
  wire.listen('news:{1}', ear);
  await eventually(async () => ear.actives > 0 || undefined);
  const client = openClient(server);
  const subscribers = async () => String(await client.client('LIST')).match(/id=\d+.*name=troupe-subscriber/g) ?? [];
  const before = (await subscribers()).length;

  server.pause();
  await new Promise((resolve) => systemClock.after(1_000, () => resolve(undefined)));
  server.resume();

  expect(before).toBe(1);
  await eventually(async () => ear.actives > 1 || undefined);
});

test.for([
  ['a few bytes', 10],
  ['more than is copied', 150 * 1024],
] as const)('calls that leave together are answered each, of %s', async ([, bytes]) => {
  const server = await startServer();
  const wire = await openTestWire(server.url);
  const texts = ['a', 'b', 'c'].map((letter) => letter.repeat(bytes));

  const replies = await Promise.all(texts.map((text) => wire.send('{1}', commandOf('ECHO', text).done())));

  expect(replies.map(String)).toEqual(texts);
});

test('calls of many causes in one pass of the event loop leave in two writes', async () => {
  const server = await startServer();
  const wire = await openTestWire(server.url);
  const ping = commandOf('PING').done();
  await wire.send('', ping);
  const writes = vi.spyOn(Socket.prototype, 'write');
  onTestFinished(() => writes.mockRestore());

  const calls = Array.from(
    { length: 20 },
    () => new Promise((resolve, reject) => setImmediate(() => wire.send('', ping).then(resolve, reject))),
  );
  const replies = await Promise.all(calls);

  expect(replies.map(String)).toEqual(replies.map(() => 'PONG'));
  expect(writes.mock.calls.length).toBe(2);
});
