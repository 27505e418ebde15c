import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { poll } from '../e2e/deadline.ts';
import { troupe } from './command-line.ts';
import { ServerProcess } from './server-process.ts';
import { storeKinds, type TestStore } from './stores.ts';

const listens = /Troupe listens on (http:\S+)/;
const AUTH_SECRET = 'a secret of more than thirty-two bytes';

/** A request of which the rest never comes: a server that stops waits for it. Resolves when the server has its beginning. */
async function halfRequest(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  // The server's end, which is what the test is about, resets it.
  socket.on('error', () => undefined);
  const head = ['POST /v1/users/currentUser HTTP/1.1', 'Host: localhost', 'Content-Type: application/json'];
  socket.write('GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await once(socket, 'data');
  socket.write([...head, 'Content-Length: 100', '', '{'].join('\r\n'));
  // Answered on another connection, and so after what was written before on this one had been there to read.
  for (let call = 0; call < 3; call++) await fetch(`http://127.0.0.1:${port}/livez`);
  return socket;
}

describe.each(storeKinds)('troupe start on $kind', ({ kind, make }) => {
  let store: TestStore;
  let started: ServerProcess[];
  beforeEach(async () => {
    store = await make();
    started = [];
  });
  afterEach(async () => {
    for (const server of started) server.kill('SIGKILL');
    await Promise.all(started.map((server) => server.ended()));
    await store.remove();
  });

  function start(environment: Readonly<Record<string, string>> = {}): ServerProcess {
    const server = new ServerProcess({ JOURNAL: store.url, SHARDS: '4', ...environment });
    started.push(server);
    return server;
  }

  test('says where, on what, and what to type', async () => {
    const server = start();

    const [url] = await server.prints(listens);
    const [token] = await server.prints(/^ {2}TOKEN=(\S+)\n {2}curl .*\n/m);

    expect(server.output).toMatch(new RegExp(`^Journal: ${kind}.+ an answered commit survives .+; 4 shards$`, 'm'));
    expect(server.output).toMatch(/^Development mode: /m);
    const answer = await fetch(`${url}/v1/users/currentUser`, { headers: { authorization: `Bearer ${token}` } });
    expect(answer.status).not.toBe(401);
  });

  test('its pasted lines make a user', async () => {
    const server = start();
    const [url] = await server.prints(listens);
    const [token, curl] = await server.prints(/TOKEN=(\S+)\n {2}(curl .*)\n/);
    const [path, body] = /currentUser.*--json '(.*)'$/.exec(curl!)!;

    const answer = await fetch(`${url}/v1/users/${path.slice(0, 'currentUser'.length)}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', prefer: 'wait=5' },
      body: body!,
    });

    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ state: 'COMPLETED', result: { username: 'alice' } });
    expect((await troupe(['verify'], { JOURNAL: store.url })).code).toBe(0);
  });

  test('tokens made beside it are accepted', async () => {
    const server = start();
    const [url] = await server.prints(listens);

    const { out } = await troupe(['token', 'bob@example.com'], { JOURNAL: store.url });

    const headers = { authorization: `Bearer ${out.at(-1)}` };
    expect((await fetch(`${url}/v1/users/currentUser`, { headers })).status).not.toBe(401);
  });

  test.each(['SIGTERM', 'SIGINT'] as const)('%s ends it in order', async (signal) => {
    const server = start();
    await server.prints(listens);

    server.kill(signal);

    const code = await server.ended();
    expect(code, server.output).toBe(0);
    expect(server.output).toMatch(new RegExp(`${signal}: finishing what is under way.*\nStopped\\.\n$`));
  });

  test('a second signal ends it at once', async () => {
    const server = start();
    const [url] = await server.prints(listens);
    const half = await halfRequest(Number(new URL(url!).port));

    server.kill('SIGINT');
    await server.prints(/SIGINT: finishing what is under way/);
    server.kill('SIGTERM');

    expect(await server.ended()).toBe(1);
    expect(server.output).not.toContain('Stopped.');
    half.destroy();
  });

  test('waits for a port that is being left', async () => {
    const blocker = createServer().listen(0, '127.0.0.1');
    await once(blocker, 'listening');
    const { port } = blocker.address() as AddressInfo;
    const server = start({ PORT: String(port) });

    await server.prints(/Still starting/);
    blocker.close();

    expect(await server.prints(listens)).toEqual([`http://127.0.0.1:${port}`]);
  });

  test('takes over from a server that stops', async () => {
    const first = start();
    await first.prints(listens);
    const second = start();

    // A journal for one process makes it wait; on one for several it joins at once, and takes the shards that are left.
    await second.prints(kind === 'lmdb' ? /Still starting/ : listens);
    first.kill('SIGTERM');

    const code = await first.ended();
    expect(code, first.output).toBe(0);
    const [url] = await second.prints(listens);
    await poll(async () => (await fetch(`${url}/readyz`)).ok || undefined, 'the second one is not ready');
  });

  test('with a secret it shows none and gives none', async () => {
    const server = start({ AUTH_SECRET });
    const [url] = await server.prints(listens);
    await server.prints(/Tokens: HS256 with AUTH_SECRET/);

    const answer = await fetch(`${url}/dev/tokens`, { method: 'POST', body: '{"email":"a@b.c"}' });

    expect(answer.status).toBe(404);
    expect(server.output).not.toMatch(/TOKEN=|Development mode/);
    const { out } = await troupe(['token', 'bob@example.com'], { AUTH_SECRET });
    const headers = { authorization: `Bearer ${out.at(-1)}` };
    expect((await fetch(`${url}/v1/users/currentUser`, { headers })).status).not.toBe(401);
  });
});

describe('troupe start', () => {
  test('an unreachable store is one sentence', async () => {
    const server = new ServerProcess({ JOURNAL: 'redis://127.0.0.1:1' });

    expect(await server.ended()).toBe(1);
    const sentences = server.output.split('\n').filter((line) => line !== '' && !line.startsWith('Still starting'));
    expect(sentences).toHaveLength(1);
  });
});
