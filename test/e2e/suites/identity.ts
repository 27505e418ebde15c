/** Tokens over HTTP and sockets, whose socket it is, and which pages may open one. */

import { SignJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import { troupe } from '../../cli/command-line.ts';
import { allowedOrigin, type Chat } from '../chat.ts';
import { poll } from '../deadline.ts';
import type { Problem } from '../http-client.ts';

const foreignSecret = new TextEncoder().encode('a secret that this server does not have');

async function foreignToken(email: string): Promise<string> {
  return new SignJWT({ email }).setProtectedHeader({ alg: 'HS256' }).setExpirationTime('1h').sign(foreignSecret);
}

function unsignedToken(email: string): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none', typ: 'JWT' })}.${part({ email })}.`;
}

/** A token that the server accepts for about a second. */
async function shortToken(chat: Chat, email: string): Promise<string> {
  const { code, out } = await troupe(['token', email, '--ttl', '1s'], { JOURNAL: chat.store.url });
  expect(code).toBe(0);
  return out.at(-1) as string;
}

function overHttp(chat: () => Chat): void {
  const get = (headers: Readonly<Record<string, string>>) =>
    chat().request<Problem>('GET', '/v1/rooms', undefined, headers);

  test('a call without a token is unauthenticated', async () => {
    const { status, headers, body } = await get({});

    expect(status).toBe(401);
    expect(headers.get('www-authenticate')).toMatch(/^Bearer/);
    expect(body.code).toBe('UNAUTHENTICATED');
  });

  test('a command without a token is unauthenticated', async () => {
    const answer = await chat().request<Problem>('POST', '/v1/rooms', { companionUserId: 'x' });

    expect(answer).toMatchObject({ status: 401, body: { code: 'UNAUTHENTICATED' } });
  });

  test('bad tokens are refused', async () => {
    const alice = await chat().user('alice');
    const [head, payload] = alice.token.split('.');
    const bad = [
      'Bearer nonsense',
      'Bearer ',
      `Basic ${Buffer.from('alice:secret').toString('base64')}`,
      `Bearer ${await foreignToken(alice.email)}`,
      `Bearer ${unsignedToken(alice.email)}`,
      `Bearer ${head}.${payload}.`,
      `Bearer ${alice.token}x`,
    ];

    for (const authorization of bad) {
      expect(await get({ authorization }), authorization).toMatchObject({
        status: 401,
        body: { code: 'TOKEN_INVALID' },
      });
    }
  });

  test('an expired token says that it has expired', async () => {
    const token = await shortToken(chat(), 'expired@example.com');
    const look = async () => {
      const answer = await get({ authorization: `Bearer ${token}` });
      return answer.status === 401 ? answer : undefined;
    };

    expect((await poll(look, 'the token does not expire')).body.code).toBe('TOKEN_EXPIRED');
  });

  test('a token of the development mode needs an email', async () => {
    for (const body of [{}, { email: 'nobody' }, { email: 7 }]) {
      expect((await chat().request('POST', '/dev/tokens', body)).status).toBe(422);
    }
  });

  test('a token holds for a day at least', async () => {
    const { token } = await chat().stranger();
    const { exp } = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as { exp: number };

    expect(exp * 1000 - Date.now()).toBeGreaterThan(24 * 3_600_000 - 60_000);
  });
}

function overSockets(chat: () => Chat): void {
  test('a token comes in a header, the query or first', async () => {
    const alice = await chat().user('alice');
    const header = await alice.open('', { authorization: `Bearer ${alice.token}` });
    const query = await alice.open(`?access_token=${alice.token}`);
    const first = await alice.open('');
    first.send({ id: 'auth', type: 'AUTHENTICATE', data: { token: alice.token } });
    const sockets = [header, query, first];
    for (const socket of sockets) await socket.ping();

    const room = await alice.room(await chat().user('bob'));

    for (const socket of sockets) expect((await socket.news('ROOM_UPDATED')).data).toEqual(room);
  });

  test('commands before the token is verified are not lost', async () => {
    const [alice, bob] = [await chat().user('alice'), await chat().user('bob')];
    const socket = await alice.open('', { authorization: `Bearer ${alice.token}` });

    const reply = await socket.request('ROOM_CREATE', { companionUserId: bob.id });

    expect(reply.ok).toBe(true);
    await socket.outcome((reply.data as { operationId: string }).operationId);
  });

  test('a bad token closes the socket for good', async () => {
    const alice = await chat().user('alice');
    const sockets = [
      await alice.open('?access_token=nonsense'),
      await alice.open('', { authorization: `Bearer ${await foreignToken(alice.email)}` }),
      await alice.open('', { authorization: 'Basic YTpi' }),
    ];

    for (const socket of sockets) {
      expect(await socket.closed).toEqual({ code: 4501, reason: 'TOKEN_INVALID' });
      expect(socket.frames).toMatchObject([{ type: 'CLOSING', data: { code: 'TOKEN_INVALID', status: 401 } }]);
    }
  });

  test('a first message without a token closes the socket', async () => {
    const socket = await (await chat().user('alice')).open('');

    socket.send({ id: '1', type: 'MESSAGE_CREATE', data: {} });

    expect((await socket.closed).code).toBe(4002);
  });

  test('a socket of somebody else is closed', async () => {
    const [alice, mallory] = [await chat().user('alice'), await chat().user('mallory')];
    const socket = await mallory.open('', { authorization: `Bearer ${mallory.token}` }, alice.id);
    await socket.closed;

    await alice.room(mallory);

    expect(await socket.closed).toEqual({ code: 4503, reason: 'NOT_OWN_USER' });
    expect(socket.types).toEqual(['CLOSING']);
  });

  test('a socket closes when its token expires', async () => {
    const email = 'shortly@example.com';
    const person = await chat().signIn(email);
    const socket = await person.open(`?access_token=${await shortToken(chat(), email)}`);

    expect((await socket.closed).code).toBe(4001);
  });

  test('a socket at a malformed id is refused', async () => {
    const alice = await chat().user('alice');

    await expect(alice.open('', { authorization: `Bearer ${alice.token}` }, 'alice')).rejects.toThrow('400');
  });

  test('a socket elsewhere is refused', async () => {
    const alice = await chat().user('alice');

    await expect(alice.open('/elsewhere')).rejects.toThrow('404');
  });
}

function origins(chat: () => Chat): void {
  test('a page of another origin opens no socket', async () => {
    const alice = await chat().user('alice');
    const authorization = `Bearer ${alice.token}`;

    for (const origin of ['https://evil.example.com', 'null', 'http://127.0.0.1:1']) {
      await expect(alice.open('', { authorization, origin }), origin).rejects.toThrow('403');
    }
  });

  test('a page of an allowed origin opens sockets', async () => {
    const alice = await chat().user('alice');

    const socket = await alice.connect({ origin: allowedOrigin });

    expect(socket.frames).toHaveLength(1);
  });

  test('the server’s own pages open sockets', async () => {
    const alice = await chat().user('alice');

    const socket = await alice.connect({ origin: 'own' });

    expect(socket.frames).toHaveLength(1);
  });
}

export function identitySuite(chat: () => Chat): void {
  describe('over HTTP', () => overHttp(chat));
  describe('over sockets', () => overSockets(chat));
  describe('origins', () => origins(chat));
}
