/**
 * A process that dies between any two steps of a compaction loses nothing, and its successor goes on. And a store that is
 * archived and trimmed all the time, over crashes, is the same to everybody as a twin that never was.
 */

import { describe, expect, test } from 'vitest';
import type { ActorSystem } from '../../src/actor-system.ts';
import type { Archive } from '../../src/archive/archive.ts';
import { ArchivedJournal } from '../../src/archive/archived-journal.ts';
import { MemoryObjects } from '../../src/archive/memory.ts';
import { ObjectArchive } from '../../src/archive/object-archive.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { verifyJournal } from '../../src/journal/verify.ts';
import type { FaultyJournal } from './faulty-journal.ts';
import { randomFrom } from './faulty-transport.ts';
import { archived, job, smallPieces, until, works } from './job.ts';
import { idOn, note, notebook } from './notebook.ts';
import { Stage } from './stage.ts';

const definitions = [notebook, job];
const options = { actors: definitions, projections: [works], limits: smallPieces };

/** Where the process dies: before or after the archive was written, read back, or the journal trimmed. */
type Step = 'snapshots' | 'before append' | 'after append' | 'after reading back' | 'before trim' | 'after trim';

const steps: readonly Step[] = [
  'snapshots',
  'before append',
  'after append',
  'after reading back',
  'before trim',
  'after trim',
];

/** A journal whose process dies at a step of its first compaction. */
async function dying(
  stage: Stage,
  objects: MemoryObjects,
  step: Step,
): Promise<{ journal: Journal; faulty: FaultyJournal }> {
  const faulty = stage.journal();
  const inner = await ObjectArchive.open(objects, stage.store.id);
  const die = (): never => {
    faulty.crash();
    throw new Error('The process is dead.');
  };
  const archive: Archive = {
    description: inner.description,
    store: inner.store,
    append: async (shard, entries) => {
      if (step === 'before append') die();
      const segment = await inner.append(shard, entries);
      return step === 'after append' ? die() : segment;
    },
    segments: (shard) => inner.segments(shard),
    readSegment: async (segment) => {
      const entries = await inner.readSegment(segment);
      return step === 'after reading back' ? die() : entries;
    },
    sizeOf: (segment) => inner.sizeOf(segment),
    close: () => inner.close(),
  };
  const journal = new ArchivedJournal(faulty, archive);
  const trim: NonNullable<Journal['trim']> = async (lease, upto) => {
    if (step === 'before trim') die();
    const outcome = await faulty.trim(lease, upto);
    return step === 'after trim' ? die() : outcome;
  };
  if (step === 'snapshots') {
    faulty.onCommit = ({ entries, snapshots }) =>
      entries.length === 0 && snapshots.length > 0 ? 'crash before' : undefined;
  }
  return { journal: Object.assign(journal, { trim }), faulty };
}

async function tell(stage: Stage, system: ActorSystem, shard: number, n: number, key: string): Promise<void> {
  await stage.clock.until(system.actor(notebook, idOn(shard, n)).tell(note(key)));
}

async function differences(stage: Stage, objects: MemoryObjects): Promise<readonly unknown[]> {
  const journal = await archived(stage, objects);
  return (await verifyJournal({ journal, definitions, projections: [works] })).differences;
}

describe('a crash during a compaction', () => {
  test.each(steps)('at %s loses nothing', async (step) => {
    const stage = new Stage({ shards: 1 });
    const objects = new MemoryObjects();
    const { journal, faulty } = await dying(stage, objects, step);
    const first = await stage.open({ ...options, journal });
    for (let n = 0; n < 33; n++) await tell(stage, first.system, 0, n % 11, `${n}`);
    await until(stage, () => faulty.isDead);

    const { system } = await stage.open({ ...options, journal: await archived(stage, objects) });
    await until(stage, () => stage.store.shards[0]!.trimmed === 30);

    for (let n = 0; n < 11; n++) {
      const history = await system.actor(notebook, idOn(0, n)).history();
      expect(history.map(({ event }) => 'key' in event && event.key)).toEqual([`${n}`, `${n + 11}`, `${n + 22}`]);
    }
    expect(await differences(stage, objects)).toEqual([]);
  });

  test('a stale owner trims nothing', async () => {
    const stage = new Stage({ shards: 1 });
    const objects = new MemoryObjects();
    const slow = await archived(stage, objects);
    const trims: (() => Promise<unknown>)[] = [];
    const held = Object.assign(slow, {
      trim: (...args: Parameters<NonNullable<Journal['trim']>>) =>
        new Promise((resolve) => {
          const owner = stage.journal();
          trims.push(async () => resolve(await owner.trim(...args)));
        }),
    });
    const first = await stage.open({ ...options, journal: held });
    for (let n = 0; n < 33; n++) await tell(stage, first.system, 0, 1, `${n}`);
    await until(stage, () => trims.length > 0);

    const next = stage.journal();
    await next.acquire(0, { node: 'other', nonce: 'other' }, 60_000).catch(() => undefined);
    stage.store.shards[0]!.holder = { epoch: { number: 99, nonce: 'other' }, node: 'other', expiresAt: 1e12 };
    await trims[0]!();
    await stage.clock.advance(1_000);

    expect(stage.store.shards[0]!.trimmed).toBe(0);
    expect(stage.store.shards[0]!.entries).toHaveLength(33);
  });

  test('a history that was set back is not trimmed', async () => {
    const stage = new Stage({ shards: 1 });
    const objects = new MemoryObjects();
    const { system } = await stage.open(options);
    for (let n = 0; n < 33; n++) await tell(stage, system, 0, 1, `${n}`);
    await stage.clock.until(system.stop());
    const archive = await ObjectArchive.open(objects, stage.store.id);
    const [one, ...rest] = stage.store.shards[0]!.entries.slice(0, 10);
    await archive.append(0, [{ ...one!, type: 'LOST' }, ...rest]);

    const { complaints } = await stage.open({ ...options, journal: await archived(stage, objects) });
    await until(stage, () => complaints.length > 0);
    await stage.clock.advance(60_000);

    expect(stage.store.shards[0]!.trimmed).toBe(0);
    expect(complaints[0]).toContain('Entry 1 of shard 0 is not the same in the archive');
  });
});

test('a second archive of a store is refused', async () => {
  const stage = new Stage({ shards: 1 });
  const { system } = await stage.open({ ...options, journal: await archived(stage, new MemoryObjects()) });
  for (let n = 0; n < 33; n++) await tell(stage, system, 0, 1, `${n}`);
  await until(stage, () => stage.store.shards[0]!.trimmed === 30);
  await stage.clock.until(system.stop());

  const other = new MemoryObjects();
  const next = await stage.open({ ...options, journal: await archived(stage, other) });
  for (let n = 0; n < 33; n++) await tell(stage, next.system, 0, 1, `${n}`);
  await until(stage, () => next.complaints.length > 0);
  await stage.clock.advance(60_000);

  expect(next.complaints[0]).toContain('Every node of a store uses the same archive');
  expect(await other.list('')).toEqual([]);
  expect(stage.store.shards[0]!.trimmed).toBe(30);
});

interface World {
  readonly stage: Stage;
  system: ActorSystem;
}

const shards = 3;
const actors = 5;

/** What everybody can see of a world. */
async function sight({ stage, system }: World): Promise<unknown> {
  const seen: unknown[] = [];
  for (let shard = 0; shard < shards; shard++) {
    for (let n = 0; n < actors; n++) {
      for (const ref of [system.actor(notebook, idOn(shard, n)), system.actor(job, idOn(shard, n))]) {
        const state = await stage.clock.until(
          ref.snapshot() as Promise<{ version: number; state: { context: object } } | undefined>,
        );
        const history = await ref.history();
        // What a retired job gathered is gone on purpose.
        const context = { ...state?.state.context, items: undefined };
        seen.push([
          ref.address,
          state?.version,
          context,
          history.map(({ version, event, emitted }) => [version, event, emitted]),
        ]);
      }
    }
    const rows = await system.range<{ readonly at?: number }>('works', idOn(shard, 0), { limit: 100 });
    seen.push(rows.map(({ key, value }) => [key, { ...value, at: undefined }]));
  }
  return seen;
}

/** One thing that happens to both worlds in the same way. */
function happening(random: () => number): (world: World) => Promise<void> {
  const [shard, n, kind, far] = [0, 0, 0, 0].map((_, i) => Math.floor(random() * [shards, actors, 10, shards][i]!)) as [
    number,
    number,
    number,
    number,
  ];
  const key = random().toString(36).slice(2, 8);
  return async ({ stage, system }) => {
    const to = system.actor(notebook, idOn(far, n)).address;
    if (kind < 5)
      await stage.clock.until(system.actor(notebook, idOn(shard, n)).tell(note(key, { kind: 'note', to, key })));
    else if (kind < 8) await stage.clock.until(system.actor(job, idOn(shard, n)).tell({ type: 'ADD', item: key }));
    else if (kind === 8)
      await stage.clock.until(system.actor(job, idOn(shard, n)).tell({ type: 'FINISH', outcome: key }));
    else await stage.clock.until(system.actor(job, idOn(shard, n)).tell({ type: 'TOUCH' }));
    await stage.clock.settle();
  };
}

describe('a trimmed store and its twin', () => {
  const seeds = process.env.SEED === undefined ? [1, 2, 3, 4] : [Number(process.env.SEED)];

  test.each(seeds)('are the same to everybody, seed %i', async (seed) => {
    const random = randomFrom(seed);
    const objects = new MemoryObjects();
    const [one, twin] = [new Stage({ shards, seed }), new Stage({ shards, seed })];
    const openOne = async () => (await one.open({ ...options, journal: await archived(one, objects) })).system;
    const worlds: World[] = [
      { stage: one, system: await openOne() },
      { stage: twin, system: (await twin.open(options)).system },
    ];

    for (let n = 0; n < 220; n++) {
      const happens = happening(random);
      for (const world of worlds) await happens(world);
      if (random() < 0.2) for (const { stage } of worlds) await stage.clock.advance(1_500);
      if (random() > 0.04) continue;
      // Wherever its compaction stands.
      const [first] = worlds as [World, World];
      await one.clock.until(first.system.stop());
      first.system = await openOne();
    }
    await until(one, () => one.store.shards.every(({ trimmed, entries }) => trimmed > 20 && entries.length < 20));

    expect(await sight(worlds[0]!)).toEqual(await sight(worlds[1]!));
    expect(await differences(one, objects)).toEqual([]);
  });
});
