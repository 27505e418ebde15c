/** Ids and operations that are malformed, unknown or somebody else's. */

import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { troupe } from '../../cli/command-line.ts';
import type { Chat } from '../chat.ts';
import { addMember, createRoom, edit, read, translate, write } from '../commands.ts';
import type { Operation } from '../http-client.ts';
import type { Accepted } from '../person.ts';

const malformed = ['no-uuid', '12345678-1234-1234-1234-12345678901', '{8f14e45f-ceea-467f-a9f3-0b1a2c3d4e5f}'];
/** Canonical is lower case. */
const upperCase = '8F14E45F-CEEA-467F-A9F3-0B1A2C3D4E5F';

function badIds(chat: () => Chat): void {
  test.each([...malformed, upperCase])('%s in a path is refused at once', async (id) => {
    const alice = await chat().user('alice');
    const text = encodeURIComponent(id);
    const paths = [`/v1/users/${text}`, `/v1/rooms/${text}`, `/v1/rooms/${text}/messages`, `/v1/operations/${text}`];

    for (const path of paths) {
      expect(await alice.call('GET', path), path).toMatchObject({ status: 400, body: { code: 'VALIDATION_FAILED' } });
    }
    for (const command of [addMember(text, alice.id), edit(text, 'a'), read(text), translate(text, 'ITALIAN', 'a')]) {
      const { status, body } = await alice.send(command);
      expect(status, command.type).toBe(400);
      expect(body.errors).toHaveLength(1);
    }
  });

  test.each(malformed)('%s in a body is refused at once', async (id) => {
    const alice = await chat().user('alice');
    const commands = [createRoom(id), write(id, 'a'), addMember(randomUUID(), id)];

    for (const command of commands) {
      expect(await alice.send(command)).toMatchObject({ status: 422, body: { code: 'VALIDATION_FAILED' } });
    }
  });

  test.each(malformed)('%s in a frame is refused at once', async (id) => {
    const socket = await (await chat().user('alice')).connect();
    const commands = [createRoom(id), write(id, 'a'), edit(id, 'a'), read(id), addMember(id, id)];

    for (const command of commands) {
      expect(await socket.command(command)).toMatchObject({ ok: false, error: { code: 'VALIDATION_FAILED' } });
    }
    expect(socket.types).toEqual([]);
  });
}

function unknownIds(chat: () => Chat): void {
  test.each([
    ['/v1/users/', '', 'USER_NOT_FOUND'],
    ['/v1/rooms/', '', 'ROOM_NOT_FOUND'],
    ['/v1/rooms/', '/messages', 'ROOM_NOT_FOUND'],
    ['/v1/operations/', '', 'OPERATION_NOT_FOUND'],
  ])('nothing is found at %s…%s', async (before, after, code) => {
    const alice = await chat().user('alice');

    const { status, body } = await alice.call('GET', `${before}${randomUUID()}${after}`);

    expect(status).toBe(404);
    expect(body).toMatchObject({ code, status: 404 });
  });

  test('whoever has not registered reads that it is absent', async () => {
    const stranger = await chat().stranger();

    expect(await stranger.call('GET', '/v1/users/currentUser')).toMatchObject({
      status: 404,
      body: { code: 'USER_NOT_FOUND' },
    });
    for (const path of ['/v1/rooms', '/v1/messages', '/v1/users/all']) expect(await stranger.get(path)).toEqual([]);
  });

  test('looking at unknown ids creates nothing', async () => {
    const [alice, stranger] = [await chat().user('alice'), await chat().stranger()];
    const [roomId, operationId] = [randomUUID(), randomUUID()];

    await alice.call('GET', `/v1/users/${stranger.id}`);
    await stranger.call('GET', '/v1/users/currentUser');
    await alice.call('GET', `/v1/rooms/${roomId}`);
    await alice.call('GET', `/v1/rooms/${roomId}/messages`);
    await alice.call('GET', `/v1/operations/${operationId}`);
    await stranger.send(createRoom(alice.id));
    await stranger.connect();

    const addresses = [`user/${stranger.id}`, `room/${roomId}`, `ROOM_CREATE/${operationId}`];
    for (const address of addresses) {
      const { code, out } = await troupe(['history', address], { JOURNAL: chat().store.url });
      expect(code, address).not.toBe(0);
      expect(out, address).toEqual([]);
    }
  });
}

function operations(chat: () => Chat): void {
  test('an operation is shown to its user only', async () => {
    const [alice, bob] = [await chat().user('alice'), await chat().user('bob')];
    const { operationId } = (await alice.send<Accepted>(createRoom(bob.id))).body;
    const { result } = await alice.ended(operationId);

    expect(await alice.get<Operation>(`/v1/operations/${operationId}`)).toEqual({
      operationId,
      type: 'ROOM_CREATE',
      state: 'COMPLETED',
      responsibleUserId: alice.id,
      result,
    });
    expect((await bob.call('GET', `/v1/operations/${operationId}`)).status).toBe(404);
  });

  test.each(['wait=0', 'wait=soon', 'respond-async'])('"Prefer: %s" is accepted at once', async (prefer) => {
    const [alice, bob] = [await chat().user('alice'), await chat().user('bob')];

    const { status, headers, body } = await alice.send<Accepted>(createRoom(bob.id), { prefer });

    expect(status).toBe(202);
    expect(headers.get('location')).toBe(`/v1/operations/${body.operationId}`);
    expect(headers.get('preference-applied')).toBeNull();
  });

  test('a failed operation shows its problem', async () => {
    const alice = await chat().user('alice');
    const { operationId } = (await alice.send<Accepted>(createRoom(alice.id))).body;
    const { error } = await alice.ended(operationId);

    expect(await alice.get<Operation>(`/v1/operations/${operationId}`)).toEqual({
      operationId,
      type: 'ROOM_CREATE',
      state: 'ERROR',
      responsibleUserId: alice.id,
      error,
    });
    expect(error).toMatchObject({ code: 'COMPANION_IS_SELF', operationId });
  });

  test('a state on the way is one of five', async () => {
    const [alice, bob] = [await chat().user('alice'), await chat().user('bob')];
    const started = await Promise.all(Array.from({ length: 20 }, () => alice.send<Accepted>(createRoom(bob.id))));

    const states = await Promise.all(
      started.map(({ body }) => alice.get<Operation>(`/v1/operations/${body.operationId}`)),
    );

    for (const { state } of states) expect(['READY', 'INITIATED', 'IN_APPROVING', 'COMPLETED']).toContain(state);
    await Promise.all(started.map(({ body }) => alice.ended(body.operationId)));
  });
}

export function idSuite(chat: () => Chat): void {
  describe('malformed ids', () => badIds(chat));
  describe('unknown ids', () => unknownIds(chat));
  describe('operations', () => operations(chat));
}
