import { request } from 'node:http';
import { SignJWT } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { adminOf } from '../../src/gateway/authentication.ts';
import { signToken, tokenSeconds, verifyToken } from '../../src/gateway/tokens.ts';
import { type Chat, chat, secret } from './chat.ts';

const email = 'op@example.com';

describe('the role of a token', () => {
  test('an operator is one by its token', async () => {
    const token = await signToken(secret, email, systemClock.now(), tokenSeconds, 'admin');

    const verified = await verifyToken(secret, token, systemClock.now());

    expect(verified).toMatchObject({ ok: true, claims: { email, role: 'admin' } });
    if (verified.ok) expect(adminOf(verified.claims)).toBe(verified.claims);
  });

  test.each(['user', 'Admin', ['admin'], true, null])('a token with the role %j is of a person', async (role) => {
    const token = await new SignJWT({ email, role })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new TextEncoder().encode(secret));

    const verified = await verifyToken(secret, token, systemClock.now());

    expect(verified).toEqual({ ok: true, claims: { email, expiresAt: undefined } });
    if (verified.ok) expect(() => adminOf(verified.claims)).toThrow('ADMIN_REQUIRED');
  });
});

/** Posts with headers that `fetch` does not let one choose. */
function post(base: string, body: object, headers: Readonly<Record<string, string>> = {}) {
  return new Promise<{ readonly status: number | undefined; readonly body: Record<string, string> }>(
    (resolve, reject) => {
      const call = request(`${base}/dev/tokens`, { method: 'POST', headers }, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (part: string) => {
          text += part;
        });
        response.on('end', () => resolve({ status: response.statusCode, body: JSON.parse(text) }));
      });
      call.on('error', reject);
      call.end(JSON.stringify(body));
    },
  );
}

async function roleOf(token: string | undefined): Promise<string | undefined> {
  const verified = await verifyToken(secret, token ?? '', systemClock.now());
  if (!verified.ok) throw new Error(`not a token of this server: ${token}`);
  return verified.claims.role;
}

describe('tokens of the development mode', () => {
  let app: Chat;
  beforeAll(async () => {
    app = await chat({ devMode: true });
  });
  afterAll(() => app.server.stop());

  test('none is an operator unless asked', async () => {
    const { status, body } = await post(app.base, { email });

    expect(status).toBe(200);
    expect(await roleOf(body.token)).toBeUndefined();
  });

  test('an operator is asked for by name', async () => {
    const { status, body } = await post(app.base, { email, role: 'admin' });

    expect({ status, role: body.role }).toEqual({ status: 200, role: 'admin' });
    expect(await roleOf(body.token)).toBe('admin');
  });

  test('no other role can be asked for', async () => {
    expect((await post(app.base, { email, role: 'owner' })).status).toBe(422);
  });

  test.each([
    ['127.0.0.1:8082', 'http://127.0.0.1:5173'],
    ['localhost', 'http://localhost'],
    ['[::1]:8082', 'http://[::1]:8082'],
  ])('asked as %s, a page of %s gets one', async (host, origin) => {
    expect((await post(app.base, { email, role: 'admin' }, { host, origin })).status).toBe(200);
  });

  test.each([
    ['rebound.example.com', 'http://rebound.example.com'],
    ['127.0.0.1', 'https://evil.example.com'],
    ['127.0.0.1', 'null'],
    ['127.0.0.1.example.com', 'http://127.0.0.1.example.com'],
    ['localhost', 'http://127.0.0.1'],
  ])('asked as %s, a page of %s gets none', async (host, origin) => {
    const { status, body } = await post(app.base, { email, role: 'admin' }, { host, origin });

    expect({ status, code: body.code, token: body.token }).toEqual({ status: 403, code: 'ADMIN_REQUIRED' });
  });

  test.each([
    ['en', 'This needs a token with the admin role.'],
    ['uk', 'Потрібен токен із роллю admin.'],
    ['it', 'Serve un token con il ruolo admin.'],
  ])('the refusal is told in %s', async (language, detail) => {
    const headers = { host: 'elsewhere', 'accept-language': language };

    expect((await post(app.base, { email, role: 'admin' }, headers)).body.detail).toBe(detail);
  });
});

describe('a development mode that others reach', () => {
  let app: Chat;
  afterEach(() => app.server.stop());

  test('hands out no operator', async () => {
    app = await chat({ devMode: true, host: '0.0.0.0' });

    const { status, body } = await post(app.base, { email, role: 'admin' });

    expect({ status, code: body.code }).toEqual({ status: 403, code: 'ADMIN_REQUIRED' });
  });
});
