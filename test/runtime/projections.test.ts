/** Projections: rows are part of the commit, so that a crash neither loses nor repeats one, and are rebuilt when changed. */

import { describe, expect, test } from 'vitest';
import { defineProjection, type Projection, rule } from '../../src/projection/projection.ts';
import { idOn, note, notebook } from './notebook.ts';
import { type Opened, Stage } from './stage.ts';

/** Counts what each notebook noted; `version` stands for a change of what it writes. */
function counting(version: string): Projection {
  return defineProjection({
    name: 'counts',
    version,
    views: ['counts'],
    rules: [
      rule(notebook, ({ id, state, at }) => [
        { view: 'counts', key: id, value: { by: version, notes: state.context.notes.length, at } },
        { view: 'counts', key: `first ${id}`, value: state.context.notes.length === 1 ? 'new' : undefined },
      ]),
    ],
  });
}

const ids = [idOn(1, 1), idOn(1, 2), idOn(2, 1)];

async function rowsOf({ system }: Opened): Promise<unknown> {
  const rows = await Promise.all(ids.map(async (id) => (await system.rows<{ notes: number }>('counts', id, [id]))[0]));
  return rows.map((row) => row?.notes);
}

test('rows show each accepted event', async () => {
  const stage = new Stage();
  const opened = await stage.open({ projections: [counting('1')] });
  for (const id of [ids[0]!, ids[0]!, ids[2]!]) await opened.system.actor(notebook, id).tell(note('a'));

  expect(await rowsOf(opened)).toEqual([2, undefined, 1]);
  const all = await opened.system.rangeOfAll('counts', { prefix: 'first', limit: 10 });
  expect(all.map(({ key }) => key)).toEqual([`first ${ids[2]}`]);
});

test('rows of a question are not written', async () => {
  const stage = new Stage();
  const opened = await stage.open({ projections: [counting('1')] });

  await opened.system.actor(notebook, ids[0]!).ask({ type: 'ASK' });

  expect(await rowsOf(opened)).toEqual([undefined, undefined, undefined]);
});

describe.each([
  'crash before',
  'crash after',
  'unknown, applied',
  'unknown, dropped',
  'unknown, late',
  'refused',
] as const)('when a commit ends in %s', (fault) => {
  test('its rows are there exactly with its event', async () => {
    const stage = new Stage();
    const first = await stage.open({ projections: [counting('1')] });
    await first.system.actor(notebook, ids[0]!).tell(note('a'));
    first.journal.onCommit = (_, nth) => (nth === 2 ? fault : undefined);
    void first.system
      .actor(notebook, ids[0]!)
      .tell(note('b'))
      .catch(() => undefined);
    await stage.clock.advance(1_000);
    first.journal.crash();

    const opened = await stage.open({ projections: [counting('1')] });
    const state = await opened.system.actor(notebook, ids[0]!).snapshot();

    expect(await rowsOf(opened)).toEqual([state?.state.context.notes.length, undefined, undefined]);
    expect(opened.journal.calls.get('readEntries')).toBeUndefined();
  });
});

test('a changed projection is rebuilt before anything else', async () => {
  const stage = new Stage();
  const first = await stage.open({ projections: [counting('1')] });
  for (const id of ids) await first.system.actor(notebook, id).tell(note('a'));
  const before = await first.system.rows<{ at: number }>('counts', ids[0]!, [ids[0]!]);
  await first.system.stop();
  await stage.clock.advance(1_000);

  const opened = await stage.open({ projections: [counting('2')] });

  expect(await rowsOf(opened)).toEqual([1, 1, 1]);
  expect(await opened.system.rows('counts', ids[0]!, [ids[0]!])).toEqual([{ ...before[0], by: '2' }]);
  await opened.system.actor(notebook, ids[0]!).tell(note('b'));
  expect(await rowsOf(opened)).toEqual([2, 1, 1]);
});

test('a new projection is built from the journal', async () => {
  const stage = new Stage();
  const first = await stage.open();
  for (const id of ids) await first.system.actor(notebook, id).tell(note('a'));
  await first.system.stop();

  const opened = await stage.open({ projections: [counting('1')] });

  expect(await rowsOf(opened)).toEqual([1, 1, 1]);
});

test('an interrupted rebuild begins again', async () => {
  const stage = new Stage();
  const first = await stage.open({ projections: [counting('1')] });
  for (const id of ids) await first.system.actor(notebook, id).tell(note('a'));
  await first.system.stop();
  // A rebuild of one shard is two commits here; the process dies after the first, which emptied the view.
  const dying = stage.start({
    projections: [counting('2')],
    prepare: (journal) => {
      journal.onCommit = (_, nth) => (nth === 2 ? 'crash after' : undefined);
    },
  });
  await stage.clock.advance(1_000);
  await dying;

  const opened = await stage.open({ projections: [counting('2')] });

  expect(await rowsOf(opened)).toEqual([1, 1, 1]);
});

test('an unchanged projection is not rebuilt', async () => {
  const stage = new Stage();
  const first = await stage.open({ projections: [counting('1')] });
  await first.system.actor(notebook, ids[0]!).tell(note('a'));
  await first.system.stop();

  const { journal } = await stage.open({ projections: [counting('1')] });

  expect(journal.calls.get('readEntries')).toBeUndefined();
  expect(journal.commits).toEqual([]);
});
