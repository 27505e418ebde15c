import { describe, expect, onTestFinished, test } from 'vitest';
import { openRedisJournal } from '../../src/journal/redis.ts';
import { RedisServer } from '../redis-server.ts';
import type { JournalAdapter } from './adapter.ts';
import { describeJournal } from './conformance.ts';

const redis: JournalAdapter = {
  kind: 'redis',
  persistent: true,
  shared: true,
  damages: [],
  losesSnapshots: false,
  stalls: true,
  create: async () => {
    const server = await RedisServer.start();
    return {
      open: (options) => openRedisJournal({ ...options, url: server.url }),
      stall: async () => {
        server.pause();
        return async () => server.resume();
      },
      dispose: () => server.dispose(),
    };
  },
};

describeJournal('redis', redis);
