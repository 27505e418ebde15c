/** Durable timers: absolute, fired exactly once whatever happens in between, and dropped when they were overtaken. */

import { describe, expect, test } from 'vitest';
import { addressOf } from '../../src/actor/address.ts';
import type { ActorSystem } from '../../src/actor-system.ts';
import type { TimerRecord } from '../../src/journal/journal.ts';
import { Timers } from '../../src/shard/timers.ts';
import { alarm } from './alarm.ts';
import type { FaultyJournal } from './faulty-journal.ts';
import { idOn, note, notebook, notebookOn } from './notebook.ts';
import { SimulatedClock } from './simulated-clock.ts';
import { type Opened, type OpenOptions, Stage, watch } from './stage.ts';
import { Tap } from './tap.ts';

const id = idOn(1, 1);

function open(stage: Stage, options: OpenOptions = {}): Promise<Opened> {
  return stage.open({ actors: [alarm, notebook], ...options });
}

async function rangOf(system: ActorSystem): Promise<readonly string[]> {
  return (await system.actor(alarm, id).snapshot())?.state.context.rang ?? [];
}

async function stateOf(system: ActorSystem): Promise<unknown> {
  return (await system.actor(alarm, id).snapshot())?.state.value;
}

test('a state times out when it is due', async () => {
  const stage = new Stage();
  const { system } = await open(stage);
  await system.actor(alarm, id).tell({ type: 'WAIT', ms: 1_000 });

  await stage.clock.advance(999);
  const before = await stateOf(system);
  await stage.clock.advance(1);

  expect(before).toBe('waiting');
  expect(await stateOf(system)).toBe('late');
});

test('leaving a state cancels its timeout', async () => {
  const stage = new Stage();
  const { system } = await open(stage);
  await system.actor(alarm, id).tell({ type: 'WAIT', ms: 1_000 });
  await system.actor(alarm, id).tell({ type: 'ANSWER' });

  await stage.clock.advance(10_000);

  expect(await stateOf(system)).toBe('answered');
  expect(stage.store.shards[1]?.timers.size).toBe(0);
});

test('a delayed raise is cancelled by its name', async () => {
  const stage = new Stage();
  const { system } = await open(stage);
  await system.actor(alarm, id).tell({ type: 'ARM', key: 'a', ms: 1_000 });
  await system.actor(alarm, id).tell({ type: 'LATER', key: 'b', ms: 1_000 });
  await system.actor(alarm, id).tell({ type: 'DISARM' });

  await stage.clock.advance(10_000);

  expect(await rangOf(system)).toEqual(['b']);
});

test('a timer armed again is postponed', async () => {
  const stage = new Stage();
  const { system } = await open(stage);
  await system.actor(alarm, id).tell({ type: 'ARM', key: 'a', ms: 1_000 });
  await stage.clock.advance(500);
  await system.actor(alarm, id).tell({ type: 'ARM', key: 'a', ms: 1_000 });

  await stage.clock.advance(999);
  const before = await rangOf(system);
  await stage.clock.advance(10_000);

  expect(before).toEqual([]);
  expect(await rangOf(system)).toEqual(['a']);
});

test('a timer armed again survives a restart alone', async () => {
  const stage = new Stage();
  const { system, journal } = await open(stage);
  await system.actor(alarm, id).tell({ type: 'ARM', key: 'a', ms: 20_000 });
  await system.actor(alarm, id).tell({ type: 'ARM', key: 'a', ms: 30_000 });
  journal.crash();

  const again = await open(stage);
  await stage.clock.advance(60_000);

  expect(await rangOf(again.system)).toEqual(['a']);
});

test('delayed raises without a name all happen', async () => {
  const stage = new Stage();
  const { system } = await open(stage);
  for (const [key, ms] of [
    ['a', 3_000],
    ['b', 1_000],
    ['c', 2_000],
  ] as const) {
    await system.actor(alarm, id).tell({ type: 'LATER', key, ms });
  }

  await stage.clock.advance(10_000);

  expect(await rangOf(system)).toEqual(['b', 'c', 'a']);
});

/** Two commits are under way and held: what arrives waits in the mailbox. */
async function congest(stage: Stage, { system, journal }: Opened): Promise<() => void> {
  const release = journal.hold();
  for (const key of ['x', 'y']) {
    void system.actor(notebook, idOn(1, 9)).tell(note(key));
    await stage.clock.settle();
  }
  return release;
}

describe.each([
  ['the same turn', 256],
  ['a later turn', 1],
])('a firing that is handled in %s', (_, turnEnvelopesMax) => {
  test('is dropped when it was cancelled', async () => {
    const stage = new Stage();
    const opened = await open(stage, { limits: { turnEnvelopesMax } });
    await opened.system.actor(alarm, id).tell({ type: 'ARM', key: 'a', ms: 1_000 });
    const release = await congest(stage, opened);

    const cancelled = watch(opened.system.actor(alarm, id).tell({ type: 'DISARM' }));
    await stage.clock.advance(1_100);
    release();
    await stage.clock.advance(10_000);

    expect(cancelled().kind).toBe('resolved');
    expect(await rangOf(opened.system)).toEqual([]);
  });

  test('is dropped when it was armed again', async () => {
    const stage = new Stage();
    const opened = await open(stage, { limits: { turnEnvelopesMax } });
    await opened.system.actor(alarm, id).tell({ type: 'ARM', key: 'a', ms: 1_000 });
    const release = await congest(stage, opened);

    void opened.system.actor(alarm, id).tell({ type: 'ARM', key: 'a', ms: 5_000 });
    await stage.clock.advance(1_100);
    release();
    await stage.clock.advance(2_000);
    const before = await rangOf(opened.system);
    await stage.clock.advance(10_000);

    expect(before).toEqual([]);
    expect(await rangOf(opened.system)).toEqual(['a']);
  });
});

test('restarts do not postpone a timer', async () => {
  const stage = new Stage();
  const first = await open(stage);
  await first.system.actor(alarm, id).tell({ type: 'ARM', key: 'a', ms: 20_000 });
  const due = stage.clock.monotonic() + 20_000;
  first.journal.crash();
  const second = await open(stage);
  second.journal.crash();

  const { system } = await open(stage);
  await stage.clock.advance(due - 1 - stage.clock.monotonic());
  const before = await rangOf(system);
  await stage.clock.advance(1);

  expect(before).toEqual([]);
  expect(await rangOf(system)).toEqual(['a']);
});

test('a timer that fell due meanwhile fires at once', async () => {
  const stage = new Stage();
  const first = await open(stage);
  await first.system.actor(alarm, id).tell({ type: 'ARM', key: 'a', ms: 1_000 });
  first.journal.crash();
  await stage.clock.advance(60_000);

  const { system } = await open(stage);
  await stage.clock.advance(1);

  expect(await rangOf(system)).toEqual(['a']);
});

test('a timer of a discarded turn never fires', async () => {
  const stage = new Stage();
  const { system, journal } = await open(stage);
  await system.actor(alarm, id).tell({ type: 'ANSWER' });
  journal.onCommit = () => 'crash before';
  const armed = watch(system.actor(alarm, id).tell({ type: 'ARM', key: 'a', ms: 10 }));
  await stage.clock.advance(1_000);

  const again = await open(stage);
  await stage.clock.advance(10_000);

  expect(armed().kind).toBe('rejected');
  expect(await rangOf(again.system)).toEqual([]);
});

test('a speculative timer fires once its turn ran again', async () => {
  const stage = new Stage();
  const { system, journal } = await open(stage);
  const release = journal.hold();
  journal.onCommit = (_, nth) => (nth <= 2 ? 'unknown, dropped' : undefined);

  void system.actor(alarm, id).tell({ type: 'ARM', key: 'a', ms: 10 });
  await stage.clock.advance(20);
  release();
  await stage.clock.advance(10_000);

  expect(await rangOf(system)).toEqual(['a']);
});

describe.each(['crash before', 'crash after', 'unknown, applied', 'unknown, dropped', 'refused'] as const)(
  'when the commit of a firing ends in %s',
  (fault) => {
    test('the timer fires exactly once', async () => {
      const stage = new Stage();
      const first = await open(stage);
      await first.system.actor(alarm, id).tell({ type: 'ARM', key: 'a', ms: 1_000 });
      first.journal.onCommit = (_, nth) => (nth === 2 ? fault : undefined);
      await stage.clock.advance(2_000);
      first.journal.crash();

      const { system } = await open(stage);
      await stage.clock.advance(60_000);

      expect(await rangOf(system)).toEqual(['a']);
      expect(stage.store.shards[1]?.timers.size).toBe(0);
    });
  },
);

test('answers that were waiting beat a due timer', async () => {
  const stage = new Stage();
  const tap = new Tap();
  const first = await open(stage, { transport: tap.wrap });
  await first.system.actor(alarm, id).tell({ type: 'WAIT', ms: 1_000 });
  tap.isOpen = false;
  // Two hops away: the answer is only on its way once another shard has taken what was waiting.
  const answer = { kind: 'event', to: addressOf('alarm', id), event: { type: 'ANSWER' } } as const;
  const question = { kind: 'note', to: notebookOn(3, 1), key: 'asked', orders: [answer] } as const;
  await first.system.actor(notebook, idOn(2, 1)).tell(note('asks', question));
  first.journal.crash();
  await stage.clock.advance(60_000);

  const slow = (journal: FaultyJournal): void => {
    journal.delayMs = 20;
  };
  const { system, journal } = await open(stage, { prepare: slow });
  await stage.clock.advance(10_000);
  journal.delayMs = 0;

  expect(await stateOf(system)).toBe('answered');
});

test('a wall clock set back fires no timer early', async () => {
  const stage = new Stage();
  const { system } = await open(stage);
  await system.actor(alarm, id).tell({ type: 'ARM', key: 'a', ms: 10_000 });

  stage.clock.adjustWall(-5_000);
  await stage.clock.advance(14_999);
  const before = await rangOf(system);
  await stage.clock.advance(2);

  expect(before).toEqual([]);
  expect(await rangOf(system)).toEqual(['a']);
});

test('a flood of due timers fires completely', async () => {
  const stage = new Stage();
  const { system } = await open(stage);
  const keys = Array.from({ length: 2_500 }, (_, n) => `${n}`);
  await Promise.all(keys.map((key) => system.actor(alarm, id).tell({ type: 'LATER', key, ms: 1_000 })));

  await stage.clock.advance(2_000);

  expect([...(await rangOf(system))].sort()).toEqual([...keys].sort());
});

test('the heap follows live timers, not history', () => {
  const clock = new SimulatedClock();
  const timers = new Timers(clock, () => undefined);
  timers.start();

  for (let n = 0; n < 20_000; n++) {
    const record: TimerRecord = {
      actor: addressOf('alarm', id),
      id: `${n % 10}`,
      dueAt: clock.now() + 1_000_000 - n,
      generation: n,
      payload: new Uint8Array(),
    };
    timers.set(record);
    if (n % 3 === 0) timers.clear(record);
  }

  expect(timers.size).toBeLessThan(11);
  expect(timers.heapSize).toBeLessThan(100);
  expect(clock.waiting).toBeLessThan(2);
});
