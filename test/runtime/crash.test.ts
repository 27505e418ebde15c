/** Invariant 3 over crashes: a process that dies before or after any commit loses nothing that it acknowledged. */

import { describe, expect, test } from 'vitest';
import type { ActorSystem } from '../../src/actor-system.ts';
import { defineProjection, rule } from '../../src/projection/projection.ts';
import type { CommitFault } from './faulty-journal.ts';
import { idOn, type Note, note, notebook, notebookOn } from './notebook.ts';
import { notesOf, Stage, watch } from './stage.ts';

const topic = `room:${idOn(3, 9)}`;

/** A conversation over three shards: there, back and on, with news at the end. */
function conversation(key: string): Note {
  return note(key, {
    kind: 'note',
    to: notebookOn(2, 1),
    key,
    orders: [
      {
        kind: 'note',
        to: notebookOn(3, 1),
        key,
        orders: [
          { kind: 'note', to: notebookOn(1, 2), key },
          { kind: 'publish', topic, data: key },
        ],
      },
    ],
  });
}

const counts = defineProjection({
  name: 'counts',
  version: '1',
  views: ['counts'],
  rules: [
    rule(notebook, ({ id, version, state }) => [
      { view: 'counts', key: id, value: [version, state.context.notes.length] },
    ]),
  ],
});

const everyone = [idOn(1, 1), idOn(2, 1), idOn(3, 1), idOn(1, 2)];

/** Tells until it is acknowledged or answered with an error; gives which keys were acknowledged. */
async function converse(stage: Stage, system: ActorSystem, keys: readonly string[]): Promise<readonly string[]> {
  const fates = keys.map((key) => ({ key, fate: watch(system.actor(notebook, idOn(1, 1)).tell(conversation(key))) }));
  await stage.clock.advance(500);
  return fates.filter(({ fate }) => fate().kind === 'resolved').map(({ key }) => key);
}

/** What everybody noted, what was published and what the view says; equal for equal histories. */
async function outcome(stage: Stage, system: ActorSystem): Promise<unknown> {
  await stage.clock.advance(60_000);
  return {
    notes: await Promise.all(everyone.map((id) => notesOf(system, id))),
    news: (await system.readTopic(topic, { offset: 0 })).publications.map(({ offset, data }) => [offset, data]),
    rows: await Promise.all(everyone.map(async (id) => (await system.rows('counts', id, [id]))[0])),
    differences: await stage.differences(),
  };
}

function expected(keys: readonly string[]): unknown {
  return {
    notes: everyone.map(() => keys),
    news: keys.map((key, index) => [index + 1, key]),
    rows: everyone.map(() => [keys.length, keys.length]),
    differences: [],
  };
}

const crashes: readonly CommitFault[] = ['crash before', 'crash after'];
/** More than the commits of one run; those beyond them never happen. */
const commitsMax = 20;

describe.each(crashes)('a %s a commit', (fault) => {
  test.each(Array.from({ length: commitsMax }, (_, index) => index + 1))('loses nothing at commit %i', async (nth) => {
    const stage = new Stage();
    const first = await stage.open({ projections: [counts] });
    first.journal.onCommit = (_, number) => (number === nth ? fault : undefined);
    const told = ['a', 'b', 'c'];
    const acknowledged: string[] = [];
    for (const key of told) acknowledged.push(...(await converse(stage, first.system, [key])));
    first.journal.crash();

    const { system } = await stage.open({ projections: [counts] });
    const noted = await notesOf(system, idOn(1, 1));
    const later = await converse(stage, system, ['d']);

    expect(noted.filter((key) => acknowledged.includes(key))).toEqual(acknowledged);
    expect(told.filter((key) => noted.includes(key))).toEqual(noted);
    expect(later).toEqual(['d']);
    expect(await outcome(stage, system)).toEqual(expected([...noted, 'd']));
  });

  test('loses nothing when it keeps happening', async () => {
    const stage = new Stage();
    const acknowledged: string[] = [];
    for (let life = 1; life <= 12; life++) {
      const { system, journal } = await stage.open({ projections: [counts] });
      journal.onCommit = (_, number) => (number === life ? fault : undefined);
      acknowledged.push(...(await converse(stage, system, [`${life}.1`, `${life}.2`])));
      journal.crash();
    }

    const { system } = await stage.open({ projections: [counts] });
    await stage.clock.advance(10_000);
    const noted = await notesOf(system, idOn(1, 1));

    expect(noted.filter((key) => acknowledged.includes(key))).toEqual(acknowledged);
    expect(new Set(noted).size).toBe(noted.length);
    expect(await outcome(stage, system)).toEqual(expected(noted));
  });
});
