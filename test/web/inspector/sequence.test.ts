import { describe, expect, test } from 'vitest';
import type { OperationStep } from '../../../src/inspect/answers.ts';
import { measures, sequenceOf } from '../../../web/inspector/sequence.ts';

const id = '8f14e45f-0000-4000-8000-000000000001';
type Address = OperationStep['address'];
const saga: Address = `ROOM_CREATE/${id}`;
const room: Address = `room/${id}`;

function step(address: Address, type: string, at: number, from?: Address, version = 1): OperationStep {
  const place = { address, version, shard: address === saga ? 1 : 2, shardSeq: version };
  return { ...place, at, event: { type }, emitted: [], ...(from === undefined ? {} : { from }) };
}

const steps = [
  step(saga, 'ROOM_CREATE_START', 1_000),
  step(room, 'ROOM_CREATE_INITIATED', 1_002, saga),
  step(saga, 'ROOM_CREATE_APPROVED', 1_005, room, 2),
  step(saga, 'OPERATION_TIMEOUT', 6_000, undefined, 3),
];

describe('sequence diagram', () => {
  test('has a lane for each in the order they came in', () => {
    const { lanes, width } = sequenceOf(steps);

    expect(lanes.map(({ address }) => address)).toEqual(['client', saga, room]);
    expect(lanes.map(({ shard }) => shard)).toEqual([undefined, 1, 2]);
    expect(lanes[1]).toMatchObject({ type: 'ROOM_CREATE', shortId: '8f14e45f' });
    expect(lanes.every(({ x }) => x < width)).toBe(true);
  });

  test('draws an arrow from sender to receiver for each step', () => {
    const { lanes, arrows } = sequenceOf(steps);
    const [client, first, second] = lanes.map(({ x }) => x);

    expect(arrows.map(({ fromX, toX }) => [fromX, toX])).toEqual([
      [client, first],
      [first, second],
      [second, first],
      [first, first],
    ]);
    expect(arrows.map(({ isOwn }) => isOwn)).toEqual([false, false, false, true]);
    expect(arrows.map(({ y }) => y)).toEqual([...arrows.map(({ y }) => y)].sort((a, b) => a - b));
  });

  test('times each step since the first and the one before', () => {
    const { arrows, tookMs } = sequenceOf(steps);

    expect(arrows.map(({ sinceMs }) => sinceMs)).toEqual([0, 2, 5, 5_000]);
    expect(arrows.map(({ gapMs }) => gapMs)).toEqual([0, 2, 3, 4_995]);
    expect(tookMs).toBe(5_000);
  });

  test('a clock that is behind gives no negative time', () => {
    const { arrows } = sequenceOf([steps[0]!, step(room, 'ROOM_CREATE_INITIATED', 990, saga)]);

    expect(arrows[1]).toMatchObject({ sinceMs: 0, gapMs: 0 });
  });

  test('tells good ends from bad ones', () => {
    const tone = (type: string) => sequenceOf([step(saga, type, 0)]).arrows[0]?.tone;

    expect(['A_START', 'A_COMPLETED', 'A_REJECTED', 'OPERATION_TIMEOUT'].map(tone)).toEqual([
      'plain',
      'good',
      'bad',
      'bad',
    ]);
  });

  test('is bounded and says what it leaves out', () => {
    const { arrows, left, height } = sequenceOf(
      Array.from({ length: 30 }, (_, i) => step(saga, 'A', i)),
      { limit: 10 },
    );

    expect(arrows).toHaveLength(10);
    expect(left).toBe(20);
    expect(height).toBe(measures.head + 10 * measures.row + measures.foot);
  });

  test('leaves the name of the operation out where it is narrow', () => {
    const { arrows, lanes, width } = sequenceOf(steps, { laneWidth: 100, prefix: 'ROOM_CREATE_' });

    expect(arrows.map(({ label }) => label)).toEqual(['START', 'INITIATED', 'APPROVED', 'OPERATION_TIMEOUT']);
    expect(lanes[1]!.x - lanes[0]!.x).toBe(100);
    expect(width).toBeLessThan(sequenceOf(steps).width);
  });

  test('nothing journaled is an empty drawing', () => {
    expect(sequenceOf([])).toMatchObject({ lanes: [], arrows: [], tookMs: 0, left: 0 });
  });
});
