/** Who is there and who is typing, with the official client, on one node. */

import type { JoinContext, LeaveContext } from 'centrifuge';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Chat, chat, type Person } from '../gateway/chat.ts';
import { CentrifugoClient } from './client.ts';

let app: Chat;
let alice: Person;
let bob: Person;
let channel: string;
let clients: CentrifugoClient[];

beforeEach(async () => {
  clients = [];
  app = await chat({ limits: { tellRate: { burst: 3, perSecond: 0.001 } } });
  alice = await app.register('alice');
  bob = await app.register('bob');
  channel = `room:${await alice.room(bob)}`;
});

afterEach(async () => {
  for (const client of clients) client.close();
  await app.server.stop();
});

async function client(person: Person) {
  const opened = await CentrifugoClient.open(person, app.base);
  clients.push(opened);
  return opened;
}

test('those who follow a channel are told apart and counted', async () => {
  const [hers, his, hisPhone] = [await client(alice), await client(bob), await client(bob)];
  const subscription = await hers.follow(channel);
  await Promise.all([his.follow(channel), hisPhone.follow(channel)]);

  const { clients: present } = await subscription.presence();

  expect(
    Object.values(present)
      .map(({ user }) => user)
      .sort(),
  ).toEqual([alice.id, bob.id, bob.id].sort());
  for (const [id, info] of Object.entries(present)) expect(info.client).toBe(id);
  expect(await subscription.presenceStats()).toEqual({ numClients: 3, numUsers: 2 });
});

test('whoever asks for it hears who comes and goes', async () => {
  const [hers, his] = [await client(alice), await client(bob)];
  const seen: string[] = [];
  const subscription = hers.subscription(channel, { joinLeave: true });
  const note = (what: string) => (context: JoinContext | LeaveContext) => {
    seen.push(`${what} ${context.info.user}`);
    hers.bell.ring();
  };
  subscription.on('join', note('join')).on('leave', note('leave'));
  await subscription.ready();

  await his.follow(channel);
  his.close();
  await hers.bell.until(
    () => (seen.includes(`leave ${bob.id}`) ? true : undefined),
    () => seen.join(),
  );

  expect(seen).toEqual([`join ${alice.id}`, `join ${bob.id}`, `leave ${bob.id}`]);
  expect(await subscription.presenceStats()).toEqual({ numClients: 1, numUsers: 1 });
});

test('typing is told to the others and kept nowhere', async () => {
  const [hers, his] = [await client(alice), await client(bob)];
  const [subscription] = await Promise.all([hers.follow(channel), his.follow(channel)]);

  await subscription.publish({ type: 'TYPING', data: { isTyping: true } });

  const { offset, data } = await his.ofType('TYPING');
  expect({ offset, data }).toEqual({
    offset: undefined,
    data: { type: 'TYPING', data: { userId: alice.id, isTyping: true } },
  });
  expect((await his.client.history(channel, { limit: 10 })).publications).toEqual([]);
});

test('nothing else is published by clients', async () => {
  const hers = await client(alice);
  const subscription = await hers.follow(channel);
  const refused = { code: 103, message: 'permission denied' };

  for (const data of [
    { type: 'MESSAGE_UPDATED', data: {} },
    { type: 'TYPING', data: { isTyping: 'yes' } },
    { type: 'TYPING' },
    'TYPING',
    null,
  ]) {
    await expect(subscription.publish(data)).rejects.toMatchObject(refused);
  }
  await expect(
    hers.client.publish(`user:${alice.id}`, { type: 'TYPING', data: { isTyping: true } }),
  ).rejects.toMatchObject(refused);
});

test('whoever types too fast is told so', async () => {
  const hers = await client(alice);
  const subscription = await hers.follow(channel);
  const type = () => subscription.publish({ type: 'TYPING', data: { isTyping: true } });

  await type();
  await type();
  await type();

  await expect(type()).rejects.toMatchObject({ code: 111, temporary: true });
});

test('presence is for those who follow the channel', async () => {
  const hers = await client(alice);

  await expect(hers.client.presence(channel)).rejects.toMatchObject({ code: 103 });
  await expect(hers.client.presence(`user:${alice.id}`)).rejects.toMatchObject({ code: 108 });
});
