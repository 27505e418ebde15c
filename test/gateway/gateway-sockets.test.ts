import { afterEach, describe, expect, test } from 'vitest';
import { type Greeter, type GreeterOptions, greeter } from './greeter.ts';
import { get, raw } from './raw-http.ts';
import { SocketClient } from './socket-client.ts';

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

const url = ({ gateway }: Greeter, path = '/ws/ann'): string => `ws://127.0.0.1:${gateway.port}${path}`;

async function signedIn(app: Greeter): Promise<SocketClient> {
  const client = await SocketClient.open(url(app, `/ws/ann?access_token=${await app.token()}`));
  client.send({ id: 'ready', type: 'PING' });
  await client.reply('ready');
  return client;
}

describe('an upgrade', () => {
  const upgrade = {
    upgrade: 'websocket',
    connection: 'Upgrade',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'sec-websocket-version': '13',
  };

  test('another protocol version is a 426 that names ours', async () => {
    const { gateway } = await given();

    const answer = await raw(gateway.port, get('/ws/ann', { ...upgrade, 'sec-websocket-version': '8' }), '}');

    expect(answer.status).toBe(426);
    expect(answer.text.toLowerCase()).toContain('sec-websocket-version: 13');
  });

  test('an unknown path is refused before the upgrade', async () => {
    await expect(SocketClient.open(url(await given(), '/nothing'))).rejects.toThrow('404');
    await expect(SocketClient.open(url(await given(), '/ws/nobody'))).rejects.toThrow('409');
  });

  test.each([
    [undefined, 'open'],
    ['http://chat.example.com', 'open'],
    ['http://evil.example.com', '403'],
    ['null', '403'],
  ])('the origin %s is %s', async (origin, outcome) => {
    const app = await given({ allowedOrigins: ['http://chat.example.com'] });
    const opened = SocketClient.open(url(app), origin === undefined ? {} : { headers: { origin } });

    if (outcome === 'open') expect((await opened).socket.readyState).toBe(1);
    else await expect(opened).rejects.toThrow(outcome);
  });

  test('pages of the server itself may connect', async () => {
    const app = await given();

    const client = await SocketClient.open(url(app), { headers: { origin: app.base } });

    expect(client.socket.readyState).toBe(1);
  });

  test('only as many sockets as allowed are open', async () => {
    const app = await given({ limits: { socketsMax: 1 } });
    await SocketClient.open(url(app));

    await expect(SocketClient.open(url(app))).rejects.toThrow('503');
  });

  test('no subprotocol is echoed that nobody chose', async () => {
    const { gateway } = await given();

    const answer = await raw(gateway.port, get('/ws/ann', { ...upgrade, 'sec-websocket-protocol': 'x' }), '\r\n\r\n');

    expect(answer.text).toContain('101');
    expect(answer.text.toLowerCase()).not.toContain('sec-websocket-protocol');
  });
});

describe('signing in', () => {
  test('a token in the header is good', async () => {
    const app = await given();
    const client = await SocketClient.open(url(app), { headers: { authorization: `Bearer ${await app.token()}` } });

    client.send({ id: '1', type: 'PING' });

    expect(await client.reply('1')).toEqual({ re: '1', ok: true, data: {} });
  });

  test.each([
    ['bare', (token: string) => token],
    ['an object', (token: string) => JSON.stringify({ token })],
    ['a command', (token: string) => JSON.stringify({ id: 'in', type: 'AUTHENTICATE', data: { token } })],
  ])('a token in the first message is good: %s', async (_, frame) => {
    const app = await given();
    const client = await SocketClient.open(url(app));

    client.send(frame(await app.token()));
    client.send({ id: '1', type: 'PING' });

    expect((await client.reply('1')).ok).toBe(true);
    expect(client.frames.filter(({ re }) => re === 'in').every(({ ok }) => ok)).toBe(true);
  });

  test.each([
    ['Bearer x', 4501, 'TOKEN_INVALID'],
    ['Basic x', 4501, 'TOKEN_INVALID'],
  ])('a bad token %j is announced and closed', async (authorization, code, name) => {
    const client = await SocketClient.open(url(await given()), { headers: { authorization } });

    expect(await client.closed).toBe(code);
    expect(client.frames).toMatchObject([{ type: 'CLOSING', code, data: { code: name, status: 401 } }]);
  });

  test('another user’s socket is closed for good', async () => {
    const app = await given();
    const client = await SocketClient.open(url(app, `/ws/bob?access_token=${await app.token()}`), {
      headers: { 'accept-language': 'uk' },
    });

    expect(await client.closed).toBe(4503);
    expect(client.frames).toMatchObject([{ data: { code: 'NOT_OWN_USER', title: 'uk NOT_OWN_USER' } }]);
  });

  test('a socket that says nothing is closed in time', async () => {
    const app = await given();
    const client = await SocketClient.open(url(app));
    await expect.poll(() => app.gateway.sockets()).toBe(1);

    await app.clock.advance(10_000);

    expect(await client.closed).toBe(4002);
    expect(app.gateway.sockets()).toBe(0);
  });

  test('an open socket is closed when its token expires', async () => {
    const app = await given();
    const client = await SocketClient.open(url(app, `/ws/ann?access_token=${await app.token('ann@example.com', 60)}`));
    client.send({ id: '1', type: 'PING' });
    await client.reply('1');

    await app.clock.advance(60_000);

    expect(await client.closed).toBe(4001);
    expect(client.frames.at(-1)).toMatchObject({ type: 'CLOSING', data: { code: 'TOKEN_EXPIRED' } });
  });

  test('a client that is gone while it signs in leaves nothing', async () => {
    const app = await given();
    const token = await app.token();

    for (let i = 0; i < 50; i++) {
      const client = await SocketClient.open(url(app, `/ws/ann?access_token=${token}`));
      client.socket.terminate();
    }

    await expect.poll(() => app.gateway.sockets()).toBe(0);
  });
});

describe('messages that come early', () => {
  test('they are taken up in order once signed in', async () => {
    const app = await given();
    const client = await SocketClient.open(url(app));

    client.send(await app.token());
    for (let id = 0; id < 500; id++) client.send({ id, type: 'PING' });
    await client.reply(499);

    expect(client.frames.map(({ re }) => re)).toEqual(Array.from({ length: 500 }, (_, id) => id));
  });

  test('more of them than allowed end the socket', async () => {
    const app = await given({ socketReady: new Promise(() => undefined) });
    const client = await SocketClient.open(url(app));

    client.send(await app.token());
    for (let id = 0; id < 20; id++) client.send({ id, type: 'PING', data: 'x'.repeat(60_000) });

    expect(await client.closed).toBe(4029);
  });
});

describe('commands over a socket', () => {
  const greeting = (id: unknown, words = 'hi'): object => ({ id, type: 'GREET', data: { personId, words } });

  test('a durable start is replied with its operation', async () => {
    const client = await signedIn(await given());

    client.send(greeting('a'));
    client.send(greeting(7));

    expect(await client.reply('a')).toEqual({ re: 'a', ok: true, data: { operationId: expect.any(String) } });
    expect((await client.reply(7)).ok).toBe(true);
  });

  test('a refusal is a problem under its id', async () => {
    const client = await signedIn(await given());

    client.send(greeting('a', 'boo'));
    client.send(greeting('b', ''));
    client.send({ id: 'c', type: 'GREET', data: { personId: 'x', words: 'hi' } });
    client.send({ id: 'd', type: 'GREET' });

    expect(await client.reply('a')).toMatchObject({ ok: false, error: { code: 'RUDE', status: 409 } });
    expect(await client.reply('b')).toMatchObject({ error: { status: 422, params: { fields: 'words' } } });
    expect(await client.reply('c')).toMatchObject({ error: { status: 400, params: { fields: 'personId' } } });
    expect(await client.reply('d')).toMatchObject({ error: { code: 'VALIDATION_FAILED' } });
  });

  test.each(['{', '[]', 'null', '"x"', '{"id":{},"type":"GREET"}', '{"type":"GREET"}', '{"id":"1"}'])(
    'the frame %s is not understood',
    async (frame) => {
      const client = await signedIn(await given());

      client.send(frame);

      expect(await client.reply(null)).toMatchObject({ ok: false, error: { code: 'FRAME_INVALID' } });
    },
  );

  test('an unknown command is named', async () => {
    const client = await signedIn(await given());

    client.send({ id: '1', type: 'DANCE', data: {} });

    expect(await client.reply('1')).toMatchObject({ error: { code: 'COMMAND_UNKNOWN', params: { type: 'DANCE' } } });
  });

  test('a reply precedes the outcome of its operation', async () => {
    const app = await given({ waits: true });
    const client = await signedIn(app);
    client.send(greeting('a'));
    await expect.poll(() => app.starting.length).toBe(1);
    const operationId = app.starting[0]?.operationId as string;

    const outcome = JSON.stringify({ type: 'GREETED', operationId });
    app.connections[0]?.feed({ topic: 'user:a', offset: 1, data: {} }, { frames: [outcome], outcomeOf: operationId });
    app.settle({ repeated: false });
    await client.ofType('GREETED');
    client.send({ id: 'end', type: 'PING' });
    await client.reply('end');

    expect(client.frames.slice(1)).toMatchObject([{ re: 'a', ok: true }, { type: 'GREETED' }, { re: 'end' }]);
  });

  test('more commands under way than allowed are refused', async () => {
    const app = await given({ waits: true, limits: { socketCommandsMax: 2 } });
    const client = await signedIn(app);

    for (const id of ['1', '2', '3']) client.send(greeting(id));

    expect(await client.reply('3')).toMatchObject({ error: { code: 'RATE_LIMITED', status: 429 } });
    expect(client.frames.filter(({ re }) => re === '1' || re === '2')).toEqual([]);
  });

  test('a binary frame closes the socket', async () => {
    const client = await signedIn(await given());

    client.socket.send(Buffer.from([1, 2, 3]));

    expect(await client.closed).toBe(1003);
  });

  test('a peer that sends and never reads is cut off', async () => {
    const app = await given({ limits: { unreadBytesMax: 1_000 } });
    const client = await signedIn(app);
    client.socket.pause();
    const junk = 'x'.repeat(40_000);

    for (let i = 0; i < 1_000 && app.gateway.sockets() > 0; i++) {
      client.send({ id: `${i}`, type: 'GREET', data: { personId, words: junk } });
      app.connections[0]?.send(junk);
      if (i % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
    }

    await expect.poll(() => app.gateway.sockets()).toBe(0);
  });
});

describe('a shutdown with sockets', () => {
  test('sockets are told to come back, at different moments', async () => {
    const app = await given();
    const clients = await Promise.all(Array.from({ length: 20 }, () => signedIn(app)));

    await app.gateway.drain(1_000);
    const closing = app.gateway.closeSockets(1_000);
    await app.clock.advance(500);
    const open = app.gateway.sockets();
    await app.clock.advance(500);
    await closing;

    expect(open).toBeGreaterThan(0);
    expect(open).toBeLessThan(20);
    expect(await Promise.all(clients.map(({ closed }) => closed))).toEqual(clients.map(() => 1012));
    expect(clients[0]?.frames.at(-1)).toMatchObject({ type: 'CLOSING', data: { code: 'SERVER_RESTARTING' } });
  });

  test('commands of a closing server are refused', async () => {
    const app = await given();
    const client = await signedIn(app);

    await app.gateway.drain(1_000);
    client.send({ id: '1', type: 'GREET', data: { personId, words: 'hi' } });

    expect(await client.reply('1')).toMatchObject({ error: { code: 'SERVER_RESTARTING', status: 503 } });
  });
});
