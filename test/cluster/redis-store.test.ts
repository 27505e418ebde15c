/** The cluster port on a real Redis: the suite, and what only this adapter has. */

import { Redis } from 'ioredis';
import { afterAll, describe, expect, test } from 'vitest';
import type { ClusterStore } from '../../src/cluster/cluster-store.ts';
import { openRedisJournal } from '../../src/journal/redis.ts';
import { eventually } from '../journal/adapter.ts';
import { contentOf, openClient, openJournal, startServer } from '../journal/redis-store.ts';
import { bytes, fullDraft, takeShard } from '../journal/writer.ts';
import { RedisCluster } from '../redis-cluster.ts';
import { RedisServer } from '../redis-server.ts';
import { describeClusterStore } from './conformance.ts';
import { type ClusterWorld, listening, nodeInfo, plainInbox } from './world.ts';

function worldOn(
  url: string,
  prefix: string,
  servers: readonly RedisServer[],
  dispose: () => Promise<void>,
): ClusterWorld {
  return {
    open: () => openRedisJournal({ url, prefix, shards: 4 }),
    interrupt: async () => {
      for (const server of servers) {
        const client = new Redis(server.url);
        await client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
        client.disconnect();
      }
    },
    dispose,
  };
}

describeClusterStore('redis', async () => {
  const server = await RedisServer.start();
  return worldOn(server.url, 'troupe', [server], () => server.dispose());
});

// Its servers refuse keys and channels of several slots in one call. It takes seconds to start, so there is one for all.
describe('three primaries', () => {
  let cluster: RedisCluster | undefined;
  let worlds = 0;

  afterAll(async () => {
    await cluster?.dispose();
  });

  describeClusterStore('redis', async () => {
    cluster ??= await RedisCluster.start({ replicas: 0 });
    worlds += 1;
    return worldOn(cluster.url, `world-${worlds}`, cluster.servers, async () => {});
  });
});

async function clusterOf(server: RedisServer, deadlineMs = 5_000): Promise<ClusterStore> {
  return (await openJournal(server, { deadlineMs })).cluster!;
}

test('an idle inbox is no key at all', async () => {
  const server = await startServer();
  const journal = await openJournal(server);
  const writer = await takeShard(journal);
  const client = openClient(server);

  await journal.cluster!.send(0, bytes('a'), 10);
  const busy = await client.exists('troupe:{0}:inbox');
  await journal.cluster!.readInbox(0, 0, 10);
  await writer.write({ inbox: 1 });

  expect(busy).toBe(1);
  expect(await client.exists('troupe:{0}:inbox')).toBe(0);
  expect(await client.hgetall('troupe:{0}:marks')).toEqual({ inbox: '1', 'inbox:sent': '1' });
});

test('reading an inbox that is silent writes nothing', async () => {
  const server = await startServer();
  const journal = await openJournal(server);
  const client = openClient(server);
  await journal.cluster!.send(0, bytes('a'), 10);
  await journal.cluster!.readInbox(0, 0, 10);
  const dirty = async () => /rdb_changes_since_last_save:(\d+)/.exec(await client.info('persistence'))?.[1];
  const before = await dirty();

  for (let i = 0; i < 10; i++) await journal.cluster!.readInbox(0, 0, 10);

  expect(await dirty()).toBe(before);
});

test('a commit that cannot trim writes nothing', async () => {
  const server = await startServer();
  const journal = await openJournal(server);
  const writer = await takeShard(journal);
  const client = openClient(server);
  await client.set('troupe:{0}:inbox', 'not a stream');
  const before = await contentOf(client);

  const outcome = await journal.commit(writer.draft({ ...fullDraft(1), inbox: 1 }));

  expect(outcome).toMatchObject({ kind: 'invalid', message: expect.stringContaining('troupe:{0}:inbox') });
  expect(await contentOf(client)).toEqual(before);
});

test('a node that expired leaves nothing behind', async () => {
  const server = await startServer();
  const cluster = await clusterOf(server);
  await cluster.beat(nodeInfo('a'), 200);
  await cluster.drain('a', true);
  await eventually(async () => ((await cluster.view()).nodes.length === 0 ? true : undefined));

  await cluster.beat(nodeInfo('b'), 60_000);

  expect((await openClient(server).hkeys('troupe:{all}:cluster')).sort()).toEqual(['alive:b', 'node:b']);
});

test('a damaged node is named, and heals itself', async () => {
  const server = await startServer();
  const cluster = await clusterOf(server);
  await cluster.beat(nodeInfo('a'), 60_000);
  await openClient(server).hset('troupe:{all}:cluster', 'node:a', '{');

  await expect(cluster.view()).rejects.toMatchObject({ code: 'JOURNAL_DAMAGED', params: { node: 'a' } });
  expect(await cluster.beat(nodeInfo('a'), 60_000)).toMatchObject({ nodes: [{ id: 'a' }] });
});

test('tells whether an envelope can have been sent', async () => {
  const server = await startServer();
  const cluster = await clusterOf(server, 300);

  server.pause();
  const unknown = await cluster.send(0, bytes('a'), 10).catch((error: unknown) => error);
  server.resume();
  await eventually(() => cluster.view().catch(() => undefined));
  await server.kill();
  const never = await eventually(async () => {
    const error = await cluster.send(0, bytes('b'), 10).catch((caught: unknown) => caught);
    return (error as { params?: { sent?: boolean } }).params?.sent === false ? error : undefined;
  });

  expect(unknown).toMatchObject({ code: 'JOURNAL_UNAVAILABLE', params: { sent: true } });
  expect(never).toMatchObject({ code: 'JOURNAL_UNAVAILABLE', params: { sent: false } });
});

test('a refusal of the server says nothing was sent', async () => {
  const server = await startServer();
  const cluster = await clusterOf(server);
  await openClient(server).set('troupe:{0}:inbox', 'not a stream');

  const error = await cluster.send(0, bytes('a'), 10).catch((caught: unknown) => caught);

  expect(error).toMatchObject({ code: 'JOURNAL_UNAVAILABLE', params: { sent: false } });
});

test('messages lost to an outage are told once', async () => {
  const server = await startServer();
  const warnings: string[] = [];
  const journal = await openJournal(server, { deadlineMs: 300, warn: (message) => warnings.push(message) });

  await server.kill();
  for (let i = 0; i < 100; i++) journal.cluster!.publish({ kind: 'everyone' }, bytes(`${i}`));
  await journal.cluster!.view().catch(() => undefined);

  expect(warnings).toEqual([expect.stringContaining('get lost')]);
});

test('only so many messages wait for Redis', async () => {
  const server = await startServer();
  const warnings: string[] = [];
  const journal = await openJournal(server, { warn: (message) => warnings.push(message) });
  const ear = await listening(journal.cluster!, { kind: 'everyone' });

  for (let i = 0; i < 10_050; i++) journal.cluster!.publish({ kind: 'everyone' }, bytes(`${i}`));

  await ear.hears('9999');
  journal.cluster!.publish({ kind: 'everyone' }, bytes('end'));
  await ear.hears('end');
  expect(ear.heard).toHaveLength(10_001);
  expect(warnings).toEqual([expect.stringContaining('too many')]);
});

test('sends and releases without a right to ring', async () => {
  const server = await startServer();
  const client = openClient(server);
  await client.call('ACL', 'SETUSER', 'deaf', 'on', '>hush', '~*', '+@all', 'resetchannels');
  const url = server.url.replace('redis://', 'redis://deaf:hush@');
  const journal = await openRedisJournal({ url, shards: 4 });
  const { lease } = await takeShard(journal);

  expect(await journal.cluster!.send(0, bytes('a'), 10)).toBe('sent');
  await journal.release(lease);
  expect(plainInbox(await journal.cluster!.readInbox(0, 0, 10))).toEqual(['1 a']);
  await journal.close();
});
