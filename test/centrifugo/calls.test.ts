/** `rpc`: every command and query of the API over the Centrifugo protocol. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Chat, chat, type Person } from '../gateway/chat.ts';
import { CentrifugoClient } from './client.ts';
import { RawClient } from './raw.ts';

let app: Chat;
let alice: Person;
let bob: Person;
let clients: { close(): void }[];

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

function kept<T extends { close(): void }>(client: T): T {
  clients.push(client);
  return client;
}

const connected = async (person: Person, headers: Readonly<Record<string, string>> = {}): Promise<RawClient> =>
  kept(await RawClient.connected(app.base, person.token, { headers }));

describe('calls', () => {
  test('a problem is an error with its status and all of it', async () => {
    const client = await connected(bob, { 'accept-language': 'it' });

    const { error } = await client.call('rpc', { method: 'ROOM_CREATE', data: { companionUserId: 'nobody' } });

    expect(error?.code).toBe(422);
    expect(JSON.parse(error?.message ?? '')).toMatchObject({
      code: 'VALIDATION_FAILED',
      status: 422,
      params: { fields: 'companionUserId' },
    });
  });

  test('a name that is no call is refused', async () => {
    const client = await connected(alice);

    for (const method of ['TELEPORT', '', 'toString', 'PING']) {
      expect((await client.call('rpc', { method, data: {} })).error?.code).toBe(104);
    }
    expect((await client.call('rpc', { method: 'ROOM', data: { roomId: 'x' } })).error?.code).toBe(400);
    expect((await client.call('rpc', { method: 'ROOMS', data: [] })).error?.code).toBe(400);
    expect((await client.call('rpc', { method: 'ROOMS', data: { of: 'bob' } })).error?.code).toBe(400);
  });

  test('every query says over rpc what it says over HTTP', async () => {
    const roomId = await alice.room(bob);
    await alice.message(roomId);
    const { body } = await alice.command('POST', '/v1/messages', { roomId, content: 'last' });
    const client = kept(await CentrifugoClient.open(alice, app.base));
    const calls: readonly (readonly [string, object, string])[] = [
      ['CURRENT_USER', {}, '/v1/users/currentUser'],
      ['USERS_ALL', {}, '/v1/users/all'],
      ['USER', { userId: bob.id }, `/v1/users/${bob.id}`],
      ['USERS', { query: 'bo', limit: 1 }, '/v1/users?query=bo&limit=1'],
      ['ROOMS', {}, '/v1/rooms'],
      ['ROOM', { roomId }, `/v1/rooms/${roomId}`],
      ['MESSAGES', { roomLimit: 1 }, '/v1/messages?roomLimit=1'],
      ['ROOM_MESSAGES', { roomId, limit: 1 }, `/v1/rooms/${roomId}/messages?limit=1`],
      ['OPERATION', { operationId: body.operationId }, `/v1/operations/${body.operationId}`],
      ['UNREAD', {}, '/v1/unread'],
    ];

    for (const [method, data, path] of calls) {
      const over = await alice.get(path);
      expect([method, over.status]).toEqual([method, 200]);
      expect([method, (await client.rpc<{ data: unknown }>(method, data)).data]).toEqual([method, over.body]);
    }
  });

  test('every command of the API ends in its outcome', async () => {
    const tara = await app.stranger('tara');
    const hers = kept(await CentrifugoClient.open(tara, app.base));
    const client = kept(await CentrifugoClient.open(alice, app.base));
    /** The outcome's data, of the operation that the reply names. */
    const outcomeOf = async (by: CentrifugoClient, command: string, data: object): Promise<Record<string, unknown>> => {
      const { operationId } = await by.rpc(command, data);
      const heard = await by.hears((one) => one.data.operationId === operationId);
      expect(heard.data.type).toBe(`${command}_COMPLETED`);
      return heard.data.data;
    };
    const profile = { type: 'TRANSLATOR', primaryLanguage: 'ENGLISH', translationLanguages: ['ITALIAN'] };

    await outcomeOf(hers, 'USER_CREATE', { ...profile, username: 'tara' });
    const { id: roomId } = await outcomeOf(client, 'ROOM_CREATE', { companionUserId: bob.id });
    await outcomeOf(client, 'ROOM_ADD_MEMBER', { roomId, memberId: tara.id });
    const { id: messageId } = await outcomeOf(client, 'MESSAGE_CREATE', { roomId, content: 'helo' });
    await outcomeOf(client, 'MESSAGE_UPDATE', { messageId, content: 'hello' });
    const queue = await hers.rpc<{ data: unknown }>('TRANSLATION_QUEUE', { limit: 10 });
    await outcomeOf(hers, 'MESSAGE_TRANSLATE', { messageId, translation: 'ciao', language: 'ITALIAN' });
    await outcomeOf(hers, 'MESSAGE_READ', { messageId });

    expect(queue.data).toMatchObject([{ id: messageId, missing: ['ITALIAN'] }]);
    expect((await alice.get<unknown[]>(`/v1/rooms/${roomId}/messages`)).body).toMatchObject([
      { content: 'hello', translations: [{ translation: 'ciao' }], read: [tara.id] },
    ]);
  });

  test('a key makes a repeated command the same operation', async () => {
    const roomId = await alice.room(bob);
    const client = kept(await CentrifugoClient.open(alice, app.base));
    const command = { roomId, content: 'once', idempotencyKey: 'k' };

    const [first, second] = [await client.rpc('MESSAGE_CREATE', command), await client.rpc('MESSAGE_CREATE', command)];
    const other = client.client.rpc('MESSAGE_CREATE', { ...command, content: 'twice' });

    expect(second).toEqual(first);
    await expect(other).rejects.toMatchObject({ code: 422 });
    await client.ofType('MESSAGE_CREATE_COMPLETED');
    expect((await alice.get<unknown[]>(`/v1/rooms/${roomId}/messages`)).body).toHaveLength(1);
  });

  test('the reply to a command precedes its outcome', async () => {
    const roomId = await alice.room(bob);
    const client = await connected(alice);

    client.say(
      ...Array.from({ length: 100 }, (_, n) => ({
        id: n + 100,
        rpc: { method: 'MESSAGE_CREATE', data: { roomId, content: `${n}` } },
      })),
    );
    const outcomes = () =>
      client.replies.flatMap(({ push }, at) => {
        const data = (push?.pub as { data?: { type: string; operationId: string } } | undefined)?.data;
        return data?.type === 'MESSAGE_CREATE_COMPLETED' ? [{ at, operationId: data.operationId }] : [];
      });
    await expect.poll(() => outcomes().length, { timeout: 30_000 }).toBe(100);

    for (const { at, operationId } of outcomes()) {
      const reply = client.replies.findIndex(({ rpc }) => JSON.stringify(rpc ?? '').includes(operationId));
      expect(reply).toBeGreaterThanOrEqual(0);
      expect(reply).toBeLessThan(at);
    }
  });
});
