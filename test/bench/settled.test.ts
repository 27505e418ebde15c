/**
 * A chat message of 100 bytes that has settled costs at most 1.5 kB in Redis: what `npm run bench -- bytes` says of many,
 * here for few. A server's memory as a whole jumps with the sizes of its tables, so the keys are added up; they are 95 % of it.
 */

import { expect, test } from 'vitest';
import { weighSettled } from '../../bench/settled-bytes.ts';
import { RedisServer } from '../redis-server.ts';

test('a settled message stays within its budget', { timeout: 240_000 }, async () => {
  const server = await RedisServer.start();
  const store = { name: 'redis-everysec', url: server.url } as const;
  try {
    const { kinds } = await weighSettled({ store, rooms: 20, messagesPerRoom: 100 }, () => undefined);

    const perKey = kinds.filter(({ kind }) => !kind.startsWith('files') && kind !== 'all in');
    const bytes = perKey.reduce((sum, { settled }) => sum + settled, 0);
    process.stdout.write(`A settled message: ${Math.round(bytes)} bytes in ${perKey.length} kinds of keys\n`);
    expect(perKey.map(({ kind }) => kind)).toContain('view:messages');
    expect(bytes).toBeGreaterThan(1_000);
    expect(bytes).toBeLessThan(1_400);
  } finally {
    await server.dispose();
  }
});
