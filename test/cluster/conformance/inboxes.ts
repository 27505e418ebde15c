/** Conformance: what is sent to a shard, and how it is read. */

import { expect, test } from 'vitest';
import { actorOf, bytes, fullDraft, takeShard } from '../../journal/writer.ts';
import { freshNode, freshWorld, plainInbox, type WorldFactory } from '../world.ts';

export function inboxTests(createWorld: WorldFactory): void {
  test('numbers envelopes without gaps over concurrent senders', async () => {
    const world = await freshWorld(createWorld);
    const nodes = [await world.open(), await world.open(), await world.open()];

    const outcomes = await Promise.all(
      Array.from({ length: 150 }, (_, i) => nodes[i % 3]!.cluster.send(0, bytes(`${i % 3} ${i}`), 1_000)),
    );

    const records = await nodes[0]!.cluster.readInbox(0, 0, 1_000);
    expect(new Set(outcomes)).toEqual(new Set(['sent']));
    expect(records.map(({ n }) => n)).toEqual(Array.from({ length: 150 }, (_, i) => i + 1));
    expect(new Set(plainInbox(records).map((line) => line.slice(line.indexOf(' ')))).size).toBe(150);
  });

  test('keeps the order of each sender', async () => {
    const world = await freshWorld(createWorld);
    const nodes = [await world.open(), await world.open()];

    await Promise.all(
      Array.from({ length: 100 }, (_, i) => nodes[i % 2]!.cluster.send(0, bytes(`${i % 2} ${i}`), 1_000)),
    );

    const records = plainInbox(await nodes[0]!.cluster.readInbox(0, 0, 1_000)).map((line) => line.split(' '));
    for (const sender of ['0', '1']) {
      const sent = records.filter(([, from]) => from === sender).map(([, , i]) => Number(i));
      expect(sent).toEqual(Array.from({ length: 50 }, (_, i) => 2 * i + Number(sender)));
    }
  });

  test('keeps the inboxes of shards apart', async () => {
    const { cluster } = await freshNode(createWorld);

    await cluster.send(1, bytes('one'), 10);
    await cluster.send(2, bytes('two'), 10);
    await cluster.send(1, bytes('three'), 10);

    expect(plainInbox(await cluster.readInbox(1, 0, 10))).toEqual(['1 one', '2 three']);
    expect(plainInbox(await cluster.readInbox(2, 0, 10))).toEqual(['1 two']);
    expect(await cluster.readInbox(0, 0, 10)).toEqual([]);
  });

  test('gives out no number that was read before', async () => {
    const { cluster } = await freshNode(createWorld);
    await cluster.send(0, bytes('a'), 10);

    // As by an owner that has read from a server which was ahead of this one.
    await cluster.readInbox(0, 7, 10);
    await cluster.send(0, bytes('b'), 10);

    expect(plainInbox(await cluster.readInbox(0, 7, 10))).toEqual(['8 b']);
  });

  test('says when an inbox is full', async () => {
    const node = await freshNode(createWorld);
    const { cluster } = node;
    const writer = await takeShard(node);

    const outcomes = [];
    for (const name of ['a', 'b', 'c']) outcomes.push(await cluster.send(0, bytes(name), 2));
    const kept = plainInbox(await cluster.readInbox(0, 0, 10));
    await writer.write({ inbox: 1 });
    outcomes.push(await cluster.send(0, bytes('d'), 2), await cluster.send(0, bytes('e'), 2));

    expect(outcomes).toEqual(['sent', 'sent', 'full', 'sent', 'full']);
    expect(kept).toEqual(['1 a', '2 b']);
    expect(plainInbox(await cluster.readInbox(0, 0, 10))).toEqual(['2 b', '3 d']);
  });

  test('reads what follows, as often as asked', async () => {
    const { cluster } = await freshNode(createWorld);
    for (const name of ['a', 'b', 'c', 'd']) await cluster.send(0, bytes(name), 10);

    const page = plainInbox(await cluster.readInbox(0, 1, 2));
    const again = plainInbox(await cluster.readInbox(0, 1, 2));

    expect(page).toEqual(['2 b', '3 c']);
    expect(again).toEqual(page);
    expect(plainInbox(await cluster.readInbox(0, 3, 10))).toEqual(['4 d']);
    expect(await cluster.readInbox(0, 4, 10)).toEqual([]);
    expect(await cluster.readInbox(0, 0, 0)).toEqual([]);
  });

  test('keeps empty, binary and large envelopes', async () => {
    const { cluster } = await freshNode(createWorld);
    const large = Uint8Array.from({ length: 1_048_576 }, (_, i) => i % 251);
    const binary = Uint8Array.from([0, 13, 10, 255, 128]);

    await cluster.send(0, new Uint8Array(0), 10);
    await cluster.send(0, binary, 10);
    await cluster.send(0, large, 10);

    const records = await cluster.readInbox(0, 0, 10);
    expect(records.map(({ payload }) => payload.length)).toEqual([0, 5, 1_048_576]);
    expect(Buffer.compare(records[1]!.payload, binary)).toBe(0);
    expect(Buffer.compare(records[2]!.payload, large)).toBe(0);
  });

  test('tells whether the named actor exists by then', async () => {
    const node = await freshNode(createWorld);
    const { cluster } = node;
    const writer = await takeShard(node);
    const [known, unknown] = [actorOf('room', 1), actorOf('room', 2)];
    for (const actor of [known, unknown, undefined]) await cluster.send(0, bytes('x'), 10, actor);

    const before = await cluster.readInbox(0, 0, 10);
    await writer.write(fullDraft(1));
    const after = await cluster.readInbox(0, 0, 10);

    expect(before.map(({ isAbsent }) => isAbsent)).toEqual([true, true, false]);
    expect(after.map(({ isAbsent }) => isAbsent)).toEqual([false, true, false]);
  });

  test('refuses an envelope larger than any record', async () => {
    const { cluster } = await freshNode(createWorld);
    const tooLarge = new Uint8Array(64 * 1_048_576);

    await expect(cluster.send(0, tooLarge, 10)).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED',
      params: { sent: false },
    });
    expect(await cluster.readInbox(0, 0, 10)).toEqual([]);
  });

  test('refuses shards that there are not', async () => {
    const { cluster } = await freshNode(createWorld);

    await expect(cluster.send(4, bytes('x'), 10)).rejects.toMatchObject({ code: 'JOURNAL_INCOMPATIBLE' });
    await expect(cluster.readInbox(-1, 0, 10)).rejects.toMatchObject({ code: 'JOURNAL_INCOMPATIBLE' });
  });

  test('keeps envelopes of a node that went away', async () => {
    const world = await freshWorld(createWorld);
    const [one, other] = [await world.open(), await world.open()];

    await one.cluster.send(0, bytes('a'), 10);
    await one.close();

    expect(plainInbox(await other.cluster.readInbox(0, 0, 10))).toEqual(['1 a']);
    await expect(one.cluster.send(0, bytes('b'), 10)).rejects.toMatchObject({ code: 'STOPPED' });
    await expect(one.cluster.view()).rejects.toMatchObject({ code: 'STOPPED' });
  });
}
