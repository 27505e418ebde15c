/** The proxy itself: each way in which it can treat a connection badly, in front of a server that echoes. */

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { type Clock, systemClock } from '../../src/clock.ts';
import { poll } from '../e2e/deadline.ts';
import { RedisServer } from '../redis-server.ts';
import { ChaosProxy, type ChaosProxyOptions } from './chaos-proxy.ts';

interface Peer {
  readonly socket: Socket;
  /** Everything it received. */
  readonly received: () => string;
  /** How its connection ended: 'open', 'fin', or the code of an error. */
  readonly fate: () => string;
  says(text: string): void;
  hears(text: string): Promise<unknown>;
  ends(fate: string): Promise<unknown>;
}

function peerOf(socket: Socket): Peer {
  let received = '';
  let fate = 'open';
  socket.setNoDelay();
  socket.on('data', (bytes) => {
    received += String(bytes);
  });
  socket.on('end', () => {
    fate = 'fin';
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    fate = error.code ?? error.message;
  });
  onTestFinished(() => void socket.destroy());
  const hears = (text: string) =>
    poll(async () => (received === text ? true : undefined), `"${text}" is not heard`).catch((error: Error) => {
      throw new Error(`${error.message}, but "${received.slice(0, 200)}" (${fate})`);
    });
  const ends = (wanted: string) => poll(async () => (fate === wanted ? true : undefined), `it does not end: ${wanted}`);
  return { socket, received: () => received, fate: () => fate, says: (text) => socket.write(text), hears, ends };
}

interface Line {
  readonly proxy: ChaosProxy;
  readonly call: () => Promise<Peer>;
  /** The server's sides, in order. */
  readonly answered: Peer[];
}

/** A server that sends back what it gets, in capitals, behind a proxy. */
async function openLine(options: ChaosProxyOptions = {}): Promise<Line> {
  const answered: Peer[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    answered.push(peerOf(socket));
    socket.on('data', (bytes) => socket.write(String(bytes).toUpperCase()));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const proxy = await ChaosProxy.start((server.address() as AddressInfo).port, options);
  onTestFinished(() => proxy.close());
  const call = async (): Promise<Peer> => {
    const socket = connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true });
    const peer = peerOf(socket);
    await once(socket, 'connect');
    return peer;
  };
  return { proxy, call, answered };
}

/** Until the proxy has taken so many bytes of its only connection. */
function taken(proxy: ChaosProxy, direction: 'toServer' | 'toClient', bytes: number): Promise<unknown> {
  const look = async () => (proxy.connections[0]?.bytes(direction).taken === bytes ? true : undefined);
  return poll(look, `${bytes} bytes do not come`);
}

/** The system's clock, without the waiting: notes what is waited for. */
function impatientClock(): { readonly clock: Clock; readonly waits: number[] } {
  const waits: number[] = [];
  let skipped = 0;
  const clock: Clock = {
    ...systemClock,
    monotonic: () => skipped,
    after(ms, callback) {
      waits.push(ms);
      const handle = setImmediate(() => {
        skipped += ms;
        callback();
      });
      return () => clearImmediate(handle);
    },
  };
  return { clock, waits };
}

test('passes everything both ways and ends in order', async () => {
  const { call, answered } = await openLine();
  const client = await call();
  const long = 'x'.repeat(3_000_000);

  client.says(long);
  await client.hears(long.toUpperCase());
  client.socket.end('bye');
  await client.hears(`${long.toUpperCase()}BYE`);

  await answered[0]!.ends('fin');
  expect(client.fate()).toBe('open');
  answered[0]!.socket.end('last');
  await client.ends('fin');
  expect(client.received().endsWith('BYElast')).toBe(true);
});

test('a delay holds back bytes in their order', async () => {
  const { proxy, call } = await openLine();
  proxy.flow('toServer', { kind: 'delay', ms: 120, jitterMs: 40 });
  const client = await call();
  const start = performance.now();

  for (const text of ['one ', 'two ', 'three']) {
    client.says(text);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await client.hears('ONE TWO THREE');

  expect(performance.now() - start).toBeGreaterThanOrEqual(119);
});

test('jitter follows from its seed alone', async () => {
  const waitsOf = async (seed: number): Promise<readonly number[]> => {
    const { clock, waits } = impatientClock();
    const { proxy, call } = await openLine({ seed, clock });
    proxy.flow('toServer', { kind: 'delay', ms: 1_000, jitterMs: 500 });
    const client = await call();
    for (const heard of ['A', 'AA', 'AAA', 'AAAA']) {
      client.says('a');
      await client.hears(heard);
    }
    return waits;
  };

  const [first, again, other] = [await waitsOf(7), await waitsOf(7), await waitsOf(8)];

  expect(first).toHaveLength(4);
  for (const ms of first) expect(ms).toBeGreaterThanOrEqual(1_000);
  for (const ms of first) expect(ms).toBeLessThan(1_500);
  expect(again).toEqual(first);
  expect(other).not.toEqual(first);
});

test('throttled bytes take the time of their rate', async () => {
  const { clock, waits } = impatientClock();
  const { proxy, call } = await openLine({ clock });
  proxy.flow('toClient', { kind: 'throttle', bytesPerSecond: 1_000 });
  const client = await call();

  client.says('y'.repeat(10_000));
  await client.hears('Y'.repeat(10_000));

  expect(waits.reduce((sum, ms) => sum + ms, 0)).toBeCloseTo(10_000);
  expect(Math.max(...waits)).toBeLessThan(21);
});

test('what is held arrives once it is let go', async () => {
  const { proxy, call, answered } = await openLine();
  const client = await call();
  client.says('a');
  await client.hears('A');

  proxy.partition();
  client.says('b');
  answered[0]!.says('c');
  const stranger = await call();
  stranger.says('s');
  await poll(async () => (proxy.connections.length === 2 ? true : undefined), 'the stranger does not come');
  expect([client.received(), answered[0]!.received(), stranger.received()]).toEqual(['A', 'a', '']);
  proxy.heal();

  await client.hears('AcB');
  await stranger.hears('S');
});

test('what waited for its time is held, too', async () => {
  const { proxy, call, answered } = await openLine();
  const [client, witness] = [await call(), await call()];
  client.says('a');
  await client.hears('A');

  const [line] = proxy.connections;
  line!.flow('toServer', { kind: 'delay', ms: 3_600_000 });
  client.says('b');
  await taken(proxy, 'toServer', 2);
  line!.flow('toServer', { kind: 'hold' });
  witness.says('w');
  await witness.hears('W');
  expect(answered[0]!.received()).toBe('a');
  proxy.heal();

  await client.hears('AB');
});

test('neither peer of a partition hears of an end', async () => {
  const { proxy, call, answered } = await openLine();
  const client = await call();
  client.says('a');
  await client.hears('A');

  proxy.partition();
  client.socket.resetAndDestroy();
  const other = await call();
  other.says('b');
  await poll(async () => (answered.length === 2 ? true : undefined), 'nobody answers');
  expect(answered[0]!.fate()).toBe('open');
  proxy.heal();

  await answered[0]!.ends('ECONNRESET');
  await other.hears('B');
});

test('half-open: requests reach the server, replies are lost', async () => {
  const { proxy, call, answered } = await openLine();
  const client = await call();

  proxy.flow('toClient', { kind: 'swallow' });
  client.says('a');
  await taken(proxy, 'toClient', 1);
  expect(answered[0]!.received()).toBe('a');
  expect([client.received(), client.fate()]).toEqual(['', 'open']);
  proxy.heal();

  // The stream has a hole: it can only end.
  await client.ends('ECONNRESET');
  expect(client.received()).toBe('');
  const next = await call();
  next.says('b');
  await next.hears('B');
});

test('half-open: nothing reaches the server, nobody learns', async () => {
  const { proxy, call, answered } = await openLine();
  const client = await call();
  client.says('a');
  await client.hears('A');

  proxy.flow('both', { kind: 'swallow' });
  client.says('bcd');
  await taken(proxy, 'toServer', 4);

  expect(answered[0]!.received()).toBe('a');
  expect([client.fate(), answered[0]!.fate()]).toEqual(['open', 'open']);
});

test.for([
  ['rst', 'ECONNRESET'],
  ['fin', 'fin'],
] as const)('a cut by %s ends both peers with %s', async ([how, fate]) => {
  const { proxy, call, answered } = await openLine();
  const client = await call();
  client.says('a');
  await client.hears('A');

  const count = proxy.cut(how);

  expect(count).toBe(1);
  await Promise.all([client.ends(fate), answered[0]!.ends(fate)]);
  for (const { socket } of [client, answered[0]!]) socket.end();
  await poll(async () => (proxy.connections.length === 0 ? true : undefined), 'the connection stays');
});

test('new connections are refused, open ones stay', async () => {
  const { proxy, call } = await openLine();
  const client = await call();
  client.says('a');
  await client.hears('A');

  proxy.refuse();
  const late = peerOf(connect({ port: proxy.port, host: '127.0.0.1' }));
  await late.ends('ECONNRESET');
  client.says('b');
  await client.hears('AB');
  proxy.heal();
  const next = await call();
  next.says('c');
  await next.hears('C');

  expect(proxy.refused).toBe(1);
});

test('one connection is treated badly, others are not', async () => {
  const { proxy, call } = await openLine();
  const [first, second] = [await call(), await call()];
  for (const peer of [first, second]) {
    peer.says('a');
    await peer.hears('A');
  }

  const [one] = proxy.connections;
  one!.flow('toServer', { kind: 'hold' });
  for (const peer of [first, second]) peer.says('b');
  await second.hears('AB');
  expect(first.received()).toBe('A');
  one!.flow('toServer', { kind: 'pass' });

  await first.hears('AB');
});

test('a target that is down resets its clients', async () => {
  const { proxy } = await openLine();
  const front = await ChaosProxy.start(proxy.port);
  onTestFinished(() => front.close());
  await proxy.close();

  const client = peerOf(connect({ port: front.port, host: '127.0.0.1' }));

  await client.ends('ECONNRESET');
});

test('redis answers late commands after a partition', async () => {
  const server = await RedisServer.start();
  onTestFinished(() => server.dispose());
  const proxy = await ChaosProxy.start(server.port);
  onTestFinished(() => proxy.close());
  const client = new Redis(proxy.url());
  client.on('error', () => undefined);
  onTestFinished(() => client.disconnect());
  const direct = new Redis(server.url);
  onTestFinished(() => direct.disconnect());
  await client.set('color', 'green');

  proxy.flow('toClient', { kind: 'hold' });
  const late = client.incr('count');
  await poll(async () => ((await direct.get('count')) === '1' ? true : undefined), 'the command does not arrive');
  proxy.heal();

  expect(await late).toBe(1);
});
