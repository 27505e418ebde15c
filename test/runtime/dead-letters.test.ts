/** Invariant 8: what cannot be handled is kept with its reason, its sender is told, and the shard goes on. */

import { describe, expect, test } from 'vitest';
import { setup } from 'xstate';
import { type Address, addressOf } from '../../src/actor/address.ts';
import { defineActor } from '../../src/actor/definition.ts';
import type { AnyEvent, Envelope } from '../../src/actor/envelope.ts';
import { decode } from '../../src/journal/codec.ts';
import { defineProjection } from '../../src/projection/projection.ts';
import { type Instruction, idOn, note, notebook, notebookOn } from './notebook.ts';
import { notesOf, type Opened, Stage } from './stage.ts';

/** Cannot even begin to exist. */
const stillborn = defineActor({
  type: 'stillborn',
  machine: setup({ types: { events: {} as { readonly type: 'GO' } } }).createMachine({
    context: () => {
      throw new Error('no beginning');
    },
  }),
});

const id = idOn(1, 1);

async function lettersOf({ journal }: Opened, shard: number): Promise<readonly (readonly [string, Envelope])[]> {
  const letters = await journal.readDeadLetters(shard, 100);
  return letters.map(({ code, payload }) => [code, decode<Envelope>(payload)]);
}

/** After a failure, the actor stands where it stood and its shard works. */
async function expectUnharmed({ system }: Opened, stage: Stage, notes: readonly string[]): Promise<void> {
  expect(await notesOf(system, id)).toEqual(notes);
  await system.actor(notebook, id).tell(note('next'));
  expect(await notesOf(system, id)).toEqual([...notes, 'next']);
  expect(await stage.differences()).toEqual([]);
}

test('a machine that throws leaves its actor unchanged', async () => {
  const stage = new Stage();
  const opened = await stage.open();
  await opened.system.actor(notebook, id).tell(note('a'));

  const told = opened.system.actor(notebook, id).tell({ type: 'BREAK' }, { operation: 'o' });

  await expect(told).rejects.toMatchObject({ code: 'MACHINE_FAILED', message: expect.stringContaining('on purpose') });
  expect(await lettersOf(opened, 1)).toEqual([
    ['MACHINE_FAILED', expect.objectContaining({ to: notebookOn(1, 1), event: { type: 'BREAK' }, operation: 'o' })],
  ]);
  await expectUnharmed(opened, stage, ['a']);
});

test('an effect rule that throws leaves its actor unchanged', async () => {
  const stage = new Stage();
  const opened = await stage.open();

  const told = opened.system.actor(notebook, id).tell(note('a', { kind: 'throw' }));

  await expect(told).rejects.toMatchObject({ code: 'MACHINE_FAILED', message: expect.stringContaining('a rule') });
  expect(await lettersOf(opened, 1)).toHaveLength(1);
  await expectUnharmed(opened, stage, []);
});

test('an effect without a valid address is refused', async () => {
  const stage = new Stage();
  const opened = await stage.open();
  const nowhere = { kind: 'note', to: 'nowhere' as Address, key: 'b' } as const;

  const told = opened.system.actor(notebook, id).tell(note('a', nowhere));

  await expect(told).rejects.toMatchObject({ code: 'ADDRESS_INVALID' });
  await expectUnharmed(opened, stage, []);
});

test('an effect without a valid topic is refused', async () => {
  const stage = new Stage();
  const opened = await stage.open();

  const told = opened.system.actor(notebook, id).tell(note('a', { kind: 'publish', topic: 'röm', data: 1 }));

  await expect(told).rejects.toMatchObject({ code: 'TOPIC_INVALID' });
  await expectUnharmed(opened, stage, []);
});

test('an event that is too large is refused', async () => {
  const stage = new Stage();
  const opened = await stage.open({ limits: { eventBytesMax: 1_000 } });

  const told = opened.system.actor(notebook, id).tell(note('x'.repeat(2_000)));

  await expect(told).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED', message: expect.stringContaining('1000') });
  expect(await lettersOf(opened, 1)).toEqual([
    ['LIMIT_EXCEEDED', expect.objectContaining({ event: { type: 'NOTE' } })],
  ]);
  await expectUnharmed(opened, stage, []);
});

test('an event that cannot be encoded is refused', async () => {
  const stage = new Stage();
  const opened = await stage.open();
  const key = Symbol('not data') as unknown as string;

  const told = opened.system.actor(notebook, id).tell({ type: 'NOTE', key });

  await expect(told).rejects.toMatchObject({ code: 'MACHINE_FAILED' });
  await expectUnharmed(opened, stage, []);
});

test.each([
  ['near', 1],
  ['far', 2],
])('news that cannot be encoded for %s topics are kept', async (_, shard) => {
  const stage = new Stage();
  const opened = await stage.open();
  const topic = `room:${idOn(shard, 1)}`;

  await opened.system
    .actor(notebook, id)
    .tell({
      type: 'PASS',
      orders: [{ kind: 'publish', topic, data: Symbol('not data') }],
    })
    .catch(() => undefined);
  await stage.clock.settle();

  expect((await lettersOf(opened, 1)).map(([code]) => code)).toEqual(['MACHINE_FAILED']);
  await expectUnharmed(opened, stage, []);
});

describe.each([
  ['near', 1],
  ['far', 2],
])('what is told to a %s actor', (_, shard) => {
  /** Tells `order` from shard 1; gives the dead letters of the receiving shard. */
  async function told(
    order: Instruction,
    opened: Opened,
    stage: Stage,
  ): Promise<readonly (readonly [string, Envelope])[]> {
    await opened.system.actor(notebook, id).tell(note('a', order));
    await stage.clock.advance(3_000);
    expect(stage.store.shards.flatMap(({ outbox }) => outbox)).toEqual([]);
    return lettersOf(opened, shard);
  }

  const event = (to: Address, what: AnyEvent): Instruction => ({ kind: 'event', to, event: what });

  test('is kept when its machine throws', async () => {
    const stage = new Stage();
    const opened = await stage.open();

    const letters = await told(event(notebookOn(shard, 2), { type: 'BREAK' }), opened, stage);

    expect(letters).toEqual([['MACHINE_FAILED', expect.objectContaining({ from: notebookOn(1, 1) })]]);
    await expectUnharmed(opened, stage, ['a']);
  });

  test('is kept when its type is unknown', async () => {
    const stage = new Stage();
    const opened = await stage.open();

    const letters = await told(event(addressOf('stranger', idOn(shard, 2)), { type: 'HELLO' }), opened, stage);

    expect(letters).toEqual([['ACTOR_TYPE_UNKNOWN', expect.objectContaining({ event: { type: 'HELLO' } })]]);
    await expectUnharmed(opened, stage, ['a']);
  });

  test('is kept when it forges an event of XState', async () => {
    const stage = new Stage();
    const opened = await stage.open();

    const letters = await told(event(notebookOn(shard, 2), { type: 'xstate.done.actor.payment' }), opened, stage);

    expect(letters.map(([code]) => code)).toEqual(['EVENT_REFUSED']);
    await expectUnharmed(opened, stage, ['a']);
  });

  test('is kept when it is too large', async () => {
    const stage = new Stage();
    const opened = await stage.open({ limits: { eventBytesMax: 6_000 } });
    const key = 'x'.repeat(5_900);

    const orders: Instruction[] = [{ kind: 'note', to: notebookOn(shard, 2), key: `${key}${key}` }];
    await opened.system.actor(notebook, id).tell({ type: 'PASS', orders });
    await stage.clock.advance(3_000);

    expect((await lettersOf(opened, shard)).map(([code]) => code)).toEqual(['LIMIT_EXCEEDED']);
  });

  test('is kept when its actor cannot begin', async () => {
    const stage = new Stage();
    const opened = await stage.open({ actors: [notebook, stillborn] });

    const letters = await told(event(addressOf('stillborn', idOn(shard, 2)), { type: 'GO' }), opened, stage);

    expect(letters.map(([code]) => code)).toEqual(['MACHINE_FAILED']);
    expect(opened.complaints).toEqual([]);
    await expectUnharmed(opened, stage, ['a']);
  });
});

test('a command for an actor that cannot begin fails', async () => {
  const stage = new Stage();
  const opened = await stage.open({ actors: [notebook, stillborn] });

  const told = opened.system.actor(stillborn, idOn(1, 2)).tell({ type: 'GO' });

  await expect(told).rejects.toMatchObject({
    code: 'MACHINE_FAILED',
    message: expect.stringContaining('no beginning'),
  });
  await expectUnharmed(opened, stage, []);
});

test.each(['xstate.done.actor.x', 'xstate.after.1', ''])('a command of type "%s" is refused at once', async (type) => {
  const stage = new Stage();
  const { system, journal } = await stage.open();

  const told = system.actor(notebook, id).tell({ type } as unknown as { type: 'ASK' });

  await expect(told).rejects.toMatchObject({ code: 'EVENT_REFUSED' });
  expect(journal.commits).toEqual([]);
});

describe('a commit that the store takes never', () => {
  const longOperation = 'o'.repeat(2_000);

  test('refuses the one to blame alone', async () => {
    const stage = new Stage();
    const opened = await stage.open();
    const { system } = opened;

    const told = ['a', 'b', 'c', 'd'].map((key) =>
      system.actor(notebook, id).tell(note(key), key === 'c' ? { operation: longOperation } : {}),
    );
    const settled = Promise.allSettled(told);
    await stage.clock.advance(5_000);

    expect((await settled).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    expect((await lettersOf(opened, 1)).map(([code]) => code)).toEqual(['LIMIT_EXCEEDED']);
    await expectUnharmed(opened, stage, ['a', 'b', 'd']);
  });

  test('harms nobody when many are to blame', async () => {
    const stage = new Stage();
    const opened = await stage.open();
    const keys = Array.from({ length: 30 }, (_, n) => `${n}`);

    const told = keys.map((key, n) =>
      opened.system.actor(notebook, id).tell(note(key), n % 3 === 0 ? {} : { operation: longOperation }),
    );
    const settled = Promise.allSettled(told);
    await stage.clock.advance(60_000);

    const statuses = (await settled).map(({ status }) => status);
    expect(statuses).toEqual(keys.map((_, n) => (n % 3 === 0 ? 'fulfilled' : 'rejected')));
    await expectUnharmed(
      opened,
      stage,
      keys.filter((_, n) => n % 3 === 0),
    );
  });

  test('refuses a row with an impossible key', async () => {
    const stage = new Stage();
    const rows = defineProjection({
      name: 'notes',
      version: '1',
      views: ['notes'],
      rules: [['notebook', ({ event }) => [{ view: 'notes', key: (event as { key: string }).key, value: 1 }]]],
    });
    const opened = await stage.open({ projections: [rows] });

    const told = Promise.allSettled(
      ['ok', 'ö', 'fine'].map((key) => opened.system.actor(notebook, id).tell(note(key))),
    );
    await stage.clock.advance(5_000);

    expect((await told).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await notesOf(opened.system, id)).toEqual(['ok', 'fine']);
  });

  test('refuses a parcel alone and moves its mark', async () => {
    const stage = new Stage();
    const rows = defineProjection({
      name: 'notes',
      version: '1',
      views: ['notes'],
      rules: [['notebook', ({ event }) => [{ view: 'notes', key: (event as { key: string }).key, value: 1 }]]],
    });
    const opened = await stage.open({ projections: [rows] });
    const orders = ['b', 'ö', 'c'].map((key): Instruction => ({ kind: 'note', to: notebookOn(2, 1), key }));

    await opened.system.actor(notebook, id).tell(note('a', ...orders));
    await stage.clock.advance(10_000);

    expect(await notesOf(opened.system, idOn(2, 1))).toEqual(['b', 'c']);
    expect((await lettersOf(opened, 2)).map(([code]) => code)).toEqual(['LIMIT_EXCEEDED']);
    expect(stage.store.shards[1]?.outbox).toEqual([]);
  });
});
