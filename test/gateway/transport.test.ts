import { afterEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { Admission, HttpRequest, HttpResponse, Socket } from '../../src/gateway/http.ts';
import { InFlight } from '../../src/gateway/in-flight.ts';
import { openTransport, type Transport, type TransportOptions } from '../../src/gateway/uws.ts';
import { get, raw } from './raw-http.ts';

const open: Transport[] = [];
const inFlight = new InFlight();

async function transport(options: Partial<TransportOptions> = {}): Promise<Transport> {
  const opened = await openTransport({
    host: '127.0.0.1',
    port: 0,
    bodyBytesMax: 1_000,
    frameBytesMax: 1_000,
    idleSeconds: 60,
    inFlight,
    request: (request) => ({ status: 200, body: `${request.method} ${request.path} ${request.body.length}` }),
    tooLarge: () => ({ status: 413, body: 'too large' }),
    upgrade: () => ({ kind: 'refuse', response: { status: 404 } }),
    ...options,
  });
  open.push(opened);
  return opened;
}

function accept(opened: (socket: Socket) => void, on: { message?: (text: string) => void } = {}): () => Admission {
  return () => ({
    kind: 'accept',
    handlers: {
      open: opened,
      message: on.message ?? (() => undefined),
      binary: () => undefined,
      drain: () => undefined,
      closed: () => undefined,
    },
  });
}

afterEach(() => {
  for (const each of open.splice(0)) each.close();
});

describe('bodies', () => {
  test('a body of many chunks arrives whole', async () => {
    const { port } = await transport();
    const chunk = `64\r\n${'x'.repeat(100)}\r\n`;
    const head = get('/b', { 'transfer-encoding': 'chunked' }, 'POST');

    const { text } = await raw(port, [head, chunk, chunk, chunk, '0\r\n\r\n'], 'POST /b 300');

    expect(text).toContain('200 OK');
  });

  test('a declared body over the limit answers 413', async () => {
    const { port } = await transport();

    const response = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: 'x'.repeat(200_000) });

    expect(response.status).toBe(413);
    expect(await response.text()).toBe('too large');
  });

  test('a chunked body over the limit answers 413', async () => {
    const { port } = await transport();
    const chunk = `1000\r\n${'x'.repeat(4096)}\r\n`;

    const { status } = await raw(
      port,
      [get('/', { 'transfer-encoding': 'chunked' }, 'POST'), chunk, '0\r\n\r\n'],
      'large',
    );

    expect(status).toBe(413);
  });

  test('an endless body is answered and cut off', async () => {
    const { port } = await transport();
    const part = `100000\r\n${'x'.repeat(1_048_576)}\r\n`;
    const head = get('/', { 'transfer-encoding': 'chunked' }, 'POST');

    const { closed } = await raw(port, [head, part, part, part, part, part, part]);

    expect(closed).toBe(true);
  });
});

describe('requests', () => {
  test('a request stays readable after an await', async () => {
    const request = async (received: HttpRequest): Promise<HttpResponse> => {
      await new Promise((resolve) => setImmediate(resolve));
      return { status: 200, body: `${received.headers['x-a']} ${received.query}` };
    };
    const { port } = await transport({ request });

    const { text } = await raw(port, get('/p?q=1', { 'x-a': 'one' }), 'one q=1');

    expect(text).toContain('200 OK');
  });

  test('a repeated header keeps all its values', async () => {
    const { port } = await transport({ request: ({ headers }) => ({ status: 200, body: headers.prefer ?? '' }) });

    const { text } = await raw(port, 'GET / HTTP/1.1\r\nhost: a\r\nprefer: a\r\nprefer: b\r\n\r\n', 'a, b');

    expect(text).toContain('a, b');
  });

  test('a client that goes away is never written to', async () => {
    let answer: (response: HttpResponse) => void = () => undefined;
    let asked: () => void = () => undefined;
    const isAsked = new Promise<void>((resolve) => (asked = resolve));
    const request = (): Promise<HttpResponse> =>
      new Promise((settle) => {
        answer = settle;
        asked();
      });
    const { port } = await transport({ request });
    const controller = new AbortController();
    const fetched = fetch(`http://127.0.0.1:${port}/`, { signal: controller.signal });
    await isAsked;

    controller.abort();
    await expect(fetched).rejects.toThrow();
    await inFlight.idle();
    answer({ status: 200, body: 'late' });

    expect(inFlight.count).toBe(0);
  });

  test('HEAD has the length and no body', async () => {
    const { port } = await transport();

    const { text } = await raw(port, get('/abc', { connection: 'close' }, 'HEAD'));

    expect(text.toLowerCase()).toContain('content-length: 11');
    expect(text).not.toContain('/abc');
  });

  test('a connection goes on after an answer without body', async () => {
    const request = ({ path }: HttpRequest): HttpResponse =>
      path === '/none' ? { status: 204 } : { status: 200, body: 'body' };
    const { port } = await transport({ request });

    const { text } = await raw(port, [get('/none'), get('/head', {}, 'HEAD'), get('/')], 'body');

    expect(text.match(/HTTP\/1\.1 20\d/g)).toEqual(['HTTP/1.1 204', 'HTTP/1.1 200', 'HTTP/1.1 200']);
  });

  test('a client that wants to close gets its answer', async () => {
    const request = async (): Promise<HttpResponse> => {
      await new Promise((resolve) => setImmediate(resolve));
      return { status: 200, body: 'y'.repeat(100_000) };
    };
    const { port } = await transport({ request });

    const { text, closed } = await raw(port, get('/', { connection: 'close' }));

    expect(closed).toBe(true);
    expect(text.length).toBeGreaterThan(100_000);
  });

  test('an answer closes its connection once accepting stopped', async () => {
    let answer: (response: HttpResponse) => void = () => undefined;
    let asked: () => void = () => undefined;
    const isAsked = new Promise<void>((resolve) => (asked = resolve));
    const request = (): Promise<HttpResponse> =>
      new Promise((settle) => {
        answer = settle;
        asked();
      });
    const server = await transport({ request });
    const waiting = raw(server.port, get('/'));
    await isAsked;

    server.stopAccepting();
    answer({ status: 200, body: 'last' });

    expect(await waiting).toMatchObject({ closed: true, text: expect.stringContaining('last') });
    expect(await raw(server.port, get('/'))).toMatchObject({ status: 0, closed: true });
  });
});

describe('listening', () => {
  test('a taken port is refused with a sentence', async () => {
    const { port } = await transport();

    await expect(transport({ port })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      params: { busy: true },
      message: expect.stringContaining(`127.0.0.1:${port}`),
    });
  });
});

describe('sockets', () => {
  function connected(port: number): Promise<WebSocket> {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
      socket.on('open', () => resolve(socket));
      socket.on('error', reject);
    });
  }

  test('no frame of 60 MB is dropped for a peer that reads late', async () => {
    let server: Socket | undefined;
    const { port } = await transport({ upgrade: accept((socket) => (server = socket)) });
    const client = await connected(port);
    client.pause();
    let received = 0;
    client.on('message', () => (received += 1));
    const closed = new Promise((resolve) => client.on('close', resolve));

    const states = new Set(Array.from({ length: 1_000 }, () => server?.send('x'.repeat(60_000))));
    server?.end(1000, 'done');
    client.resume();
    await closed;

    expect(states).toEqual(new Set(['sent', 'buffered']));
    expect(received).toBe(1_000);
  });

  test('a closed socket takes calls and does nothing', async () => {
    let server: Socket | undefined;
    const { port } = await transport({ upgrade: accept((socket) => (server = socket)) });
    const client = await connected(port);
    const closed = new Promise((resolve) => client.on('close', resolve));

    server?.end(4001, 'bye');
    const state = server?.send('late');
    server?.end(4002, 'again');
    server?.terminate();
    server?.cork(() => server?.send('late'));

    expect(await closed).toBe(4001);
    expect(state).toBe('lost');
    expect(server?.buffered()).toBe(0);
  });

  test('a message is kept after its handler returned', async () => {
    const texts: string[] = [];
    const got = new Promise<void>((resolve) => {
      void transport({
        upgrade: accept(() => undefined, {
          message: (text) => {
            texts.push(text);
            if (texts.length === 2) resolve();
          },
        }),
      })
        .then(({ port }) => connected(port))
        .then((client) => {
          client.send('первое');
          client.send('second');
        });
    });

    await got;

    expect(texts).toEqual(['первое', 'second']);
  });

  test('a frame over the limit ends in 1006', async () => {
    const { port } = await transport({ upgrade: accept(() => undefined) });
    const client = await connected(port);
    const closed = new Promise((resolve) => client.on('close', resolve));

    client.send('x'.repeat(2_000));

    expect(await closed).toBe(1006);
  });
});
