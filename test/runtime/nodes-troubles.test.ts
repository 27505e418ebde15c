/** What goes wrong between nodes, one thing at a time: nothing is lost, said twice, waited for without end, or done in a hot loop. */

import { expect, test } from 'vitest';
import { emit, setup } from 'xstate';
import { defineActor } from '../../src/actor/definition.ts';
import { reply } from '../../src/actor/effect.ts';
import { announce } from '../../src/cluster/messages.ts';
import { encode } from '../../src/journal/codec.ts';
import { type ShardGauges, silentObserver } from '../../src/observer.ts';
import type { Publication } from '../../src/topic/topic.ts';
import { alarm } from './alarm.ts';
import { drowsy } from './drowsy-clock.ts';
import { unreachable } from './faulty-journal.ts';
import { after, fleet, join, member, move, owners } from './fleet.ts';
import { idOn, note, notebook, notebookOn } from './notebook.ts';
import { notesOf, type Opened, Stage, watch } from './stage.ts';

const leaseMs = 5_000;

/** A shard that a node of this name holds. */
function shardOf(stage: Stage, node: string): number {
  const shard = owners(stage).indexOf(node);
  if (shard < 0) throw new Error(`${node} owns nothing`);
  return shard;
}

function offsetsOf(heard: readonly Publication[]): readonly number[] {
  return heard.map(({ offset }) => offset);
}

test('a full mailbox drops nothing of the inbox', async () => {
  const stage = new Stage();
  const a = await join(stage, 'a', { limits: { mailboxMax: 1, turnEnvelopesMax: 1 } });
  const b = await join(stage, 'b', { cluster: { ...member, role: 'gateway' } });
  const open = a.journal.hold();
  const keys = ['1', '2', '3', '4', '5', '6', '7', '8'];

  const told = keys.map((key) => watch(b.system.actor(notebook, idOn(1, 1)).tell(note(key))));
  await stage.clock.settle();
  open();
  await stage.clock.advance(4_000);

  expect(told.map((fate) => fate().kind)).toEqual(keys.map(() => 'resolved'));
  expect(await notesOf(a.system, idOn(1, 1))).toEqual(keys);
});

test('hears what is committed while it subscribes', async () => {
  const stage = new Stage();
  const [a] = await fleet(stage, 'a');
  const topic = `room:${idOn(1, 1)}`;
  const heard: Publication[] = [];
  a!.journal.delayMs = 50;
  const actor = a!.system.actor(notebook, idOn(1, 1));
  void actor.tell(note('1', { kind: 'publish', topic, data: '1' }));
  await stage.clock.advance(50);
  void actor.tell(note('2', { kind: 'publish', topic, data: '2' }));
  await stage.clock.settle();
  void actor.tell(note('3', { kind: 'publish', topic, data: '3' }));
  await stage.clock.settle();

  a!.system.subscribe(topic, (publication) => heard.push(publication));
  await stage.clock.advance(1_000);

  expect(heard.map(({ data }) => data).slice(-2)).toEqual(['2', '3']);
});

const address = notebookOn(1, 1);
const nonsense: readonly (readonly [string, Uint8Array])[] = [
  ['nothing', encode(null)],
  ['no question', encode(['answer'])],
  ['a question without a request', encode({ id: '1', node: 'b' })],
  ['a command without an envelope', encode({ id: '1', node: 'b', request: { kind: 'command' } })],
  [
    'a command to nobody',
    encode({ id: '1', node: 'b', request: { kind: 'command', envelope: { event: encode({ type: 'ASK' }) } } }),
  ],
  [
    'a command without bytes of an event',
    encode({ id: '1', node: 'b', request: { kind: 'command', envelope: { to: address, event: { type: 'ASK' } } } }),
  ],
  [
    'a command whose event cannot be read',
    encode({ id: '1', node: 'b', request: { kind: 'command', envelope: { to: address, event: Buffer.from([0xc1]) } } }),
  ],
  ['a read of nobody', encode({ id: '1', node: 'b', request: { kind: 'read' } })],
  ['a read of what cannot be', encode({ id: '1', node: 'b', request: { kind: 'read', address: 'x' } })],
  ['a request of the future', encode({ id: '1', node: 'b', request: { kind: 'dance' } })],
  ['no msgpack', new Uint8Array([0xc1, 0xff])],
];

test.each(nonsense)('an inbox goes on after %s', async (_, payload) => {
  const stage = new Stage();
  const [a] = await fleet(stage, 'a');
  const { cluster } = stage.journal();

  await cluster!.send(1, payload, 10);
  const told = watch(a!.system.actor(notebook, idOn(1, 1)).tell(note('1')));
  await stage.clock.advance(1_000);
  await stage.clock.until(a!.system.stop());
  const b = await join(stage, 'b');

  expect(told().kind).toBe('resolved');
  expect(await stage.clock.until(notesOf(b.system, idOn(1, 1)))).toEqual(['1']);
  await stage.clock.advance(3_000);
  expect(stage.store.cluster.inboxes.get(1)?.records).toEqual([]);
});

test('messages that mean nothing harm nobody', async () => {
  const stage = new Stage();
  const [a] = await fleet(stage, 'a', 'b');
  const shard = shardOf(stage, 'b');
  const topic = `room:${idOn(shard, 1)}`;
  const heard: Publication[] = [];
  a!.system.subscribe(topic, (publication) => heard.push(publication));
  await a!.system.listening(topic);
  const { cluster } = stage.journal();

  for (const payload of [encode(null), encode([null, 7, ['dance'], []]), new Uint8Array([0xc1]), new Uint8Array(9)]) {
    cluster!.publish({ kind: 'everyone' }, payload);
    cluster!.publish({ kind: 'node', node: 'a' }, payload);
    cluster!.publish({ kind: 'shard', shard }, payload);
    cluster!.publish({ kind: 'topic', shard, topic }, payload);
  }
  await stage.clock.advance(1_000);
  const told = a!.system.actor(notebook, idOn(shard, 1)).tell(note('1', { kind: 'publish', topic, data: '1' }));

  expect((await after(stage, 1_000, told)).kind).toBe('resolved');
  expect(heard.map(({ data }) => data)).toEqual(['1']);
});

test('a former owner keeps and sends no parcels', async () => {
  const stage = new Stage();
  let gauges: () => readonly ShardGauges[] = () => [];
  const watching = {
    ...silentObserver,
    watch: (of: typeof gauges) => {
      gauges = of;
    },
  };
  const a = await join(stage, 'a', { observer: watching, actors: [notebook, alarm] });
  const b = await join(stage, 'b', { actors: [notebook, alarm] });
  await stage.clock.advance(2_000);
  for (const shard of [0, 1]) await move(stage, shard, 'a');
  for (const shard of [2, 3]) await move(stage, shard, 'b');
  b.journal.crash();
  await a.system.actor(alarm, idOn(0, 1)).tell({ type: 'WAIT', ms: 1_000_000 });
  await a.system.actor(notebook, idOn(0, 1)).tell(note('x', { kind: 'note', to: notebookOn(2, 1), key: 'y' }));
  await stage.clock.settle();
  const before = gauges()[0]!;

  const c = await join(stage, 'c', { actors: [notebook, alarm] });
  await move(stage, 0, 'c');
  const { owned, outbox, timers } = gauges()[0]!;
  await stage.clock.advance(2 * leaseMs);

  expect(before).toMatchObject({ owned: true, outbox: 1, timers: 1 });
  expect({ owned, outbox, timers }).toEqual({ owned: false, outbox: 0, timers: 0 });
  expect(await stage.clock.until(notesOf(c.system, idOn(2, 1)))).toEqual(['y']);
});

test('a topic that cannot be read delays no handing over', async () => {
  const stage = new Stage();
  const [a, b] = await fleet(stage, 'a', 'b');
  const shard = shardOf(stage, 'a');
  a!.journal.onCall = (call) => (call === 'readTopic' ? unreachable() : undefined);
  a!.system.subscribe(`room:${idOn(shard, 1)}`, () => undefined);
  await stage.clock.advance(100);

  const stopped = await after(stage, 4_000, a!.system.stop());

  expect(stopped.kind).toBe('resolved');
  expect(new Set(owners(stage))).toEqual(new Set(['b']));
  expect(await stage.clock.until(notesOf(b!.system, idOn(shard, 1)))).toEqual([]);
});

test('a store out of reach is not asked in a hot loop', async () => {
  const stage = new Stage();
  const [a] = await fleet(stage, 'a', 'b');
  await stage.clock.advance(100);
  const before = a!.journal.cluster!.calls.get('beat') ?? 0;
  a!.journal.cluster!.onCall = (call) => (call === 'beat' ? unreachable() : undefined);

  await stage.clock.advance(10 * leaseMs);

  expect((a!.journal.cluster!.calls.get('beat') ?? 0) - before).toBeLessThan(150);
  expect(a!.complaints.length).toBeLessThan(150);
});

test('a process whose name was taken gives way', async () => {
  const stage = new Stage();
  const clock = drowsy(stage.clock);
  const first = await join(stage, 'a', { clock });
  clock.isAsleep = true;
  await stage.clock.advance(leaseMs + 1);
  const second = await join(stage, 'a');

  clock.isAsleep = false;
  await stage.clock.advance(3 * leaseMs);
  const told = second.system.actor(notebook, idOn(1, 1)).tell(note('1'));

  expect((await after(stage, 1_000, told)).kind).toBe('resolved');
  expect(first.system.ready()).toBe(false);
  expect(first.complaints.join('\n')).toContain('NODE_ID');
  const before = first.journal.calls.get('acquire');
  await stage.clock.advance(2 * leaseMs);
  expect(first.journal.calls.get('acquire')).toBe(before);
});

test('a process that may not join is quiet', async () => {
  const stage = new Stage();
  await join(stage, 'a');
  const journal = stage.journal();
  const joining = stage.start({ node: 'a', cluster: member, journal });
  announce(stage.journal().cluster!);

  const fate = await after(stage, 3 * leaseMs, joining);
  const before = journal.cluster!.calls.get('beat');
  announce(stage.journal().cluster!);
  await stage.clock.advance(3 * leaseMs);

  expect(fate).toEqual({ kind: 'rejected', code: 'NODE_TAKEN' });
  expect(journal.cluster!.calls.get('beat')).toBe(before);
});

test('timers of a shard that came back wait for answers', async () => {
  const stage = new Stage({ shards: 2 });
  const nodes: Opened[] = [];
  for (const node of ['a', 'b']) nodes.push(await join(stage, node, { actors: [notebook, alarm] }));
  await move(stage, 0, 'a');
  await move(stage, 1, 'b');
  const [a, b] = nodes;
  await a!.system.actor(alarm, idOn(0, 1)).tell({ type: 'WAIT', ms: 10_000 });
  await stage.clock.advance(8_000);
  // What b has for a's shard does not arrive, until it is asked for.
  let isDeaf = true;
  a!.journal.cluster!.onMessage = (channel) => (isDeaf && channel.kind === 'shard' ? 'lost' : { lateMs: 20 });
  const to = `alarm/${idOn(0, 1)}` as const;
  const orders = [{ kind: 'event', to, event: { type: 'ANSWER' } }] as const;
  await b!.system.actor(notebook, idOn(1, 1)).tell(note('x', ...orders));
  a!.journal.onCommit = () => 'unknown, dropped';

  const failed = watch(a!.system.actor(notebook, idOn(0, 2)).tell(note('y')));
  a!.journal.onCall = (call) => (call === 'acquire' ? unreachable() : undefined);
  await stage.clock.advance(2_100);
  isDeaf = false;
  a!.journal.onCommit = () => undefined;
  a!.journal.onCall = () => undefined;
  await stage.clock.advance(3_000);

  expect(failed().kind).not.toBe('pending');
  const state = await stage.clock.until(a!.system.actor(alarm, idOn(0, 1)).snapshot());
  expect(state?.state.value).toBe('answered');
});

test('asks again what was answered while it was deaf', async () => {
  const stage = new Stage();
  const [a] = await fleet(stage, 'a', 'b');
  const shard = shardOf(stage, 'b');
  const goOn = a!.journal.cluster!.interrupt();
  const read = watch(a!.system.actor(notebook, idOn(shard, 1)).snapshot());
  await stage.clock.advance(200);

  goOn();
  await stage.clock.advance(200);

  expect(read().kind).toBe('resolved');
});

test('an answer that cannot be written is refused', async () => {
  const round: { self?: unknown } = {};
  round.self = round;
  const circle = defineActor({
    type: 'circle',
    machine: setup({ types: { events: {} as { type: 'ASK' }, emitted: {} as { type: 'asked' } } }).createMachine({
      id: 'circle',
      on: { ASK: { actions: emit({ type: 'asked' }) } },
    }),
    effects: { asked: () => reply(round) },
  });
  const stage = new Stage();
  await join(stage, 'a', { actors: [notebook, circle] });
  const b = await join(stage, 'b', { actors: [notebook, circle], cluster: { ...member, role: 'gateway' } });

  const asked = watch(b.system.actor(circle, idOn(1, 1)).ask({ type: 'ASK' }));
  const told = watch(b.system.actor(notebook, idOn(1, 1)).tell(note('1')));
  await stage.clock.advance(1_000);

  expect(asked()).toEqual({ kind: 'rejected', code: 'MACHINE_FAILED' });
  expect(told().kind).toBe('resolved');
});

test('an envelope sent while its shard is read is prompt', async () => {
  const stage = new Stage();
  const b = await join(stage, 'b', { cluster: { ...member, role: 'gateway' } });
  const journal = stage.journal();
  journal.delayMs = 2_000;
  // Acquired at 2,000 and read at 4,000; prolonged until 6,000, since that took long.
  const opening = watch(stage.start({ node: 'a', cluster: member, journal }));
  await stage.clock.advance(5_000);

  const told = watch(b.system.actor(notebook, idOn(1, 1)).tell(note('1')));
  await stage.clock.advance(500);
  const before = told();
  journal.delayMs = 0;
  await stage.clock.advance(510);

  expect(opening().kind).toBe('resolved');
  expect([before.kind, told().kind]).toEqual(['pending', 'resolved']);
});

test('who waits for an operation follows its shard', async () => {
  const stage = new Stage({ shards: 2 });
  const clock = drowsy(stage.clock);
  const a = await join(stage, 'a', { clock });
  const b = await join(stage, 'b');
  await move(stage, 0, 'a');
  await move(stage, 1, 'b');
  b.journal.cluster!.onMessage = (channel) => (channel.kind === 'shard' ? 'lost' : undefined);
  const far = { kind: 'note', to: notebookOn(1, 1), key: 'y' } as const;
  await a.system.actor(notebook, idOn(0, 1)).tell(note('x', far), { operation: 'o' });
  const settled = watch(a.system.settled('o', idOn(0, 1), 60_000));
  await stage.clock.settle();

  clock.isAsleep = true;
  await stage.clock.advance(leaseMs + 1_000);
  b.journal.cluster!.onMessage = () => undefined;
  await stage.clock.advance(5_000);
  await move(stage, 0, 'b');
  clock.isAsleep = false;
  await stage.clock.advance(3_000);

  expect(owners(stage)).toEqual(['b', 'b']);
  expect(settled().kind).toBe('resolved');
});

test('subscribing to a stopped node is harmless', async () => {
  const stage = new Stage();
  const [a] = await fleet(stage, 'a');
  await stage.clock.until(a!.system.stop());

  const unsubscribe = a!.system.subscribe(`room:${idOn(1, 1)}`, () => undefined);

  expect(a!.system.listening(`room:${idOn(1, 1)}`)).toBeUndefined();
  unsubscribe();
});

test('a last word is heard by who did not hear it', async () => {
  const stage = new Stage();
  const [a, b] = await fleet(stage, 'a', 'b');
  const shard = shardOf(stage, 'a');
  const topic = `room:${idOn(shard, 1)}`;
  const heard: Publication[] = [];
  b!.system.subscribe(topic, (publication) => heard.push(publication));
  await b!.system.listening(topic);
  a!.journal.cluster!.onPublish = (channel) => (channel.kind === 'topic' ? 'lost' : undefined);
  b!.journal.cluster!.onMessage = (channel) => (channel.kind === 'everyone' ? 'lost' : undefined);

  await a!.system.actor(notebook, idOn(shard, 1)).tell(note('1', { kind: 'publish', topic, data: '1' }));
  await stage.clock.advance(100);
  b!.journal.cluster!.onMessage = () => undefined;
  b!.journal.cluster!.interrupt((channel) => channel.kind === 'everyone')();
  await stage.clock.advance(100);

  expect(offsetsOf(heard)).toEqual([1]);
});
