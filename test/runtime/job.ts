/**
 * An actor that ends and is asked for its outcome afterwards, as a saga is: what it gathered on the way is of no use then,
 * and its definition says so. And what tests of compaction need beside it: an archive on a stage, small pieces.
 */

import { assign, emit, setup } from 'xstate';
import { defineActor } from '../../src/actor/definition.ts';
import { reply } from '../../src/actor/effect.ts';
import { ArchivedJournal } from '../../src/archive/archived-journal.ts';
import type { MemoryObjects } from '../../src/archive/memory.ts';
import { ObjectArchive } from '../../src/archive/object-archive.ts';
import type { Journal } from '../../src/journal/journal.ts';
import type { Limits } from '../../src/limits.ts';
import { defineProjection, rule } from '../../src/projection/projection.ts';
import { notebook } from './notebook.ts';
import type { Stage } from './stage.ts';

type JobEvent =
  | { readonly type: 'ADD'; readonly item: string }
  | { readonly type: 'FINISH'; readonly outcome: string }
  | { readonly type: 'START' }
  | { readonly type: 'TOUCH' };

export const jobMachine = setup({
  types: {
    context: {} as { readonly items: readonly string[]; readonly outcome: string; readonly touches: number },
    events: {} as JobEvent,
    emitted: {} as { readonly type: 'asked'; readonly outcome: string },
    input: {} as { readonly id: string },
  },
}).createMachine({
  id: 'job',
  context: { items: [], outcome: '', touches: 0 },
  initial: 'open',
  states: {
    open: {
      on: {
        ADD: { actions: assign({ items: ({ context, event }) => [...context.items, event.item] }) },
        FINISH: { target: 'over', actions: assign({ outcome: ({ event }) => event.outcome }) },
      },
    },
    over: {
      on: {
        START: { actions: emit(({ context }) => ({ type: 'asked', outcome: context.outcome })) },
        TOUCH: { actions: assign({ touches: ({ context }) => context.touches + 1 }) },
      },
    },
  },
});

export const job = defineActor({
  type: 'job',
  machine: jobMachine,
  snapshots: { everyEvents: 50 },
  effects: { asked: ({ outcome }) => reply(outcome) },
  retire: {
    afterMs: 10_000,
    when: (state) => state.matches('over'),
    reduce: (snapshot) => ({ ...snapshot, context: { ...snapshot.context, items: [] } }),
  },
});

/** A view whose rows show what a rebuild must give again. */
export const works = defineProjection({
  name: 'works',
  version: '1',
  views: ['works'],
  rules: [
    rule(notebook, ({ self, version, state, at }) => [
      { view: 'works', key: self, value: { version, notes: state.context.notes.length, at } },
    ]),
    rule(job, ({ self, version, state }) => [
      { view: 'works', key: self, value: { version, outcome: state.context.outcome, touches: state.context.touches } },
    ]),
  ],
});

/** Compacts early and in small pieces. */
export const smallPieces: Partial<Limits> = {
  journalEntriesMin: 3,
  archiveAfterMs: 2_000,
  segmentEntriesMin: 4,
  segmentEntriesMax: 10,
};

/** A journal on the stage's store, together with an archive in `objects`. */
export async function archived(stage: Stage, objects: MemoryObjects, inner?: Journal): Promise<Journal> {
  return new ArchivedJournal(inner ?? stage.journal(), await ObjectArchive.open(objects, stage.store.id));
}

/** Lets time pass on the stage until `probe` holds; what the archive does takes real time. At most 20 s of that. */
export async function until(stage: Stage, probe: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 20_000;
  while (!(await probe())) {
    if (performance.now() > end) throw new Error('It did not happen within 20 s.');
    await stage.clock.advance(500);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Lets time pass on the stage until the promise settles, as `until` does. */
export async function really<T>(stage: Stage, promise: Promise<T>): Promise<T> {
  let isSettled = false;
  const done = (): void => {
    isSettled = true;
  };
  promise.then(done, done);
  await until(stage, () => isSettled);
  return promise;
}
