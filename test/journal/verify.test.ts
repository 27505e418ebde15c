import { beforeEach, describe, expect, test } from 'vitest';
import { encode, HostedMachine, openSystem, parseAddress, shardOf, verifyJournal } from '../../src/index.ts';
import type { JournalEntry, SnapshotRecord } from '../../src/journal/journal.ts';
import type { MemoryShard } from '../../src/journal/memory.ts';
import { type CounterStore, counter, counters, makeCounterStore, reopen, totals } from './counter-store.ts';

describe('verifyJournal', () => {
  let made: CounterStore;
  beforeEach(async () => {
    made = await makeCounterStore();
  });

  /** What it finds, as sentences, and the whole. */
  async function verify(): Promise<readonly string[]> {
    const { differences } = await verifyJournal({
      journal: reopen(made),
      definitions: counters,
      projections: [totals],
    });
    return differences.map(({ subject, reason }) => `${subject} ${reason}`);
  }

  /** The first counter, the shard it is on, and its part of the store. */
  function first(): { address: (typeof made.addresses)[number]; id: string; shard: MemoryShard } {
    const address = made.addresses[0]!;
    const { id } = parseAddress(address);
    return { address, id, shard: made.store.shards[shardOf(id, 4)]! };
  }

  function entriesOfFirst(): readonly JournalEntry[] {
    const { address, shard } = first();
    return shard.entries.filter(({ actor }) => actor === address);
  }

  test('a store written by the runtime agrees with its journal', async () => {
    const findings = await verifyJournal({ journal: reopen(made), definitions: counters, projections: [totals] });

    expect(findings.differences).toEqual([]);
    expect([...findings.notes]).toEqual([]);
    const { shards, actors, entries, snapshots, topics } = findings;
    expect(shards).toBe(4);
    expect(actors).toBeGreaterThanOrEqual(6);
    expect(entries).toBeGreaterThanOrEqual(36);
    expect(snapshots).toBeGreaterThanOrEqual(6);
    expect(topics).toBeGreaterThanOrEqual(1);
  });

  test('a declared loss is named and no difference', async () => {
    const { shard } = first();
    const loss = { from: 7, to: 9, seq: 3, epoch: 2, at: 1_700_000_000_000 };
    shard.losses = [loss];

    const findings = await verifyJournal({ journal: reopen(made), definitions: counters, projections: [totals] });

    expect(findings.losses).toEqual([{ shard: made.store.shards.indexOf(shard), ...loss }]);
    expect(findings.differences).toEqual([]);
  });

  test('a wrong snapshot is named with its version', async () => {
    const { address, shard } = first();
    const hosted = new HostedMachine(counter);
    const state = hosted.fold('x', undefined, [{ type: 'ADD', by: 7_777 } as never]);
    const record = shard.snapshots.get(address) as SnapshotRecord;
    shard.snapshots.set(address, { ...record, payload: hosted.persist(state) });

    const [found] = await verify();

    expect(found).toBe(`${address} has a snapshot at version ${record.version} that is not the fold of its journal`);
  });

  test('a deleted snapshot is a note and no difference', async () => {
    const { address, shard } = first();
    shard.snapshots.delete(address);

    const findings = await verifyJournal({ journal: reopen(made), definitions: counters, projections: [totals] });

    expect(findings.differences).toEqual([]);
    expect([...findings.notes.keys()]).toEqual(['missing snapshot, rebuilt from the journal when it is needed']);
  });

  test('a gap in the history of an actor is named', async () => {
    const { address, shard } = first();
    const second = entriesOfFirst()[1]!;
    shard.entries[second.seq - 1] = { ...second, version: 5 };

    expect(await verify()).toContainEqual(
      expect.stringMatching(
        `^${address} cannot be folded at entry ${second.seq}: its history goes from version 1 to 5`,
      ),
    );
  });

  test('a damaged entry is named and others are verified', async () => {
    const damaged = entriesOfFirst()[0]!;
    made.store.damaged.add(damaged);

    const found = await verify();

    expect(found).toContainEqual(expect.stringContaining(`entry ${damaged.seq} cannot be folded`));
    expect(found.some((sentence) => sentence.startsWith(made.addresses[1]!))).toBe(false);
  });

  test('another event than the journaled emissions say shows', async () => {
    const { address, shard } = first();
    const entry = entriesOfFirst()[0]!;
    shard.entries[entry.seq - 1] = { ...entry, payload: encode({ type: 'RESET' }) };

    expect(await verify()).toContainEqual(`${address} emits [] at version 1, where the journal says [added]`);
  });

  test('rows that differ are named with their view', async () => {
    const { id, shard } = first();
    const rows = shard.views.get('totals')!;
    rows.set(id, encode({ count: 1_000_000 }));
    rows.set('stray', encode({ count: 1 }));

    expect(await verify()).toEqual([
      `row ${id} of totals has another value than the projection of the journal`,
      'row stray of totals is not in the projection of the journal',
    ]);
  });

  test('a missing row is named', async () => {
    const { shard } = made.store.shards.reduce<{ shard: MemoryShard | undefined }>(
      (found, shard) => ((shard.views.get('totals')?.size ?? 0) > 0 ? { shard } : found),
      { shard: undefined },
    );
    const rows = shard!.views.get('totals')!;
    const [key] = [...rows.keys()] as [string];
    rows.delete(key);

    expect(await verify()).toEqual([`row ${key} of totals is in the projection of the journal and not in the store`]);
  });

  test('a damaged row is named and hides no others', async () => {
    const shard = made.store.shards.find(({ views }) => (views.get('totals')?.size ?? 0) > 0)!;
    made.store.damaged.add([...shard.views.get('totals')!.values()][0]!);

    expect(await verify()).toEqual([expect.stringMatching(/^view totals cannot be read: .*damaged/)]);
  });

  test('damaged open work is named once, and others are verified', async () => {
    const shard = made.store.shards.find(({ outbox }) => outbox.length > 0)!;
    made.store.damaged.add(shard.outbox[0]!);
    made.store.shards.find((other) => other !== shard && other.actors.size > 0)!.snapshots.clear();

    const findings = await verifyJournal({ journal: reopen(made), definitions: counters, projections: [totals] });

    expect(findings.differences.map(({ subject }) => subject)).toContain('open work');
    expect(findings.differences.filter(({ subject }) => subject === 'open work')).toHaveLength(1);
    expect(findings.actors).toBeGreaterThan(0);
  });

  test('an actor without an index is named', async () => {
    const { address, shard } = first();
    shard.actors.delete(address);

    expect(await verify()).toEqual([`${address} has entries in the journal and no index`]);
  });

  test('an index ahead of the journal is named', async () => {
    const { address, shard } = first();
    const index = shard.actors.get(address)!;
    shard.actors.set(address, { ...index, version: index.version + 1 });

    expect(await verify()).toContainEqual(expect.stringMatching(`^${address} has a tail of`));
  });

  test('a mark beyond what was sent tells of lost writes', async () => {
    made.store.shards[1]!.marks.set(2, 1_000);

    expect(await verify()).toEqual([
      expect.stringMatching(/^mark for shard 2 is 1000, though that shard has sent \d+: its last writes were lost$/),
    ]);
  });

  test('a publication that never reached its topic is missed', async () => {
    const [topic, kept] = made.store.shards.flatMap((shard) => [...shard.topics])[0]!;
    kept.head -= 1;

    expect(await verify()).toContainEqual(
      expect.stringMatching(`^${topic} has ${kept.head} publications and 0 on their way`),
    );
  });

  test('commits made during the reading are no differences', async () => {
    const system = await openSystem({ journal: reopen(made), actors: counters, projections: [totals] });
    const yielding = new Proxy(reopen(made), {
      get(journal, name) {
        const member = Reflect.get(journal, name) as unknown;
        if (typeof member !== 'function' || !String(name).startsWith('read')) return member;
        return async (...args: unknown[]) => {
          await new Promise((resolve) => setImmediate(resolve));
          return Reflect.apply(member, journal, args);
        };
      },
    });
    let going = true;
    const writing = (async () => {
      for (let by = 1; going; by++) {
        await Promise.all(made.ids.map((id) => system.actor(counter, id).tell({ type: 'ADD', by: (by % 9) + 1 })));
      }
    })();

    const findings = [];
    for (let round = 0; round < 5; round++) {
      findings.push(await verifyJournal({ journal: yielding, definitions: counters, projections: [totals] }));
    }
    going = false;
    await writing;
    await system.stop();

    expect(findings.flatMap(({ differences }) => differences)).toEqual([]);
    expect(findings.at(-1)!.entries).toBeGreaterThan(findings[0]!.entries);
  });
});
