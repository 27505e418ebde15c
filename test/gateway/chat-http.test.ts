import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { slotOf } from '../../src/actor/address.ts';
import { type Chat, chat, type Dto, type Operation, type Person } from './chat.ts';

const unknownId = '0b6f24d1-5c53-4bd4-a3b5-1d6b0d2f1c11';
let app: Chat;
let alice: Person;
let bob: Person;
let carol: Person;

beforeAll(async () => {
  app = await chat({ devMode: true });
  alice = await app.register('alice');
  bob = await app.register('bob', { primaryLanguage: 'UKRAINIAN' });
  carol = await app.register('carol', {
    type: 'TRANSLATOR',
    primaryLanguage: 'ITALIAN',
    translationLanguages: ['UKRAINIAN'],
  });
});

afterAll(() => app.server.stop());

describe('users', () => {
  test('an id is the name-based UUID of the email', () => {
    expect(alice.id).toBe('c160f8cc-69a4-30bf-ab03-62752353d060');
  });

  test('an email is shown to its owner alone', async () => {
    expect((await alice.get('/v1/users/currentUser')).body).toMatchObject({ id: alice.id, email: alice.email });
    expect((await alice.get(`/v1/users/${alice.id}`)).body).toHaveProperty('email');
    expect((await bob.get(`/v1/users/${alice.id}`)).body).not.toHaveProperty('email');
    const found = (await alice.get<readonly Dto[]>('/v1/users?query=')).status;
    expect(found).toBe(400);
    const { body } = await alice.get<readonly Dto[]>('/v1/users');
    expect(body.filter((user) => 'email' in user).map(({ id }) => id)).toEqual([alice.id]);
  });

  test('a stranger is not found and commands nothing', async () => {
    const stranger = await app.stranger('stranger');

    expect(await stranger.get('/v1/users/currentUser')).toMatchObject({
      status: 404,
      body: { code: 'USER_NOT_FOUND' },
    });
    expect(await stranger.call('POST', '/v1/rooms', { companionUserId: alice.id })).toMatchObject({
      status: 403,
      body: { code: 'USER_NOT_REGISTERED' },
    });
  });

  test('a user is created once', async () => {
    const profile = { type: 'REGULAR_USER', primaryLanguage: 'ENGLISH' };

    const { status, body } = await alice.command('POST', '/v1/users/currentUser', profile);

    expect({ status, body }).toMatchObject({ status: 409, body: { code: 'USER_ALREADY_EXISTS' } });
    expect(body.operationId).toEqual(expect.any(String));
  });

  test('a search matches names regardless of case', async () => {
    const ids = async (query: string) => (await alice.get<readonly Dto[]>(query)).body.map(({ id }) => id);

    expect(await ids('/v1/users?query=ARO')).toEqual([carol.id]);
    expect(await ids('/v1/users?type=TRANSLATOR')).toEqual([carol.id]);
    expect(await ids('/v1/users?query=alice&type=TRANSLATOR')).toEqual([]);
  });

  test('a search is paged by opaque links', async () => {
    const seen: string[] = [];

    for (let path: string | undefined = '/v1/users?limit=1'; path !== undefined; ) {
      const { body, headers }: { body: readonly Dto[]; headers: Headers } = await alice.get<readonly Dto[]>(path);
      seen.push(...body.map(({ id }) => id));
      path = /^<(\/v1\/users\?[^>]+)>; rel="next"$/.exec(headers.get('link') ?? '')?.[1];
    }

    expect(seen).toEqual([...seen].sort());
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toEqual(expect.arrayContaining([alice.id, bob.id, carol.id]));
  });

  test.each(['type=ROBOT', 'limit=0', 'limit=201', 'limit=x', 'before=!!', 'before=YWJj'])(
    'the query %s is a 400',
    async (query) => {
      expect(await alice.get(`/v1/users?${query}`)).toMatchObject({
        status: 400,
        body: { code: 'VALIDATION_FAILED' },
      });
    },
  );

  test.each([
    { type: 'ROBOT', primaryLanguage: 'ENGLISH' },
    { type: 'REGULAR_USER' },
    { type: 'REGULAR_USER', primaryLanguage: 'KLINGON' },
    { type: 'REGULAR_USER', primaryLanguage: 'ENGLISH', username: '' },
    { type: 'REGULAR_USER', primaryLanguage: 'ENGLISH', username: 'x'.repeat(65) },
  ])('the profile %j is a 422', async (profile) => {
    const stranger = await app.stranger('stranger');

    expect((await stranger.call('POST', '/v1/users/currentUser', profile)).status).toBe(422);
  });
});

describe('rooms', () => {
  test('a room nobody wrote in is listed for its creator', async () => {
    const dora = await app.register('dora');
    const eve = await app.register('eve');
    const roomId = await dora.room(eve);

    expect((await dora.get<readonly Dto[]>('/v1/rooms')).body.map(({ id }) => id)).toEqual([roomId]);
    expect((await eve.get('/v1/rooms')).body).toEqual([]);
    expect((await eve.get('/v1/users/all')).body).toEqual([]);
    await dora.message(roomId);

    expect((await eve.get<readonly Dto[]>('/v1/rooms')).body.map(({ id }) => id)).toEqual([roomId]);
    expect((await eve.get<readonly Dto[]>('/v1/users/all')).body.map(({ id }) => id)).toEqual([dora.id]);
  });

  test('a room is read by its members only', async () => {
    const roomId = await alice.room(bob);

    expect((await bob.get(`/v1/rooms/${roomId}`)).body).toMatchObject({ id: roomId, members: [alice.id, bob.id] });
    for (const path of [`/v1/rooms/${roomId}`, `/v1/rooms/${roomId}/messages`]) {
      expect(await carol.get(path)).toMatchObject({ status: 403, body: { code: 'NOT_A_MEMBER' } });
    }
    expect(await carol.get(`/v1/rooms/${unknownId}`)).toMatchObject({ status: 404, body: { code: 'ROOM_NOT_FOUND' } });
    expect((await carol.get('/v1/rooms/xyz')).status).toBe(400);
  });

  test('a companion that does not exist is a 404 of the saga', async () => {
    const { status, body } = await alice.command('POST', '/v1/rooms', { companionUserId: unknownId });

    expect({ status, body }).toMatchObject({ status: 404, body: { code: 'USER_NOT_FOUND' } });
  });

  test('a room, its operation and its messages share a shard', async () => {
    const { body } = await alice.command('POST', '/v1/rooms', { companionUserId: bob.id });
    const created = await alice.command('POST', '/v1/messages', { roomId: body.result.id, content: 'near' });

    const slots = [body.operationId, body.result.id, created.body.operationId, created.body.result.id].map(slotOf);

    expect(new Set(slots).size).toBe(1);
  });
});

describe('messages', () => {
  test('pages go back in time, oldest first within each', async () => {
    const roomId = await alice.room(bob);
    for (let i = 1; i <= 5; i++) await alice.message(roomId, `message ${i}`);
    const pages: string[][] = [];

    for (let path: string | undefined = `/v1/rooms/${roomId}/messages?limit=2`; path !== undefined; ) {
      type Page = readonly { readonly content: string }[];
      const { body, headers }: { body: Page; headers: Headers } = await bob.get<Page>(path);
      pages.push(body.map(({ content }) => content));
      path = /^<(\/v1\/[^>]+)>; rel="next"$/.exec(headers.get('link') ?? '')?.[1];
    }

    expect(pages).toEqual([['message 4', 'message 5'], ['message 2', 'message 3'], ['message 1']]);
  });

  test('the last messages of each room come together', async () => {
    const frank = await app.register('frank');
    const rooms = [await frank.room(alice), await frank.room(bob)].sort();
    for (const roomId of rooms) for (const content of ['1', '2', '3']) await frank.message(roomId, content);

    const { body } = await frank.get<readonly { roomId: string; content: string }[]>('/v1/messages?roomLimit=2');

    expect(body.map(({ roomId, content }) => `${roomId} ${content}`)).toEqual(
      rooms.flatMap((roomId) => [`${roomId} 2`, `${roomId} 3`]),
    );
    expect((await frank.get('/v1/messages?roomLimit=0')).status).toBe(400);
  });

  test('a content counts characters as people do', async () => {
    const roomId = await alice.room(bob);
    const status = async (content: string) => (await alice.call('POST', '/v1/messages', { roomId, content })).status;

    expect(await status('😀'.repeat(4_000))).toBe(202);
    expect(await status('😀'.repeat(4_001))).toBe(422);
    expect(await status('x'.repeat(4_001))).toBe(422);
    expect(await status('')).toBe(422);
    expect(await status('\ud800')).toBe(422);
  });

  test('reading, changing and translating end in the message', async () => {
    const roomId = await alice.room(carol);
    const id = await alice.message(roomId, 'hello');

    await carol.command('PUT', `/v1/messages/${id}/read`);
    await alice.command('PUT', `/v1/messages/${id}`, { content: 'hello there' });
    const translated = await carol.command('PUT', `/v1/messages/${id}/translate`, {
      translation: 'ciao',
      language: 'ITALIAN',
    });

    expect(translated.body.result).toMatchObject({
      content: 'hello there',
      modified: true,
      read: [carol.id],
      originalLanguage: 'ENGLISH',
      translations: [{ translatorId: carol.id, translation: 'ciao', language: 'ITALIAN', isModified: false }],
    });
    expect((await alice.get(`/v1/rooms/${roomId}/messages`)).body).toEqual([translated.body.result]);
  });

  test('an unknown message is a 404 of the saga', async () => {
    const { status, body } = await alice.command('PUT', `/v1/messages/${unknownId}/read`);

    expect({ status, body }).toMatchObject({ status: 404, body: { code: 'MESSAGE_NOT_FOUND' } });
    expect((await alice.call('PUT', '/v1/messages/xyz/read')).status).toBe(400);
  });
});

describe('operations', () => {
  test('an accepted command can be looked at', async () => {
    const accepted = await alice.call('POST', '/v1/rooms', { companionUserId: bob.id });
    const location = accepted.headers.get('location') ?? '';
    expect(accepted).toMatchObject({ status: 202, body: { operationId: location.split('/').at(-1) } });

    await expect.poll(async () => (await alice.get(location)).body.state).toBe('COMPLETED');

    expect((await alice.get(location)).body).toMatchObject({
      type: 'ROOM_CREATE',
      responsibleUserId: alice.id,
      result: { createdBy: alice.id },
    });
    expect((await alice.get(location)).body).not.toHaveProperty('fingerprint');
  });

  test('a failed operation shows its problem in one’s language', async () => {
    const { body } = await bob.command('POST', '/v1/rooms', { companionUserId: bob.id });

    const own = await bob.get(`/v1/operations/${body.operationId}`);
    const english = await bob.get(`/v1/operations/${body.operationId}`, { 'accept-language': 'en' });

    expect(own).toMatchObject({ status: 200, body: { state: 'ERROR', error: { code: 'COMPANION_IS_SELF' } } });
    expect(own.body).toMatchObject({ error: { title: 'Співрозмовник — ви самі' } });
    expect(english.body).toMatchObject({ error: { title: 'You are your own companion' } });
  });

  test('another’s operation is as unknown as none', async () => {
    const { body } = await alice.command('POST', '/v1/rooms', { companionUserId: bob.id });

    for (const id of [body.operationId, unknownId]) {
      expect(await bob.get(`/v1/operations/${id}`)).toMatchObject({
        status: 404,
        body: { code: 'OPERATION_NOT_FOUND' },
      });
    }
  });

  test('a problem is told in the user’s own language', async () => {
    const roomId = await alice.room(carol);

    const { body } = await bob.command<Record<string, unknown>>('POST', '/v1/messages', { roomId, content: 'hi' });

    expect(body).toMatchObject({ code: 'NOT_A_MEMBER', status: 403, title: 'Ви не учасник' });
  });
});

describe('an idempotency key', () => {
  const keyed = (key: string) => ({ 'idempotency-key': key });

  test('a repeat is the same operation, done once', async () => {
    const roomId = await alice.room(bob);
    const body = { roomId, content: 'once' };

    const first = await alice.call('POST', '/v1/messages', body, keyed('"k-1"'));
    const again = await alice.command<Operation>('POST', '/v1/messages', body, keyed('k-1'));
    const later = await alice.call('POST', '/v1/messages', body, keyed('k-1'));

    expect(again).toMatchObject({ status: 200, body: { operationId: first.body.operationId, state: 'COMPLETED' } });
    expect(later).toMatchObject({ status: 202, body: { operationId: first.body.operationId } });
    expect((await alice.get<readonly Dto[]>(`/v1/rooms/${roomId}/messages`)).body).toHaveLength(1);
  });

  test('repeats at once all wait for the one operation', async () => {
    const roomId = await alice.room(bob);

    const answers = await Promise.all(
      Array.from({ length: 10 }, () =>
        alice.command<Operation>('POST', '/v1/messages', { roomId, content: 'once' }, keyed('k-2')),
      ),
    );

    expect(new Set(answers.map(({ status, body }) => `${status} ${body.result.id}`)).size).toBe(1);
  });

  test('another payload under the key is a 422', async () => {
    const roomId = await alice.room(bob);
    await alice.command('POST', '/v1/messages', { roomId, content: 'a' }, keyed('k-3'));

    const answer = await alice.command('POST', '/v1/messages', { roomId, content: 'b' }, keyed('k-3'));

    expect(answer).toMatchObject({ status: 422, body: { code: 'IDEMPOTENCY_KEY_REUSED' } });
  });

  test('a key is one user’s, one command’s, one target’s', async () => {
    const [first, second] = [await alice.room(bob), await alice.room(bob)];
    const ids = await Promise.all([
      alice.command('POST', '/v1/messages', { roomId: first, content: 'a' }, keyed('k-4')),
      bob.command('POST', '/v1/messages', { roomId: first, content: 'a' }, keyed('k-4')),
      alice.command('POST', '/v1/messages', { roomId: second, content: 'a' }, keyed('k-4')),
      alice.command('PUT', `/v1/rooms/${first}/members`, { memberId: carol.id }, keyed('k-4')),
    ]);

    expect(new Set(ids.map(({ body }) => body.operationId)).size).toBe(4);
  });

  test('a repeat of a failure fails the same way', async () => {
    const body = { companionUserId: alice.id };

    const first = await alice.command('POST', '/v1/rooms', body, keyed('k-5'));
    const again = await alice.command('POST', '/v1/rooms', body, keyed('k-5'));

    expect(first).toMatchObject({ status: 422, body: { code: 'COMPANION_IS_SELF' } });
    expect(again.body).toEqual(first.body);
  });
});

describe('the development mode', () => {
  test('anybody gets a token for a day and more', async () => {
    const response = await fetch(`${app.base}/dev/tokens`, {
      method: 'POST',
      body: JSON.stringify({ email: 'alice@example.com' }),
    });
    const { token, userId } = (await response.json()) as { readonly token: string; readonly userId: string };
    const payload = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());

    expect(userId).toBe(alice.id);
    expect(payload.exp - payload.iat).toBeGreaterThanOrEqual(86_400);
  });

  test('without it there is no such address', async () => {
    const production = await chat({ devMode: false });

    const response = await fetch(`${production.base}/dev/tokens`, { method: 'POST', body: '{"email":"a@b"}' });
    await production.server.stop();

    expect(response.status).toBe(404);
  });
});
