/** Conformance: envelopes leave with the commit that handled them. */

import { expect, test } from 'vitest';
import { bytes, fullDraft, storyOf, takeShard } from '../../journal/writer.ts';
import { freshNode, freshWorld, type Node, plainInbox, type WorldFactory } from '../world.ts';

async function sendAll(node: Node, ...names: readonly string[]): Promise<void> {
  for (const name of names) await node.cluster.send(0, bytes(name), 100);
}

export function commitTests(createWorld: WorldFactory): void {
  test('envelopes leave with the commit that handled them', async () => {
    const node = await freshNode(createWorld);
    const writer = await takeShard(node);
    await sendAll(node, 'a', 'b', 'c');

    await writer.write({ inbox: 2 });

    expect(plainInbox(await node.cluster.readInbox(0, 0, 10))).toEqual(['3 c']);
    expect((await node.readShard(0)).inbox).toBe(2);
  });

  test('takes an inbox beside records of every kind', async () => {
    const world = await freshWorld(createWorld);
    const node = await world.open();
    const writer = await takeShard(node);
    await sendAll(node, 'a', 'b');

    const offsets = await writer.write({ ...fullDraft(1), viewsCleared: ['rooms', 'gone'], inbox: 1 });

    expect(offsets).toEqual([1]);
    expect(plainInbox(await node.cluster.readInbox(0, 0, 10))).toEqual(['2 b']);
    expect(await node.readShard(0)).toMatchObject({
      head: { commits: 1, seq: 3 },
      inbox: 1,
      outbox: [{ to: 1, n: 1 }],
      outboxLast: [{ shard: 1, n: 1 }],
      marks: [{ shard: 2, n: 1 }],
      projections: { rooms: 'v1' },
    });
    expect(await storyOf(node)).toMatchObject({ rooms: [{ payload: 'row 1' }], people: [{ payload: 'user 1' }] });
  });

  test('a refused commit leaves the inbox alone', async () => {
    const node = await freshNode(createWorld);
    const stale = await takeShard(node);
    await sendAll(node, 'a', 'b');
    const writer = await takeShard(node);

    const outcomes = [
      await node.commit(stale.draft({ inbox: 1 })),
      await node.commit({ ...writer.draft({ inbox: 1 }), number: 7 }),
      await node.commit({ ...writer.draft({ inbox: 1 }), number: 1, firstSeq: 2 }),
      await node.commit({ ...writer.draft({ inbox: 1, marks: [{ shard: 9, n: 1 }] }), number: 1 }),
    ];

    expect(outcomes.map(({ kind }) => kind)).toEqual(['refused', 'refused', 'refused', 'invalid']);
    expect(plainInbox(await node.cluster.readInbox(0, 0, 10))).toEqual(['1 a', '2 b']);
    expect((await node.readShard(0)).inbox).toBe(0);
  });

  test('a repeated commit takes nothing more', async () => {
    const node = await freshNode(createWorld);
    const writer = await takeShard(node);
    await sendAll(node, 'a', 'b');
    const commit = writer.draft({ inbox: 1 });
    await node.commit(commit);

    const repeated = await node.commit({ ...commit, inbox: 2 });

    expect(repeated).toEqual({ kind: 'done', offsets: undefined });
    expect(plainInbox(await node.cluster.readInbox(0, 0, 10))).toEqual(['2 b']);
    expect((await node.readShard(0)).inbox).toBe(1);
  });

  test('a lower number and none change nothing', async () => {
    const node = await freshNode(createWorld);
    const writer = await takeShard(node);
    await sendAll(node, 'a', 'b', 'c');
    await writer.write({ inbox: 2 });

    await writer.write({ inbox: 2 });
    await writer.write({ inbox: 0 });
    await writer.write({ inbox: 1 });

    expect(plainInbox(await node.cluster.readInbox(0, 0, 10))).toEqual(['3 c']);
    expect((await node.readShard(0)).inbox).toBe(2);
  });

  test('numbers go on after an inbox was emptied', async () => {
    const world = await freshWorld(createWorld);
    const node = await world.open();
    const writer = await takeShard(node);
    await sendAll(node, 'a', 'b');
    await writer.write({ inbox: 2 });
    const empty = await node.cluster.readInbox(0, 0, 10);

    await sendAll(await world.open(), 'c');

    expect(empty).toEqual([]);
    expect(plainInbox(await node.cluster.readInbox(0, 2, 10))).toEqual(['3 c']);
    expect((await node.cluster.statuses([0]))[0]).toMatchObject({ inboxLast: 3, inboxDone: 2 });
  });

  test('a new owner finds what was not handled', async () => {
    const world = await freshWorld(createWorld);
    const [one, other] = [await world.open(), await world.open()];
    const writer = await takeShard(one);
    await sendAll(other, 'a', 'b', 'c');
    await one.cluster.readInbox(0, 0, 10);
    await writer.write({ inbox: 1 });
    // It has read two more and dies before their commit.
    await one.release(writer.lease);
    await one.close();

    await takeShard(other, 0, 'nonce-b', 'node-b');

    const { inbox } = await other.readShard(0);
    expect(inbox).toBe(1);
    expect(plainInbox(await other.cluster.readInbox(0, inbox, 10))).toEqual(['2 b', '3 c']);
  });

  test('an owner that was taken over handles nothing', async () => {
    const world = await freshWorld(createWorld);
    const [one, other] = [await world.open(), await world.open()];
    const asleep = await takeShard(one);
    await sendAll(one, 'a');
    await one.release(asleep.lease);
    const writer = await takeShard(other, 0, 'nonce-b', 'node-b');

    const late = await one.commit(asleep.draft({ inbox: 1 }));
    await writer.write({ inbox: 1 });

    expect(late).toMatchObject({ kind: 'refused', reason: 'epoch' });
    expect(await other.cluster.readInbox(0, 0, 10)).toEqual([]);
  });

  test('does not give out again what was handled', async () => {
    const node = await freshNode(createWorld);
    const writer = await takeShard(node);
    await sendAll(node, 'a', 'b');

    // As after a failover that lost what was sent behind them.
    await writer.write({ inbox: 5 });
    await sendAll(node, 'c');

    expect(plainInbox(await node.cluster.readInbox(0, 0, 10))).toEqual(['6 c']);
    expect((await node.readShard(0)).inbox).toBe(5);
  });

  test('refuses what is no number of an envelope', async () => {
    const node = await freshNode(createWorld);
    const writer = await takeShard(node);

    const outcomes = [];
    for (const inbox of [-1, 1.5, Number.NaN])
      outcomes.push(await node.commit({ ...writer.draft(), number: 1, inbox }));

    expect(outcomes.map(({ kind }) => kind)).toEqual(['invalid', 'invalid', 'invalid']);
  });
}
