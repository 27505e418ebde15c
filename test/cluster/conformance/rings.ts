/**
 * Conformance: when a shard's channel rings. A ring is an empty message, or brings an envelope along (`<number> <text>`
 * here); a marker behind it says that no more came.
 */

import { expect, test } from 'vitest';
import type { Channel } from '../../../src/cluster/cluster-store.ts';
import { actorOf, bytes, fullDraft, takeShard } from '../../journal/writer.ts';
import { freshNode, freshWorld, listening, type WorldFactory } from '../world.ts';

const shard0: Channel = { kind: 'shard', shard: 0 };
/** Rings do not bring it along. */
const large = bytes('x'.repeat(16 * 1024 + 1));

export function ringTests(createWorld: WorldFactory): void {
  test('brings envelopes along while few wait', async () => {
    const node = await freshNode(createWorld);
    const { cluster } = node;
    const writer = await takeShard(node);
    const ear = await listening(cluster, shard0);

    await Promise.all(Array.from({ length: 1_030 }, () => cluster.send(0, bytes('x'), 2_000)));
    await cluster.readInbox(0, 1_024, 10);
    await cluster.send(0, bytes('y'), 2_000);
    await writer.write({ inbox: 1_031 });
    await cluster.readInbox(0, 1_031, 10);
    await cluster.send(0, bytes('z'), 2_000);
    cluster.publish(shard0, bytes('end'));

    const brought = Array.from({ length: 1_024 }, (_, i) => `${i + 1} x`);
    expect(await ear.hears('end')).toEqual([...brought, '', '', '1032 z', 'end']);
  });

  test('tells whether the named actor exists already', async () => {
    const node = await freshNode(createWorld);
    const { cluster } = node;
    const writer = await takeShard(node);
    const ear = await listening(cluster, shard0);

    await cluster.send(0, bytes('x'), 10, actorOf('room', 1));
    await writer.write(fullDraft(1));
    await cluster.send(0, bytes('y'), 10, actorOf('room', 1));
    await cluster.send(0, bytes('z'), 10);
    cluster.publish(shard0, bytes('end'));

    expect(await ear.hears('end')).toEqual(['1 x absent', '2 y', '3 z', 'end']);
  });

  test('brings nothing along until somebody has read what did not come', async () => {
    const { cluster } = await freshNode(createWorld);
    const ear = await listening(cluster, shard0);

    await cluster.send(0, large, 100);
    await cluster.send(0, bytes('x'), 100);
    cluster.publish(shard0, bytes('read'));
    await ear.hears('read');
    await cluster.readInbox(0, 0, 10);
    await cluster.send(0, bytes('y'), 100);
    cluster.publish(shard0, bytes('end'));

    expect(await ear.hears('end')).toEqual(['', 'read', '3 y', 'end']);
  });

  test('rings again once somebody has read', async () => {
    const world = await freshWorld(createWorld);
    const [one, other] = [await world.open(), await world.open()];
    const ear = await listening(one.cluster, shard0);

    for (const round of ['1', '2', '3']) {
      await other.cluster.send(0, large, 100);
      await other.cluster.send(0, large, 100);
      other.cluster.publish(shard0, bytes(round));
      await ear.hears(round);
      await one.cluster.readInbox(0, 0, 1);
    }

    expect(ear.heard).toEqual(['', '1', '', '2', '', '3']);
  });

  test('does not ring when an inbox is full', async () => {
    const { cluster } = await freshNode(createWorld);
    await cluster.send(0, bytes('x'), 1);
    await cluster.readInbox(0, 0, 1);
    const ear = await listening(cluster, shard0);

    await cluster.send(0, bytes('x'), 1);
    cluster.publish(shard0, bytes('end'));

    expect(await ear.hears('end')).toEqual(['end']);
  });

  test('rings when a lease is given back', async () => {
    const world = await freshWorld(createWorld);
    const [one, other] = [await world.open(), await world.open()];
    const { lease } = await takeShard(one);
    const ear = await listening(other.cluster, shard0);

    await one.release(lease);
    one.cluster.publish(shard0, bytes('free'));
    await ear.hears('free');
    await one.release(lease);
    one.cluster.publish(shard0, bytes('end'));

    expect(await ear.hears('end')).toEqual(['', 'free', 'end']);
  });

  test('rings on the channel of the shard alone', async () => {
    const { cluster } = await freshNode(createWorld);
    const other = await listening(cluster, { kind: 'shard', shard: 1 });
    const topic = await listening(cluster, { kind: 'topic', shard: 0, topic: 'post' });
    const ear = await listening(cluster, shard0);

    await cluster.send(0, bytes('x'), 100);
    await ear.hears('1 x');
    cluster.publish({ kind: 'shard', shard: 1 }, bytes('end'));
    cluster.publish({ kind: 'topic', shard: 0, topic: 'post' }, bytes('end'));

    expect(await other.hears('end')).toEqual(['end']);
    expect(await topic.hears('end')).toEqual(['end']);
  });
}
