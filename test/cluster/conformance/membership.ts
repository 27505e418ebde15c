/** Conformance: who is there, and what they are told. */

import { expect, test } from 'vitest';
import type { ClusterStore } from '../../../src/cluster/cluster-store.ts';
import { eventually } from '../../journal/adapter.ts';
import { takeShard } from '../../journal/writer.ts';
import { freshNode, freshWorld, nodeInfo, type WorldFactory } from '../world.ts';

const longMs = 60_000;
/** Over before a test looks for it. */
const briefMs = 20;

async function idsIn(store: ClusterStore): Promise<readonly string[]> {
  return (await store.view()).nodes.map(({ id }) => id);
}

async function isGone(store: ClusterStore, id: string): Promise<void> {
  await eventually(async () => ((await idsIn(store)).includes(id) ? undefined : true));
}

export function membershipTests(createWorld: WorldFactory): void {
  test('gives all nodes with every beat, in order', async () => {
    const world = await freshWorld(createWorld);
    const [one, other] = [await world.open(), await world.open()];
    await one.cluster.beat(nodeInfo('b'), longMs);

    const view = await other.cluster.beat(nodeInfo('a'), longMs);

    expect(view ? view.nodes.map(({ id }) => id) : view).toEqual(['a', 'b']);
    expect(await one.cluster.view()).toMatchObject({ nodes: [{ id: 'a' }, { id: 'b' }] });
  });

  test('keeps what a node says of itself', async () => {
    const { cluster } = await freshNode(createWorld);
    const before = nodeInfo('a', { about: 'before' });
    const info = nodeInfo('a', {
      role: 'worker',
      weight: 2.5,
      isDraining: true,
      about: 'http://ä:1 – "v1"',
      heads: { 0: 7, 63: 9 },
    });

    await cluster.beat(before, longMs);
    const view = await cluster.beat(info, longMs);

    expect(view ? view.nodes : view).toEqual([{ ...info, expiresInMs: expect.any(Number) }]);
    const left = (await cluster.view()).nodes[0]!.expiresInMs;
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(longMs);
  });

  test('forgets a node that stops beating', async () => {
    const { cluster } = await freshNode(createWorld);
    await cluster.beat(nodeInfo('a'), longMs);
    await cluster.beat(nodeInfo('b'), briefMs);

    await isGone(cluster, 'b');

    expect(await idsIn(cluster)).toEqual(['a']);
    expect(await cluster.beat(nodeInfo('a'), longMs)).toMatchObject({ nodes: [{ id: 'a' }] });
    expect(await cluster.beat(nodeInfo('b'), longMs)).toMatchObject({ nodes: [{ id: 'a' }, { id: 'b' }] });
  });

  test('refuses an id that another process holds', async () => {
    const { cluster } = await freshNode(createWorld);
    await cluster.beat(nodeInfo('a', { about: 'first' }), longMs);

    const view = await cluster.beat(nodeInfo('a', { nonce: 'second', about: 'second' }), longMs);

    expect(view).toBe(false);
    expect(await cluster.view()).toMatchObject({ nodes: [{ about: 'first' }] });
  });

  test('gives an id on once its process is gone', async () => {
    const { cluster } = await freshNode(createWorld);
    await cluster.beat(nodeInfo('a'), briefMs);
    await isGone(cluster, 'a');

    const view = await cluster.beat(nodeInfo('a', { nonce: 'second' }), longMs);

    expect(view).toMatchObject({ nodes: [{ nonce: 'second' }] });
    expect(await cluster.beat(nodeInfo('a'), longMs)).toBe(false);
  });

  test('takes a node off the list when it leaves', async () => {
    const { cluster } = await freshNode(createWorld);
    await cluster.beat(nodeInfo('a'), longMs);
    await cluster.beat(nodeInfo('b'), longMs);

    await cluster.leave('a', 'another nonce');
    await cluster.leave('b', 'nonce of b');
    await cluster.leave('nobody', 'nonce');

    expect(await idsIn(cluster)).toEqual(['a']);
  });

  test('tells a node to drain, and to stop', async () => {
    const world = await freshWorld(createWorld);
    const [one, other] = [await world.open(), await world.open()];
    await one.cluster.beat(nodeInfo('a'), longMs);
    await one.cluster.beat(nodeInfo('b'), longMs);

    expect(await other.cluster.drain('a', true)).toBe(true);
    const drained = await one.cluster.beat(nodeInfo('a'), longMs);
    expect(await other.cluster.drain('a', false)).toBe(true);
    const undrained = await one.cluster.beat(nodeInfo('a'), longMs);

    expect(drained).toMatchObject({ nodes: [{ isDraining: true }, { isDraining: false }] });
    expect(undrained).toMatchObject({ nodes: [{ isDraining: false }, { isDraining: false }] });
  });

  test('drains nobody who is not there', async () => {
    const { cluster } = await freshNode(createWorld);
    await cluster.beat(nodeInfo('a'), briefMs);
    await isGone(cluster, 'a');

    expect(await cluster.drain('a', true)).toBe(false);
    expect(await cluster.drain('nobody', true)).toBe(false);
    expect(await cluster.beat(nodeInfo('a'), longMs)).toMatchObject({ nodes: [{ isDraining: false }] });
  });

  test('forgets to drain a node that went away', async () => {
    const { cluster } = await freshNode(createWorld);
    await cluster.beat(nodeInfo('a'), longMs);
    await cluster.drain('a', true);
    await cluster.leave('a', 'nonce of a');
    await cluster.beat(nodeInfo('b'), briefMs * 10);
    await cluster.drain('b', true);
    await isGone(cluster, 'b');

    await cluster.beat(nodeInfo('a'), longMs);
    const view = await cluster.beat(nodeInfo('b', { nonce: 'second' }), longMs);

    expect(view).toMatchObject({ nodes: [{ isDraining: false }, { isDraining: false }] });
  });

  test('pins shards to nodes, there or not', async () => {
    const { cluster } = await freshNode(createWorld);
    await cluster.beat(nodeInfo('a'), longMs);

    await cluster.pin(3, 'a');
    await cluster.pin(0, 'nobody');
    await cluster.pin(1, 'a');
    await cluster.pin(3, 'b');
    await cluster.pin(1, undefined);
    await cluster.pin(2, undefined);

    expect([...(await cluster.view()).pins].sort()).toEqual([
      [0, 'nobody'],
      [3, 'b'],
    ]);
    await expect(cluster.pin(4, 'a')).rejects.toMatchObject({ code: 'JOURNAL_INCOMPATIBLE' });
  });

  test('tells where shards stand, in order', async () => {
    const { cluster, ...rest } = await freshNode(createWorld).then((node) => ({ node, cluster: node.cluster }));
    const writer = await takeShard(rest.node, 2, 'nonce-a', 'node-a');
    await cluster.send(2, new Uint8Array(1), 10);
    await cluster.send(2, new Uint8Array(1), 10);
    await writer.write({ inbox: 1 });

    const statuses = await cluster.statuses([2, 0]);

    const free = { epoch: 0, node: '', expiresInMs: 0, commits: 0, seq: 0, inboxLast: 0, inboxDone: 0, rewinds: 0 };
    const held = { epoch: 1, node: 'node-a', commits: 1, seq: 0, inboxLast: 2, inboxDone: 1, rewinds: 0 };
    expect(statuses).toEqual([
      { shard: 2, ...held, expiresInMs: expect.any(Number) },
      { shard: 0, ...free },
    ]);
    expect(statuses[0]!.expiresInMs).toBeGreaterThan(0);
    expect(await cluster.statuses([])).toEqual([]);
    await expect(cluster.statuses([0, 4])).rejects.toMatchObject({ code: 'JOURNAL_INCOMPATIBLE' });
  });

  test('tells of a released shard that nobody has it', async () => {
    const node = await freshNode(createWorld);
    const { lease } = await takeShard(node, 1);
    await node.release(lease);

    const [status] = await node.cluster.statuses([1]);

    expect(status).toMatchObject({ epoch: 1, node: '', expiresInMs: 0 });
  });
}
