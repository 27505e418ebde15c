/** A shard on its way from one node to another: who takes a command meanwhile, in which order, and what must not be kept or let go. */

import { expect, test, vi } from 'vitest';
import { announce } from '../../src/cluster/messages.ts';
import { heldMsOf } from '../../src/shard/tenure.ts';
import { unreachable } from './faulty-journal.ts';
import { join, member, move, owners } from './fleet.ts';
import { idOn, note, notebook } from './notebook.ts';
import { notesOf, type Opened, Stage, watch } from './stage.ts';

/** Less than anything that looks now and then takes. */
const promptMs = 60;
const leaseMs = 5_000;

interface Pair {
  readonly stage: Stage;
  readonly a: Opened;
  readonly b: Opened;
}

/** The first shard is on a, the second one on b. */
async function pair(limits = {}): Promise<Pair> {
  const stage = new Stage({ shards: 2 });
  const a = await join(stage, 'a', { limits });
  const b = await join(stage, 'b', { limits });
  await move(stage, 0, 'a');
  await move(stage, 1, 'b');
  return { stage, a, b };
}

/** The second shard is wanted by a, and b does not hear of it. */
async function contested(): Promise<Pair> {
  const { stage, a, b } = await pair();
  b.journal.cluster!.onCall = (call) => (call === 'beat' ? unreachable() : undefined);
  await stage.journal().cluster!.pin(1, 'a');
  return { stage, a, b };
}

/** What the second shard's notebook has noted. */
function farNotes(stage: Stage, { system }: Opened): Promise<readonly string[]> {
  return stage.clock.until(notesOf(system, idOn(1, 1)));
}

/** Every call of the node's takes as long on its way to the store, so that they get there in order. */
function slowDown(stage: Stage, { journal }: Opened, ms: number): void {
  journal.delayMs = ms;
  const cluster = journal.cluster!;
  const way = (): Promise<void> => new Promise((resolve) => stage.clock.after(ms, resolve));
  const { send, readInbox } = cluster;
  vi.spyOn(cluster, 'send').mockImplementation((...args) => way().then(() => send.apply(cluster, args)));
  vi.spyOn(cluster, 'readInbox').mockImplementation((...args) => way().then(() => readInbox.apply(cluster, args)));
}

test('commands go to an owner that stays, at once', async () => {
  const { stage, a } = await contested();
  announce(stage.journal().cluster!);
  // In the middle of a pause between two attempts at acquiring.
  await stage.clock.advance(700);

  const told = watch(a.system.actor(notebook, idOn(1, 1)).tell(note('x')));
  await stage.clock.advance(promptMs);

  expect(owners(stage)[1]).toBe('b');
  expect(told().kind).toBe('resolved');
});

test('who cannot acquire keeps no command from its owner', async () => {
  const { stage, a } = await contested();
  a.journal.onCall = (call) => (call === 'acquire' ? unreachable() : undefined);
  announce(stage.journal().cluster!);
  await stage.clock.advance(10);

  const keys = ['1', '2', '3'];
  const told = keys.map((key) => watch(a.system.actor(notebook, idOn(1, 1)).tell(note(key))));
  await stage.clock.advance(leaseMs / 2);

  expect(owners(stage)[1]).toBe('b');
  expect(told.map((fate) => fate().kind)).toEqual(keys.map(() => 'resolved'));
  expect(await farNotes(stage, a)).toEqual(keys);
});

test('one client’s order holds while its shard moves', async () => {
  const { stage, a, b } = await pair();
  for (const node of [a, b]) slowDown(stage, node, 10);
  const actor = a.system.actor(notebook, idOn(1, 1));
  const keys: string[] = [];
  const fates = [];

  for (const to of ['a', 'b', 'a']) {
    await stage.journal().cluster!.pin(1, to);
    announce(stage.journal().cluster!);
    for (let ms = 0; ms < 402; ms += 3) {
      keys.push(`${keys.length}`);
      fates.push(watch(actor.tell(note(keys.at(-1)!))));
      await stage.clock.advance(3);
    }
    expect(owners(stage)[1]).toBe(to);
  }
  await stage.clock.advance(1_000);

  expect(fates.map((fate) => fate().kind)).toEqual(keys.map(() => 'resolved'));
  expect(await farNotes(stage, a)).toEqual(keys);
  expect(await stage.differences()).toEqual([]);
});

test('an id’s freshness ends when its shard goes', async () => {
  const { stage, a, b } = await pair();
  vi.spyOn(stage.ids, 'mint').mockReturnValue(idOn(1, 1));
  const id = b.system.mint();
  await move(stage, 1, 'a');
  await stage.clock.until(a.system.actor(notebook, id).tell(note('there')));

  await move(stage, 1, 'b');
  await stage.clock.until(b.system.actor(notebook, id).tell(note('here')));

  expect(await farNotes(stage, b)).toEqual(['there', 'here']);
  expect(await stage.differences()).toEqual([]);
});

test('a shard goes when its commits are done', async () => {
  const { stage, a, b } = await pair({ turnEnvelopesMax: 1 });
  const open = b.journal.hold();
  const keys = ['1', '2', '3', '4', '5'];
  const told = keys.map((key) => watch(b.system.actor(notebook, idOn(1, 1)).tell(note(key))));
  await stage.clock.settle();

  await move(stage, 1, 'a');
  const meanwhile = owners(stage)[1];
  open();
  await stage.clock.advance(1_000);

  expect([meanwhile, owners(stage)[1]]).toEqual(['b', 'a']);
  expect(told.map((fate) => fate().kind)).toEqual(keys.map(() => 'resolved'));
  expect(await farNotes(stage, a)).toEqual(keys);
  expect(b.complaints).toEqual([]);
});

/** Calls whose answer takes its time, and that are done at once. */
function answerLate(stage: Stage, journal: Opened['journal'], call: 'acquire' | 'renew', ms: number): void {
  const late = async <T>(answer: Promise<T>): Promise<T> => {
    const value = await answer;
    await new Promise<void>((resolve) => stage.clock.after(ms, resolve));
    return value;
  };
  const { acquire, renew } = journal;
  if (call === 'acquire') vi.spyOn(journal, call).mockImplementation((...args) => late(acquire.apply(journal, args)));
  else vi.spyOn(journal, call).mockImplementation((...args) => late(renew.apply(journal, args)));
}

test.each(['acquire', 'renew'] as const)('a lease counts from the asking of %s', async (slow) => {
  const stage = new Stage({ shards: 1 });
  let isDeaf = slow === 'acquire';
  const { journal, complaints } = await stage.open({
    node: 'a',
    cluster: member,
    limits: { leaseMs },
    prepare: (prepared) => {
      prepared.onCall = (call) => (isDeaf && call === 'renew' ? unreachable() : undefined);
      answerLate(stage, prepared, slow, 1_500);
    },
  });
  if (slow === 'renew') {
    const renewals = journal.calls.get('renew') ?? 0;
    while (journal.calls.get('renew') === undefined || journal.calls.get('renew') === renewals)
      await stage.clock.advance(1);
    isDeaf = true;
  }
  const { expiresAt } = stage.store.shards[0]!.holder!;

  const until = expiresAt - leaseMs + heldMsOf(leaseMs);
  await stage.clock.advance(until + 1 - stage.clock.monotonic());
  const lost = complaints.some((complaint) => complaint.includes('could not be prolonged in time'));

  expect(stage.clock.monotonic()).toBeLessThan(expiresAt);
  expect(lost).toBe(true);
});

test('what the inbox’s window kept out follows at once', async () => {
  const stage = new Stage({ shards: 1 });
  const a = await join(stage, 'a');
  const gateway = await join(stage, 'g', { cluster: { ...member, role: 'gateway' } });
  const open = a.journal.hold();
  const told = Array.from({ length: 3_000 }, (_, n) =>
    watch(gateway.system.actor(notebook, idOn(0, n % 100)).tell(note(`${n}`))),
  );
  await stage.clock.advance(promptMs);
  const waiting = told.filter((fate) => fate().kind === 'pending').length;

  open();
  await stage.clock.advance(promptMs);

  expect(waiting).toBe(3_000);
  expect(told.filter((fate) => fate().kind !== 'resolved')).toEqual([]);
});

test('a steady stream of envelopes delays no takeover', async () => {
  const stage = new Stage({ shards: 1 });
  const a = await join(stage, 'a');
  const b = await join(stage, 'b');
  const gateway = await join(stage, 'g', { cluster: { ...member, role: 'gateway' } });
  await move(stage, 0, 'b');
  slowDown(stage, a, 10);
  const actor = gateway.system.actor(notebook, idOn(0, 1));
  const keys: string[] = [];
  const fates = [];
  let opened = false;

  await stage.journal().cluster!.pin(0, 'a');
  announce(stage.journal().cluster!);
  for (let ms = 0; ms < 300; ms += 3) {
    keys.push(`${keys.length}`);
    fates.push(watch(actor.tell(note(keys.at(-1)!))));
    await stage.clock.advance(3);
    opened ||= owners(stage)[0] === 'a' && a.journal.commits.length > 0;
  }
  const wasOpenMeanwhile = opened;
  await stage.clock.advance(1_000);

  expect(wasOpenMeanwhile).toBe(true);
  expect(fates.map((fate) => fate().kind)).toEqual(keys.map(() => 'resolved'));
  expect(await stage.clock.until(notesOf(b.system, idOn(0, 1)))).toEqual(keys);
});
