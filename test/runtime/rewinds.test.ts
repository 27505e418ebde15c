/** A store that goes backwards: what its owner still has is appended again, and what nobody has is named and gets nobody stuck. */

import { describe, expect, test } from 'vitest';
import type { Observer } from '../../src/observer.ts';
import { silentObserver } from '../../src/observer.ts';
import { unreachable } from './faulty-journal.ts';
import { type Instruction, idOn, note, notebook, notebookOn } from './notebook.ts';
import { notesOf, type Opened, type OpenOptions, Stage, watch } from './stage.ts';
import { StorePast } from './store-past.ts';

/** Lives on shard 0. */
const topic = `room:${idOn(0, 9)}`;
const forgetful = { tailEntriesMax: 0 };

interface Scene {
  readonly stage: Stage;
  readonly past: StorePast;
  /** What was told to the observer: shard, lost, mended. */
  readonly rewound: readonly (readonly [number, number, number])[];
  open(options?: OpenOptions): Promise<Opened>;
}

function scene(): Scene {
  const stage = new Stage();
  const rewound: [number, number, number][] = [];
  const observer: Observer = { ...silentObserver, rewound: (...told) => rewound.push(told) };
  return { stage, past: new StorePast(stage.store), rewound, open: (options) => stage.open({ observer, ...options }) };
}

async function tell(
  { stage }: Scene,
  { system }: Opened,
  id: string,
  key: string,
  ...orders: Instruction[]
): Promise<void> {
  await stage.clock.until(system.actor(notebook, id).tell(note(key, ...orders), { operation: `operation ${key}` }));
  await stage.clock.settle();
}

function publication(key: string): Instruction {
  return { kind: 'publish', topic, data: key };
}

function told(to: number, key: string): Instruction {
  return { kind: 'note', to: notebookOn(to, 1), key };
}

function lossesOf({ stage }: Scene, shard: number): readonly unknown[] {
  return stage.store.shards[shard]!.losses;
}

async function notes({ stage }: Scene, { system }: Opened, shard: number): Promise<readonly string[]> {
  return stage.clock.until(notesOf(system, idOn(shard, 1)));
}

async function expectWhole({ stage }: Scene): Promise<void> {
  await stage.clock.advance(20_000);
  expect(stage.store.shards.flatMap(({ outbox }) => outbox)).toEqual([]);
  expect(await stage.differences()).toEqual([]);
}

describe('an owner that has the lost commits', () => {
  test('appends them again before its next one', async () => {
    const here = scene();
    const first = await here.open();
    const shard = 1;
    await tell(here, first, idOn(shard, 1), 'a', publication('a'));
    here.past.remember();
    for (const key of ['b', 'c', 'd']) await tell(here, first, idOn(shard, 1), key, publication(key), told(2, key));

    here.past.goBack(shard);
    await tell(here, first, idOn(shard, 1), 'e', publication('e'), told(2, 'e'));

    expect(await notes(here, first, shard)).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(await notes(here, first, 2)).toEqual(['b', 'c', 'd', 'e']);
    expect(lossesOf(here, shard)).toEqual([]);
    expect(first.complaints.join('\n')).toMatch(
      /shard 1: the store had lost commits \d+ to \d+; \d+ were appended again/,
    );
    expect(here.rewound).toHaveLength(1);
    const [, lost, mended] = here.rewound[0]!;
    expect(mended).toBe(lost);
    await expectWhole(here);
  });

  test('keeps the offsets and epoch of its topics', async () => {
    const here = scene();
    const first = await here.open();
    await tell(here, first, idOn(1, 1), 'a', publication('a'));
    await here.stage.clock.advance(2_000);
    here.past.remember();
    for (const key of ['b', 'c']) await tell(here, first, idOn(1, 1), key, publication(key));
    await here.stage.clock.advance(2_000);
    const before = await first.system.readTopic(topic, { offset: 0 });

    here.past.goBack(0);
    await here.stage.clock.advance(5_000);

    expect(here.rewound).toHaveLength(1);
    expect(before.publications.map(({ data }) => data)).toEqual(['a', 'b', 'c']);
    expect(await first.system.readTopic(topic, { offset: 0 })).toEqual(before);
  });

  test('finds out by its renewal when idle', async () => {
    const here = scene();
    const first = await here.open();
    here.past.remember();
    await tell(here, first, idOn(1, 1), 'a');

    here.past.goBack(1);
    await here.stage.clock.advance(5_000);

    expect(here.stage.store.shards[1]!.entries).toHaveLength(1);
    expect(here.rewound).toHaveLength(1);
  });

  test('runs what was under way once', async () => {
    const here = scene();
    const first = await here.open();
    await tell(here, first, idOn(1, 1), 'a');
    here.past.remember();
    await tell(here, first, idOn(1, 1), 'b');
    const open = first.journal.hold();
    const fates = ['c', 'd', 'e'].map((key) => watch(first.system.actor(notebook, idOn(1, 1)).tell(note(key))));
    await here.stage.clock.settle();

    here.past.goBack(1);
    open();
    await here.stage.clock.advance(5_000);

    expect(fates.map((fate) => fate().kind)).toEqual(['resolved', 'resolved', 'resolved']);
    expect(await notes(here, first, 1)).toEqual(['a', 'b', 'c', 'd', 'e']);
    await expectWhole(here);
  });

  test('goes on with appending after a failure', async () => {
    const here = scene();
    const first = await here.open();
    here.past.remember();
    for (const key of ['a', 'b', 'c']) await tell(here, first, idOn(1, 1), key);
    const seen = first.journal.commits.length;
    let failures = 0;
    first.journal.onCommit = (_, nth) => (nth > seen && failures++ % 2 === 0 ? 'unknown, dropped' : undefined);

    here.past.goBack(1);
    await here.stage.clock.advance(10_000);

    expect(failures).toBeGreaterThan(2);
    expect(await notes(here, first, 1)).toEqual(['a', 'b', 'c']);
    expect(lossesOf(here, 1)).toEqual([]);
  });

  test('appends what it has and names the rest', async () => {
    const here = scene();
    const first = await here.open();
    await tell(here, first, idOn(1, 1), 'a');
    here.past.remember();
    await tell(here, first, idOn(1, 1), 'b');
    await tell(here, first, idOn(1, 1), 'c');
    const { commits } = here.stage.store.shards[1]!.head;

    // Somebody has seen two commits more, which this process knows nothing of.
    const acquire = first.journal.acquire.bind(first.journal);
    first.journal.acquire = (shard, owner, ttlMs) => acquire(shard, owner, ttlMs, { epoch: 1, commits: commits + 2 });
    here.past.goBack(1);
    await here.stage.clock.advance(5_000);

    expect(await notes(here, first, 1)).toEqual(['a', 'b', 'c']);
    expect(lossesOf(here, 1)).toMatchObject([{ from: commits + 1, to: commits + 2, seq: 3 }]);
  });
});

describe('commits that nobody has', () => {
  test('are named, and everything goes on', async () => {
    const here = scene();
    const first = await here.open({ limits: forgetful });
    await tell(here, first, idOn(1, 1), 'a', publication('a'));
    here.past.remember();
    await tell(here, first, idOn(1, 1), 'b', publication('b'));
    await tell(here, first, idOn(1, 1), 'c', publication('c'));

    here.past.goBack(1);
    await tell(here, first, idOn(1, 1), 'd', publication('d'));

    expect(await notes(here, first, 1)).toEqual(['a', 'd']);
    expect(lossesOf(here, 1)).toMatchObject([{ seq: 1 }]);
    expect(first.complaints.join('\n')).toMatch(/shard 1 has lost its answered commits \d+ to \d+, after entry 1/);
    expect(here.rewound).toEqual([[1, expect.any(Number), 0]]);
    await expectWhole(here);
  });

  test('give the topics of their shard a new epoch', async () => {
    const here = scene();
    const first = await here.open({ limits: forgetful });
    await tell(here, first, idOn(1, 1), 'a', publication('a'));
    here.past.remember();
    await tell(here, first, idOn(1, 1), 'b', publication('b'));
    const before = await first.system.readTopic(topic, { offset: 0 });

    here.past.goBack(0);
    await here.stage.clock.advance(5_000);
    await tell(here, first, idOn(1, 1), 'c', publication('c'));
    const after = await first.system.readTopic(topic, { offset: 0 });

    expect(after.publications.at(-1)?.data).toBe('c');
    expect(after.epoch).not.toBe(before.epoch);
  });

  test('are found by the next owner, which heard of them', async () => {
    const here = scene();
    const cluster = { role: 'all', weight: 1, about: 'a test' } as const;
    const limits = { leaseMs: 3_000 };
    const first = await here.open({ node: 'first', cluster, limits });
    const second = await here.open({ node: 'second', cluster, limits });
    await here.stage.clock.advance(10_000);
    const shard = here.stage.store.shards.findIndex(({ holder }) => holder?.node === 'first');
    here.past.remember();
    for (const key of ['a', 'b']) await tell(here, first, idOn(shard, 1), key);
    await here.stage.clock.advance(3_000);

    first.journal.crash();
    here.past.goBack(shard);
    await here.stage.clock.advance(10_000);
    await tell(here, second, idOn(shard, 1), 'c');

    expect(await notes(here, second, shard)).toEqual(['c']);
    expect(lossesOf(here, shard)).toHaveLength(1);
    expect(second.complaints.join('\n')).toContain(`shard ${shard} has lost its answered commits`);
    second.journal.crash();
  });

  test('are found by a node that came later', async () => {
    const here = scene();
    const limits = { leaseMs: 3_000 };
    const about = { weight: 1, about: 'a test' };
    const first = await here.open({ node: 'first', cluster: { role: 'all', ...about }, limits });
    const witness = await here.open({ node: 'witness', cluster: { role: 'gateway', ...about }, limits });
    here.past.remember();
    await tell(here, first, idOn(1, 1), 'a');
    await here.stage.clock.advance(3_000);

    first.journal.crash();
    here.past.goBack(1);
    await here.stage.clock.advance(5_000);
    const second = await here.open({ node: 'second', cluster: { role: 'all', ...about }, limits });
    await here.stage.clock.advance(5_000);

    expect(lossesOf(here, 1)).toHaveLength(1);
    expect(second.complaints.join('\n')).toContain('shard 1 has lost its answered commits');
    for (const { journal } of [witness, second]) journal.crash();
  });

  test('are remembered until somebody could declare them', async () => {
    const here = scene();
    const first = await here.open({ limits: forgetful });
    here.past.remember();
    await tell(here, first, idOn(1, 1), 'a');
    first.journal.onCall = (call) => (call === 'declareLost' ? unreachable() : undefined);
    here.past.goBack(1);
    await here.stage.clock.advance(3_000);
    expect(lossesOf(here, 1)).toEqual([]);

    first.journal.crash();
    const second = await here.open({ limits: forgetful });

    expect(lossesOf(here, 1)).toHaveLength(1);
    expect(second.complaints.join('\n')).toContain('shard 1 has lost its answered commits');
  });

  test('name the operations that can still be told', async () => {
    const here = scene();
    const said: { readonly operations?: readonly string[] }[] = [];
    const log = { debug: () => {}, info: () => {}, warn: () => {}, error: (about: object) => said.push(about) };
    const first = await here.open({ log, limits: { tailEntriesMax: 2 } });
    here.past.remember();
    for (const key of ['a', 'b', 'c', 'd']) await tell(here, first, idOn(1, 1), key);

    here.past.goBack(1);
    await here.stage.clock.advance(5_000);

    expect(said).toMatchObject([{ shard: 1, operations: ['operation c', 'operation d'] }]);
  });
});

describe('pairs of shards, one of which lost something', () => {
  test('a sender’s numbers are not taken for old ones', async () => {
    const here = scene();
    const first = await here.open({ limits: forgetful });
    await tell(here, first, idOn(1, 1), 'a', told(2, 'a'));
    here.past.remember();
    for (const key of ['b', 'c', 'd']) await tell(here, first, idOn(1, 1), key, told(2, key));

    here.past.goBack(1);
    for (const key of ['e', 'f', 'g']) await tell(here, first, idOn(1, 1), key, told(2, key));

    expect(await notes(here, first, 2)).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g']);
    await expectWhole(here);
  });

  test('a sender goes on over a further restart', async () => {
    const here = scene();
    const first = await here.open({ limits: forgetful });
    here.past.remember();
    for (const key of ['a', 'b', 'c']) await tell(here, first, idOn(1, 1), key, told(2, key));
    here.past.goBack(1);
    await here.stage.clock.advance(5_000);
    first.journal.crash();

    const second = await here.open({ limits: forgetful });
    for (const key of ['d', 'e']) await tell(here, second, idOn(1, 1), key, told(2, key));

    expect(await notes(here, second, 2)).toEqual(['a', 'b', 'c', 'd', 'e']);
    await expectWhole(here);
  });

  test('a receiver does not wait for what is gone', async () => {
    const here = scene();
    const first = await here.open({ limits: forgetful });
    await tell(here, first, idOn(1, 1), 'a', told(2, 'a'));
    here.past.remember();
    for (const key of ['b', 'c', 'd']) await tell(here, first, idOn(1, 1), key, told(2, key));
    await here.stage.clock.advance(5_000);

    here.past.goBack(2);
    await here.stage.clock.advance(5_000);
    for (const key of ['e', 'f']) await tell(here, first, idOn(1, 1), key, told(2, key));

    expect(await notes(here, first, 2)).toEqual(['a', 'e', 'f']);
    expect(first.complaints.join('\n')).toContain('shard 2 has lost what it had done about parcels 2 to 4 of shard 1');
    await expectWhole(here);
  });

  test('parcels that are still there arrive before a jump', async () => {
    const here = scene();
    // Both parcels of before, and the one that is sent again when the shard is opened again.
    let lost = 3;
    const first = await here.open({
      limits: forgetful,
      transport: (inner) => ({
        ...inner,
        deliver: (to, from, n, parcel) => {
          if (n > 2 || lost-- <= 0) inner.deliver(to, from, n, parcel);
        },
      }),
    });
    await tell(here, first, idOn(1, 1), 'a', told(2, 'a'));
    here.past.remember();
    await tell(here, first, idOn(1, 1), 'b', told(2, 'b'));
    here.past.goBack(1);
    await tell(here, first, idOn(1, 1), 'c', told(2, 'c'));
    await here.stage.clock.advance(5_000);

    expect(lost).toBeLessThan(0);
    expect(await notes(here, first, 2)).toEqual(['a', 'c']);
    await expectWhole(here);
  });

  test('both of them go on', async () => {
    const here = scene();
    const first = await here.open({ limits: forgetful });
    const talk = async (key: string) => {
      await tell(here, first, idOn(1, 1), `${key}1`, told(2, `${key}12`));
      await tell(here, first, idOn(2, 1), `${key}2`, told(1, `${key}21`));
    };
    await talk('a');
    here.past.remember();
    await talk('b');
    await talk('c');
    await here.stage.clock.advance(5_000);

    here.past.goBack(1);
    here.past.goBack(2);
    await here.stage.clock.advance(5_000);
    await talk('d');

    expect((await notes(here, first, 2)).slice(-2)).toEqual(['d12', 'd2']);
    expect((await notes(here, first, 1)).slice(-2)).toEqual(['d1', 'd21']);
    await expectWhole(here);
  });
});
