/** The inbox as its owner reads it: what comes along with rings, what does not, and what is read again. */

import { expect, test } from 'vitest';
import type { Barrier, Delivery } from '../../src/shard/delivery.ts';
import { Inbox } from '../../src/shard/inbox.ts';

/** An inbox whose store holds envelopes 1 to `held`. */
function stage(held: number) {
  const given: number[] = [];
  const asked: number[] = [];
  const note = (deliveries: readonly Delivery[]) => deliveries.forEach((one) => void given.push(numberOf(one)));
  const world = { held, given, asked, came: (n: number) => inbox.came(n, () => barrier(n)) };
  const read = async (after: number, limit: number) => {
    asked.push(after);
    const numbers = Array.from({ length: Math.max(0, world.held - after) }, (_, i) => after + 1 + i).slice(0, limit);
    return { deliveries: numbers.map(barrier), last: numbers.at(-1) ?? after };
  };
  const inbox = new Inbox({ read }, note, (error) => expect.unreachable(String(error)));
  return Object.assign(world, { inbox });
}

function barrier(n: number): Barrier {
  return { kind: 'barrier', waiting: { resolve: () => undefined, reject: () => undefined }, inbox: n, attempts: 0 };
}

function numberOf(delivery: Delivery): number {
  return (delivery as Barrier).inbox ?? 0;
}

/** Until what was asked has been answered. */
async function quiet(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

async function opened(held: number) {
  const world = stage(held);
  await world.inbox.restart(held);
  world.inbox.open();
  world.asked.length = 0;
  return world;
}

test('takes what comes along without asking', async () => {
  const { given, asked, came } = await opened(4);

  came(5);
  came(6);
  await quiet();

  expect(given).toEqual([5, 6]);
  expect(asked).toEqual([]);
});

test('ignores what it has read already', async () => {
  const { given, asked, came } = await opened(4);

  came(4);
  came(5);
  came(5);
  await quiet();

  expect(given).toEqual([5]);
  expect(asked).toEqual([]);
});

test('reads what is missing before what came along', async () => {
  const world = await opened(4);
  world.held = 7;

  world.came(7);
  await quiet();

  expect(world.given).toEqual([5, 6, 7]);
  expect(world.asked).toEqual([4]);
});

test('takes nothing along while it reads', async () => {
  const world = await opened(4);
  world.held = 6;

  world.inbox.ring();
  world.came(5);
  world.came(6);
  await quiet();

  expect(world.given).toEqual([5, 6]);
});

test('takes nothing along before it is open', async () => {
  const world = stage(4);
  await world.inbox.restart(4);
  world.held = 5;

  world.came(5);
  await quiet();
  const before = [...world.given];
  world.inbox.open();
  await quiet();

  expect(before).toEqual([]);
  expect(world.given).toEqual([5]);
});

test('leaves in the store what its window has no room for', async () => {
  const world = await opened(0);
  for (let n = 1; n <= 1_025; n++) world.came(n);
  const before = world.given.length;

  world.held = 1_025;
  world.inbox.took(1);
  world.inbox.goOn();
  await quiet();

  expect(before).toBe(1_024);
  expect(world.given.at(-1)).toBe(1_025);
});
