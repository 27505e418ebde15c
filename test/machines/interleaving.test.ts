/**
 * Undone is never happened: whatever the order in which envelopes arrive, requests are refused and time runs out, the
 * state that is left is that of the completed operations alone.
 */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { World } from './model.ts';
import { Network } from './network.ts';
import { draftsArbitrary, messageCreate, numbered, type Operation, roomCreate, userCreate } from './operations.ts';

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
process.stdout.write(`SEED=${seed} (interleaving.test.ts)\n`);

/** One step of a schedule. Most deliver; a few start the next operation or do harm. */
function take(network: Network, waiting: Operation[], pick: number): void {
  const kind = pick % 64;
  const choice = Math.floor(pick / 64);
  const next = kind < 10 ? waiting.shift() : undefined;
  if (next !== undefined) network.start(next);
  else if (kind === 63) network.expire(choice);
  else if (kind === 62) network.refuse(choice);
  else if (kind > 58) network.repeat(choice);
  else network.deliver(choice);
}

function run(operations: readonly Operation[], schedule: readonly number[]): Network {
  const network = new Network();
  const waiting = [...operations];
  for (const pick of schedule) take(network, waiting, pick);
  for (const operation of waiting) network.start(operation);
  network.drain();
  return network;
}

/** The business part of every actor, as the machines have it. */
function found(network: Network): Record<string, unknown> {
  return Object.fromEntries(
    [...network.actors.values()].flatMap(({ address, driven: { snapshot } }) => {
      const { pending, waiting, user, room, message, messages } = snapshot.context;
      if (pending === undefined) return [];
      const state =
        address.startsWith('room/') && room !== null ? { ...room, messages } : (user ?? room ?? message ?? null);
      return [[address, { is: snapshot.value, state, pending, waiting }]];
    }),
  );
}

const existing = { user: 'existing', room: 'open', message: 'sent' } as const;

/** The same, as the model has it: each actor's completed operations in the order it was told of them. */
function expected(network: Network): Record<string, unknown> {
  return Object.fromEntries(
    [...network.actors.keys()].flatMap((address) => {
      const [type, id] = address.split('/') as [keyof typeof existing, string];
      if (!(type in existing)) return [];
      const world = new World();
      for (const operation of network.settled.get(address) ?? []) world.make(operation, type);
      const state = { user: world.users, room: world.rooms, message: world.messages }[type].get(id) ?? null;
      return [[address, { is: state === null ? 'absent' : existing[type], state, pending: [], waiting: [] }]];
    }),
  );
}

/** Completed operations that were not possible on the completed ones before them. */
function impossible(network: Network): string[] {
  const world = new World();
  return network.completed.flatMap((operation) => {
    const against = world.happen(operation);
    return against === undefined ? [] : [`${operation.id}: ${against}`];
  });
}

describe('interleaved operations', () => {
  test('leave the state of the completed ones alone', () => {
    const schedules = fc.array(fc.nat(64 * 1_000), { minLength: 40, maxLength: 600 });

    fc.assert(
      fc.property(draftsArbitrary(30), schedules, (drafts, schedule) => {
        const operations = numbered(drafts);

        const network = run(operations, schedule);

        expect(found(network)).toEqual(expected(network));
        expect(impossible(network)).toEqual([]);
        for (const { id } of operations) expect(network.outcomes.get(id)).toHaveLength(1);
        for (const { driven } of network.actors.values()) expect(driven.timers).toEqual([]);
      }),
      { seed, numRuns: 150 },
    );
  }, 60_000);

  test('end as the model does, one by one', () => {
    fc.assert(
      fc.property(draftsArbitrary(40), (drafts) => {
        const network = new Network();
        const world = new World();

        for (const operation of numbered(drafts)) {
          network.start(operation);
          network.drain();
          expect(network.outcomes.get(operation.id)).toEqual([world.happen(operation) ?? 'COMPLETED']);
        }
      }),
      { seed, numRuns: 60 },
    );
  }, 60_000);

  test('never blame one operation for another one', () => {
    const network = new Network();
    const [alice, bob, room, first, second] = numbered([
      userCreate('alice'),
      userCreate('bob'),
      roomCreate('r1', 'alice', 'bob'),
      messageCreate('m1', 'r1', 'alice'),
      messageCreate('m2', 'r1', 'carol'),
    ]) as [Operation, Operation, Operation, Operation, Operation];
    for (const operation of [alice, bob, room]) network.start(operation);
    network.drain();

    network.start(first);
    network.start(second);
    network.drain();

    expect(network.outcomes.get(first.id)).toEqual(['COMPLETED']);
    expect(network.outcomes.get(second.id)).toEqual(['NOT_A_MEMBER']);
    expect(network.actors.get('room/r1')?.driven.snapshot.context.messages).toBe(1);
  });

  test('never blame a waiting one for the undone', () => {
    const network = new Network();
    const [alice, bob, doomed, later] = numbered([
      userCreate('alice'),
      userCreate('bob'),
      roomCreate('r1', 'alice', 'carol'),
      roomCreate('r1', 'alice', 'bob'),
    ]) as [Operation, Operation, Operation, Operation];
    for (const operation of [alice, bob]) network.start(operation);
    network.drain();

    network.start(doomed);
    network.start(later);
    network.drain();

    expect(network.outcomes.get(doomed.id)).toEqual(['USER_NOT_FOUND']);
    expect(network.outcomes.get(later.id)).toEqual(['COMPLETED']);
    expect(network.actors.get('room/r1')?.driven.snapshot.context.room.members).toEqual(['alice', 'bob']);
  });
});
