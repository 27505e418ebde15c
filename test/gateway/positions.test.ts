/** A read message's position is found from both ends of what its reader has not read, at the cost of the nearer one. */

import { expect, test } from 'vitest';
import { unreadPositionOf } from '../../actors/api-positions.ts';
import { positionKey } from '../../actors/views.ts';
import type { ActorSystem } from '../../src/actor-system.ts';
import type { RangeOptions } from '../../src/index.ts';

const roomId = '00000000-0000-4000-8000-000000000001';
const now = 1_000_000;
/** As long ago as it takes to have a position. */
const dateCreated = now - 61_000;

function idAt(position: number): string {
  return `message ${position}`;
}

/** A room of `count` messages, and a reader who has read up to `read`. */
function given(count: number, read: number | undefined, isMember = true) {
  const spent = { rows: 0, barriers: 0 };
  const room = { count };
  const range = async (_view: string, _near: string, { after, limit, reverse }: RangeOptions) => {
    const from = after === undefined ? room.count + 1 : Number(after.slice(roomId.length + 1));
    const step = reverse === true ? -1 : 1;
    const positions = Array.from({ length: limit }, (_, i) => from + step * (i + 1));
    const rows = positions
      .filter((position) => position > 0 && position <= room.count)
      .map((position) => ({ key: positionKey(roomId, position), value: idAt(position) }));
    spent.rows += rows.length;
    return rows;
  };
  const rows = async (view: string) => [view === 'memberships' ? (isMember ? { roomId } : undefined) : read];
  const snapshot = async () => {
    spent.barriers++;
    room.count++;
  };
  const system = { range, rows, now: () => now, actor: () => ({ snapshot }) } as unknown as ActorSystem;
  const look = (position: number, at = dateCreated) => {
    return unreadPositionOf(system, { roomId, messageId: idAt(position), userId: 'reader', dateCreated: at });
  };
  return { look, spent };
}

test('finds each message that was not read', async () => {
  const { look } = given(2_500, 37);
  const wanted = Array.from({ length: 2_500 - 37 }, (_, i) => 38 + i);

  expect(await Promise.all(wanted.map((position) => look(position)))).toEqual(wanted);
});

test('finds new ones and those where one was without passing the rest', async () => {
  const { look, spent } = given(1_000_000, 400_000);

  expect([await look(999_990), await look(400_003)]).toEqual([999_990, 400_003]);
  expect(spent.rows).toBeLessThan(2_200);
});

test('finds every message of who has read nothing', async () => {
  const { look } = given(150, undefined);

  expect(await look(1)).toBe(1);
});

test('passes nothing that was read', async () => {
  const { look, spent } = given(1_000_000, 999_900);

  expect(await look(5)).toBeUndefined();
  expect(spent.rows).toBeLessThan(200);
});

test('looks no further for who is not in the room', async () => {
  const { look, spent } = given(1_000_000, undefined, false);

  expect(await look(5)).toBeUndefined();
  expect(spent.rows).toBe(64);
});

test('waits for a message that is just getting its position', async () => {
  const { look, spent } = given(100, 90);

  expect(await look(101, now - 5)).toBe(101);
  expect(spent.barriers).toBe(1);
});
