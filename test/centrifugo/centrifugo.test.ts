/** The Centrifugo protocol with its official client: connecting, subscribing, publications, calls. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Chat, chat, type Person } from '../gateway/chat.ts';
import { CentrifugoClient } from './client.ts';

let app: Chat;
let alice: Person;
let bob: Person;
let clients: CentrifugoClient[];

beforeEach(async () => {
  clients = [];
  app = await chat();
  alice = await app.register('alice');
  bob = await app.register('bob', { primaryLanguage: 'UKRAINIAN' });
});

afterEach(async () => {
  for (const client of clients) client.close();
  await app.server.stop();
});

async function client(person: Person, options: ConstructorParameters<typeof CentrifugoClient>[2] = {}) {
  const opened = await CentrifugoClient.open(person, app.base, options);
  clients.push(opened);
  return opened;
}

describe('publications', () => {
  test('a message reaches every member in the room’s channel', async () => {
    const roomId = await alice.room(bob);
    const [hers, his] = [await client(alice), await client(bob)];
    await Promise.all([hers.follow(`room:${roomId}`), his.follow(`room:${roomId}`)]);

    const { operationId } = await hers.rpc<{ operationId: string }>('MESSAGE_CREATE', { roomId, content: 'hello' });

    const outcome = await hers.ofType('MESSAGE_CREATE_COMPLETED');
    expect(outcome).toMatchObject({ channel: `user:${alice.id}`, data: { operationId, data: { content: 'hello' } } });
    for (const one of [hers, his]) {
      const { channel, offset, data } = await one.ofType('MESSAGE_UPDATED');
      expect({ channel, offset, data }).toEqual({
        channel: `room:${roomId}`,
        offset: 1,
        data: { type: 'MESSAGE_UPDATED', data: outcome.data.data },
      });
    }
  });

  test('a room that one is in is told on one’s own channel', async () => {
    const his = await client(bob);

    const roomId = await alice.room(bob);

    expect(await his.ofType('ROOM_UPDATED')).toMatchObject({
      channel: `user:${bob.id}`,
      data: { data: { id: roomId, members: [alice.id, bob.id], createdBy: alice.id } },
    });
  });
});

describe('calls', () => {
  test('a query answers with data and positions', async () => {
    const roomId = await alice.room(bob);
    await alice.message(roomId, 'one');
    await alice.message(roomId, 'two');
    const hers = await client(alice);

    const { data, feed, next } = await hers.rpc<{ data: unknown; feed: unknown; next: string }>('ROOM_MESSAGES', {
      roomId,
      limit: 1,
    });

    const over = await alice.get(`/v1/rooms/${roomId}/messages?limit=1`);
    expect(data).toEqual(over.body);
    expect(feed).toEqual([{ channel: `room:${roomId}`, epoch: expect.any(String), offset: 2 }]);
    expect((await hers.rpc<{ data: unknown }>('ROOM_MESSAGES', { roomId, before: next })).data).toMatchObject([
      { content: 'one' },
    ]);
  });
});
