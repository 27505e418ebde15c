/** Messages on their way to channels: one call for what is said in one turn, and nothing lost or torn out of order by that. */

import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { RedisConnection } from '../../src/journal/redis/connection.ts';
import { parseLocation } from '../../src/journal/redis/endpoint.ts';
import { NotPublished, Publisher } from '../../src/journal/redis/publisher.ts';
import { openWire } from '../../src/journal/redis/servers.ts';
import type { Wire } from '../../src/journal/redis/wire.ts';
import { eventually } from './adapter.ts';
import { callsOf, listenOn, sayAll } from './ear.ts';
import { openClient, startServer } from './redis-store.ts';

async function openTestWire(url: string): Promise<Wire> {
  const wire = await openWire(parseLocation(url), { deadlineMs: 5_000, clock: systemClock });
  onTestFinished(() => wire.close());
  // From then on the server has the library.
  await sayAll(wire, [
    ['a:{0}', 'x'],
    ['a:{0}', 'y'],
  ]);
  return wire;
}

test('what is said in one turn is one call, in its order', async () => {
  const server = await startServer();
  const wire = await openTestWire(server.url);
  const client = openClient(server);
  const [first, second] = [await listenOn(wire, 'a:{1}'), await listenOn(wire, 'b:{2}')];
  await client.config('RESETSTAT');

  const texts = Array.from({ length: 100 }, (_, i) => `${i}`);
  const fates = await sayAll(
    wire,
    texts.flatMap((text) => [['a:{1}', text] as const, ['b:{2}', text] as const]),
  );
  await eventually(async () => second.heard.length === 100 || undefined);

  expect(fates).toEqual(fates.map(() => 'sent'));
  expect([first.heard, second.heard]).toEqual([texts, texts]);
  expect(callsOf(await client.info('commandstats'), 'fcall')).toBe(1);
});

test('more than one call takes leaves in several', async () => {
  const server = await startServer();
  const wire = await openTestWire(server.url);
  const ear = await listenOn(wire, 'a:{1}');
  const texts = Array.from({ length: 600 }, (_, i) => `${i} `.padEnd(5_000, '.'));

  const fates = await sayAll(
    wire,
    texts.map((text) => ['a:{1}', text]),
  );
  await eventually(async () => ear.heard.length === 600 || undefined);

  expect(new Set(fates)).toEqual(new Set(['sent']));
  expect(ear.heard).toEqual(texts);
});

test('a message that is alone is a command of its own', async () => {
  const server = await startServer();
  const wire = await openTestWire(server.url);
  const client = openClient(server);
  const ear = await listenOn(wire, 'a:{1}');
  await client.config('RESETSTAT');

  expect(await sayAll(wire, [['a:{1}', 'x']])).toEqual(['sent']);
  await eventually(async () => ear.heard.length === 1 || undefined);

  const stats = await client.info('commandstats');
  expect([callsOf(stats, 'fcall'), callsOf(stats, 'spublish')]).toEqual([0, 1]);
});

test('what is said alone keeps its place between what was published before and after', async () => {
  const server = await startServer();
  const ear = await listenOn(await openTestWire(server.url), 'a:{1}');
  const endpoint = { options: { host: '127.0.0.1', port: server.port } };
  const connection = new RedisConnection({ endpoint, deadlineMs: 5_000, clock: systemClock });
  onTestFinished(() => connection.close());
  const publisher = new Publisher(connection, 'tell each');

  publisher.publish('a:{1}', Buffer.from('1'), () => {});
  const alone = publisher.publishAlone({ channel: 'a:{1}', payload: Buffer.from('2') }, {});
  publisher.publish('a:{1}', Buffer.from('3'), () => {});
  await alone;
  await eventually(async () => ear.heard.length === 3 || undefined);

  expect(ear.heard).toEqual(['1', '2', '3']);
});

test('an owner that orders them is told of each message that a whole call was refused with', async () => {
  const server = await startServer();
  const client = openClient(server);
  const endpoint = { options: { host: '127.0.0.1', port: server.port } };
  const connection = new RedisConnection({ endpoint, deadlineMs: 5_000, clock: systemClock });
  onTestFinished(() => connection.close());
  const publisher = new Publisher(connection, 'tell each');
  const say = (): Promise<unknown> =>
    Promise.all(
      ['x', 'y'].map((text) => new Promise((resolve) => publisher.publish('a:{1}', Buffer.from(text), resolve))),
    );
  expect(await say()).toEqual([undefined, undefined]);

  await client.config('SET', 'min-replicas-to-write', '1');

  expect(await say()).toEqual([expect.any(NotPublished), expect.any(NotPublished)]);
});

test('a server that takes no writes still takes messages', async () => {
  const server = await startServer();
  const wire = await openTestWire(server.url);
  const client = openClient(server);
  const ear = await listenOn(wire, 'a:{1}');
  await client.config('SET', 'min-replicas-to-write', '1');

  const fates = await sayAll(wire, [
    ['a:{1}', 'x'],
    ['a:{1}', 'y'],
  ]);
  await eventually(async () => ear.heard.length === 2 || undefined);

  expect(fates).toEqual(['sent', 'sent']);
  expect(ear.heard).toEqual(['x', 'y']);
});

test('a channel that may not be used takes no other message with it', async () => {
  const server = await startServer();
  const client = openClient(server);
  await client.call('ACL', 'SETUSER', 'limited', 'on', '>secret', '~*', '+@all', 'resetchannels', '&a:*');
  const url = new URL(server.url);
  url.username = 'limited';
  url.password = 'secret';
  const wire = await openTestWire(url.href);
  const ear = await listenOn(wire, 'a:{1}');

  const [first, refused, last] = await sayAll(wire, [
    ['a:{1}', 'x'],
    ['b:{1}', 'y'],
    ['a:{1}', 'z'],
  ]);
  await eventually(async () => ear.heard.length === 2 || undefined);

  expect([first, last]).toEqual(['sent', 'sent']);
  expect(refused).toMatch(/publish to the channel/);
  expect(ear.heard).toEqual(['x', 'z']);
});

test('whoever says something to a server that is gone is told so', async () => {
  const server = await startServer();
  const wire = await openTestWire(server.url);
  await listenOn(wire, 'a:{1}');

  await server.kill();
  const fates = await sayAll(wire, [
    ['a:{1}', 'x'],
    ['a:{1}', 'y'],
  ]);

  expect(fates.every((fate) => fate !== 'sent')).toBe(true);
}, 30_000);
