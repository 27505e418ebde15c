import { describe, expect, test } from 'vitest';
import { Lru } from '../../src/gateway/lru.ts';
import { createPresence } from '../../src/gateway/presence.ts';
import { RateLimiter } from '../../src/gateway/token-bucket.ts';
import { signToken, verifyToken } from '../../src/gateway/tokens.ts';
import { SimulatedClock } from '../runtime/simulated-clock.ts';

describe('a bounded map', () => {
  test('what was used longest ago goes first', () => {
    const map = new Lru<string, number>(3);
    for (const [index, key] of ['a', 'b', 'c'].entries()) map.set(key, index);

    map.get('a');
    map.set('d', 3);

    expect([map.get('a'), map.get('b'), map.get('c'), map.get('d')]).toEqual([0, undefined, 2, 3]);
    expect(map.size).toBe(3);
  });

  test('it never holds more than its bound', () => {
    const map = new Lru<number, number>(10);

    for (let i = 0; i < 1_000; i++) map.set(i % 37, i);

    expect(map.size).toBe(10);
  });
});

describe('a token bucket', () => {
  test('a burst is taken at once, then the rate holds', async () => {
    const clock = new SimulatedClock();
    const limiter = new RateLimiter({ burst: 3, perSecond: 2 }, clock);

    expect([1, 2, 3, 4].map(() => limiter.take('ann'))).toEqual([0, 0, 0, 500]);
    expect(limiter.take('bob')).toBe(0);
    await clock.advance(500);

    expect([limiter.take('ann'), limiter.take('ann')]).toEqual([0, 500]);
  });

  test('a long pause fills no more than the burst', async () => {
    const clock = new SimulatedClock();
    const limiter = new RateLimiter({ burst: 2, perSecond: 100 }, clock);
    limiter.take('ann');

    await clock.advance(3_600_000);

    expect([1, 2, 3].map(() => limiter.take('ann') > 0)).toEqual([false, false, true]);
  });
});

describe('presence', () => {
  test('coming and going are told once per user', () => {
    const presence = createPresence();
    const told: string[] = [];
    presence.on('online', ({ user }) => told.push(`+${user}`));
    presence.on('offline', ({ user }) => told.push(`-${user}`));

    for (const user of ['ann', 'ann', 'bob']) presence.trigger.opened({ user });
    for (const user of ['ann', 'bob', 'ann', 'ann']) presence.trigger.closed({ user });

    expect(told).toEqual(['+ann', '+bob', '-bob', '-ann']);
    expect(presence.getSnapshot().context).toEqual({ sockets: 0, users: new Map() });
  });
});

describe('tokens', () => {
  const secret = 'a secret of at least thirty-two bytes';

  test('a signed token gives its email back', async () => {
    const token = await signToken(secret, 'ann@example.com', 1_700_000_000_000, 86_400);

    expect(await verifyToken(secret, token, 1_700_000_000_000)).toEqual({
      ok: true,
      claims: { email: 'ann@example.com', expiresAt: 1_700_086_400 },
    });
    expect(await verifyToken(secret, token, 1_700_086_401_000)).toEqual({ ok: false, code: 'TOKEN_EXPIRED' });
    expect(await verifyToken(`${secret}!`, token, 1_700_000_000_000)).toEqual({ ok: false, code: 'TOKEN_INVALID' });
  });

  test('a token without an email is not valid', async () => {
    const token = await signToken(secret, '', 1_700_000_000_000);

    expect(await verifyToken(secret, token, 1_700_000_000_000)).toEqual({ ok: false, code: 'TOKEN_INVALID' });
  });
});
