/**
 * What a user who is online and silent costs: users who are registered and members of rooms connect to a node that only
 * serves clients, while another one owns the shards. Weighed are the gateway's resident memory, and what its
 * subscriptions take of Redis; and the CPU time that both use while nobody says anything.
 */

import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { RedisServer } from '../test/redis-server.ts';
import { forEach } from './load.ts';
import { type NodeOptions, type ServerProcess, startServer } from './processes.ts';
import { SocketUsers } from './socket-users.ts';

export interface IdleSockets {
  readonly sockets: number;
  /** Of the gateway. */
  readonly bytesPerSocket: number;
  /** Memory of Redis. */
  readonly redisBytesPerSocket: number;
  /** Milliseconds of CPU in a second, for all sockets together: of the gateway, of Redis. */
  readonly gatewayMs: number;
  readonly redisMs: number;
}

const setupInFlight = 32;
const companionStep = 7;
const settleMs = 3_000;
const idleMs = 5_000;

function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}

async function register(server: ServerProcess, sockets: number, authSecret: string): Promise<void> {
  const users = await SocketUsers.connect({ ports: [server.port], path: '/ws/chat', users: sockets, authSecret });
  const user = (i: number) => ({ type: 'REGULAR_USER', username: `user ${i}`, primaryLanguage: 'ENGLISH' });
  await forEach(sockets, setupInFlight, (i) => users.send(i, 'USER_CREATE', user(i), 'outcome'));
  await forEach(sockets, setupInFlight, (i) => {
    const companionUserId = users.userIds[(i + companionStep) % sockets];
    return users.send(i, 'ROOM_CREATE', { companionUserId }, 'outcome');
  });
  users.close();
}

/** Every user makes a room with another one, and so is a member of two. */
export async function measureIdleSockets(
  sockets: number,
  options: NodeOptions,
  say: (doing: string) => void,
): Promise<IdleSockets> {
  const authSecret = randomBytes(32).toString('base64url');
  const redis = await RedisServer.start();
  const client = new Redis(redis.url);
  const servers: ServerProcess[] = [];
  const start = async (role: string): Promise<ServerProcess> => {
    const env = { AUTH_SECRET: authSecret, JOURNAL: redis.url, PORT: '0', NODE_ID: role, ROLE: role };
    const server = await startServer({ args: ['actors/cli/troupe.js', 'start'], env, ...options });
    servers.push(server);
    return server;
  };
  const info = async (pattern: RegExp): Promise<number> =>
    [...(await client.info()).matchAll(pattern)].reduce((sum, match) => sum + Number(match[1]), 0);
  const redisBytes = (): Promise<number> => info(/^used_memory:(\d+)/gm);
  const redisCpu = async (): Promise<number> => (await info(/^used_cpu_(?:user|sys):([\d.]+)/gm)) * 1000;
  try {
    say(`registering ${sockets} users`);
    await register(await start('all'), sockets, authSecret);
    const gateway = await start('gateway');
    await pause(settleMs);
    const before = { bytes: residentBytes(gateway.pid), redis: await redisBytes() };
    say(`connecting ${sockets} sockets`);
    const users = await SocketUsers.connect({ ports: [gateway.port], path: '/ws/chat', users: sockets, authSecret });
    await pause(settleMs);
    say('nobody says anything');
    const from = { cpu: await gateway.cpu(), redis: await redisCpu(), at: performance.now() };
    await pause(idleMs);
    const [cpu, redisMs] = [(await gateway.cpu()) - from.cpu, (await redisCpu()) - from.redis];
    const seconds = (performance.now() - from.at) / 1000;
    const after = { bytes: residentBytes(gateway.pid), redis: await redisBytes() };
    users.close();
    return {
      sockets,
      bytesPerSocket: (after.bytes - before.bytes) / sockets,
      redisBytesPerSocket: (after.redis - before.redis) / sockets,
      gatewayMs: cpu / 1000 / seconds,
      redisMs: redisMs / seconds,
    };
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
    client.disconnect();
    await redis.dispose();
  }
}
