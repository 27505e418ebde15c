/** Invariant 2: a writer that lost its shard is refused by the store, drops its cells and never answers from them. */

import { expect, test } from 'vitest';
import { heldMsOf } from '../../src/shard/tenure.ts';
import { drowsy } from './drowsy-clock.ts';
import { idOn, note, notebook } from './notebook.ts';
import { notesOf, type Opened, Stage, watch } from './stage.ts';

/** Two nodes on one store: the first one is held up, and the second one takes its shards. */
async function takenOver(stage: Stage): Promise<{ readonly first: Opened; readonly second: Opened }> {
  const clock = drowsy(stage.clock);
  const first = await stage.open({ node: 'first', clock });
  await first.system.actor(notebook, idOn(1, 1)).tell(note('a'));
  clock.isAsleep = true;
  const second = await stage.open({ node: 'second' });
  clock.isAsleep = false;
  return { first, second };
}

/** Two nodes on one store: the first one cannot renew, and the second one takes its shards. */
async function letGo(stage: Stage): Promise<{ readonly first: Opened; readonly second: Opened }> {
  const first = await stage.open({ node: 'first' });
  await first.system.actor(notebook, idOn(1, 1)).tell(note('a'));
  first.journal.onCall = (call) => (call === 'renew' ? new Error('paused') : undefined);
  const second = await stage.open({ node: 'second' });
  return { first, second };
}

test('a second owner waits for the lease to expire', async () => {
  const stage = new Stage();
  const first = await stage.open({ node: 'first' });

  const opening = watch(stage.start({ node: 'second' }));
  await stage.clock.advance(30_000);

  expect(opening()).toEqual({ kind: 'pending' });
  expect(first.system.ready()).toBe(true);
});

test('the first owner’s commit is refused after takeover', async () => {
  const stage = new Stage();
  const { first, second } = await takenOver(stage);
  await second.system.actor(notebook, idOn(1, 1)).tell(note('b'));

  const fate = watch(first.system.actor(notebook, idOn(1, 1)).tell(note('stale')));
  await stage.clock.advance(10_000);

  expect(fate()).toEqual({ kind: 'rejected', code: 'JOURNAL_UNAVAILABLE' });
  expect(await notesOf(second.system, idOn(1, 1))).toEqual(['a', 'b']);
  expect(first.complaints.join('\n')).toContain('a commit was refused');
  expect(await stage.differences()).toEqual([]);
});

test('the first owner answers no read from its cells', async () => {
  const stage = new Stage();
  const { first, second } = await takenOver(stage);
  await second.system.actor(notebook, idOn(1, 1)).tell(note('b'));

  const read = watch(first.system.actor(notebook, idOn(1, 1)).snapshot());
  const asked = watch(first.system.actor(notebook, idOn(1, 1)).ask({ type: 'ASK' }, { deadlineMs: 60_000 }));
  await stage.clock.advance(10_000);

  expect(read()).toEqual({ kind: 'rejected', code: 'JOURNAL_UNAVAILABLE' });
  expect(asked()).toEqual({ kind: 'rejected', code: 'JOURNAL_UNAVAILABLE' });
});

test('reads at a lease’s very end wait', async () => {
  const stage = new Stage();
  const clock = drowsy(stage.clock);
  const { system, journal } = await stage.open({ clock, limits: { leaseMs: 5_000 } });
  const actor = system.actor(notebook, idOn(1, 1));
  await actor.tell(note('a'));
  clock.isAsleep = true;
  await stage.clock.advance(heldMsOf(5_000) - stage.clock.monotonic());
  clock.isAsleep = false;
  const before = journal.calls.get('acquire') ?? 0;

  const read = await actor.snapshot();

  expect(journal.calls.get('acquire')).toBe(before + 1);
  expect(read?.state.context.notes).toEqual(['a']);
});

test('waiting commands are answered while another node owns', async () => {
  const stage = new Stage();
  const { first } = await letGo(stage);
  const actor = first.system.actor(notebook, idOn(1, 1));

  const fates = [watch(actor.tell(note('x')))];
  await stage.clock.settle();
  fates.push(watch(actor.tell(note('y'))));
  fates.push(watch(first.system.settled('operation', idOn(1, 1), 600_000)));
  await stage.clock.advance(10_000);

  expect(fates.map((fate) => fate())).toEqual([
    { kind: 'rejected', code: 'JOURNAL_UNAVAILABLE' },
    { kind: 'rejected', code: 'JOURNAL_UNAVAILABLE' },
    { kind: 'rejected', code: 'JOURNAL_UNAVAILABLE' },
  ]);
});

test('an answered command is not carried out later', async () => {
  const stage = new Stage();
  const { first, second } = await letGo(stage);
  const fate = watch(first.system.actor(notebook, idOn(1, 1)).tell(note('x')));
  await stage.clock.advance(10_000);
  expect(fate().kind).toBe('rejected');

  second.journal.crash();
  first.journal.onCall = () => undefined;
  await stage.clock.advance(20_000);

  expect(await notesOf(first.system, idOn(1, 1))).toEqual(['a']);
});

test('the first owner reads afresh when it returns', async () => {
  const stage = new Stage();
  const { first, second } = await takenOver(stage);
  await second.system.actor(notebook, idOn(1, 1)).tell(note('b'));
  const probe = watch(first.system.actor(notebook, idOn(1, 1)).snapshot());
  await stage.clock.advance(10_000);
  expect(probe().kind).toBe('rejected');

  await second.system.stop();
  first.journal.onCall = () => undefined;
  await stage.clock.advance(10_000);

  expect(await notesOf(first.system, idOn(1, 1))).toEqual(['a', 'b']);
});

test('a lease that cannot be renewed ends early', async () => {
  const stage = new Stage();
  const first = await stage.open({ node: 'first', limits: { leaseMs: 5_000 } });
  const since = stage.clock.monotonic();
  first.journal.onCall = (call) => (call === 'renew' ? new Error('unreachable') : undefined);
  const acquired = first.journal.calls.get('acquire') ?? 0;

  await stage.clock.advance(heldMsOf(5_000) - since);

  expect(first.complaints.join('\n')).toContain('its lease could not be prolonged in time');
  expect(first.journal.calls.get('acquire')).toBeGreaterThan(acquired);
});

test('a lease that is lost is noticed by renewing', async () => {
  const stage = new Stage();
  const first = await stage.open({ node: 'first' });
  const elsewhere = {
    node: 'second',
    epoch: { number: 9, nonce: 'elsewhere' },
    expiresAt: stage.clock.monotonic() + 60_000,
  };
  for (const shard of stage.store.shards) shard.holder = elsewhere;

  await stage.clock.advance(2_000);

  expect(first.complaints.join('\n')).toContain('its lease was not ours any more');
  expect(first.system.ready()).toBe(false);
});

test('a lease is not lost while other shards open', async () => {
  const stage = new Stage();
  const first = await stage.open({ node: 'first' });
  first.journal.onCall = (call, shard) => (call === 'renew' && shard !== 3 ? new Error('paused') : undefined);
  await stage.clock.advance(5_000);

  void stage.start({ node: 'second' });
  await stage.clock.advance(20_000);

  const now = stage.clock.monotonic();
  expect(stage.store.shards.map(({ holder }) => holder?.node)).toEqual(['second', 'second', 'second', 'first']);
  expect(stage.store.shards.every(({ holder }) => (holder?.expiresAt ?? 0) > now)).toBe(true);
});
