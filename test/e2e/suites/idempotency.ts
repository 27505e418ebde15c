/** Idempotency keys: a repeat is the same operation, whatever way it comes and however late. */

import { describe, expect, test } from 'vitest';
import type { MessageDto } from '../../../actors/contract.ts';
import type { Chat } from '../chat.ts';
import { createRoom, createUser, edit, write } from '../commands.ts';
import type { Operation } from '../http-client.ts';
import type { Accepted } from '../person.ts';

const waiting = { prefer: 'wait=25' };

async function contents(person: { get<T>(path: string): Promise<T> }, roomId: string): Promise<readonly string[]> {
  return (await person.get<readonly MessageDto[]>(`/v1/rooms/${roomId}/messages`)).map(({ content }) => content);
}

function repeats(chat: () => Chat): void {
  test('a repeat is the same operation', async () => {
    const [alice, bob] = [await chat().user('alice'), await chat().user('bob')];
    const room = await alice.room(bob);
    const headers = { 'idempotency-key': 'first' };

    const answers = [
      await alice.send<Accepted>(write(room.id, 'once'), headers),
      await alice.send<Accepted>(write(room.id, 'once'), headers),
    ];

    expect(answers.map(({ status }) => status)).toEqual([202, 202]);
    expect(new Set(answers.map(({ body }) => body.operationId)).size).toBe(1);
    await alice.ended(answers[0]!.body.operationId);
    expect(await contents(bob, room.id)).toEqual(['once']);
  });

  test('concurrent repeats are one operation', async () => {
    const [alice, bob] = [await chat().user('alice'), await chat().user('bob')];
    const headers = { ...waiting, 'idempotency-key': 'at once' };

    const sent = Array.from({ length: 8 }, () => alice.send<Operation>(createRoom(bob.id), headers));
    const answers = await Promise.all(sent);

    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    for (const { body } of answers) expect(body).toEqual(answers[0]!.body);
    expect(await alice.get('/v1/rooms')).toHaveLength(1);
  });

  test('a repeat over a socket is the same operation', async () => {
    const [alice, bob] = [await chat().user('alice'), await chat().user('bob')];
    const room = await alice.room(bob);
    const { body } = await alice.send<Operation>(write(room.id, 'once'), { ...waiting, 'idempotency-key': '"both"' });
    const socket = await alice.connect();

    const reply = await socket.command(write(room.id, 'once'), 'both');

    expect(reply).toMatchObject({ ok: true, data: { operationId: body.operationId } });
    expect(await contents(bob, room.id)).toEqual(['once']);
  });

  test('a quoted key is the same key', async () => {
    const [alice, bob] = [await chat().user('alice'), await chat().user('bob')];

    const [bare, quoted] = [
      await alice.send<Operation>(createRoom(bob.id), { ...waiting, 'idempotency-key': 'a b' }),
      await alice.send<Operation>(createRoom(bob.id), { ...waiting, 'idempotency-key': '"a b"' }),
    ];

    expect(quoted.body).toEqual(bare.body);
  });

  test('a repeat of a failure fails the same way', async () => {
    const alice = await chat().user('alice');
    const headers = { ...waiting, 'idempotency-key': 'self' };

    const [first, again] = [
      await alice.send(createRoom(alice.id), headers),
      await alice.send(createRoom(alice.id), headers),
    ];

    expect(first).toMatchObject({ status: 422, body: { code: 'COMPANION_IS_SELF' } });
    expect(again.body).toEqual(first.body);
  });

  test('a repeat with Prefer: wait waits for the first', async () => {
    const [alice, bob] = [await chat().user('alice'), await chat().user('bob')];
    const room = await alice.room(bob);
    const key = { 'idempotency-key': 'wait for it' };
    const started = alice.send<Accepted>(write(room.id, 'slowly'), key);

    const waited = await alice.send<Operation<MessageDto>>(write(room.id, 'slowly'), { ...waiting, ...key });

    const { operationId } = (await started).body;
    expect(waited).toMatchObject({ status: 200, body: { operationId, state: 'COMPLETED' } });
    expect(waited.body.result?.content).toBe('slowly');
  });

  test('a repeated registration gives the first outcome', async () => {
    const alice = await chat().stranger('alice');
    const command = createUser({ type: 'REGULAR_USER', primaryLanguage: 'ENGLISH' });
    const headers = { ...waiting, 'idempotency-key': 'register' };

    const [first, again] = [
      await alice.send<Operation>(command, headers),
      await alice.send<Operation>(command, headers),
    ];

    expect(first.status).toBe(200);
    expect(again.body).toEqual(first.body);
  });
}

function scopes(chat: () => Chat): void {
  test('another payload under a key is refused', async () => {
    const [alice, bob] = [await chat().user('alice'), await chat().user('bob')];
    const room = await alice.room(bob);
    const headers = { 'idempotency-key': 'reused' };
    const { body: first } = await alice.send<Accepted>(write(room.id, 'one'), headers);

    const { status, body } = await alice.send(write(room.id, 'two'), headers);

    expect(status).toBe(422);
    expect(body).toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED', operationId: first.operationId });
    await alice.ended(first.operationId);
    expect(await contents(bob, room.id)).toEqual(['one']);
  });

  test('another payload is refused over a socket too', async () => {
    const [alice, bob] = [await chat().user('alice'), await chat().user('bob')];
    const room = await alice.room(bob);
    const socket = await alice.connect();
    await socket.command(write(room.id, 'one'), 'reused');

    const reply = await socket.command(write(room.id, 'two'), 'reused');

    expect(reply).toMatchObject({ ok: false, error: { code: 'IDEMPOTENCY_KEY_REUSED', status: 422 } });
  });

  test('another payload is refused while waiting too', async () => {
    const [alice, bob] = [await chat().user('alice'), await chat().user('bob')];
    const room = await alice.room(bob);
    const headers = { ...waiting, 'idempotency-key': 'reused' };
    await alice.send(write(room.id, 'one'), headers);

    expect((await alice.send(write(room.id, 'two'), headers)).status).toBe(422);
  });

  test('a key belongs to its user', async () => {
    const [alice, bob] = [await chat().user('alice'), await chat().user('bob')];
    const room = await alice.room(bob);
    const headers = { ...waiting, 'idempotency-key': 'shared' };

    await alice.send(write(room.id, 'same'), headers);
    await bob.send(write(room.id, 'same'), headers);

    expect(await contents(bob, room.id)).toEqual(['same', 'same']);
  });

  test('a key belongs to its target and command', async () => {
    const [alice, bob] = [await chat().user('alice'), await chat().user('bob')];
    const rooms = [await alice.room(bob), await alice.room(bob)];
    const headers = { ...waiting, 'idempotency-key': 'everywhere' };

    const written = await Promise.all(
      rooms.map(({ id }) => alice.send<Operation<MessageDto>>(write(id, 'hi'), headers)),
    );
    const messageIds = written.map(({ body }) => body.result!.id);
    const edited = await Promise.all(messageIds.map((id) => alice.send<Operation>(edit(id, 'hi'), headers)));

    expect([...written, ...edited].map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(new Set([...written, ...edited].map(({ body }) => body.operationId)).size).toBe(4);
  });

  test.each(['', 'x'.repeat(256)])('a key of no or many characters is refused', async (key) => {
    const [alice, bob] = [await chat().user('alice'), await chat().user('bob')];
    const socket = await alice.connect();

    const reply = await socket.command(createRoom(bob.id), key);

    expect(reply).toMatchObject({ ok: false, error: { code: 'VALIDATION_FAILED', status: 400 } });
  });
}

export function idempotencySuite(chat: () => Chat): void {
  describe('repeats', () => repeats(chat));
  describe('scopes', () => scopes(chat));

  test('a repeat is the same operation after a restart', async () => {
    const [alice, bob] = [await chat().user('alice'), await chat().user('bob')];
    const room = await alice.room(bob);
    const headers = { ...waiting, 'idempotency-key': 'over a restart' };
    const first = await alice.send<Operation>(write(room.id, 'once'), headers);
    await chat().restart();

    const again = await alice.send<Operation>(write(room.id, 'once'), headers);
    const other = await alice.send(write(room.id, 'twice'), headers);

    expect(again).toMatchObject({ status: 200, body: first.body });
    expect(other.status).toBe(422);
    expect(await contents(bob, room.id)).toEqual(['once']);
  });
}
