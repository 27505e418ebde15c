/** Conformance: messages that may get lost. */

import { expect, test } from 'vitest';
import type { Channel } from '../../../src/cluster/cluster-store.ts';
import { bytes } from '../../journal/writer.ts';
import { Ear, freshNode, freshWorld, listening, type WorldFactory } from '../world.ts';

const everyone: Channel = { kind: 'everyone' };
const news = { kind: 'topic', shard: 0, topic: 'room:news' } as const;

export function channelTests(createWorld: WorldFactory): void {
  test('brings the messages of each publisher in order', async () => {
    const world = await freshWorld(createWorld);
    const [one, other] = [await world.open(), await world.open()];
    const ear = await listening(one.cluster, news);

    for (let i = 0; i < 200; i++) {
      one.cluster.publish(news, bytes(`one ${i}`));
      other.cluster.publish(news, bytes(`other ${i}`));
    }

    await ear.hears('one 199');
    await ear.hears('other 199');
    for (const name of ['one', 'other']) {
      expect(ear.heard.filter((line) => line.startsWith(`${name} `))).toEqual(
        Array.from({ length: 200 }, (_, i) => `${name} ${i}`),
      );
    }
  });

  test('keeps channels apart', async () => {
    const { cluster } = await freshNode(createWorld);
    const channels: readonly Channel[] = [
      { kind: 'shard', shard: 0 },
      { kind: 'shard', shard: 1 },
      { kind: 'topic', shard: 0, topic: 'post' },
      { kind: 'topic', shard: 1, topic: 'post' },
      { kind: 'topic', shard: 0, topic: 'news:post' },
      { kind: 'topic', shard: 0, topic: 'post}' },
      { kind: 'signal', shard: 0, topic: 'post' },
      { kind: 'signal', shard: 1, topic: 'post' },
      { kind: 'node', node: 'all' },
      { kind: 'node', node: '0' },
      { kind: 'node', node: 'ä b}' },
      everyone,
      { kind: 'watch' },
      { kind: 'watcher', node: '0' },
      { kind: 'watcher', node: 'ä b}' },
    ];
    const ears = [];
    for (const channel of channels) ears.push(await listening(cluster, channel));

    for (const [i, channel] of channels.entries()) cluster.publish(channel, bytes(`to ${i}`));
    for (const channel of channels) cluster.publish(channel, bytes('end'));

    for (const [i, ear] of ears.entries()) expect(await ear.hears('end')).toEqual([`to ${i}`, 'end']);
  });

  test('reaches every node and the publisher itself', async () => {
    const world = await freshWorld(createWorld);
    const nodes = [await world.open(), await world.open(), await world.open()];
    const ears = [];
    for (const { cluster } of nodes) ears.push(await listening(cluster, everyone));

    nodes[0]!.cluster.publish(everyone, bytes('hello'));

    for (const ear of ears) expect(await ear.hears('hello')).toEqual(['hello']);
  });

  test('forgets what nobody hears', async () => {
    const { cluster } = await freshNode(createWorld);
    cluster.publish(everyone, bytes('early'));
    // Behind the message, so that it is too late for it.
    await cluster.view();
    const other = await listening(cluster, news);
    cluster.publish(news, bytes('end'));
    await other.hears('end');

    const ear = await listening(cluster, everyone);
    cluster.publish(everyone, bytes('end'));

    expect(await ear.hears('end')).toEqual(['end']);
  });

  test('brings large and binary messages whole', async () => {
    const { cluster } = await freshNode(createWorld);
    const ear = await listening(cluster, news);

    cluster.publish(news, new Uint8Array(1_048_576));
    cluster.publish(news, Uint8Array.from([0, 13, 10, 36]));
    cluster.publish(news, bytes('end'));
    await ear.hears('end');

    expect(ear.sizes).toEqual([1_048_576, 4, 3]);
  });

  test('tells active later, and once per listening', async () => {
    const { cluster } = await freshNode(createWorld);
    const first = new Ear();

    cluster.listen(news, first);
    const atOnce = first.actives;
    await first.isActive();
    const second = await listening(cluster, news);
    cluster.publish(news, bytes('end'));
    await Promise.all([first.hears('end'), second.hears('end')]);

    expect(atOnce).toBe(0);
    expect([first.actives, second.actives]).toEqual([1, 1]);
  });

  test('listeners of a channel come and go', async () => {
    const { cluster } = await freshNode(createWorld);
    const first = await listening(cluster, news);
    const second = await listening(cluster, news);

    cluster.publish(news, bytes('both'));
    await Promise.all([first.hears('both'), second.hears('both')]);
    first.stop();
    first.stop();
    cluster.publish(news, bytes('one'));
    await second.hears('one');
    second.stop();
    cluster.publish(news, bytes('nobody'));
    // Behind the message on its way to the shard's server.
    await cluster.statuses([news.shard]);
    const third = await listening(cluster, news);
    cluster.publish(news, bytes('end'));
    await third.hears('end');

    expect(first.heard).toEqual(['both']);
    expect(second.heard).toEqual(['both', 'one']);
    expect(third.heard).toEqual(['end']);
  });

  test('who leaves at once is told nothing', async () => {
    const { cluster } = await freshNode(createWorld);
    const gone = new Ear();

    cluster.listen(news, gone)();
    const ear = await listening(cluster, news);
    cluster.publish(news, bytes('end'));
    await ear.hears('end');

    expect([gone.actives, gone.heard]).toEqual([0, []]);
  });

  test('tells active again after an interruption', async () => {
    const world = await freshWorld(createWorld);
    const [one, other] = [await world.open(), await world.open()];
    const ears = [await listening(one.cluster, news), await listening(one.cluster, everyone)];
    const late = await listening(one.cluster, news);

    await world.interrupt();
    for (const ear of [...ears, late]) await ear.isActive(2);
    for (const channel of [news, everyone]) other.cluster.publish(channel, bytes('again'));

    for (const ear of [...ears, late]) expect(await ear.hears('again')).toEqual(['again']);
    expect([...ears, late].map(({ actives }) => actives)).toEqual([2, 2, 2]);
  });

  test('a closed node hears and says nothing', async () => {
    const world = await freshWorld(createWorld);
    const [one, other] = [await world.open(), await world.open()];
    const closed = await listening(one.cluster, everyone);
    const ear = await listening(other.cluster, everyone);

    await one.close();
    one.cluster.publish(everyone, bytes('late'));
    other.cluster.publish(everyone, bytes('end'));
    await ear.hears('end');

    expect(ear.heard).toEqual(['end']);
    expect(closed.heard).toEqual([]);
    expect(() => one.cluster.listen(everyone, new Ear())).toThrow('closed');
  });
}
