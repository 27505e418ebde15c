/** Acknowledgements between nodes: those that nobody waits for are said together, and whoever waits does not wait for that. */

import { expect, test, vi } from 'vitest';
import { Acknowledgements } from '../../src/cluster/acknowledgements.ts';
import type { Channel } from '../../src/cluster/cluster-store.ts';
import { Post } from '../../src/cluster/post.ts';
import { decode } from '../../src/journal/codec.ts';
import { openMemoryJournal } from '../../src/journal/memory.ts';
import { fleet, join, owners } from './fleet.ts';
import { type Instruction, idOn, note, notebook, notebookOn } from './notebook.ts';
import { type Opened, Stage, watch } from './stage.ts';

const operation = 'operation-1';

function newsOn(shard: number, data: string): Instruction {
  return { kind: 'publish', topic: `room:${idOn(shard, 5)}`, data, settled: true };
}

/** What is said from now on, with the channel that it is said on. */
function ear({ journal }: Opened): (readonly [Channel, ...unknown[]])[] {
  const heard: (readonly [Channel, ...unknown[]])[] = [];
  const { cluster } = journal;
  const publish = cluster!.publish.bind(cluster);
  vi.spyOn(cluster!, 'publish').mockImplementation((channel, payload, lost) => {
    if (channel.kind === 'shard' || channel.kind === 'node') {
      for (const message of decode<unknown[][]>(payload)) heard.push([channel, ...message]);
    }
    publish(channel, payload, lost);
  });
  return heard;
}

/** Two nodes; `near` are shards of the first one, `far` of the second. */
async function twoNodes() {
  const stage = new Stage({ shards: 8 });
  const [a, b] = (await fleet(stage, 'a', 'b')) as [Opened, Opened];
  const of = (node: string) => owners(stage).flatMap((owner, shard) => (owner === node ? [shard] : []));
  const waiting = () =>
    stage.store.shards.flatMap(({ outbox }, shard) => [...outbox.keys()].map((key) => `${shard} ${key}`));
  return { stage, a, b, near: of('a'), far: of('b'), waiting };
}

test('what nobody waits for is acknowledged in one message, and leaves the outbox', async () => {
  const { stage, a, b, near, far, waiting } = await twoNodes();
  const said = ear(b);
  const [shard, first, second] = [near[0]!, far[0]!, far[1]!];

  for (const [i, to] of [first, second, first].entries()) {
    await a.system.actor(notebook, idOn(shard, 1)).tell(note(`${i}`, newsOn(to, `${i}`)), { operation: `${i}` });
  }
  await stage.clock.settle();
  const before = [...said];
  await stage.clock.advance(300);
  const after = [...said];
  await stage.clock.advance(60_000);

  expect(before).toEqual([]);
  expect(after).toEqual([
    [
      { kind: 'node', node: 'a' },
      'acknowledged',
      [
        [shard, first, 2],
        [shard, second, 1],
      ],
    ],
  ]);
  expect(said).toEqual(after);
  expect(waiting()).toEqual([]);
  expect(await stage.differences()).toEqual([]);
});

test('what is told to a participant is acknowledged at once', async () => {
  const { stage, a, b, near, far } = await twoNodes();
  const said = ear(b);
  const order: Instruction = { kind: 'note', to: notebookOn(far[0]!, 1), key: 'far' };

  await a.system.actor(notebook, idOn(near[0]!, 1)).tell(note('near', order), { operation });
  await stage.clock.settle();

  expect(said).toEqual([[{ kind: 'shard', shard: near[0] }, 'acknowledge', far[0], 1]]);
});

test('who waits for an operation does not wait for its acknowledgement to be gathered', async () => {
  const { stage, a, near, far } = await twoNodes();
  const id = idOn(near[0]!, 1);
  await a.system.actor(notebook, id).tell(note('near', newsOn(far[0]!, 'done')), { operation });
  await stage.clock.settle();
  const at = stage.clock.monotonic();

  const settled = watch(a.system.settled(operation, id));
  await stage.clock.settle();

  expect(settled()).toEqual({ kind: 'resolved', value: undefined });
  expect(stage.clock.monotonic()).toBe(at);
});

test('nor does a later word of the same operation', async () => {
  const { stage, a, b, near, far } = await twoNodes();
  const actor = a.system.actor(notebook, idOn(near[0]!, 1));
  const heard: unknown[] = [];
  b.system.subscribe(`room:${idOn(far[1]!, 5)}`, ({ data }) => heard.push(data));
  await actor.tell(note('one', newsOn(far[0]!, 'first')), { operation });
  await stage.clock.settle();
  const at = stage.clock.monotonic();

  await actor.tell(note('two', newsOn(far[1]!, 'second')), { operation });
  await stage.clock.settle();

  expect(heard).toEqual(['second']);
  expect(stage.clock.monotonic()).toBe(at);
});

test('a sender whose node has died hears from the marks of the receiver', async () => {
  const { stage, a, b, near, far, waiting } = await twoNodes();
  await a.system.actor(notebook, idOn(near[0]!, 1)).tell(note('near', newsOn(far[0]!, 'done')), { operation });
  await stage.clock.settle();
  const before = waiting();

  a.journal.crash();
  await stage.clock.advance(20_000);
  const c = await join(stage, 'c');
  await stage.clock.advance(60_000);

  expect(before).toHaveLength(1);
  expect(waiting()).toEqual([]);
  expect([b.system.ready(), c.system.ready()]).toEqual([true, true]);
  expect(await stage.differences()).toEqual([]);
});

test('what was gathered of a shard that has gone is not said', async () => {
  const stage = new Stage();
  const said: unknown[] = [];
  const { cluster } = openMemoryJournal({ store: stage.store, clock: stage.clock });
  vi.spyOn(cluster!, 'publish').mockImplementation((_, payload) => {
    said.push(...decode<unknown[]>(payload));
  });
  const acknowledgements = new Acknowledgements(new Post(cluster!, stage.clock), stage.clock);

  acknowledgements.add('a', 1, 2, 7);
  acknowledgements.add('a', 1, 3, 8);
  acknowledgements.add('b', 0, 2, 9);
  acknowledgements.forget(2);
  await stage.clock.advance(1_000);

  expect(said).toEqual([['acknowledged', [[1, 3, 8]]]]);
});
