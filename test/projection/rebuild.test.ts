import { beforeEach, describe, expect, test } from 'vitest';
import { defineProjection, openSystem, register, rule, verifyJournal } from '../../src/index.ts';
import type { Journal, Lease } from '../../src/journal/journal.ts';
import type { MemoryShard } from '../../src/journal/memory.ts';
import { rebuildShard } from '../../src/projection/rebuild.ts';
import { type CounterStore, counter, counters, makeCounterStore, reopen, totals } from '../journal/counter-store.ts';

const owner = { node: 'test', nonce: 'test' };

describe('rebuildShard', () => {
  let made: CounterStore;
  let journal: Journal;
  beforeEach(async () => {
    made = await makeCounterStore();
    journal = reopen(made);
  });

  async function rebuild(shard: number, options: { snapshots?: boolean } = {}) {
    const outcome = await journal.acquire(shard, owner, 60_000);
    if (outcome.kind !== 'acquired') throw new Error(`shard ${shard} is held by ${outcome.by}`);
    const { lease, head } = outcome;
    return rebuildShard({ journal, lease, head, hosts: register(counters), projections: [totals], ...options });
  }

  /** The shard with the most entries, so that there is something to rebuild. */
  function fullest(): { n: number; shard: MemoryShard } {
    const shards = made.store.shards.map((shard, n) => ({ n, shard }));
    return shards.reduce((most, one) => (one.shard.entries.length > most.shard.entries.length ? one : most));
  }

  test('a rebuilt view equals the one written live', async () => {
    const { n, shard } = fullest();
    const live = new Map(shard.views.get('totals'));
    shard.views.get('totals')!.clear();

    const rebuilt = await rebuild(n);

    expect(shard.views.get('totals')).toEqual(live);
    expect(rebuilt).toMatchObject({ entries: shard.entries.length, problems: [] });
    expect(rebuilt.head).toEqual(shard.head);
  });

  test('rows the journal does not know are dropped', async () => {
    const { n, shard } = fullest();
    shard.views.get('totals')!.set('stray', new Uint8Array([1]));

    await rebuild(n);

    expect(shard.views.get('totals')!.has('stray')).toBe(false);
  });

  test('an interrupted rebuild leaves its projection incomplete', async () => {
    const { n, shard } = fullest();
    const { commit } = journal;
    let commits = 0;
    journal = { ...journal, commit: (one) => (++commits > 1 ? Promise.reject(new Error('cut')) : commit(one)) };

    await expect(rebuild(n)).rejects.toThrow('cut');

    expect(shard.projections).toEqual({ totals: '' });
  });

  test('a stale lease stops the rebuild at once', async () => {
    const { n } = fullest();
    const stale: Lease = { shard: n, epoch: { number: 1, nonce: 'gone' } };
    const { head } = made.store.shards[n]!;
    const options = { journal, lease: stale, head, hosts: register(counters), projections: [totals] };

    await expect(rebuildShard(options)).rejects.toMatchObject({ code: 'SHARD_LOST' });
  });

  test('snapshots written from the journal verify', async () => {
    for (const [n, shard] of made.store.shards.entries()) {
      shard.snapshots.clear();
      await rebuild(n, { snapshots: true });
    }

    const findings = await verifyJournal({ journal, definitions: counters, projections: [totals] });

    expect(findings.differences).toEqual([]);
    expect(findings.snapshots).toBe(findings.actors);
    expect([...findings.notes]).toEqual([]);
  });

  test('actors go on from rebuilt snapshots', async () => {
    for (const n of made.store.shards.keys()) await rebuild(n, { snapshots: true });
    const [id] = made.ids as [string];
    const before = made.store.shards.flatMap((shard) => shard.entries).filter(({ actor }) => actor.endsWith(id)).length;
    for (const n of made.store.shards.keys()) made.store.shards[n]!.holder = undefined;

    const system = await openSystem({ journal: reopen(made), actors: counters, projections: [totals] });
    await system.actor(counter, id).tell({ type: 'ADD', by: 1 });
    const after = await system.actor(counter, id).snapshot();
    await system.stop();

    expect(after?.version).toBe(before + 1);
  });

  test('what cannot be folded is reported and skipped', async () => {
    const { n, shard } = fullest();
    const damaged = shard.entries[0]!;
    made.store.damaged.add(damaged);

    const { problems, entries } = await rebuild(n);

    expect(problems.length).toBeGreaterThan(0);
    expect(entries).toBe(shard.entries.length);
  });

  test('opening a system rebuilds a changed projection', async () => {
    const doubled = defineProjection({
      ...totals,
      version: '2',
      rules: [
        rule(counter, ({ id, state }) => [{ view: 'totals', key: id, value: { twice: 2 * state.context.count } }]),
      ],
    });
    const system = await openSystem({ journal, actors: counters, projections: [doubled] });
    const [id] = made.ids as [string];

    const [row] = await system.rows('totals', id, [id]);
    const actor = await system.actor(counter, id).snapshot();
    await system.stop();

    expect(row).toEqual({ twice: 2 * actor!.state.context.count });
  });
});
