/** A transport that loses, repeats, delays and so reorders what it carries, by chance from a seed. */

import type { Clock } from '../../src/clock.ts';
import type { Transport } from '../../src/shard/transport.ts';

export interface TransportFaults {
  /** Chances from 0 to 1. */
  readonly lose: number;
  readonly repeat: number;
  readonly delay: number;
  readonly delayMsMax: number;
}

/** A generator of numbers from 0 (inclusive) to 1 (exclusive): mulberry32. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export function faultyTransport(clock: Clock, seed: number, faults: TransportFaults): (inner: Transport) => Transport {
  const random = randomFrom(seed);
  const carry = (deliver: () => void): void => {
    if (random() < faults.lose) return;
    const times = random() < faults.repeat ? 2 : 1;
    for (let time = 0; time < times; time++) {
      if (random() < faults.delay) clock.after(random() * faults.delayMsMax, deliver);
      else deliver();
    }
  };
  return (inner) => ({
    deliver: (to, from, n, parcel) => carry(() => inner.deliver(to, from, n, parcel)),
    acknowledge: (sender, receiver, n) => carry(() => inner.acknowledge(sender, receiver, n)),
    resend: (sender, receiver, n) => carry(() => inner.resend(sender, receiver, n)),
  });
}
