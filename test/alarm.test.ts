/** One timer for many deadlines. */

import { expect, test } from 'vitest';
import { Alarm } from '../src/alarm.ts';
import { SimulatedClock } from './runtime/simulated-clock.ts';

function alarm() {
  const clock = new SimulatedClock();
  const rung: number[] = [];
  return { clock, rung, alarm: new Alarm(clock, () => rung.push(clock.monotonic())) };
}

test('it rings at the earliest time, once, and keeps one timer for all', async () => {
  const { clock, rung, alarm: one } = alarm();

  for (const at of [500, 300, 900, 400]) one.by(at);
  const waiting = clock.waiting;
  await clock.advance(2_000);

  expect(waiting).toBe(1);
  expect(rung).toEqual([300]);
});

test('it rings again when it is told to, also from within', async () => {
  const clock = new SimulatedClock();
  const rung: number[] = [];
  const one = new Alarm(clock, () => {
    rung.push(clock.monotonic());
    if (rung.length < 3) one.by(clock.monotonic() + 100);
  });

  one.by(100);
  await clock.advance(2_000);

  expect(rung).toEqual([100, 200, 300]);
});

test('one that was cancelled does not ring, until it is set anew', async () => {
  const { clock, rung, alarm: one } = alarm();

  one.by(100);
  one.cancel();
  const waiting = clock.waiting;
  await clock.advance(200);
  one.by(500);
  await clock.advance(2_000);

  expect(waiting).toBe(0);
  expect(rung).toEqual([500]);
});
