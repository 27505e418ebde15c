import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createMetrics, type Metrics } from '../../src/metrics/prometheus.ts';
import type { ShardGauges } from '../../src/observer.ts';
import { type Family, parseExposition, total } from './exposition.ts';

const root = join(import.meta.dirname, '../..');

function gaugesOf(shard: number, owned: boolean): ShardGauges {
  return { shard, owned, epoch: 7, mailbox: 3, inboxLag: 2, outbox: 5, cells: 11, timers: 1 };
}

async function scraped(metrics: Metrics): Promise<ReadonlyMap<string, Family>> {
  return parseExposition(await metrics.text());
}

/** Metrics of a process in which one of everything has happened. */
function eventful(): Metrics {
  const metrics = createMetrics({ process: false });
  const { runtime, gateway } = metrics;
  runtime.watch(() => [gaugesOf(0, true), gaugesOf(1, false)]);
  runtime.turn(0, 3, 0.7);
  runtime.commit(0, 'done', 4, 2);
  runtime.takeover(0, 'expired', 812);
  runtime.recovered(0, 'commit-unknown');
  runtime.leaseLost(0);
  runtime.handedOver(0, 30);
  runtime.rewound(0, 17, 12);
  runtime.archived(0, 1_000, 30_000);
  runtime.trimmed(0, 1_000);
  runtime.retired(0, 12);
  runtime.archiveLag(0, 90_000);
  runtime.archiveLag(1, 90_000);
  runtime.compactionFailed(0);
  runtime.inboxTaken(0, 6);
  runtime.parcel(0, 'gap');
  runtime.deadLetter(0, 'MACHINE_FAILED');
  runtime.remoteAsk(9, 'answered');
  runtime.members(3);
  gateway.watchSockets(() => 4);
  gateway.request('GET', '/v1/rooms/{roomId}', 200, 3);
  gateway.command('MESSAGE_CREATE', 'done', 12);
  gateway.rateLimited();
  gateway.frames(8);
  gateway.fellBehind();
  gateway.readAgain(1);
  gateway.socketClosed(1012);
  return metrics;
}

describe('the text', () => {
  test('holds every metric before anything happens', async () => {
    const metrics = createMetrics({ process: false });

    const families = await scraped(metrics);

    expect([...families.values()].map(({ name, type, help }) => ({ name, type, help }))).toEqual(
      metrics.catalogue.map(({ name, type, help }) => ({ name, type, help })),
    );
  });

  test('gives milliseconds as seconds, in buckets', async () => {
    const metrics = createMetrics({ process: false });
    for (const ms of [0.4, 0.5, 3, 60_000]) metrics.runtime.commit(5, 'done', ms, 1);

    const families = await scraped(metrics);

    const of = (le: string) => total(families, 'troupe_commit_duration_seconds_bucket', { shard: '5', le });
    expect([of('0.0005'), of('0.0025'), of('0.005'), of('10'), of('+Inf')]).toEqual([2, 2, 3, 3, 4]);
    expect(total(families, 'troupe_commit_duration_seconds_sum', { shard: '5' })).toBeCloseTo(60.0039, 9);
  });

  test('counts everything that it is told', async () => {
    const families = await scraped(eventful());

    const counted = [...families.values()].filter(({ samples }) => samples.some(({ value }) => value > 0));
    expect(counted.map(({ name }) => name)).toEqual([...families.keys()]);
    expect(total(families, 'troupe_rewound_commits_total', { shard: '0' })).toBe(17);
    expect(total(families, 'troupe_turn_envelopes_sum', { shard: '0' })).toBe(3);
    expect(families.get('troupe_archive_lag_seconds')?.samples.map(({ value }) => value)).toEqual([90]);
    expect(total(families, 'troupe_archived_bytes_total', {})).toBe(30_000);
  });

  test('a second scrape gives the same numbers', async () => {
    const metrics = eventful();

    const first = await metrics.text();
    const second = await metrics.text();

    expect(second).toBe(first);
  });

  test('a counter is zero before its first increase', async () => {
    const metrics = createMetrics({ process: false });
    metrics.runtime.watch(() => [gaugesOf(0, false), gaugesOf(1, false)]);

    const families = await scraped(metrics);

    const zeros = (name: string) => families.get(name)?.samples.filter(({ value }) => value === 0).length;
    expect(zeros('troupe_commits_total')).toBe(8);
    expect(zeros('troupe_rewinds_total')).toBe(2);
    expect(zeros('troupe_dead_letters_total')).toBeGreaterThan(3);
  });

  test('only the owner reports what waits at a shard', async () => {
    const families = await scraped(eventful());

    expect(families.get('troupe_shard_owned')?.samples.map(({ value }) => value)).toEqual([1, 0]);
    expect(families.get('troupe_mailbox_deliveries')?.samples).toEqual([
      { name: 'troupe_mailbox_deliveries', labels: { shard: '0' }, value: 3 },
    ]);
  });

  test('an unknown method is one label for all', async () => {
    const metrics = createMetrics({ process: false });
    for (let i = 0; i < 100; i++) metrics.gateway.request(`X${i}`, undefined, 405, 1);

    const families = await scraped(metrics);

    expect(families.get('troupe_http_requests_total')?.samples).toEqual([
      { name: 'troupe_http_requests_total', labels: { method: 'other', route: 'none', status: '405' }, value: 100 },
    ]);
  });

  test('Node’s own metrics come when asked for', async () => {
    const families = await scraped(createMetrics({ process: true }));

    expect(total(families, 'process_resident_memory_bytes')).toBeGreaterThan(1_000_000);
    expect(families.has('nodejs_eventloop_lag_p99_seconds')).toBe(true);
  });

  test('the event loop is looked at ten times a second, so that a resting process may rest', async () => {
    const metrics = createMetrics({ process: true });
    let mean = Number.NaN;
    const look = async (): Promise<number> => {
      mean = total(await scraped(metrics), 'nodejs_eventloop_lag_mean_seconds');
      return mean;
    };

    // A scrape begins anew; until something was recorded there is no mean.
    await expect.poll(look, { interval: 500 }).toBeGreaterThan(0);

    expect(mean).toBeGreaterThan(0.05);
  });

  test('promtool finds nothing to complain about', async () => {
    const input = await eventful().text();

    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input, encoding: 'utf8' });

    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
  });
});

test('the README’s table is the catalogue', () => {
  const section = /\n## Metrics\n([\s\S]*?)\n## /.exec(readFileSync(join(root, 'README.md'), 'utf8'))?.[1] ?? '';

  const rows = [...section.matchAll(/^\| `(troupe_\w+)` \| (\w+) \| (.*?) \| (.*) \|$/gm)].map(
    ([, name, type, labels, help]) => ({ name, type, labels: labels!.match(/[a-z]+/g) ?? [], help }),
  );

  const { catalogue } = createMetrics({ process: false });
  expect(rows).toEqual(catalogue.map(({ name, type, labels, help }) => ({ name, type, labels: [...labels], help })));
});
