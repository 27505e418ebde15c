/** What follows a takeover at once, without waiting for the next look: parcels, questions, timers, and who is to take what. */

import { expect, test } from 'vitest';
import type { ClusterCall } from '../cluster/faulty-cluster-store.ts';
import { alarm } from './alarm.ts';
import { unreachable } from './faulty-journal.ts';
import { fleet, join, member, move, owners } from './fleet.ts';
import { idOn, note, notebook, notebookOn } from './notebook.ts';
import { notesOf, type Opened, Stage, watch } from './stage.ts';

const actors = [notebook, alarm];
/** Less than anything that looks now and then takes. */
const promptMs = 60;

/** Nodes on a store of two shards, the first on the first node and the second on the second. */
async function apart(
  ...nodes: readonly string[]
): Promise<{ readonly stage: Stage; readonly opened: readonly Opened[] }> {
  const stage = new Stage({ shards: 2 });
  const opened: Opened[] = [];
  for (const node of nodes) opened.push(await join(stage, node, { actors }));
  for (const [shard, node] of nodes.slice(0, 2).entries()) await move(stage, shard, node);
  return { stage, opened };
}

/** Lets a node die, and time pass until another one holds its shard. */
async function dies(stage: Stage, node: Opened, shard: number, heir: string): Promise<void> {
  const { cluster } = stage.journal();
  await cluster!.pin(shard, heir);
  node.journal.crash();
  for (let ms = 0; owners(stage)[shard] !== heir && ms < 20_000; ms += 5) await stage.clock.advance(5);
  await stage.clock.advance(promptMs);
}

/** What the first notebook of the second shard has noted. */
async function farNotes(stage: Stage, { system }: Opened): Promise<readonly string[]> {
  return stage.clock.until(notesOf(system, idOn(1, 1)));
}

/** What the journal of a shard says that was noted, without asking anybody. */
function noted(stage: Stage, shard: number): number {
  return stage.store.shards[shard]!.entries.length;
}

const toFar = { kind: 'note', to: notebookOn(1, 1), key: 'y' } as const;

test.each(['c', 'a'])('parcels for a dead node’s shard reach its heir %s', async (heir) => {
  const { stage, opened } = await apart('a', 'b', 'c');
  const [a, b] = opened;
  b!.journal.cluster!.onMessage = (channel) => (channel.kind === 'shard' ? 'lost' : undefined);
  await stage.clock.until(a!.system.actor(notebook, idOn(0, 1)).tell(note('x', toFar)));

  await dies(stage, b!, 1, heir);

  expect(noted(stage, 1)).toBe(1);
  expect(await farNotes(stage, a!)).toEqual(['y']);
});

test('only what may be repeated is asked again', async () => {
  const { stage, opened } = await apart('a', 'b', 'c');
  const [a, b] = opened;
  const actor = a!.system.actor(notebook, idOn(1, 1));
  b!.journal.cluster!.onPublish = (channel) => (channel.kind === 'node' ? 'lost' : undefined);
  const read = watch(actor.snapshot());
  const told = watch(actor.tell(note('x')));
  const repeated = watch(actor.tell(note('z'), { isRepeatable: true }));
  await stage.clock.advance(promptMs);

  await dies(stage, b!, 1, 'c');

  expect([read().kind, told().kind, repeated().kind]).toEqual(['resolved', 'pending', 'resolved']);
  expect(await farNotes(stage, a!)).toEqual(['x', 'z', 'z']);
  await stage.clock.advance(10_000);
  expect(told()).toEqual({ kind: 'rejected', code: 'ASK_TIMEOUT' });
});

test('a sending that nobody can judge is not repeated', async () => {
  const { stage, opened } = await apart('a', 'b');
  const [a] = opened;
  let isFirst = true;
  a!.journal.cluster!.onAnswer = (call: ClusterCall) => {
    if (call !== 'send' || !isFirst) return undefined;
    isFirst = false;
    return unreachable();
  };

  const told = watch(a!.system.actor(notebook, idOn(1, 1)).tell(note('x')));
  await stage.clock.advance(promptMs);

  expect(told().kind).toBe('resolved');
  expect(await farNotes(stage, a!)).toEqual(['x']);
});

test('timers wait for others to be level, not longer', async () => {
  const { stage, opened } = await apart('a', 'b', 'c');
  const [a, b, c] = opened;
  await stage.clock.until(a!.system.actor(alarm, idOn(1, 1)).tell({ type: 'ARM', key: 'rang', ms: 1_000 }));

  await dies(stage, b!, 1, 'c');

  expect(noted(stage, 1)).toBe(2);
  const state = await stage.clock.until(c!.system.actor(alarm, idOn(1, 1)).snapshot());
  expect(state?.state.context.rang).toEqual(['rang']);
});

test('an answer that another node still has beats a timeout', async () => {
  const { stage, opened } = await apart('a', 'b', 'c');
  const [a, b, c] = opened;
  await stage.clock.until(a!.system.actor(alarm, idOn(1, 1)).tell({ type: 'WAIT', ms: 3_000 }));
  b!.journal.cluster!.onMessage = (channel) => (channel.kind === 'shard' ? 'lost' : undefined);
  c!.journal.cluster!.onMessage = (channel) => (channel.kind === 'shard' ? { lateMs: 20 } : undefined);
  const answer = { kind: 'event', to: `alarm/${idOn(1, 1)}`, event: { type: 'ANSWER' } } as const;
  await stage.clock.until(a!.system.actor(notebook, idOn(0, 1)).tell(note('x', answer)));

  await dies(stage, b!, 1, 'c');

  const state = await stage.clock.until(c!.system.actor(alarm, idOn(1, 1)).snapshot());
  expect(state?.state.value).toBe('answered');
});

test('an answer in a shard that opens beats a timeout', async () => {
  const { stage, opened } = await apart('a', 'b');
  const [a, b] = opened;
  b!.journal.cluster!.onMessage = (channel) => (channel.kind === 'shard' ? 'lost' : undefined);
  await stage.clock.until(a!.system.actor(alarm, idOn(0, 1)).tell({ type: 'WAIT', ms: 3_000 }));
  a!.journal.cluster!.onMessage = (channel) => (channel.kind === 'shard' ? 'lost' : undefined);
  const answer = { kind: 'event', to: `alarm/${idOn(0, 1)}`, event: { type: 'ANSWER' } } as const;
  await b!.system.actor(notebook, idOn(1, 1)).tell(note('x', answer));
  for (const { journal } of opened) journal.crash();
  await stage.clock.advance(6_000);

  let isSlow = true;
  const prepare = (journal: Opened['journal']): void => {
    journal.onCall = (call, shard) => (isSlow && call === 'acquire' && shard === 1 ? unreachable() : undefined);
  };
  const starting = stage.start({ node: 'c', actors, cluster: member, prepare });
  await stage.clock.advance(200);
  isSlow = false;
  const { system } = await stage.clock.until(starting);

  const state = await stage.clock.until(system.actor(alarm, idOn(0, 1)).snapshot());
  expect(state?.state.value).toBe('answered');
});

test('handing over leaves what waits in the inbox', async () => {
  const stage = new Stage({ shards: 2 });
  const a = await join(stage, 'a', { limits: { turnEnvelopesMax: 1 } });
  const gateway = await join(stage, 'g', { cluster: { ...member, role: 'gateway' } });
  const b = await join(stage, 'b');
  await move(stage, 1, 'a');
  a.journal.onCommit = () => 'slow';
  const keys = Array.from({ length: 40 }, (_, n) => `${n}`);
  const actor = gateway.system.actor(notebook, idOn(1, 1));
  const told = keys.map((key) => watch(actor.tell(note(key))));
  await stage.clock.advance(promptMs);

  await move(stage, 1, 'b');
  await stage.clock.advance(promptMs);

  expect(owners(stage)[1]).toBe('b');
  expect(told.map((fate) => fate().kind)).toEqual(keys.map(() => 'resolved'));
  expect(await farNotes(stage, b)).toEqual(keys);
});

test('commands go on while a shard moves and back', async () => {
  const { stage, opened } = await apart('a', 'b');
  const [a, b] = opened;
  const keys: string[] = [];
  const fates = [];
  for (const to of ['a', 'b', 'a', 'b', 'a', 'b']) {
    for (const { system } of [a!, b!]) {
      keys.push(`${keys.length}`);
      fates.push(watch(system.actor(notebook, idOn(1, 1)).tell(note(keys.at(-1)!))));
    }
    await move(stage, 1, to);
  }

  expect(fates.map((fate) => fate().kind)).toEqual(keys.map(() => 'resolved'));
  expect([...(await farNotes(stage, a!))].sort()).toEqual([...keys].sort());
  expect(await stage.differences()).toEqual([]);
});

test('a shard that was moved back forgets its cells', async () => {
  const { stage, opened } = await apart('a', 'b');
  const [a, b] = opened;
  await b!.system.actor(notebook, idOn(1, 1)).tell(note('1'));
  await move(stage, 1, 'a');
  await a!.system.actor(notebook, idOn(1, 1)).tell(note('2'));

  await move(stage, 1, 'b');
  await b!.system.actor(notebook, idOn(1, 1)).tell(note('3'));

  expect(await farNotes(stage, b!)).toEqual(['1', '2', '3']);
  expect(await stage.differences()).toEqual([]);
});

test('an operator drains a node and takes that back', async () => {
  const stage = new Stage({ shards: 8 });
  const [a, b] = await fleet(stage, 'a', 'b');
  const { cluster } = stage.journal();

  await cluster!.drain('a', true);
  await stage.clock.advance(2_000);
  const drained = { owners: new Set(owners(stage)), ready: a!.system.ready() };
  await cluster!.drain('a', false);
  await stage.clock.advance(2_000);

  expect(drained).toEqual({ owners: new Set(['b']), ready: false });
  expect(new Set(owners(stage))).toEqual(new Set(['a', 'b']));
  expect([a!.system.ready(), b!.system.ready()]).toEqual([true, true]);
});

test('a stop is heard of at once, by all', async () => {
  const stage = new Stage({ shards: 8 });
  const [a, b, c] = await fleet(stage, 'a', 'b', 'c');
  const since = stage.clock.monotonic();

  await stage.clock.until(a!.system.stop());
  await stage.clock.advance(promptMs);

  expect(stage.clock.monotonic() - since).toBeLessThan(200);
  expect(new Set(owners(stage))).toEqual(new Set(['b', 'c']));
  expect((await stage.journal().cluster!.view()).nodes.map(({ id }) => id)).toEqual(['b', 'c']);
  expect([b!.system.ready(), c!.system.ready()]).toEqual([true, true]);
});

test('questions have a deadline, a bound and an end', async () => {
  const stage = new Stage({ shards: 1 });
  const g = await join(stage, 'g', { cluster: { ...member, role: 'gateway' }, limits: { questionsMax: 2 } });
  const actor = g.system.actor(notebook, idOn(0, 1));

  const first = watch(actor.tell(note('1'), { deadlineMs: 1_000 } as object));
  const second = watch(actor.snapshot());
  const third = watch(actor.snapshot());
  await stage.clock.advance(5_000);
  const fourth = watch(actor.snapshot());
  await stage.clock.until(g.system.stop());
  await stage.clock.settle();

  const timeout = { kind: 'rejected', code: 'ASK_TIMEOUT' };
  expect([first(), second()]).toEqual([timeout, timeout]);
  expect(third()).toEqual({ kind: 'rejected', code: 'MAILBOX_FULL' });
  expect(fourth()).toEqual({ kind: 'rejected', code: 'STOPPED' });
});

test('handled questions leave the store although nothing follows', async () => {
  const { stage, opened } = await apart('a', 'b');

  await stage.clock.until(opened[0]!.system.actor(notebook, idOn(1, 1)).snapshot());
  await stage.clock.advance(3_000);

  expect(stage.store.cluster.inboxes.get(1)?.records).toEqual([]);
});
