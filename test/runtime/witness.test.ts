/** What a witness is shown: each step, after its commit, in order; and nothing while nobody watches. */

import { expect, test } from 'vitest';
import type { Address } from '../../src/actor/address.ts';
import type { Inspected, Witness, WitnessedStep } from '../../src/witness.ts';
import { idOn, note, notebook, notebookOn } from './notebook.ts';
import { Stage, watch } from './stage.ts';

class Eye implements Witness {
  isWatched = true;
  readonly steps: WitnessedStep[] = [];
  readonly asked: Address[] = [];
  system: Inspected | undefined;
  isOver = false;

  get seen(): readonly string[] {
    return this.steps.map(({ actor, event, end, version }) => `${actor.slice(9, 17)} ${event.type} ${end} ${version}`);
  }

  wants(actor: Address): boolean {
    this.asked.push(actor);
    return true;
  }

  stepped(step: WitnessedStep): void {
    this.steps.push(step);
  }

  opened(system: Inspected): void {
    this.system = system;
  }

  closed(): void {
    this.isOver = true;
  }
}

test('a step is shown when its commit is durable', async () => {
  const stage = new Stage();
  const witness = new Eye();
  const { system, journal } = await stage.open({ witness });
  const open = journal.hold();

  void system.actor(notebook, idOn(1, 1)).tell(note('a'), { operation: 'op' });
  await stage.clock.settle();

  expect(journal.commits).toHaveLength(1);
  expect(witness.steps).toEqual([]);
  open();
  await stage.clock.settle();
  expect(witness.steps).toMatchObject([
    { actor: notebookOn(1, 1), shard: 1, end: 'accepted', version: 1, operation: 'op', emitted: ['noted'] },
  ]);
  expect(witness.steps[0]?.state.context.notes).toEqual(['a']);
});

test('an event that changes nothing waits for the state it met', async () => {
  const stage = new Stage();
  const witness = new Eye();
  const { system, journal } = await stage.open({ witness });
  const open = journal.hold();
  const actor = system.actor(notebook, idOn(1, 1));

  void actor.tell(note('a'));
  await stage.clock.settle();
  void actor.tell({ type: 'IGNORED' });
  void actor.ask({ type: 'ASK' });
  watch(actor.tell({ type: 'BREAK' }));
  await stage.clock.settle();

  expect(witness.seen).toEqual([]);
  open();
  await stage.clock.settle();
  expect(witness.seen).toEqual([
    '00000001 NOTE accepted 1',
    '00000001 IGNORED refused 1',
    '00000001 ASK answered 1',
    '00000001 BREAK failed 1',
  ]);
  expect(witness.steps[3]).toMatchObject({ code: 'MACHINE_FAILED', state: { context: { notes: ['a'] } } });
});

test.each(['refused', 'unknown, applied', 'unknown, dropped', 'repeated'] as const)(
  'a step is shown once although its commit was %s',
  async (fault) => {
    const stage = new Stage();
    const witness = new Eye();
    const { system, journal } = await stage.open({ witness });

    journal.onCommit = (_, n) => (n === 1 ? fault : undefined);
    const fate = watch(system.actor(notebook, idOn(1, 1)).tell(note('a')));
    await stage.clock.advance(10_000);

    expect(fate()).toMatchObject({ kind: 'resolved' });
    expect(witness.seen).toEqual(['00000001 NOTE accepted 1']);
    expect(journal.commits.length).toBeLessThan(4);
  },
);

test('near tells are shown behind what caused them, with their sender', async () => {
  const stage = new Stage();
  const witness = new Eye();
  const { system } = await stage.open({ witness });

  const order = { kind: 'note', to: notebookOn(1, 2), key: 'b' } as const;
  await stage.clock.until(system.actor(notebook, idOn(1, 1)).tell(note('a', order)));

  expect(witness.seen).toEqual(['00000001 NOTE accepted 1', '00000002 NOTE accepted 1']);
  expect(witness.steps.map(({ from }) => from)).toEqual([undefined, notebookOn(1, 1)]);
});

test('nothing is asked or shown while nobody watches', async () => {
  const stage = new Stage();
  const witness = new Eye();
  witness.isWatched = false;
  const { system } = await stage.open({ witness });

  await stage.clock.until(system.actor(notebook, idOn(1, 1)).tell(note('a')));
  await stage.clock.until(system.actor(notebook, idOn(1, 1)).tell({ type: 'IGNORED' }));

  expect([witness.asked, witness.steps]).toEqual([[], []]);
});

test('a witness sees where the shards stand, from opening to stopping', async () => {
  const stage = new Stage();
  const witness = new Eye();
  const { system } = await stage.open({ witness, node: 'a' });

  await stage.clock.until(system.actor(notebook, idOn(1, 1)).tell(note('a')));

  expect(witness.system?.node).toBe('a');
  expect(witness.system?.standings()[1]).toMatchObject({ shard: 1, owned: true, commits: 1, seq: 1, cells: 1 });
  expect(witness.system?.isResident(1, notebookOn(1, 1))).toBe(true);
  expect(witness.system?.isResident(2, notebookOn(2, 1))).toBe(false);
  await stage.clock.until(system.stop());
  expect(witness.isOver).toBe(true);
  expect(witness.system?.isResident(1, notebookOn(1, 1))).toBeUndefined();
});
