/** The bounds of watching: rates, slow readers, nobody there, and what crosses between nodes. */

import { expect, test } from 'vitest';
import type { Address } from '../../src/actor/address.ts';
import { addressOf } from '../../src/actor/address.ts';
import { defineActor } from '../../src/actor/definition.ts';
import { type Choice, choiceOf } from '../../src/inspect/choice.ts';
import { Inspection } from '../../src/inspect/inspection.ts';
import type { InspectionLimits } from '../../src/inspect/inspection-limits.ts';
import { inspectorSocket } from '../../src/inspect/inspector-socket.ts';
import { fleet, join, member, owners } from '../runtime/fleet.ts';
import { idOn, note, notebook, notebookMachine, notebookOn } from '../runtime/notebook.ts';
import { type Opened, Stage } from '../runtime/stage.ts';
import type { Shown } from './inspected-chat.ts';

const all: Choice = choiceOf('');

/** A peer that has read what it was sent, unless the test says otherwise. */
class Peer {
  readonly frames: Shown[] = [];
  unread = 0;

  send(frame: string | Uint8Array): void {
    this.frames.push(JSON.parse(String(frame)) as Shown);
  }

  /** What it was shown, in short. */
  get seen(): readonly string[] {
    return this.frames.map(({ type, sessionId, event }) => {
      const { type: name, ...skipped } = event ?? { type: '' };
      const what = name === 'troupe.skipped' ? JSON.stringify(skipped) : name;
      return `${type.slice(8)} ${sessionId.slice(0, 17)} ${what}`.trim();
    });
  }
}

async function inspected(limits: Partial<InspectionLimits> = {}) {
  const stage = new Stage();
  const inspection = new Inspection(limits);
  const opened = await stage.open({ witness: inspection });
  return { stage, inspection, ...opened };
}

async function tell({ stage, system }: { stage: Stage; system: Opened['system'] }, shard: number, ...keys: string[]) {
  for (const key of keys) void system.actor(notebook, idOn(shard, 1)).tell(note(key));
  await stage.clock.settle();
}

test('shows an actor, then the event, then the state', async () => {
  const stand = await inspected();
  const peer = new Peer();
  stand.inspection.watch(all, peer);

  await tell(stand, 1, 'a', 'b');

  expect(peer.seen).toEqual([
    'actor notebook/00000001',
    'event notebook/00000001 NOTE',
    'snapshot notebook/00000001 NOTE',
    'event notebook/00000001 NOTE',
    'snapshot notebook/00000001 NOTE',
  ]);
  expect(peer.frames[4]).toMatchObject({ snapshot: { context: { notes: ['a', 'b'] } }, _troupe: { version: 2 } });
});

test('shows events without a transition with the state that was against them', async () => {
  const stand = await inspected();
  const peer = new Peer();
  stand.inspection.watch(all, peer);
  const actor = stand.system.actor(notebook, idOn(1, 1));

  void actor.tell({ type: 'IGNORED' });
  actor.tell({ type: 'BREAK' }).catch(() => undefined);
  void actor.ask({ type: 'ASK' });
  await stand.stage.clock.settle();

  expect(peer.frames.map(({ _troupe }) => _troupe)).toMatchObject([
    undefined,
    { refused: true, state: {}, version: 0 },
    { refused: true, state: {}, code: 'MACHINE_FAILED' },
    { answered: true, state: {} },
  ]);
  expect(peer.seen.slice(1)).toEqual(['IGNORED', 'BREAK', 'ASK'].map((event) => `event notebook/00000001 ${event}`));
});

test('skips what is beyond the rate, says so, and catches up', async () => {
  const stand = await inspected({ stepsAtOnce: 2, stepsPerSecond: 1, tellMs: 250 });
  const peer = new Peer();
  stand.inspection.watch(all, peer);

  await tell(stand, 1, 'a', 'b', 'c', 'd', 'e');
  expect(peer.frames).toHaveLength(5);
  await stand.stage.clock.advance(250);

  expect(peer.seen.slice(5)).toEqual(['event troupe {"rate":3}', 'snapshot notebook/00000001 NOTE']);
  expect(peer.frames.at(-1)?.snapshot?.context).toMatchObject({ notes: ['a', 'b', 'c', 'd', 'e'] });
});

test('sends nothing to a watcher that does not read, and tells it later', async () => {
  const stand = await inspected({ unreadBytesMax: 1_000, latestMax: 2 });
  const peer = new Peer();
  stand.inspection.watch(all, peer);
  peer.unread = 1_001;

  for (let shard = 0; shard < 4; shard++) await tell(stand, shard, 'a', 'b', 'c');
  await stand.stage.clock.advance(60_000);
  expect(peer.frames).toEqual([]);
  peer.unread = 0;
  await stand.stage.clock.advance(250);

  expect(peer.seen).toEqual(['event troupe {"slow":12}', 'actor notebook/00000001', 'actor notebook/00000001']);
});

test('is watched from the first watcher to the last', async () => {
  const { inspection } = await inspected();
  const before = inspection.isWatched;
  const [one, other] = [inspection.watch(all, new Peer()), inspection.watch(all, new Peer())];

  inspection.leave(one);
  const between = inspection.isWatched;
  inspection.leave(other);

  expect([before, between, inspection.isWatched]).toEqual([false, true, false]);
});

test('takes no more watchers than its bound', async () => {
  const { inspection } = await inspected({ watchersMax: 1 });
  const first = inspection.watch(all, new Peer());

  expect(() => inspection.watch(all, new Peer())).toThrow('OVERLOADED');
  inspection.leave(first);
  expect(() => inspection.watch(all, new Peer())).not.toThrow();
});

test('shows each watcher what it has chosen', async () => {
  const stand = await inspected();
  const [one, two] = [new Peer(), new Peer()];
  stand.inspection.watch(choiceOf(`actor=${notebookOn(1, 1)}`), one);
  stand.inspection.watch(choiceOf(`actor=${notebookOn(2, 1)}&operation=op`), two);

  await tell(stand, 1, 'a');
  await tell(stand, 2, 'b');
  void stand.system.actor(notebook, idOn(2, 1)).tell(note('c'), { operation: 'op' });
  await stand.stage.clock.settle();

  expect(one.frames.map(({ sessionId }) => sessionId)).toEqual(Array(3).fill(notebookOn(1, 1)));
  expect(two.frames.map(({ sessionId }) => sessionId)).toEqual(Array(3).fill(notebookOn(2, 1)));
  expect(two.frames[1]).toMatchObject({ event: { key: 'c' }, _troupe: { operation: 'op' } });
});

test('introduces a bounded number of actors, as they are in the journal', async () => {
  const stand = await inspected({ introducedMax: 3 });
  for (let shard = 0; shard < 4; shard++) await tell(stand, shard, 'a');
  const peer = new Peer();

  open(stand.inspection, peer, '');
  await stand.stage.clock.settle();

  expect(peer.frames).toHaveLength(3);
  expect(peer.frames[0]).toMatchObject({ type: '@xstate.actor', snapshot: { context: { notes: ['a'] } } });
});

test('hides personal fields in events, states and answers', async () => {
  const diary = defineActor({ type: 'diary', machine: notebookMachine, personal: ['key', 'notes'] });
  const stage = new Stage();
  const inspection = new Inspection();
  const { system } = await stage.open({ witness: inspection, actors: [diary] });
  const peer = new Peer();
  inspection.watch(all, peer);

  await stage.clock.until(system.actor(diary, idOn(1, 1)).tell(note('dear diary')));
  open(inspection, peer, `actor=${addressOf('diary', idOn(1, 1))}`);
  await stage.clock.settle();

  expect(JSON.stringify(peer.frames)).not.toContain('dear diary');
  expect(peer.frames[2]).toMatchObject({ event: { key: '…' }, snapshot: { context: { notes: '…', id: idOn(1, 1) } } });
});

/** As a socket of an operator does. */
function open(inspection: Inspection, peer: Peer, query: string): void {
  const claims = { email: 'op@example.com', role: 'admin', expiresAt: undefined } as const;
  inspectorSocket(inspection).open({
    connection: peer as never,
    claims,
    params: {},
    query,
    language: undefined,
    close: () => undefined,
  });
}

test.each(['colour=red', 'actor=room', 'type=a/b', 'operation=', `actor=${'x'.repeat(20)}`])(
  'refuses to choose by %s',
  async (query) => {
    const { inspection } = await inspected();

    expect(() => inspectorSocket(inspection).admit({}, query)).toThrow('VALIDATION_FAILED');
  },
);

async function twoNodes(limits: Partial<InspectionLimits> = {}) {
  const stage = new Stage();
  const [near, far] = [new Inspection(limits), new Inspection(limits)];
  const a = await join(stage, 'a', { witness: near });
  const b = await join(stage, 'b', { witness: far });
  await stage.clock.advance(2_000);
  const shard = owners(stage).indexOf('b');
  expect(shard).toBeGreaterThanOrEqual(0);
  return { stage, a, b, near, far, shard };
}

test('a watcher of one node sees the shards of another', async () => {
  const { stage, a, near, shard } = await twoNodes();
  const peer = new Peer();
  open(near, peer, '');
  await stage.clock.advance(100);

  await stage.clock.until(a.system.actor(notebook, idOn(shard, 1)).tell(note('a')));
  await stage.clock.advance(100);

  expect(peer.frames).toMatchObject([
    { type: '@xstate.actor', sessionId: notebookOn(shard, 1), name: notebookOn(shard, 1) },
    { type: '@xstate.event', event: { key: 'a' }, _troupe: { node: 'b', shard } },
    { type: '@xstate.snapshot', snapshot: { context: { notes: ['a'] } } },
  ]);
  expect(peer.frames[0]).toHaveProperty('definition');
});

test('another node sends what was chosen and nothing else', async () => {
  const { stage, b, near, far, shard } = await twoNodes();
  const peer = new Peer();
  const watched: Address = notebookOn(shard, 2);
  const watcher = near.watch(choiceOf(`actor=${watched}`), peer);
  await stage.clock.advance(100);
  // Also where the owner's own watchers see everything.
  const local = far.watch(all, new Peer());
  const channels: string[] = [];
  b.journal.cluster!.onPublish = ({ kind }) => {
    channels.push(kind);
    return undefined;
  };

  await stage.clock.until(b.system.actor(notebook, idOn(shard, 1)).tell(note('a')));
  const before = channels.filter((kind) => kind === 'watcher').length;
  await stage.clock.until(b.system.actor(notebook, idOn(shard, 2)).tell(note('b')));
  await stage.clock.advance(10);

  expect(before).toBe(0);
  expect(peer.seen).toContain(`event ${watched.slice(0, 17)} NOTE`);
  near.leave(watcher);
  far.leave(local);
  await stage.clock.advance(100);
  expect([near.isWatched, far.isWatched]).toEqual([false, false]);
});

test('nodes say nothing to each other while nobody watches', async () => {
  const { stage, a, b, shard } = await twoNodes();
  const channels: string[] = [];
  for (const { journal } of [a, b]) {
    journal.cluster!.onPublish = ({ kind }) => {
      channels.push(kind);
      return undefined;
    };
  }

  await stage.clock.until(a.system.actor(notebook, idOn(shard, 1)).tell(note('a')));
  await stage.clock.advance(20_000);

  expect(channels.filter((kind) => kind === 'watch' || kind === 'watcher')).toEqual([]);
  expect(channels).toContain('node');
});

test('nodes that both watch say so at their pace', async () => {
  const { stage, a, near, far } = await twoNodes({ wishMs: 2_000 });
  near.watch(all, new Peer());
  far.watch(all, new Peer());
  await stage.clock.advance(1_000);
  let said = 0;
  a.journal.cluster!.onPublish = ({ kind }) => {
    if (kind === 'watch') said++;
    return undefined;
  };

  await stage.clock.advance(20_000);

  expect(said).toBe(10);
});

test('a node forgets what another one watched that has died', async () => {
  const { stage, a, near, far } = await twoNodes({ wishMs: 2_000 });
  near.watch(all, new Peer());
  await stage.clock.advance(20_000);
  const before = far.isWatched;

  a.journal.crash();
  await stage.clock.advance(6_001);

  expect([before, far.isWatched]).toEqual([true, false]);
});

test('a node that comes later shows its steps as well', async () => {
  const stage = new Stage();
  const near = new Inspection();
  const [first] = await fleet(stage, 'c');
  await stage.clock.until(first!.system.stop());
  await join(stage, 'a', { witness: near });
  const peer = new Peer();
  near.watch(all, peer);
  const far = new Inspection();
  const { system } = await stage.open({ node: 'b', cluster: member, witness: far });
  await stage.clock.advance(1_000);

  expect(far.isWatched).toBe(true);
  const shard = owners(stage).indexOf('b');
  await stage.clock.until(system.actor(notebook, idOn(shard, 1)).tell(note('a')));
  await stage.clock.advance(10);
  expect(peer.frames.at(-1)).toMatchObject({ _troupe: { node: 'b' } });
});

test('what waits for another node is bounded, and said to be left out', async () => {
  const { stage, b, near, shard } = await twoNodes({ relayedMax: 3 });
  const peer = new Peer();
  near.watch(all, peer);
  await stage.clock.advance(100);

  for (let n = 0; n < 10; n++) void b.system.actor(notebook, idOn(shard, 1)).tell(note(`${n}`));
  await stage.clock.advance(1_000);

  expect(peer.seen.filter((one) => one.startsWith('event note'))).toHaveLength(3);
  expect(peer.seen).toContain('event troupe {"between-nodes":7}');
});
