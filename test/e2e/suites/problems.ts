/** Errors a person understands: problem documents in the caller's language, and what is wrong with a request. */

import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Language } from '../../../actors/contract.ts';
import type { Chat } from '../chat.ts';
import { createRoom, createUser, write } from '../commands.ts';
import type { Problem } from '../http-client.ts';
import type { Accepted } from '../person.ts';

const languages: readonly { readonly tag: string; readonly language: Language; readonly title: string }[] = [
  { tag: 'en', language: 'ENGLISH', title: 'Room not found' },
  { tag: 'uk', language: 'UKRAINIAN', title: 'Кімнату не знайдено' },
  { tag: 'it', language: 'ITALIAN', title: 'Stanza non trovata' },
];

function inLanguages(chat: () => Chat): void {
  test.each(languages)('$tag is chosen by Accept-Language', async ({ tag, title }) => {
    const alice = await chat().user('alice', { primaryLanguage: 'UKRAINIAN' });

    const { headers, body } = await alice.call('GET', `/v1/rooms/${randomUUID()}`, undefined, {
      'accept-language': `fr, ${tag}-CH;q=0.8, de;q=0.1`,
    });

    expect(headers.get('content-language')).toBe(tag);
    expect(body.title).toBe(title);
  });

  test.each(languages)('$tag is its user’s own otherwise', async ({ tag, language, title }) => {
    const alice = await chat().user('alice', { primaryLanguage: language });

    const { headers, body } = await alice.call('GET', `/v1/rooms/${randomUUID()}`, undefined, {
      'accept-language': '*',
    });

    expect(headers.get('content-language')).toBe(tag);
    expect(body.title).toBe(title);
  });

  test.each(languages)('$tag is in the frames of failures', async ({ language, title }) => {
    const alice = await chat().user('alice', { primaryLanguage: language });
    const socket = await alice.connect();

    const { data } = await socket.command(write(randomUUID(), 'hello'));

    const outcome = await socket.outcome((data as Accepted).operationId);
    expect((outcome.data as Problem).title).toBe(title);
  });

  test.each(languages)('$tag is in the operation that failed', async ({ tag, language, title }) => {
    const alice = await chat().user('alice', { primaryLanguage: language });
    const english = { 'accept-language': 'en' };
    const { operationId } = (await alice.send<Accepted>(write(randomUUID(), 'hello'))).body;

    expect((await alice.ended(operationId)).error?.title).toBe(title);
    const other = await alice.call<{ error: Problem }>('GET', `/v1/operations/${operationId}`, undefined, english);
    expect(other.body.error.title, tag).toBe('Room not found');
  });

  test('what is wrong with a field is told too', async () => {
    const alice = await chat().user('alice', { primaryLanguage: 'ITALIAN' });

    const { body } = await alice.send(write(randomUUID(), ''));

    expect(body).toMatchObject({ status: 422, code: 'VALIDATION_FAILED', params: { fields: 'content' } });
    expect(body.title).toBe('Dati non validi');
    expect(body.errors).toEqual([{ field: 'content', detail: expect.any(String) }]);
  });
}

function shapes(chat: () => Chat): void {
  test.each([
    ['content of 4,001 characters', (id: string) => write(id, '👋'.repeat(4_001)), 'content'],
    ['content of none', (id: string) => write(id, ''), 'content'],
    ['a username of 65 characters', () => user({ username: 'x'.repeat(65) }), 'username'],
    ['an empty username', () => user({ username: '' }), 'username'],
    ['an unknown type', () => user({ type: 'ADMIN' }), 'type'],
    ['an unknown language', () => user({ primaryLanguage: 'KLINGON' }), 'primaryLanguage'],
    ['no language', () => user({ primaryLanguage: undefined }), 'primaryLanguage'],
    ['an unknown other language', () => user({ translationLanguages: ['KLINGON'] }), 'translationLanguages.0'],
  ])('%s is refused at once', async (_, command, field) => {
    const alice = await chat().user('alice');

    const { status, headers, body } = await alice.send(command(randomUUID()));

    expect(status).toBe(422);
    expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(body).toMatchObject({ code: 'VALIDATION_FAILED', errors: [{ field }] });
    expect(body).not.toHaveProperty('operationId');
  });

  function user(fields: Readonly<Record<string, unknown>>) {
    return createUser({ type: 'REGULAR_USER', primaryLanguage: 'ENGLISH', ...fields } as Parameters<
      typeof createUser
    >[0]);
  }

  test('what is not JSON is refused', async () => {
    const alice = await chat().user('alice');

    for (const body of ['{"companionUserId":', '', new Uint8Array([0x22, 0xff, 0x22])]) {
      expect(await alice.call('POST', '/v1/rooms', body)).toMatchObject({
        status: 400,
        body: { code: 'INVALID_JSON' },
      });
    }
  });

  test('JSON that is no object is refused', async () => {
    const alice = await chat().user('alice');

    for (const body of ['[]', 'null', '"text"', '7']) {
      expect((await alice.call('POST', '/v1/rooms', body)).status).toBe(422);
    }
  });

  test('a body that is too large is refused', async () => {
    const alice = await chat().user('alice');

    const { status, headers, body } = await alice.call('POST', '/v1/messages', 'x'.repeat(1_000_000));

    expect(status).toBe(413);
    expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(body.code).toBe('BODY_TOO_LARGE');
  });

  test('fields nobody asked for change nothing', async () => {
    const [alice, bob] = [await chat().user('alice'), await chat().user('bob')];
    const body = { companionUserId: bob.id, createdBy: bob.id, members: [], type: 'xstate.stop' };

    const answer = await alice.call('POST', '/v1/rooms', body, { prefer: 'wait=25' });

    expect(answer).toMatchObject({ status: 200, body: { result: { createdBy: alice.id } } });
  });
}

function addresses(chat: () => Chat): void {
  test.each(['/nothing', '/v1', '/v2/rooms', '/v1/rooms/', '/v1/nothing', '/v1/rooms/a/b/c'])(
    'nothing is at %s',
    async (path) => {
      const alice = await chat().user('alice');

      const { status, headers, body } = await alice.call('GET', path);

      expect(status).toBe(404);
      expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
      expect(body).toMatchObject({ code: 'NOT_FOUND', status: 404, type: 'urn:troupe:problem:not-found' });
    },
  );

  test.each([
    ['DELETE', '/v1/rooms', ['GET', 'POST']],
    ['POST', '/v1/messages/x/read', ['PUT']],
    ['PATCH', '/v1/users/currentUser', ['GET', 'POST']],
    ['GET', '/dev/tokens', ['POST']],
    ['POST', '/livez', ['GET']],
  ])('%s is not possible at %s', async (method, path, allowed) => {
    const { status, headers, body } = await (await chat().user('alice')).call(method, path);

    expect(status).toBe(405);
    expect(body.code).toBe('METHOD_NOT_ALLOWED');
    for (const other of allowed) expect(headers.get('allow')).toContain(other);
  });

  test('a plain GET of a socket is told to upgrade', async () => {
    const alice = await chat().user('alice');

    expect((await alice.call('GET', `/ws/chat/${alice.id}`)).status).toBe(426);
  });

  test.each(['/livez', '/readyz'])('%s answers without a token', async (path) => {
    expect((await chat().request('GET', path)).status).toBe(200);
  });
}

function frames(chat: () => Chat): void {
  test.each([
    ['text', 'hello'],
    ['an array', '[]'],
    ['null', 'null'],
    ['no id', '{"type":"ROOM_CREATE","data":{}}'],
    ['no type', '{"id":"1","data":{}}'],
  ])('a frame of %s is not understood', async (_, text) => {
    const socket = await (await chat().user('alice')).connect();

    socket.send(text);

    const reply = await socket.frame(({ error }) => error !== undefined, 'a refusal');
    expect(reply).toMatchObject({ re: null, ok: false, error: { code: 'FRAME_INVALID', status: 400 } });
    await socket.ping();
  });

  test('an unknown command is refused', async () => {
    const socket = await (await chat().user('alice')).connect();

    for (const type of ['ROOM_DELETE', 'xstate.stop', 'ROOM_CREATE_START', 'toString']) {
      expect(await socket.request(type, {})).toMatchObject({ ok: false, error: { code: 'COMMAND_UNKNOWN' } });
    }
  });

  test('a command without its data is refused', async () => {
    const socket = await (await chat().user('alice')).connect();

    for (const data of [undefined, null, [], 'text', { companionUserId: 7 }]) {
      expect(await socket.request('ROOM_CREATE', data)).toMatchObject({
        ok: false,
        error: { code: 'VALIDATION_FAILED', status: 422 },
      });
    }
  });

  test('a binary frame closes the socket', async () => {
    const socket = await (await chat().user('alice')).connect();

    socket.sendBinary(new Uint8Array([1, 2, 3]));

    expect((await socket.closed).code).toBe(1003);
  });

  test('a refused command leaves the socket usable', async () => {
    const [alice, bob] = [await chat().user('alice'), await chat().user('bob')];
    const socket = await alice.connect();
    await socket.command(createRoom('nobody'));

    const reply = await socket.command(createRoom(bob.id));

    expect((await socket.outcome((reply.data as Accepted).operationId)).type).toBe('ROOM_CREATE_COMPLETED');
  });
}

export function problemSuite(chat: () => Chat): void {
  describe('languages', () => inLanguages(chat));
  describe('shapes', () => shapes(chat));
  describe('addresses', () => addresses(chat));
  describe('frames', () => frames(chat));
}
