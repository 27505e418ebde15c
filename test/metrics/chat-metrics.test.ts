import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createMetrics } from '../../src/metrics/prometheus.ts';
import { type Chat, chat, type Person } from '../gateway/chat.ts';
import { type Family, parseExposition, total } from './exposition.ts';

let app: Chat;
let alice: Person;
let bob: Person;

async function scrape(base = app.base): Promise<ReadonlyMap<string, Family>> {
  const response = await fetch(`${base}/metrics`);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  return parseExposition(await response.text());
}

describe('a chat that is scraped', () => {
  beforeEach(async () => {
    app = await chat({ metrics: createMetrics({ process: false }) });
    [alice, bob] = [await app.register('alice'), await app.register('bob')];
  });
  afterEach(() => app.server.stop());

  test('counts turns, commits and entries of traffic', async () => {
    const roomId = await alice.room(bob);
    const before = await scrape();

    for (let i = 0; i < 10; i++) await alice.message(roomId);

    const after = await scrape();
    const grown = (series: string, labels = {}) => total(after, series, labels) - total(before, series, labels);
    expect(grown('troupe_journal_entries_total')).toBeGreaterThanOrEqual(10 * 7);
    expect(grown('troupe_commits_total', { outcome: 'done' })).toBeGreaterThanOrEqual(10);
    expect(grown('troupe_commit_duration_seconds_count')).toBe(grown('troupe_commits_total'));
    expect(grown('troupe_turn_duration_seconds_count')).toBeGreaterThanOrEqual(grown('troupe_commits_total'));
    expect(grown('troupe_turn_envelopes_sum')).toBeGreaterThan(10 * 7);
    expect(grown('troupe_commands_total', { command: 'MESSAGE_CREATE', outcome: 'done' })).toBe(10);
    expect(grown('troupe_http_requests_total', { route: '/v1/messages', method: 'POST', status: '200' })).toBe(10);
  });

  test('says which shards it owns and holds', async () => {
    const families = await scrape();

    expect(total(families, 'troupe_shard_owned')).toBe(8);
    expect(total(families, 'troupe_takeovers_total')).toBe(8);
    expect(total(families, 'troupe_takeover_duration_seconds_count', { reason: 'opened' })).toBe(8);
    expect(total(families, 'troupe_resident_cells')).toBeGreaterThanOrEqual(2);
    expect(families.get('troupe_shard_epoch')?.samples.every(({ value }) => value >= 1)).toBe(true);
  });

  test('counts commands over sockets by their end', async () => {
    const socket = await alice.socket();
    const roomId = await alice.room(bob);
    socket.send({ id: 1, type: 'MESSAGE_CREATE', data: { roomId, content: 'hello' } });
    socket.send({ id: 2, type: 'MESSAGE_CREATE', data: { roomId } });
    socket.send({ id: 3, type: 'SELF_DESTRUCT', data: {} });
    for (const id of [1, 2, 3]) await socket.reply(id);

    const families = await scrape();

    const ended = (command: string, outcome: string) => total(families, 'troupe_commands_total', { command, outcome });
    expect(ended('MESSAGE_CREATE', 'done')).toBe(1);
    expect(ended('MESSAGE_CREATE', 'refused')).toBe(1);
    expect(ended('unknown', 'refused')).toBe(1);
    expect(total(families, 'troupe_sockets')).toBe(1);
    expect(total(families, 'troupe_socket_frames_sent_total')).toBeGreaterThanOrEqual(socket.frames.length);
  });

  test('shows routes and words, never a user’s data', async () => {
    const roomId = await alice.room(bob);
    await alice.message(roomId, 'quite-private');
    await alice.get(`/v1/rooms/${roomId}`);
    await alice.get('/v1/secret-path');

    const text = await (await fetch(`${app.base}/metrics`)).text();

    expect(text).toContain('route="/v1/rooms/{roomId}"');
    expect(text).toContain('route="none",status="404"');
    for (const hidden of [roomId, alice.id, 'alice', 'quite-private', 'secret-path'])
      expect(text).not.toContain(hidden);
  });

  test('counts what is refused before it is routed', async () => {
    await alice.call('POST', '/v1/messages', { content: 'x'.repeat(70_000) });

    const families = await scrape();

    expect(total(families, 'troupe_http_requests_total', { route: '/v1/messages', status: '413' })).toBe(1);
  });

  test('a user of many calls is counted as limited', async () => {
    await app.server.stop();
    app = await chat({
      metrics: createMetrics({ process: false }),
      limits: { rate: { burst: 2, perSecond: 0.001 } },
    });
    const carol = await app.stranger('carol');
    for (let i = 0; i < 5; i++) await carol.get('/v1/users/currentUser');

    const families = await scrape();

    expect(total(families, 'troupe_rate_limited_total')).toBe(3);
  });
});

describe('a port for operators', () => {
  test('has the metrics that the public port then lacks', async () => {
    app = await chat({ metrics: createMetrics({ process: false }), metricsPort: 0 });
    const operators = `http://127.0.0.1:${app.server.metricsPort}`;

    const families = await scrape(operators);
    const statuses = await Promise.all(
      [`${app.base}/metrics`, `${operators}/livez`, `${operators}/readyz`, `${operators}/v1/rooms`].map(
        async (url) => (await fetch(url)).status,
      ),
    );
    const posted = await fetch(`${operators}/metrics`, { method: 'POST' });
    await app.server.stop();

    expect(total(families, 'troupe_shard_owned')).toBe(8);
    expect(statuses).toEqual([404, 200, 200, 404]);
    expect(posted.status).toBe(405);
    await expect(fetch(`${operators}/livez`)).rejects.toThrow();
  });

  test('is not ready any more while calls are finished', async () => {
    app = await chat({ metrics: createMetrics({ process: false }), metricsPort: 0 });
    const operators = `http://127.0.0.1:${app.server.metricsPort}`;
    const before = (await fetch(`${operators}/readyz`)).status;
    // A call whose body does not come keeps the server in the first step of its stop.
    const call = connect(app.server.port, '127.0.0.1');
    call.write('POST /v1/rooms HTTP/1.1\r\nhost: chat\r\ncontent-length: 5\r\n\r\n');
    await once(call, 'ready');
    await fetch(`${app.base}/livez`);

    const stopped = app.server.stop();
    const { status } = await fetch(`${operators}/readyz`);
    const isOpen = app.server.system.ready();
    call.destroy();
    await stopped;

    expect([before, status, isOpen]).toEqual([200, 503, true]);
  });

  test('a taken port stops the start, and says so', async () => {
    app = await chat({ metrics: createMetrics({ process: false }), metricsPort: 0 });
    const metricsPort = app.server.metricsPort!;

    const second = chat({ metrics: createMetrics({ process: false }), metricsPort, listenMs: 0 });

    await expect(second).rejects.toMatchObject({ code: 'CONFIG_INVALID', params: { busy: true } });
    await app.server.stop();
  });
});

test('without metrics there is no such address', async () => {
  app = await chat();

  const { status } = await fetch(`${app.base}/metrics`);
  await app.server.stop();

  expect(status).toBe(404);
});
