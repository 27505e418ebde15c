/** What one client may ask of a server at once, and what becomes of one that asks for more. */

import { afterEach, expect, test } from 'vitest';
import { commandsOfBytes } from '../../src/gateway/centrifugo/protobuf.ts';
import { commandsOf, frameCommandsMax } from '../../src/gateway/centrifugo/protocol.ts';
import type { GatewayLimits } from '../../src/gateway/gateway.ts';
import { type Chat, chat } from '../gateway/chat.ts';
import { RawClient } from './raw.ts';

let app: Chat;
let client: RawClient | undefined;

async function started(limits: Partial<GatewayLimits> = {}): Promise<void> {
  app = await chat({ limits });
}

afterEach(async () => {
  client?.close();
  await app.server.stop();
});

test('a frame holds the subscriptions of a client that comes again', async () => {
  await started();
  const { token } = await app.stranger('alice');
  const returning = await RawClient.open(app.base);
  client = returning;
  const room = (n: number) => `room:00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
  const position = { recover: true, offset: 1_000_000, epoch: crypto.randomUUID(), flag: 1 };
  const subscribes = Array.from({ length: 1_000 }, (_, n) => ({
    id: n + 2,
    subscribe: { channel: room(n), ...position },
  }));

  returning.say({ id: 1, connect: { token } }, ...subscribes);
  await Promise.all(subscribes.map(({ id }) => returning.reply((reply) => reply.id === id)));

  const codes = returning.replies.filter(({ id }) => id !== 1).map(({ error }) => error?.code);
  expect(new Set(codes)).toEqual(new Set([102]));
});

test('a frame of more commands is none', () => {
  const pongs = Array<string>(frameCommandsMax).fill('{}');

  expect(commandsOf(pongs.join('\n'))).toHaveLength(frameCommandsMax);
  expect(commandsOf([...pongs, '{}'].join('\n'))).toBeUndefined();
  expect(commandsOfBytes(new Uint8Array(frameCommandsMax))).toHaveLength(frameCommandsMax);
  expect(commandsOfBytes(new Uint8Array(frameCommandsMax + 1))).toBeUndefined();
});

test('channels beyond the bound are refused, also at once', async () => {
  await started({ channelsMax: 3 });
  const [alice, bob] = [await app.register('alice'), await app.register('bob')];
  const rooms = await Promise.all(Array.from({ length: 5 }, () => alice.room(bob)));
  const follower = await RawClient.connected(app.base, alice.token);
  client = follower;

  follower.say(...rooms.map((roomId, n) => ({ id: n + 10, subscribe: { channel: `room:${roomId}` } })));
  const replies = await Promise.all(rooms.map((_, n) => follower.reply(({ id }) => id === n + 10)));

  // Beside the client's own channel.
  expect(replies.filter(({ subscribe }) => subscribe !== undefined)).toHaveLength(2);
  expect(replies.filter(({ error }) => error?.code === 106)).toHaveLength(3);
});

test('whoever asks on and on and never reads is cut off', async () => {
  await started({ unreadBytesMax: 100_000 });
  const [alice, bob] = [await app.register('alice'), await app.register('bob')];
  const roomId = await alice.room(bob);
  for (let n = 0; n < 50; n++) await alice.message(roomId, 'x'.repeat(4_000));
  const reader = await RawClient.connected(app.base, alice.token);
  client = reader;

  reader.socket.pause();
  for (let id = 2; id < 1_000 && app.server.sockets() > 0; id++) {
    reader.say({ id, history: { channel: `room:${roomId}`, limit: -1 } });
    await new Promise((resolve) => setImmediate(resolve));
  }
  await expect.poll(() => app.server.sockets()).toBe(0);
  reader.socket.resume();

  expect((await reader.closed).code).toBe(3008);
});
