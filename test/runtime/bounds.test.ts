/** Invariant 9: memory follows live actors and open work; whoever meets a bound is told so, and nothing is lost. */

import { expect, test, vi } from 'vitest';
import { MemoryObjects } from '../../src/archive/memory.ts';
import type { FaultyJournal } from './faulty-journal.ts';
import { archived, job } from './job.ts';
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

test('an actor that is over leaves the memory with its last commit', async () => {
  const stage = new Stage();
  const { system, journal } = await stage.open({ actors: [job] });
  const actor = system.actor(job, idOn(1, 1));
  await actor.tell({ type: 'ADD', item: 'a' });

  const open = journal.hold();
  const finished = watch(actor.tell({ type: 'FINISH', outcome: 'done' }));
  await stage.clock.settle();
  const inFlight = await readsOf(journal, async () => {
    const asked = watch(actor.ask({ type: 'START' }));
    await stage.clock.settle();
    open();
    await stage.clock.settle();
    expect([finished().kind, asked()]).toEqual(['resolved', { kind: 'resolved', value: 'done' }]);
  });
  const later = await readsOf(journal, async () => {
    expect(await actor.ask({ type: 'START' })).toBe('done');
  });

  expect([inFlight, later]).toEqual([0, 1]);
  expect(await stage.differences([job])).toEqual([]);
});

test('an actor whose definition cannot tell whether it is over stays', async () => {
  const stage = new Stage();
  const when = (): boolean => {
    throw new Error('no idea');
  };
  const unsure = { ...job, retire: { ...job.retire!, when } };
  const { system, journal } = await stage.open({ actors: [unsure] });
  const actor = system.actor(unsure, idOn(1, 1));
  await actor.tell({ type: 'FINISH', outcome: 'done' });

  const reads = await readsOf(journal, async () => {
    expect(await actor.ask({ type: 'START' })).toBe('done');
  });

  expect(reads).toBe(0);
});

/** Commits wait, each until it is let through. */
function oneByOne(journal: FaultyJournal): () => void {
  const waiting: (() => void)[] = [];
  const { commit } = journal;
  vi.spyOn(journal, 'commit').mockImplementation(async (one) => {
    await new Promise<void>((resolve) => waiting.push(resolve));
    return commit.call(journal, one);
  });
  return () => waiting.shift()?.();
}

test('an actor that is over stays while a later commit of it is under way', async () => {
  const stage = new Stage();
  const { system, journal } = await stage.open({ actors: [job] });
  const actor = system.actor(job, idOn(1, 1));
  const next = oneByOne(journal);
  const tell = async (event: Parameters<typeof actor.tell>[0]): Promise<void> => {
    watch(actor.tell(event));
    await stage.clock.settle();
  };

  await tell({ type: 'FINISH', outcome: 'done' });
  await tell({ type: 'TOUCH' });
  next();
  await stage.clock.settle();
  const reads = await readsOf(journal, () => tell({ type: 'TOUCH' }));
  for (let commit = 2; commit <= 3; commit++) {
    next();
    await stage.clock.settle();
  }

  expect(reads).toBe(0);
  expect((await actor.snapshot())?.state.context.touches).toBe(2);
  expect(await stage.differences([job])).toEqual([]);
});

test('an actor that is over stays while a turn under way has changed it', async () => {
  const stage = new Stage();
  const { system, journal, complaints } = await stage.open({ actors: [job] });
  const [over, cold] = [system.actor(job, idOn(1, 1)), system.actor(job, idOn(1, 2))];
  const next = oneByOne(journal);
  watch(over.tell({ type: 'FINISH', outcome: 'done' }));
  await stage.clock.settle();
  const { readActors } = journal;
  let answer = (): void => undefined;
  const answered = new Promise<void>((resolve) => {
    answer = resolve;
  });
  vi.spyOn(journal, 'readActors').mockImplementation(async (...args) => {
    await answered;
    return readActors.apply(journal, args);
  });

  watch(over.tell({ type: 'TOUCH' }));
  watch(cold.tell({ type: 'ADD', item: 'a' }));
  await stage.clock.settle();
  next();
  await stage.clock.settle();
  answer();
  await stage.clock.settle();
  watch(over.tell({ type: 'TOUCH' }));
  await stage.clock.settle();
  for (let commit = 2; commit <= 3; commit++) {
    next();
    await stage.clock.settle();
  }

  expect((await over.snapshot())?.state.context.touches).toBe(2);
  expect(complaints).toEqual([]);
  expect(await stage.differences([job])).toEqual([]);
});

test('with an archive, an actor that is over stays until a snapshot was made of it', async () => {
  const stage = new Stage();
  const inner = stage.journal();
  const { system } = await stage.open({ actors: [job], journal: await archived(stage, new MemoryObjects(), inner) });
  const actor = system.actor(job, idOn(1, 1));
  await stage.clock.until(actor.tell({ type: 'FINISH', outcome: 'done' }));

  const reads = await readsOf(inner, () => stage.clock.until(actor.ask({ type: 'START' })));

  expect(reads).toBe(0);
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
