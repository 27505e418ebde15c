/** The journal of a shard stays bounded, and nothing that was in it is lost. */

import { describe, expect, test } from 'vitest';
import { addressOf } from '../../src/actor/address.ts';
import type { ActorSystem } from '../../src/actor-system.ts';
import { MemoryObjects } from '../../src/archive/memory.ts';
import type { MemoryShard } from '../../src/journal/memory.ts';
import { verifyJournal } from '../../src/journal/verify.ts';
import { archived, job, really, smallPieces, until, works } from './job.ts';
import { idOn, note, notebook } from './notebook.ts';
import { notesOf, Stage } from './stage.ts';

const options = { actors: [notebook, job], projections: [works], limits: smallPieces };
const id = idOn(0, 1);

function first(stage: Stage): MemoryShard {
  return stage.store.shards[0]!;
}

async function open(stage: Stage, objects = new MemoryObjects(), inner = stage.journal()) {
  const journal = await archived(stage, objects, inner);
  const { system, complaints } = await stage.open({ ...options, journal });
  return { system, complaints, objects, journal, inner };
}

async function fill(stage: Stage, system: ActorSystem, count: number, name = id): Promise<void> {
  for (let n = 0; n < count; n++) await stage.clock.until(system.actor(notebook, name).tell(note(`${n}`)));
}

async function differences(stage: Stage, objects: MemoryObjects): Promise<readonly string[]> {
  const journal = await archived(stage, objects);
  const { differences } = await verifyJournal({ journal, definitions: [notebook, job], projections: [works] });
  return differences.map(({ subject, reason }) => `${subject} ${reason}`);
}

describe('archive and trim', () => {
  test('moves old entries to the archive', async () => {
    const stage = new Stage();
    const { system, objects } = await open(stage);

    await fill(stage, system, 33);
    await until(stage, () => first(stage).trimmed === 30);

    expect(first(stage).entries.map(({ seq }) => seq)).toEqual([31, 32, 33]);
    expect((await objects.list('shard-00000/')).length).toBe(3);
    const history = await system.actor(notebook, id).history();
    expect(history.map(({ version }) => version)).toEqual(Array.from({ length: 33 }, (_, i) => i + 1));
    expect(await differences(stage, objects)).toEqual([]);
  });

  test('leaves young entries in the journal', async () => {
    const stage = new Stage();
    const { system, objects } = await open(stage);

    await fill(stage, system, 30);
    await stage.clock.advance(1_500);
    // What a sweep has begun is finished.
    await really(stage, system.stop());

    expect(await objects.list('')).toEqual([]);
    expect(first(stage).entries).toHaveLength(30);
  });

  test('leaves a minimum in the journal', async () => {
    const stage = new Stage();
    const { system } = await open(stage);

    await fill(stage, system, 9);
    await until(stage, () => first(stage).trimmed > 0);
    await stage.clock.advance(60_000);
    await really(stage, system.stop());

    expect(first(stage).entries.map(({ seq }) => seq)).toEqual([5, 6, 7, 8, 9]);
  });

  test('trims nothing without an archive', async () => {
    const stage = new Stage();
    const { system } = await stage.open(options);

    await fill(stage, system, 40);
    await stage.clock.advance(60_000);

    expect(first(stage).trimmed).toBe(0);
    expect(first(stage).entries.length).toBe(40);
  });

  test('makes snapshots of cold actors first', async () => {
    const stage = new Stage();
    const { system } = await open(stage);
    // One event each: none of them would have a snapshot by itself.
    for (let n = 1; n <= 20; n++) await stage.clock.until(system.actor(notebook, idOn(0, n)).tell(note('only')));
    await stage.clock.until(system.stop());

    const again = await open(stage, new MemoryObjects());
    await until(stage, () => first(stage).trimmed > 0);

    const { trimmed, actors } = first(stage);
    const tails = [...actors.values()].flatMap(({ tail }) => tail);
    expect(Math.min(...tails)).toBeGreaterThan(trimmed);
    for (let n = 1; n <= 20; n++) {
      expect(await stage.clock.until(notesOf(again.system, idOn(0, n)))).toEqual(['only']);
    }
  });

  test('a cell leaves memory with a snapshot', async () => {
    const stage = new Stage();
    const { system, inner } = await open(stage);
    await stage.clock.until(system.actor(notebook, id).tell(note('one')));
    expect(first(stage).snapshots.size).toBe(0);

    await stage.clock.advance(notebook.passivateAfterMs + 2_000);

    expect(first(stage).snapshots.get(addressOf('notebook', id))?.version).toBe(1);
    expect(inner.calls.get('readActors')).toBe(1);
    await stage.clock.advance(2_000);
    expect(await stage.clock.until(notesOf(system, id))).toEqual(['one']);
    expect(inner.calls.get('readActors')).toBe(2);
  });

  test('an actor that cannot be read keeps its entries', async () => {
    const stage = new Stage();
    const early = await open(stage);
    await stage.clock.until(early.system.actor(notebook, idOn(0, 2)).tell(note('lost')));
    await fill(stage, early.system, 5);
    await stage.clock.until(early.system.actor(notebook, idOn(0, 3)).tell(note('broken')));
    await stage.clock.until(early.system.stop());
    stage.store.damaged.add(first(stage).actors.get(addressOf('notebook', idOn(0, 3)))!);

    const { system, complaints } = await open(stage, early.objects);
    await fill(stage, system, 30);
    await until(stage, () => first(stage).trimmed === 6);
    await stage.clock.advance(60_000);

    expect(first(stage).trimmed).toBe(6);
    expect(complaints.filter((text) => text.includes(idOn(0, 3)))).toHaveLength(1);
  });

  test('a changed machine is folded from the archive', async () => {
    const stage = new Stage();
    const { system, objects, journal } = await open(stage);
    const rare = idOn(0, 2);
    for (const key of ['a', 'b']) await stage.clock.until(system.actor(notebook, rare).tell(note(key)));
    await fill(stage, system, 30);
    await until(stage, () => first(stage).trimmed >= 20);
    await stage.clock.until(system.stop());

    const changed = {
      ...notebook,
      machine: notebook.machine.provide({ actions: { unused: () => {} } }),
    } as typeof notebook;
    const opened = await stage.open({ ...options, actors: [changed, job], journal: await archived(stage, objects) });
    await really(stage, opened.system.actor(changed, id).tell(note('last')));
    await really(stage, opened.system.actor(changed, rare).tell(note('c')));

    const index = first(stage).actors.get(addressOf('notebook', id))!;
    expect(journal.id).toBe('store');
    expect(index).toMatchObject({ version: 31, snapshotVersion: 31, tail: [] });
    await stage.clock.until(opened.system.stop());
    const again = await stage.open({ ...options, actors: [changed, job], journal: await archived(stage, objects) });
    expect((await stage.clock.until(again.system.actor(changed, id).snapshot()))?.state.context.notes).toHaveLength(31);
    expect((await stage.clock.until(again.system.actor(changed, rare).snapshot()))?.state.context.notes).toEqual([
      'a',
      'b',
      'c',
    ]);
  });

  test('a trimmed store without its archive says so', async () => {
    const stage = new Stage();
    const { system } = await open(stage);
    await fill(stage, system, 30);
    await until(stage, () => first(stage).trimmed >= 20);
    await stage.clock.until(system.stop());

    const bare = await stage.open(options);

    const trimmed = { code: 'JOURNAL_TRIMMED' };
    await expect(stage.clock.until(bare.system.actor(notebook, id).history())).rejects.toMatchObject(trimmed);
    const verifying = verifyJournal({ journal: stage.journal(), definitions: [notebook, job], projections: [works] });
    await expect(verifying).rejects.toMatchObject(trimmed);
    expect(await stage.clock.until(notesOf(bare.system, id))).toHaveLength(30);
  });

  test('views are rebuilt from archive and journal', async () => {
    const stage = new Stage();
    const { system, objects } = await open(stage);
    await fill(stage, system, 30);
    await stage.clock.until(system.actor(notebook, idOn(0, 2)).tell(note('other')));
    await until(stage, () => first(stage).trimmed >= 20);
    const rows = await system.range('works', id, { limit: 100 });
    await stage.clock.until(system.stop());
    first(stage).views.clear();

    const next = { ...works, version: '2' };
    const journal = await archived(stage, objects);
    const again = await really(stage, stage.start({ ...options, projections: [next], journal }));

    expect(await again.system.range('works', id, { limit: 100 })).toEqual(rows);
    expect(rows).toHaveLength(2);
  });
});

describe('verification of the archive', () => {
  async function trimmed() {
    const stage = new Stage();
    const opened = await open(stage);
    await fill(stage, opened.system, 33);
    await until(stage, () => first(stage).trimmed === 30);
    const names = await opened.objects.list('shard-00000/');
    return { stage, objects: opened.objects, names };
  }

  test('names a damaged segment', async () => {
    const { stage, objects, names } = await trimmed();
    const bytes = (await objects.get(names[1]!))!;
    await objects.put(
      names[1]!,
      bytes.map((byte, i) => (i === 40 ? byte ^ 1 : byte)),
    );

    expect(await differences(stage, objects)).toContainEqual(expect.stringMatching(`^${names[1]} cannot be read: `));
  });

  test('names what is in no segment', async () => {
    const { stage, objects, names } = await trimmed();
    const lossy = new MemoryObjects();
    for (const name of ['archive', names[0]!, names[2]!]) await lossy.put(name, (await objects.get(name))!);

    const found = await differences(stage, lossy);

    expect(found).toEqual([
      'memory has entries up to 10 of the 30 that were trimmed',
      `${names[2]} begins with entry 21; no segment has entries 11 to 20`,
    ]);
  });

  test('names entries that differ from the journal', async () => {
    const { stage, objects } = await trimmed();
    const journal = await archived(stage, objects);
    const [entry] = first(stage).entries;

    await journal.archive!.append(0, [{ ...entry!, type: 'FORGED' }]);

    expect(await differences(stage, objects)).toEqual([
      expect.stringContaining('has another entry 31 than the journal or an overlapping segment'),
    ]);
  });

  test('names a history that was set back', async () => {
    const { stage, objects } = await trimmed();
    const journal = await archived(stage, objects);
    const [, , last] = first(stage).entries;

    await journal.archive!.append(0, [...first(stage).entries, { ...last!, seq: 34, version: 34 }]);

    expect(await differences(stage, objects)).toContainEqual(
      expect.stringContaining("goes beyond the journal's last entry 33, which was set back"),
    );
  });
});

describe('retirement', () => {
  const jobId = idOn(0, 9);

  async function finished(stage: Stage) {
    const opened = await open(stage);
    const ref = opened.system.actor(job, jobId);
    for (let n = 0; n < 5; n++) await stage.clock.until(ref.tell({ type: 'ADD', item: 'x'.repeat(100) }));
    await stage.clock.until(ref.tell({ type: 'FINISH', outcome: 'well' }));
    await fill(stage, opened.system, 20);
    return { ...opened, ref };
  }

  function snapshotBytes(stage: Stage): number {
    return first(stage).snapshots.get(addressOf('job', jobId))?.payload.length ?? 0;
  }

  test('keeps the outcome of an old actor', async () => {
    const stage = new Stage();
    const { system, objects, ref } = await finished(stage);
    await until(stage, () => snapshotBytes(stage) > 500);

    await until(stage, () => snapshotBytes(stage) < 300);

    expect((await stage.clock.until(ref.snapshot()))?.state.context).toEqual({
      items: [],
      outcome: 'well',
      touches: 0,
    });
    expect(await stage.clock.until(ref.ask({ type: 'START' }))).toBe('well');
    await stage.clock.until(system.stop());
    const again = await open(stage, objects);
    expect(await stage.clock.until(again.system.actor(job, jobId).ask({ type: 'START' }))).toBe('well');
    expect((await again.system.actor(job, jobId).history()).map(({ event }) => event.type)).toEqual([
      'ADD',
      'ADD',
      'ADD',
      'ADD',
      'ADD',
      'FINISH',
    ]);
  });

  test('waits until the last event is old', async () => {
    const stage = new Stage();
    const { ref } = await finished(stage);
    await until(stage, () => snapshotBytes(stage) > 500);

    expect((await stage.clock.until(ref.snapshot()))?.state.context.items).toHaveLength(5);
  });

  test('is not retired together with older ones', async () => {
    const stage = new Stage();
    // Nothing goes to the archive, which would take real time.
    const limits = { ...smallPieces, journalEntriesMin: 1_000 };
    const { system } = await stage.open({ ...options, limits, journal: await archived(stage, new MemoryObjects()) });
    await fill(stage, system, 4);
    await stage.clock.advance(8_000);
    const ref = system.actor(job, jobId);
    await stage.clock.until(ref.tell({ type: 'ADD', item: 'young' }));
    await stage.clock.until(ref.tell({ type: 'FINISH', outcome: 'well' }));
    await fill(stage, system, 20);

    await until(stage, () => first(stage).projections['troupe.retired'] !== undefined);

    expect(first(stage).projections['troupe.retired']).toBe('4');
    expect((await stage.clock.until(ref.snapshot()))?.state.context.items).toEqual(['young']);
  });

  test('leaves actors alone that are not over', async () => {
    const stage = new Stage();
    const { system } = await open(stage);
    const ref = system.actor(job, jobId);
    await stage.clock.until(ref.tell({ type: 'ADD', item: 'open' }));
    await fill(stage, system, 30);

    await until(stage, () => Number(first(stage).projections['troupe.retired'] ?? 0) > 1);

    expect((await stage.clock.until(ref.snapshot()))?.state.context.items).toEqual(['open']);
  });

  test('verifies with the same reduction', async () => {
    const stage = new Stage();
    const { system, objects, ref } = await finished(stage);
    await until(stage, () => snapshotBytes(stage) > 500);
    await until(stage, () => snapshotBytes(stage) < 300);
    expect(await differences(stage, objects)).toEqual([]);

    // What comes after grows out of the reduced state.
    for (let n = 0; n < 60; n++) await stage.clock.until(ref.tell({ type: 'TOUCH' }));
    expect(first(stage).actors.get(addressOf('job', jobId))?.snapshotVersion).toBeGreaterThan(50);

    expect(await differences(stage, objects)).toEqual([]);
    await stage.clock.until(system.stop());
  });

  test('a changed machine keeps what was retired', async () => {
    const stage = new Stage();
    const { system, objects } = await finished(stage);
    await until(stage, () => snapshotBytes(stage) > 500);
    await until(stage, () => snapshotBytes(stage) < 300);
    await stage.clock.until(system.stop());

    const changed = { ...job, machine: job.machine.provide({ actions: { unused: () => {} } }) } as typeof job;
    const journal = await archived(stage, objects);
    const again = await stage.open({ ...options, actors: [notebook, changed], journal });

    const state = await really(stage, again.system.actor(changed, jobId).snapshot());
    expect(state?.state.context).toEqual({ items: [], outcome: 'well', touches: 0 });
  });
});
