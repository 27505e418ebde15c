/**
 * Undone is never happened: whatever the order in which envelopes arrive, requests are refused and time runs out, the
 * state that is left is that of the completed operations alone.
 */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type RoomEvent, roomMachine } from '../../machines/room.ts';
import { Driven } from './driver.ts';
import { World } from './model.ts';
import { Network } from './network.ts';
import {
  draftsArbitrary,
  firstDrafts,
  messageCreate,
  numbered,
  type Operation,
  roomCreate,
  userCreate,
} from './operations.ts';

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
process.stdout.write(`SEED=${seed} (interleaving.test.ts)\n`);

/** Who decides what happens next, from one number (mulberry32). */
function chance(from: number): () => number {
  let state = from >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

interface Course {
  /** Draws the order of everything. */
  readonly draw: number;
  /** How many operations are settled before the others begin. */
  readonly settledFirst: number;
  /** Of 1,000 steps, so many refuse a request, let time run out or repeat an answer. */
  readonly harm: number;
}

const courses: fc.Arbitrary<Course> = fc.record({
  draw: fc.nat(),
  settledFirst: fc.constantFrom(firstDrafts.length, firstDrafts.length, 3, 0),
  harm: fc.constantFrom(0, 10, 40),
});

function run(operations: readonly Operation[], { draw, settledFirst, harm }: Course): Network {
  const network = new Network();
  for (const operation of operations.slice(0, settledFirst)) network.start(operation);
  while (network.deliver(0));
  const waiting = operations.slice(settledFirst);
  const next = chance(draw);
  for (let isBusy = true; isBusy; ) {
    const kind = next() % 1_000;
    if (kind < harm) [network.expire, network.refuse, network.repeat][kind % 3]?.call(network, next());
    const starting = kind >= harm && kind < 160 ? waiting.shift() : undefined;
    if (starting !== undefined) network.start(starting);
    else isBusy = network.deliver(next()) || waiting.length > 0;
  }
  network.drain();
  return network;
}

/** The business part of every actor, as the machines have it. */
function found(network: Network): Record<string, unknown> {
  return Object.fromEntries(
    [...network.actors.values()].flatMap(({ address, driven: { snapshot } }) => {
      const { pending, waiting, user, room, message, messages, readPositions } = snapshot.context;
      if (pending === undefined) return [];
      const state =
        address.startsWith('room/') && room !== null
          ? { ...room, messages, readPositions }
          : (user ?? room ?? message ?? null);
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

/** Moves back of somebody's read position in a room, or beyond its newest message, in all that the rooms were sent. */
function movesBack(network: Network): string[] {
  return [...network.actors.values()].flatMap(({ address, events }) => {
    if (!address.startsWith('room/')) return [];
    const room = new Driven(roomMachine, address.slice('room/'.length));
    const back: string[] = [];
    for (const event of events as readonly unknown[] as readonly RoomEvent[]) {
      const before = room.snapshot.context.readPositions;
      room.send(event);
      const { readPositions, messages } = room.snapshot.context;
      const isWrong = before.some((position, i) => (readPositions[i] ?? -1) < position);
      if (isWrong || Math.max(0, ...readPositions) > messages) back.push(`${event.operationId} in ${address}`);
    }
    return back;
  });
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
    fc.assert(
      fc.property(draftsArbitrary(30), courses, (drafts, course) => {
        const operations = numbered(drafts);

        const network = run(operations, course);

        expect(found(network)).toEqual(expected(network));
        expect(impossible(network)).toEqual([]);
        expect(movesBack(network)).toEqual([]);
        for (const { id } of operations) expect(network.outcomes.get(id)).toHaveLength(1);
        for (const { driven } of network.actors.values()) expect(driven.timers).toEqual([]);
        // Waiting ends when what it waits for ends: without harm nobody needs the clock.
        if (course.harm === 0) expect([...network.outcomes.values()].flat()).not.toContain('OPERATION_TIMEOUT');
      }),
      { seed, numRuns: 100 },
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
        expect(found(network)).toEqual(expected(network));
      }),
      { seed, numRuns: 40 },
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
