/** Tells to the same shard: one turn and one commit, up to a budget, in order whichever way they go. */

import { expect, test } from 'vitest';
import { type Instruction, idOn, note, notebook, notebookOn } from './notebook.ts';
import { notesOf, Stage } from './stage.ts';

const id = idOn(1, 1);

test('tells between near actors take one commit', async () => {
  const stage = new Stage();
  const { system, journal } = await stage.open();
  const back: Instruction = { kind: 'note', to: notebookOn(1, 1), key: 'c' };

  await system.actor(notebook, id).tell(note('a', { kind: 'note', to: notebookOn(1, 2), key: 'b', orders: [back] }));

  expect(journal.commits).toHaveLength(1);
  expect(journal.commits[0]?.entries.map(({ actor, version }) => [actor, version])).toEqual([
    [notebookOn(1, 1), 1],
    [notebookOn(1, 2), 1],
    [notebookOn(1, 1), 2],
  ]);
});

test('near actors are rehydrated within the turn', async () => {
  const stage = new Stage();
  const first = await stage.open();
  await first.system.actor(notebook, idOn(1, 2)).tell(note('old'));
  await first.system.stop();
  const { system, journal } = await stage.open();

  await system.actor(notebook, id).tell(note('a', { kind: 'note', to: notebookOn(1, 2), key: 'b' }));

  expect(journal.commits).toHaveLength(1);
  expect(await notesOf(system, idOn(1, 2))).toEqual(['old', 'b']);
});

test('tells beyond the budget leave with the commit', async () => {
  const stage = new Stage();
  const { system, journal } = await stage.open({ limits: { turnTellsMax: 3 } });
  const keys = Array.from({ length: 10 }, (_, n) => `${n}`);

  const orders = keys.map((key): Instruction => ({ kind: 'note', to: notebookOn(1, 2), key }));
  await system.actor(notebook, id).tell(note('a', ...orders));
  await stage.clock.advance(1_000);

  expect(journal.commits[0]?.entries).toHaveLength(4);
  expect(journal.commits[0]?.outbox).toHaveLength(7);
  expect(await notesOf(system, idOn(1, 2))).toEqual(keys);
});

test('a tell never overtakes one beyond the budget', async () => {
  const stage = new Stage();
  const { system, journal } = await stage.open({ limits: { turnTellsMax: 1 } });
  const orders = (...keys: readonly string[]): readonly Instruction[] =>
    keys.map((key) => ({ kind: 'note', to: notebookOn(1, 2), key }));
  const open = journal.hold();

  void system.actor(notebook, id).tell(note('a', ...orders('1', '2', '3')));
  await stage.clock.settle();
  void system.actor(notebook, id).tell(note('b', ...orders('4', '5')));
  await stage.clock.settle();
  open();
  await stage.clock.advance(1_000);

  expect(await notesOf(system, idOn(1, 2))).toEqual(['1', '2', '3', '4', '5']);
});

test('actors that tell each other for ever leave room', async () => {
  const stage = new Stage();
  const { system } = await stage.open({ limits: { turnTellsMax: 5 } });
  let orders: readonly Instruction[] = [];
  for (let n = 0; n < 100; n++) orders = [{ kind: 'note', to: notebookOn(1, (n % 2) + 1), key: `${n}`, orders }];

  void system.actor(notebook, id).tell(note('a', ...orders));
  await system.actor(notebook, idOn(1, 3)).tell(note('between'));
  const meanwhile = (await notesOf(system, idOn(1, 1))).length;
  await stage.clock.advance(1_000);

  expect(meanwhile).toBeLessThan(51);
  expect((await notesOf(system, idOn(1, 1))).length + (await notesOf(system, idOn(1, 2))).length).toBe(101);
});

test('commits of several shards are handed over together', async () => {
  const stage = new Stage();
  const { system, journal } = await stage.open();
  const rounds: number[] = [];
  let round = 0;
  journal.onCommit = () => {
    rounds.push(round);
    return undefined;
  };

  const told = [0, 1, 2, 3].map((shard) => system.actor(notebook, idOn(shard, 1)).tell(note('a')));
  stage.clock.soon(() => {
    round++;
  });
  await Promise.all(told);

  expect(rounds).toEqual([0, 0, 0, 0]);
});
