/** Invariant 9: memory follows live actors and open work; whoever meets a bound is told so, and nothing is lost. */

import { expect, test } from 'vitest';
import { type Instruction, idOn, note, notebook, notebookOn } from './notebook.ts';
import { notesOf, Stage, watch } from './stage.ts';
import { Tap } from './tap.ts';

test('a full mailbox answers at once', async () => {
  const stage = new Stage();
  const { system, journal } = await stage.open({ limits: { mailboxMax: 3, turnEnvelopesMax: 1 } });
  const open = journal.hold();
  const actor = system.actor(notebook, idOn(1, 1));

  const fates = Array.from({ length: 5 }, (_, n) => watch(actor.tell(note(`${n}`))));
  await Promise.resolve();
  await Promise.resolve();
  const atOnce = fates.map((fate) => fate().kind);
  open();
  await stage.clock.settle();

  expect(atOnce).toEqual(['pending', 'pending', 'pending', 'rejected', 'rejected']);
  expect(fates.slice(3).map((fate) => fate())).toEqual(Array(2).fill({ kind: 'rejected', code: 'MAILBOX_FULL' }));
  expect(await notesOf(system, idOn(1, 1))).toEqual(['0', '1', '2']);
});

test('reads and barriers meet the bound as well', async () => {
  const stage = new Stage();
  const { system } = await stage.open({ limits: { mailboxMax: 1 } });
  const actor = system.actor(notebook, idOn(1, 1));

  const fates = [watch(actor.tell(note('a'))), watch(actor.snapshot()), watch(system.settled('o', idOn(1, 1)))];
  await stage.clock.settle();

  const full = { kind: 'rejected', code: 'MAILBOX_FULL' };
  expect(fates.map((fate) => fate())).toEqual([{ kind: 'resolved', value: undefined }, full, full]);
});

test('a full mailbox takes parcels all the same', async () => {
  const stage = new Stage();
  const tap = new Tap();
  const { system, journal } = await stage.open({
    transport: tap.wrap,
    limits: { mailboxMax: 1, turnEnvelopesMax: 1, commitsInFlightMax: 1 },
  });
  tap.isOpen = false;
  const orders = ['a', 'b', 'c'].map((key): Instruction => ({ kind: 'note', to: notebookOn(2, 1), key }));
  await system.actor(notebook, idOn(1, 1)).tell(note('x', ...orders));
  const open = journal.hold();
  const fates = ['1', '2', '3'].map(async (key) => {
    const fate = watch(system.actor(notebook, idOn(2, 1)).tell(note(key)));
    await stage.clock.settle();
    return fate;
  });
  const told = await Promise.all(fates);

  for (const index of [0, 1, 2]) tap.hand(index);
  open();
  await stage.clock.settle();

  expect(told.map((fate) => fate().kind)).toEqual(['resolved', 'rejected', 'rejected']);
  expect((await notesOf(system, idOn(2, 1))).slice(-3)).toEqual(['a', 'b', 'c']);
});

test('a full outbox stops new commands only', async () => {
  const stage = new Stage();
  const tap = new Tap();
  const { system } = await stage.open({ transport: tap.wrap, limits: { outboxMax: 2 } });
  tap.closed.add(2);
  const orders = ['a', 'b'].map((key): Instruction => ({ kind: 'note', to: notebookOn(2, 1), key }));
  await system.actor(notebook, idOn(1, 1)).tell(note('x', ...orders));

  const refused = watch(system.actor(notebook, idOn(1, 1)).tell(note('y')));
  const parcel: Instruction = { kind: 'note', to: notebookOn(1, 1), key: 'z' };
  await system.actor(notebook, idOn(3, 1)).tell(note('w', parcel));
  await stage.clock.settle();

  expect(refused()).toEqual({ kind: 'rejected', code: 'OUTBOX_FULL' });
  expect(await notesOf(system, idOn(1, 1))).toEqual(['x', 'z']);
  tap.closed.clear();
  await stage.clock.advance(10_000);
  await system.actor(notebook, idOn(1, 1)).tell(note('v'));
});

test('acknowledged parcels leave the store', async () => {
  const stage = new Stage();
  const { system } = await stage.open();
  await system.actor(notebook, idOn(1, 1)).tell(note('x', { kind: 'note', to: notebookOn(2, 1), key: 'a' }));

  await stage.clock.advance(3_000);

  expect(stage.store.shards[1]?.outbox).toEqual([]);
});

/** How often actors were read from the store by `work`. */
async function readsOf(journal: { readonly calls: ReadonlyMap<string, number> }, work: () => Promise<unknown>) {
  const before = journal.calls.get('readActors') ?? 0;
  await work();
  return (journal.calls.get('readActors') ?? 0) - before;
}

test('idle cells are dropped and come back', async () => {
  const stage = new Stage();
  const { system, journal } = await stage.open();
  const actor = system.actor(notebook, idOn(1, 1));
  await actor.tell(note('a'));

  const warm = await readsOf(journal, () => actor.tell(note('b')));
  await stage.clock.advance(notebook.passivateAfterMs + 2_000);
  const cold = await readsOf(journal, () => actor.tell(note('c')));

  expect([warm, cold]).toEqual([0, 1]);
  expect(await notesOf(system, idOn(1, 1))).toEqual(['a', 'b', 'c']);
});

test('a cell that is used stays resident', async () => {
  const stage = new Stage();
  const { system, journal } = await stage.open();
  const actor = system.actor(notebook, idOn(1, 1));
  await actor.tell(note('a'));

  const reads = await readsOf(journal, async () => {
    for (let n = 0; n < 10; n++) {
      await stage.clock.advance(notebook.passivateAfterMs / 2);
      await actor.snapshot();
    }
  });

  expect(reads).toBe(0);
});

test('resident cells are bounded, the oldest go first', async () => {
  const stage = new Stage();
  const { system, journal } = await stage.open({ limits: { cellsMax: 256 } });
  const count = 500;
  for (let n = 0; n < count; n++) {
    await system.actor(notebook, idOn(1, n)).tell(note('a'));
    await stage.clock.advance(1);
  }

  const newest = await readsOf(journal, async () => {
    for (let n = count - 40; n < count; n++) await system.actor(notebook, idOn(1, n)).snapshot();
  });
  const oldest = await readsOf(journal, async () => {
    for (let n = 0; n < 40; n++) await system.actor(notebook, idOn(1, n)).snapshot();
  });

  expect([newest, oldest]).toEqual([0, 40]);
});

test('nothing is lost while cells are evicted', async () => {
  const stage = new Stage();
  const { system, journal } = await stage.open({ limits: { cellsMax: 256, turnEnvelopesMax: 16 } });
  journal.delayMs = 1;
  const count = 400;

  const told: Promise<void>[] = [];
  for (const key of ['a', 'b', 'c']) {
    for (let n = 0; n < count; n++) told.push(system.actor(notebook, idOn(1, n)).tell(note(key)));
  }
  await stage.clock.until(Promise.all(told));
  journal.delayMs = 0;

  for (let n = 0; n < count; n++) expect(await notesOf(system, idOn(1, n))).toEqual(['a', 'b', 'c']);
  expect(await stage.differences()).toEqual([]);
});

test('a cell with a commit under way stays', async () => {
  const stage = new Stage();
  const { system, journal } = await stage.open();
  const open = journal.hold();
  const actor = system.actor(notebook, idOn(1, 1));

  const told = watch(actor.tell(note('a')));
  await stage.clock.advance(notebook.passivateAfterMs + 2_000);
  const second = watch(actor.tell(note('b')));
  await stage.clock.settle();
  open();
  await stage.clock.advance(1_000);

  expect([told().kind, second().kind]).toEqual(['resolved', 'resolved']);
  expect(await notesOf(system, idOn(1, 1))).toEqual(['a', 'b']);
});

test('reads behind one slow commit stay bounded', async () => {
  const stage = new Stage();
  const { system, journal } = await stage.open({ limits: { mailboxMax: 100 } });
  const actor = system.actor(notebook, idOn(1, 1));
  const open = journal.hold();
  const told = watch(actor.tell(note('a')));
  await stage.clock.settle();

  let refused = 0;
  const reads: Promise<unknown>[] = [];
  for (let n = 0; n < 1_000; n++) {
    reads.push(actor.snapshot().catch(() => refused++));
    if (n % 2 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  open();
  await Promise.all(reads);

  expect(told().kind).toBe('resolved');
  expect(refused).toBeGreaterThan(500);
});
