/** The past of actors whose entries are in an archive, nowhere any more, damaged, or very many. */

import { describe, expect, test } from 'vitest';
import { chatActors, room } from '../../actors/chat.ts';
import { type Address, addressOf, typeOf } from '../../src/actor/address.ts';
import { MemoryObjects } from '../../src/archive/memory.ts';
import { ObjectArchive } from '../../src/archive/object-archive.ts';
import {
  encode,
  type HistoryPage,
  type HistoryStep,
  systemClock,
  TimeTravel,
  type TravelLimits,
} from '../../src/index.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { openMemoryJournal } from '../../src/journal/memory.ts';
import { ChatStage, idOf, message, near } from '../actors/chat-stage.ts';
import { archived, job, really, smallPieces, until } from '../runtime/job.ts';
import { idOn, note, notebook } from '../runtime/notebook.ts';
import { Stage } from '../runtime/stage.ts';

const hour = 3_600_000;
const limits = { retentionMs: hour, archiveAfterMs: 1, journalEntriesMin: 0, segmentEntriesMin: 1 };

async function everything(travel: TimeTravel, journal: Journal): Promise<ReadonlyMap<Address, HistoryPage>> {
  const pages = new Map<Address, HistoryPage>();
  for (let shard = 0; shard < journal.shards; shard++) {
    for (const { actor } of await journal.listActors(shard, { limit: 1_000 })) {
      pages.set(actor, await travel.steps(actor, { limit: 500 }));
    }
  }
  return pages;
}

/** A chat of long ago: all of it is in the archive, and its operations are reduced. */
async function longAgo() {
  const archive = await ObjectArchive.open(new MemoryObjects(), 'chat');
  const chat = await ChatStage.open(8, [], { limits, archive });
  const messageId = await chat.settle();
  const { operationId } = await chat.run('MESSAGE_READ', 'bob', { messageId, roomId: idOf('room') }, near('room'));
  const before = await everything(new TimeTravel({ journal: chat.journal(), actors: chatActors }), chat.journal());
  await chat.clock.advance(2 * hour);
  return { chat, before, operationId, messageId };
}

describe('an archived history', () => {
  test('is what it was before', async () => {
    const { chat, before } = await longAgo();
    const journal = chat.journal();
    const now = await everything(new TimeTravel({ journal, actors: chatActors }), journal);

    expect(chat.store.shards.every(({ entries }) => entries.length === 0)).toBe(true);
    expect([...now.keys()]).toEqual([...before.keys()]);
    for (const [actor, page] of now) {
      expect(page.steps).toEqual(before.get(actor)?.steps);
      expect(page.begins).toBeUndefined();
    }
  });

  test('says when an actor was retired, and what it was', async () => {
    const { chat, operationId } = await longAgo();
    const travel = new TimeTravel({ journal: chat.journal(), actors: chatActors });
    const address = `MESSAGE_READ/${operationId}`;

    const { retired, version, steps } = await travel.steps(address, { limit: 100 });
    const after = await travel.steps(address, { after: version, limit: 1 });

    expect(retired).toBe(version);
    expect(steps.at(-1)?.context).toMatchObject({ parties: { length: 3 }, result: { id: expect.any(String) } });
    expect(after.initial).toMatchObject({ value: 'COMPLETED', context: { parties: [], result: null } });
  });

  test('has the whole trace of an operation', async () => {
    const { chat, before, operationId } = await longAgo();
    const travel = new TimeTravel({ journal: chat.journal(), actors: chatActors });

    const { steps, isComplete } = await travel.operation(operationId);

    const all = [...before].flatMap(([address, page]) =>
      page.steps.filter((step) => step.operation === operationId).map(({ version }) => `${address} ${version}`),
    );
    expect(isComplete).toBe(true);
    expect(steps.map(({ address, version }) => `${address} ${version}`).sort()).toEqual(all.sort());
  });

  test('without its archive begins behind the snapshot', async () => {
    const { chat } = await longAgo();
    await chat.run('MESSAGE_CREATE', 'alice', message(near('room')), near('room'));
    const journal = openMemoryJournal({ store: chat.store, clock: chat.clock });
    const travel = new TimeTravel({ journal, actors: chatActors });
    const address = addressOf('room', idOf('room'));

    const page = await travel.steps(address, { limit: 100 });

    const live = await chat.clock.until(chat.system.actor(room, idOf('room')).snapshot());
    expect(page.begins).toMatchObject({ reason: expect.stringContaining('moved to an archive') });
    expect(page.steps.map(({ version }) => version)).toEqual([page.version - 1, page.version]);
    expect(page.steps[0]?.version).toBe(page.begins?.version);
    expect(page.initial?.version).toBe(page.begins!.version - 1);
    expect(page.steps.at(-1)).toMatchObject({ value: live!.state.value, context: live!.state.context });
    await expect(travel.attempt(address, 1, { type: 'DANCE' })).rejects.toMatchObject({
      code: 'VERSION_UNKNOWN',
      message: expect.stringContaining('moved to an archive'),
    });
    expect(await travel.at(address, 1)).toBeUndefined();
  });

  test('without its archive has a partial trace', async () => {
    const { chat, operationId } = await longAgo();
    const travel = new TimeTravel({ journal: openMemoryJournal({ store: chat.store }), actors: chatActors });

    expect(await travel.operation(operationId)).toMatchObject({ steps: [], isComplete: false });
  });
});

const id = idOn(0, 1);
const address = addressOf('notebook', id);

/** A notebook of 60 notes, with a snapshot every five, among others on its shard. */
async function noted(count = 60) {
  const stage = new Stage();
  const { system } = await stage.open();
  for (let n = 1; n <= count; n++) {
    await stage.clock.until(system.actor(notebook, id).tell(note(`k${n}`)));
    if (n % 3 === 0) await stage.clock.until(system.actor(notebook, idOn(0, 2)).tell(note(`other ${n}`)));
  }
  return stage;
}

/** Time travel that counts the entries it reads. */
function counting(stage: Stage, travelLimits: Partial<TravelLimits> = {}) {
  const inner = openMemoryJournal({ store: stage.store, clock: stage.clock });
  const read = { entries: 0 };
  const journal: Journal = Object.assign(Object.create(inner) as Journal, {
    readEntries: async (shard: number, after: number, limit: number) => {
      const page = await inner.readEntries(shard, after, limit);
      read.entries += page.length;
      return page;
    },
    readActors: inner.readActors.bind(inner),
    readShard: inner.readShard.bind(inner),
  });
  return { travel: new TimeTravel({ journal, actors: [notebook], limits: travelLimits, clock: systemClock }), read };
}

function notesIn({ context }: Pick<HistoryStep, 'context'>): readonly string[] {
  return (context as { readonly notes: readonly string[] }).notes;
}

describe('a long history', () => {
  test('is the fold at each of its versions', async () => {
    const stage = await noted();
    const { travel } = counting(stage);
    const keys = Array.from({ length: 60 }, (_, i) => `k${i + 1}`);

    for (const version of [1, 4, 5, 6, 29, 30, 31, 55, 56, 60]) {
      expect(notesIn((await travel.at(address, version))!)).toEqual(keys.slice(0, version));
    }
    expect(await travel.at(address, 61)).toBeUndefined();
  });

  test('reads its newest part from the records of the actor', async () => {
    const stage = await noted(63);
    const { travel, read } = counting(stage);

    const { steps } = await travel.steps(address, { after: 61, limit: 10 });

    expect(steps.map(({ version }) => version)).toEqual([62, 63]);
    expect(read.entries).toBe(0);
  });

  test('goes on where the last page ended', async () => {
    const stage = await noted();
    const { travel, read } = counting(stage, { pageEntries: 10 });
    await travel.steps(address, { limit: 30 });
    const first = read.entries;

    const { steps, initial } = await travel.steps(address, { after: 30, limit: 5 });

    expect(notesIn(initial as HistoryStep)).toHaveLength(30);
    expect(steps.map(({ version }) => version)).toEqual([31, 32, 33, 34, 35]);
    expect(read.entries - first).toBeLessThanOrEqual(11);
  });

  test('forgets a place where another entry is', async () => {
    const stage = await noted();
    const { travel } = counting(stage, { pageEntries: 10 });
    await travel.steps(address, { limit: 30 });
    // As after a failover to a store that went another way.
    const { entries } = stage.store.shards[0]!;
    for (const [i, entry] of entries.entries()) {
      if (entry.actor !== address) continue;
      entries[i] = { ...entry, at: entry.at + 1, payload: encode(note(`x${entry.version}`)).slice() };
    }

    const { steps } = await travel.steps(address, { after: 30, limit: 1 });

    expect(notesIn(steps[0]!)).toEqual(Array.from({ length: 31 }, (_, i) => `x${i + 1}`));
  });

  test('lets others have the event loop', async () => {
    const stage = await noted();
    const { travel, read } = counting(stage, { pageEntries: 10 });
    let rounds = 0;
    let isDone = false;
    const round = (): void => {
      rounds++;
      if (!isDone) setImmediate(round);
    };
    setImmediate(round);

    await travel.steps(address, { limit: 50 });
    isDone = true;

    expect(rounds).toBeGreaterThanOrEqual(read.entries / 10);
  });

  test('is refused when too many are read', async () => {
    const stage = await noted();
    const { travel } = counting(stage, { scansMax: 1, scansWaitingMax: 1 });

    const asked = [1, 2, 3].map(() => travel.steps(address, { limit: 5 }));
    const fates = await Promise.allSettled(asked);

    expect(fates.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    await expect(asked[2]).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
    expect((await travel.steps(address, { limit: 5 })).steps).toHaveLength(5);
  });

  test('gives no more steps than the bound', async () => {
    const stage = await noted();
    const { travel } = counting(stage, { stepsMax: 7 });

    const { steps, more } = await travel.steps(address, { limit: 1_000 });

    expect([steps.length, more]).toEqual([7, true]);
  });
});

describe('a retired history', () => {
  test('goes on from the reduced state', async () => {
    const stage = new Stage();
    const objects = new MemoryObjects();
    const options = { actors: [notebook, job], limits: smallPieces, journal: await archived(stage, objects) };
    const { system } = await stage.open(options);
    const ref = system.actor(job, idOn(0, 9));
    const own = addressOf('job', idOn(0, 9));
    for (let n = 0; n < 5; n++) await really(stage, ref.tell({ type: 'ADD', item: `i${n}` }));
    await really(stage, ref.tell({ type: 'FINISH', outcome: 'well' }));
    for (let n = 0; n < 20; n++) await really(stage, system.actor(notebook, id).tell(note(`${n}`)));
    const travel = new TimeTravel({ journal: await archived(stage, objects), actors: [notebook, job] });
    await until(stage, async () => (await travel.steps(own, { limit: 1 })).retired === 6);
    // So many that a newer snapshot stands between the retirement and the end.
    for (let n = 0; n < 60; n++) await really(stage, ref.tell({ type: 'TOUCH' }));
    await until(stage, () => (stage.store.shards[0]!.actors.get(own)?.snapshotVersion ?? 0) > 50);

    const { steps, retired, version } = await travel.steps(own, { limit: 100 });

    const seen = steps.map(({ context }) => (context as { readonly items: readonly string[] }).items.length);
    expect([retired, version]).toEqual([6, 66]);
    expect(seen).toEqual([1, 2, 3, 4, 5, 5, ...Array.from({ length: 60 }, () => 0)]);
    expect(steps.at(-1)?.context).toEqual((await really(stage, ref.snapshot()))?.state.context);
    const paged = await travel.steps(own, { after: 10, limit: 5 });
    expect(paged.steps).toEqual(steps.slice(10, 15));
  });
});

describe('a damaged history', () => {
  test('is followed to the damage', async () => {
    const stage = await noted(62);
    const { entries } = stage.store.shards[0]!;
    const place = entries.findIndex(({ actor, version }) => actor === address && version === 20);
    stage.store.damaged.add(entries[place]!);
    const { travel } = counting(stage);

    const { steps, more, problem } = await travel.steps(address, { limit: 100 });
    const recent = await travel.steps(address, { after: 60, limit: 100 });

    expect([steps.length, more]).toEqual([19, false]);
    expect(problem).toMatch(/^Event 20 cannot be folded: .*from version 19 to 21\. /);
    expect([recent.problem, recent.steps.length]).toEqual([undefined, 2]);
  });

  test('stops at an event that its machine throws on', async () => {
    const stage = await noted(4);
    const { entries } = stage.store.shards[0]!;
    const broken = { ...notebook, machine: notebook.machine.provide({}) } as typeof notebook;
    const place = entries.findIndex(({ actor, version }) => actor === address && version === 3);
    entries[place] = { ...entries[place]!, payload: new Uint8Array([0xc1]) };
    const travel = new TimeTravel({ journal: openMemoryJournal({ store: stage.store }), actors: [broken] });

    const { steps, problem } = await travel.steps(address, { limit: 100 });

    expect(steps).toHaveLength(2);
    expect(problem).toMatch(/^Event 3 cannot be folded: /);
  });
});

describe('the trace of an operation', () => {
  test('says when it read too little', async () => {
    const chat = await ChatStage.open(4);
    await chat.settle();
    const { operationId } = await chat.run('ROOM_ADD_MEMBER', 'alice', {
      roomId: idOf('room'),
      memberId: idOf('carol'),
    });
    const bounded = (operationEntriesMax: number) => {
      return new TimeTravel({ journal: chat.journal(), actors: chatActors, limits: { operationEntriesMax } });
    };

    const part = await bounded(6).operation(operationId);
    const whole = await bounded(10_000).operation(operationId);

    expect(part.isComplete).toBe(false);
    expect(whole.isComplete).toBe(true);
    expect(part.steps.length).toBeLessThan(whole.steps.length);
    expect(new Set(whole.steps.map(({ address: of }) => typeOf(of)))).toEqual(
      new Set(['ROOM_ADD_MEMBER', 'room', 'user']),
    );
  });
});
