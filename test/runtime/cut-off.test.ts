/** A node that does not reach the store: it keeps nobody waiting for what it cannot do, and loses no lease without need. */

import { expect, test, vi } from 'vitest';
import type { Membership } from '../../src/cluster/node.ts';
import { TroupeError } from '../../src/errors.ts';
import { silentObserver } from '../../src/observer.ts';
import { idOn, note, notebook } from './notebook.ts';
import { notesOf, type Opened, Stage, watch } from './stage.ts';

const worker: Membership = { role: 'all', weight: 1, about: 'a test' };
const leaseMs = 5_000;
/** Longer than anybody would wait. */
const limits = { leaseMs, askMs: 600_000 };
const shards = 8;
const everyShard = Array.from({ length: shards }, (_, shard) => shard);

async function two(stage: Stage): Promise<readonly [Opened, Opened]> {
  const a = await stage.open({ node: 'a', cluster: worker, limits });
  const b = await stage.open({ node: 'b', cluster: worker, limits });
  await stage.clock.advance(2_000);
  for (const shard of everyShard)
    await stage.clock.until(a.system.actor(notebook, idOn(shard, 1)).tell(note('before')));
  return [a, b];
}

const refuse = (): Error => new TroupeError('JOURNAL_UNAVAILABLE', 'unreachable', { sent: true });

/** No call of the node's journal gets to the store. Gives what heals it. */
function cutCalls({ journal }: Opened): () => void {
  journal.onCall = refuse;
  journal.onCommit = () => 'unknown, dropped';
  return () => {
    journal.onCall = () => undefined;
    journal.onCommit = () => undefined;
  };
}

/** No call of the node gets to the store, and nothing comes from there. Gives what heals it. */
function cut(node: Opened): () => void {
  const cluster = node.journal.cluster!;
  const healCalls = cutCalls(node);
  cluster.onCall = refuse;
  const reconnect = cluster.interrupt();
  return () => {
    healCalls();
    cluster.onCall = () => undefined;
    reconnect();
  };
}

const unavailable = { kind: 'rejected', code: 'JOURNAL_UNAVAILABLE' };

test('who waits at a cut-off node is told', async () => {
  const stage = new Stage({ shards });
  const [a] = await two(stage);

  cut(a);
  const fates = everyShard.flatMap((shard) => {
    const actor = a.system.actor(notebook, idOn(shard, 1));
    return [watch(actor.tell(note('lost'))), watch(actor.ask({ type: 'ASK' }))];
  });
  await stage.clock.advance(1.5 * leaseMs);

  expect(fates.map((fate) => fate())).toEqual(fates.map(() => unavailable));
  expect(a.complaints.join('\n')).toContain('has not reached the store');
});

test('who waits out a hiccup is not told', async () => {
  const stage = new Stage({ shards });
  const [a] = await two(stage);
  let failures = 3;
  a.journal.onCall = (call) =>
    call === 'acquire' && failures-- > 0 ? new TroupeError('JOURNAL_UNAVAILABLE', 'unreachable') : undefined;
  a.journal.onCommit = () => 'unknown, dropped';
  const owned = stage.store.shards.findIndex(({ holder }) => holder?.node === 'a');

  const told = watch(a.system.actor(notebook, idOn(owned, 1)).tell(note('kept')));
  await stage.clock.settle();
  a.journal.onCommit = () => undefined;
  await stage.clock.advance(1_000);

  expect(failures).toBeLessThan(1);
  expect(told().kind).toBe('resolved');
});

test('who waits while calls hang is told by then', async () => {
  const stage = new Stage({ shards });
  const [a] = await two(stage);
  const hangingMs = 1_000;

  cut(a);
  vi.spyOn(a.journal, 'acquire').mockImplementation(
    () =>
      new Promise((_, reject) => {
        stage.clock.after(hangingMs, () => reject(new Error('the connection hangs')));
      }),
  );
  await stage.clock.advance(0.6 * leaseMs);
  const fates = [watch(a.system.actor(notebook, idOn(0, 1)).tell(note('lost')))];
  await stage.clock.settle();
  fates.push(watch(a.system.actor(notebook, idOn(0, 1)).tell(note('lost, too'))));
  await stage.clock.advance(0.4 * leaseMs - 2 * hangingMs);
  const before = fates.map((fate) => fate().kind);
  await stage.clock.advance(3.1 * hangingMs);

  expect(before).toEqual(['pending', 'pending']);
  expect(fates.map((fate) => fate())).toEqual(fates.map(() => unavailable));
});

test('a cut-off node refuses at once', async () => {
  const stage = new Stage({ shards });
  const [a] = await two(stage);

  cut(a);
  await stage.clock.advance(1.5 * leaseMs);
  const fates = everyShard.flatMap((shard) => {
    const actor = a.system.actor(notebook, idOn(shard, 1));
    return [watch(actor.tell(note('lost'))), watch(actor.snapshot())];
  });
  await stage.clock.settle();

  expect(fates.map((fate) => fate())).toEqual(fates.map(() => unavailable));
  expect(a.system.ready()).toBe(false);
});

test('a node that is back takes part again', async () => {
  const stage = new Stage({ shards });
  const [a, b] = await two(stage);

  const heal = cut(a);
  await stage.clock.advance(2 * leaseMs);
  for (const shard of everyShard)
    await stage.clock.until(b.system.actor(notebook, idOn(shard, 1)).tell(note('meanwhile')));
  heal();
  await stage.clock.advance(leaseMs);

  expect(a.system.ready()).toBe(true);
  expect(new Set(stage.store.shards.map(({ holder }) => holder?.node))).toEqual(new Set(['a', 'b']));
  for (const shard of everyShard) {
    expect(await stage.clock.until(notesOf(a.system, idOn(shard, 1)))).toEqual(['before', 'meanwhile']);
  }
  expect(await stage.differences()).toEqual([]);
});

test('a lease outlives a renewal that fails late', async () => {
  const stage = new Stage({ shards });
  const { journal, complaints } = await stage.open({ node: 'a', limits });
  const failing = new Set(everyShard);

  // Each is answered so late that the next regular one would come after the lease's end.
  journal.onCall = (call, shard) =>
    call === 'renew' && failing.delete(shard) ? new Error('the connection hangs') : undefined;
  const renewals = () => journal.calls.get('renew') ?? 0;
  const before = renewals();
  await stage.clock.advance(leaseMs / 3);

  expect(renewals() - before).toBe(2 * shards);
  expect(complaints).toEqual([]);
});

test('a lease that ran out is told, once', async () => {
  const stage = new Stage({ shards: 1 });
  const lost: number[] = [];
  const observer = { ...silentObserver, leaseLost: (shard: number) => lost.push(shard) };
  const a = await stage.open({ node: 'a', limits, observer });
  const actor = a.system.actor(notebook, idOn(0, 1));

  /** It begins again from its journal, and reaches the store `ms` later. */
  async function failFor(ms: number): Promise<void> {
    const heal = cutCalls(a);
    void watch(actor.tell(note('lost')));
    await stage.clock.advance(ms);
    heal();
    await stage.clock.advance(leaseMs);
  }
  await stage.clock.until(actor.tell(note('before')));
  await failFor(0.2 * leaseMs);
  const early = lost.length;
  await failFor(1.5 * leaseMs);

  expect(early).toBe(0);
  expect(lost).toEqual([0]);
});
