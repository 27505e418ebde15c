/** A clock whose timers do not fire while its process is held up, although time goes on. */

import type { Clock } from '../../src/clock.ts';

export interface DrowsyClock extends Clock {
  isAsleep: boolean;
}

const lookMs = 10;

export function drowsy(inner: Clock): DrowsyClock {
  const clock: DrowsyClock = {
    isAsleep: false,
    now: () => inner.now(),
    monotonic: () => inner.monotonic(),
    soon: (callback) => inner.soon(callback),
    after: (ms, callback) => {
      let cancel = inner.after(ms, function fire() {
        if (clock.isAsleep) cancel = inner.after(lookMs, fire);
        else callback();
      });
      return () => cancel();
    },
  };
  return clock;
}
