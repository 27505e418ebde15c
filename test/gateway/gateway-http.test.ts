import { afterEach, describe, expect, test } from 'vitest';
import { TroupeError } from '../../src/errors.ts';
import { type Greeter, type GreeterOptions, greeter } from './greeter.ts';

const personId = '0b6f24d1-5c53-4bd4-a3b5-1d6b0d2f1c11';
const started: Greeter[] = [];

async function given(options: GreeterOptions = {}): Promise<Greeter> {
  const each = await greeter(options);
  started.push(each);
  return each;
}

afterEach(() => {
  for (const each of started.splice(0)) each.stop();
});

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

async function call(
  { base }: Greeter,
  path: string,
  { token, method = 'GET', headers = {}, body }: CallOptions = {},
): Promise<Answer> {
  const authorization: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const init = { method, headers: { ...authorization, ...headers } };
  const response = await fetch(`${base}${path}`, body === undefined ? init : { ...init, body });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? {} : JSON.parse(text) };
}

interface CallOptions {
  readonly token?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

async function greet(app: Greeter, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  return call(app, `/v1/people/${personId}/greetings`, {
    token: await app.token(),
    method: 'POST',
    headers,
    body: JSON.stringify(body),
  });
}

describe('routes', () => {
  test('an unknown path is a 404 problem', async () => {
    const answer = await call(await given(), '/v2/people');

    expect(answer.status).toBe(404);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(answer.body).toMatchObject({ type: 'urn:troupe:problem:not-found', status: 404, code: 'NOT_FOUND' });
  });

  test('a wrong method names the right ones', async () => {
    const answer = await call(await given(), '/v1/people', { method: 'DELETE' });

    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe('GET, HEAD, OPTIONS');
  });

  test('OPTIONS answers without a token', async () => {
    const answer = await call(await given(), '/v1/people', { method: 'OPTIONS' });

    expect(answer.status).toBe(204);
    expect(answer.headers.get('allow')).toBe('GET, HEAD, OPTIONS');
  });

  test('a plain GET of a socket is told to upgrade', async () => {
    const answer = await call(await given(), '/ws/ann');

    expect(answer.status).toBe(426);
    expect(answer.headers.get('upgrade')).toBe('websocket');
  });

  test('liveness and readiness need no token', async () => {
    let isReady = false;
    const app = await given({ ready: () => isReady });

    expect((await call(app, '/livez')).status).toBe(200);
    expect((await call(app, '/readyz')).status).toBe(503);
    isReady = true;
    expect((await call(app, '/readyz')).status).toBe(200);
  });
});

describe('tokens', () => {
  test('no token is a 401 that says how', async () => {
    const answer = await call(await given(), '/v1/people');

    expect(answer).toMatchObject({ status: 401, body: { code: 'UNAUTHENTICATED' } });
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="troupe"');
  });

  test.each(['Basic YTpi', 'Bearer', 'Bearer x', 'Bearer a.b.c'])('%j is a 401 of an invalid token', async (value) => {
    const answer = await call(await given(), '/v1/people', { headers: { authorization: value } });

    expect(answer).toMatchObject({ status: 401, body: { code: 'TOKEN_INVALID' } });
    expect(answer.headers.get('www-authenticate')).toContain('invalid_token');
  });

  test('an unsigned token is refused', async () => {
    const app = await given();
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const token = `${part({ alg: 'none' })}.${part({ email: 'ann@example.com' })}.`;

    expect(await call(app, '/v1/people', { token })).toMatchObject({ status: 401, body: { code: 'TOKEN_INVALID' } });
  });

  test('a token expires also when it is known', async () => {
    const app = await given();
    const token = await app.token('ann@example.com', 60);
    expect(await call(app, '/v1/people', { token })).toMatchObject({ status: 200, body: { email: 'ann@example.com' } });

    app.clock.adjustWall(61_000);

    expect(await call(app, '/v1/people', { token })).toMatchObject({ status: 401, body: { code: 'TOKEN_EXPIRED' } });
  });

  test('a token of another secret is refused', async () => {
    const app = await given();
    const token = `${(await app.token()).slice(0, -4)}AAAA`;

    expect(await call(app, '/v1/people', { token })).toMatchObject({ status: 401, body: { code: 'TOKEN_INVALID' } });
  });
});

describe('inputs', () => {
  test('a body that is not JSON is a 400', async () => {
    const app = await given();
    const path = `/v1/people/${personId}/greetings`;
    const token = await app.token();

    for (const body of ['{', '', new Uint8Array([0x22, 0xff, 0x22])]) {
      expect(await call(app, path, { token, method: 'POST', body })).toMatchObject({
        status: 400,
        body: { code: 'INVALID_JSON' },
      });
    }
  });

  test('wrong fields are named in the caller’s language', async () => {
    const answer = await greet(await given(), { words: '' }, { 'accept-language': 'it' });

    expect(answer).toMatchObject({
      status: 422,
      body: { code: 'VALIDATION_FAILED', params: { fields: 'words' }, title: 'it VALIDATION_FAILED' },
    });
    expect(answer.body.errors).toEqual([{ field: 'words', detail: expect.stringContaining('Troppo') }]);
    expect(answer.headers.get('content-language')).toBe('it');
  });

  test.each(['[]', '"x"', 'null', '3'])('a body %s is not an object', async (body) => {
    const app = await given();
    const token = await app.token();

    expect(await call(app, `/v1/people/${personId}/greetings`, { token, method: 'POST', body })).toMatchObject({
      status: 422,
      body: { code: 'VALIDATION_FAILED' },
    });
  });

  test('a malformed id in the path is a 400', async () => {
    const app = await given();
    const token = await app.token();

    expect(await call(app, '/v1/people/x/greetings', { token, method: 'POST', body: '{"words":"hi"}' })).toMatchObject({
      status: 400,
      body: { params: { fields: 'personId' } },
    });
  });

  test('a path field in the body is overruled by the path', async () => {
    expect((await greet(await given(), { words: 'hi', personId: 'x' })).status).toBe(202);
  });

  test.each(['limit=3', 'limit=1&limit=2', 'size=1'])('the query %s is a 400', async (query) => {
    const app = await given();

    expect(await call(app, `/v1/people?${query}`, { token: await app.token() })).toMatchObject({
      status: 400,
      body: { code: 'VALIDATION_FAILED' },
    });
  });
});

describe('commands', () => {
  test('a durable start is a 202 with its location', async () => {
    const answer = await greet(await given(), { words: 'hi' });

    expect(answer.status).toBe(202);
    expect(answer.headers.get('location')).toBe(`/v1/greetings/${answer.body.operationId}`);
  });

  test('a preferred wait answers with the outcome', async () => {
    const answer = await greet(await given(), { words: 'hi' }, { prefer: 'wait=5' });

    expect(answer).toMatchObject({ status: 200, body: { greeted: true } });
    expect(answer.headers.get('preference-applied')).toBe('wait=5');
  });

  test('a wait that is over answers 202', async () => {
    expect((await greet(await given(), { words: 'hi' }, { prefer: 'wait=1' })).status).toBe(202);
  });

  test('nothing is answered before the start is durable', async () => {
    const app = await given({ waits: true });
    let answered = false;
    const answer = greet(app, { words: 'hi' }).finally(() => (answered = true));
    await expect.poll(() => app.starting.length).toBe(1);

    expect(answered).toBe(false);
    app.settle({ repeated: false });

    expect((await answer).status).toBe(202);
  });

  test.each([
    ['MAILBOX_FULL', 503],
    ['OUTBOX_FULL', 503],
    ['STOPPED', 503],
    ['ASK_TIMEOUT', 504],
    ['JOURNAL_UNAVAILABLE', 503],
    ['MACHINE_FAILED', 500],
  ] as const)('%s of the runtime is a %d', async (code, status) => {
    const app = await given({ waits: true });
    const answer = greet(app, { words: 'hi' });
    await expect.poll(() => app.starting.length).toBe(1);

    app.settle(new TroupeError(code, 'an internal sentence'));

    const { body, headers, ...rest } = await answer;
    expect({ ...rest, body }).toMatchObject({ status, body: { code, operationId: app.starting[0]?.operationId } });
    expect(headers.get('retry-after')).toBe(status === 500 ? null : '1');
    expect(JSON.stringify(body)).not.toContain('internal sentence');
    expect(app.logged).toContainEqual(
      expect.objectContaining({ level: 'error', fields: expect.objectContaining({ operationId: body.operationId }) }),
    );
  });

  test('a fault of the server shows nothing of itself', async () => {
    const answer = await greet(await given(), { words: 'crash' });

    expect(answer).toMatchObject({ status: 500, body: { code: 'INTERNAL' } });
    expect(JSON.stringify(answer.body)).not.toContain('secret');
  });

  test('a refusal has its own status and parameters', async () => {
    expect(await greet(await given(), { words: 'boo' })).toMatchObject({
      status: 409,
      body: { code: 'RUDE', params: { words: 'boo' } },
    });
  });

  test('a caller without a preference reads its own language', async () => {
    const app = await given();
    const options = { token: await app.token('olena@example.com'), headers: { 'accept-language': '*' } };

    expect((await call(app, '/v1/people?size=1', options)).body.title).toBe('uk VALIDATION_FAILED');
  });
});

describe('limits', () => {
  test('a body over the limit is a 413 problem', async () => {
    const answer = await greet(await given(), { words: 'x'.repeat(100_000) });

    expect(answer).toMatchObject({ status: 413, body: { code: 'BODY_TOO_LARGE', params: { bytesMax: 65_536 } } });
  });

  test('a caller over its rate waits as told', async () => {
    const app = await given({ limits: { rate: { burst: 2, perSecond: 0.5 } } });
    const token = await app.token();
    const ask = (): Promise<Answer> => call(app, '/v1/people', { token });
    await ask();
    await ask();

    const limited = await ask();
    expect(limited).toMatchObject({ status: 429, body: { code: 'RATE_LIMITED', params: { retryAfterMs: 2_000 } } });
    expect(limited.headers.get('retry-after')).toBe('2');
    expect((await call(app, '/v1/people', { token: await app.token('bob@example.com') })).status).toBe(200);
    await app.clock.advance(2_000);

    expect((await ask()).status).toBe(200);
  });
});

describe('a shutdown', () => {
  test('a request under way is finished, then nothing is accepted', async () => {
    const app = await given({ waits: true });
    const answer = greet(app, { words: 'hi' });
    await expect.poll(() => app.starting.length).toBe(1);

    const drained = app.gateway.drain(10_000);
    app.settle({ repeated: false });
    await drained;

    expect((await answer).status).toBe(202);
    await expect(fetch(`${app.base}/livez`)).rejects.toThrow();
  });

  test('a request that never ends does not hold it', async () => {
    const app = await given({ waits: true });
    const answer = greet(app, { words: 'hi' }).catch(() => 'cut off');
    await expect.poll(() => app.starting.length).toBe(1);

    const drained = app.gateway.drain(10_000);
    await app.clock.advance(10_000);
    await drained;
    app.stop();

    expect(await answer).toBe('cut off');
  });
});
