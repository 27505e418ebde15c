/**
 * Every metric of Troupe: its name, its labels, what it means, and where its samples are read. The README's table and the
 * dashboard are compared with it. Nothing is read before somebody asks, and no label holds anything but a shard's
 * number, a declared route or command, an HTTP method or status, or a word of observer.ts.
 */

import type { ShardGauges } from '../observer.ts';
import type { Distribution } from './distribution.ts';
import type { GatewayTally } from './gateway-tally.ts';
import type { RuntimeTally, ShardTally } from './runtime-tally.ts';

export type Labels = Readonly<Record<string, string | number>>;
export type Sample<T> = readonly [labels: Labels, value: T];

interface Described {
  readonly name: string;
  readonly labels: readonly string[];
  readonly help: string;
}

export interface NumberMetric extends Described {
  readonly type: 'counter' | 'gauge';
  samples(): readonly Sample<number>[];
}

export interface DistributionMetric extends Described {
  readonly type: 'histogram';
  /** What bounds and sums are divided by: 1,000 for ms, which are exported as seconds. */
  readonly scale: number;
  samples(): readonly Sample<Distribution>[];
}

export type MetricDefinition = NumberMetric | DistributionMetric;

const msPerSecond = 1_000;

/** One sample per row, labelled with its key. */
function by<T>(
  label: string,
  rows: Readonly<Record<string, T>> | ReadonlyMap<string | number, T>,
): readonly Sample<T>[] {
  const entries: Iterable<readonly [string | number, T]> = rows instanceof Map ? rows : Object.entries(rows);
  return Array.from(entries, ([key, value]): Sample<T> => [{ [label]: key }, value]);
}

/** The shards that are known here, with their numbers. */
function shardsOf(tally: RuntimeTally): readonly (readonly [number, ShardTally])[] {
  return [...tally.shards.entries()].filter(([, shard]) => shard !== undefined);
}

/** A number of each shard. */
function each(tally: RuntimeTally, of: (shard: ShardTally) => number): () => readonly Sample<number>[] {
  return () => shardsOf(tally).map(([shard, row]): Sample<number> => [{ shard }, of(row)]);
}

/** A distribution of each shard in which anything was observed: empty ones would be most of the text. */
function eachBusy(tally: RuntimeTally, of: (row: ShardTally) => Distribution): () => readonly Sample<Distribution>[] {
  return () =>
    shardsOf(tally)
      .map(([shard, row]): Sample<Distribution> => [{ shard }, of(row)])
      .filter(([, { counts }]) => counts.some((count) => count > 0));
}

function turnMetrics(tally: RuntimeTally): readonly MetricDefinition[] {
  return [
    {
      name: 'troupe_turn_duration_seconds',
      type: 'histogram',
      labels: ['shard'],
      help: 'Time a turn ran, without waiting for reads and without its commit; its count is the number of turns.',
      scale: msPerSecond,
      samples: eachBusy(tally, ({ turnMs }) => turnMs),
    },
    {
      name: 'troupe_turn_envelopes',
      type: 'histogram',
      labels: ['shard'],
      help: 'Envelopes of a turn: what it took from the mailbox and what it told itself.',
      scale: 1,
      samples: eachBusy(tally, ({ turnEnvelopes }) => turnEnvelopes),
    },
    {
      name: 'troupe_commit_duration_seconds',
      type: 'histogram',
      labels: ['shard'],
      help: 'Time from handing a commit to the journal to its answer, whatever that was.',
      scale: msPerSecond,
      samples: eachBusy(tally, ({ commitMs }) => commitMs),
    },
    {
      name: 'troupe_commits_total',
      type: 'counter',
      labels: ['shard', 'outcome'],
      help: 'Commits by their answer: done, refused, invalid or unknown.',
      samples: () =>
        shardsOf(tally).flatMap(([shard, { commits }]) =>
          by('outcome', commits).map(([labels, value]): Sample<number> => [{ shard, ...labels }, value]),
        ),
    },
    {
      name: 'troupe_journal_entries_total',
      type: 'counter',
      labels: ['shard'],
      help: 'Events journaled by commits that were done.',
      samples: each(tally, ({ entries }) => entries),
    },
    {
      name: 'troupe_dead_letters_total',
      type: 'counter',
      labels: ['code'],
      help: 'Envelopes that could not be handled and were kept as dead letters, by the code of the error.',
      samples: () => by('code', tally.deadLetters),
    },
    {
      name: 'troupe_parcels_discarded_total',
      type: 'counter',
      labels: ['reason'],
      help: 'Parcels between shards that were not taken: repeated (handled before) or gap (an earlier one is missing).',
      samples: () => by('reason', tally.parcels),
    },
  ];
}

function ownershipMetrics(tally: RuntimeTally): readonly MetricDefinition[] {
  return [
    {
      name: 'troupe_takeovers_total',
      type: 'counter',
      labels: ['shard'],
      help: 'Times the shard was opened by this process.',
      samples: each(tally, ({ takeovers }) => takeovers),
    },
    {
      name: 'troupe_takeover_duration_seconds',
      type: 'histogram',
      labels: ['reason'],
      help: 'Time from wanting a shard to its being open: opened, handed-over, expired or recovered.',
      scale: msPerSecond,
      samples: () => by('reason', tally.takeoverMs),
    },
    {
      name: 'troupe_handover_duration_seconds',
      type: 'histogram',
      labels: [],
      help: 'Time from the decision to give a shard away to its release.',
      scale: msPerSecond,
      samples: () => [[{}, tally.handoverMs]],
    },
    {
      name: 'troupe_recoveries_total',
      type: 'counter',
      labels: ['reason'],
      help: 'Times a shard dropped its cells and began again from its journal.',
      samples: () => by('reason', tally.recoveries),
    },
    {
      name: 'troupe_leases_lost_total',
      type: 'counter',
      labels: ['shard'],
      help: 'Leases that were found to be lost, or could not be renewed in time.',
      samples: each(tally, ({ leasesLost }) => leasesLost),
    },
    {
      name: 'troupe_rewinds_total',
      type: 'counter',
      labels: ['shard'],
      help: 'Times the store had lost answered commits of the shard.',
      samples: each(tally, ({ rewinds }) => rewinds),
    },
    {
      name: 'troupe_rewound_commits_total',
      type: 'counter',
      labels: ['shard'],
      help: 'Answered commits that the store had lost.',
      samples: each(tally, ({ rewoundCommits }) => rewoundCommits),
    },
    {
      name: 'troupe_mended_commits_total',
      type: 'counter',
      labels: ['shard'],
      help: 'Of those, commits that their owner still held and appended again.',
      samples: each(tally, ({ mendedCommits }) => mendedCommits),
    },
    {
      name: 'troupe_inbox_envelopes_total',
      type: 'counter',
      labels: ['shard'],
      help: 'Envelopes of other nodes that the shard has taken, as their ring brought them or from its inbox.',
      samples: each(tally, ({ inboxEnvelopes }) => inboxEnvelopes),
    },
    {
      name: 'troupe_remote_ask_duration_seconds',
      type: 'histogram',
      labels: ['outcome'],
      help: 'Commands and reads for shards of other nodes, until their answer: answered, timeout, full or failed.',
      scale: msPerSecond,
      samples: () => by('outcome', tally.remoteAskMs),
    },
    {
      name: 'troupe_nodes',
      type: 'gauge',
      labels: [],
      help: 'Nodes that are alive as this one sees it; 0 where there is no cluster.',
      samples: () => [[{}, tally.nodes]],
    },
  ];
}

function archiveMetrics(tally: RuntimeTally): readonly MetricDefinition[] {
  const totals: readonly (readonly [name: string, help: string, of: () => number])[] = [
    ['troupe_archived_entries_total', 'Entries written to the archive.', () => tally.archivedEntries],
    ['troupe_archived_bytes_total', 'Bytes of the segments they were written as.', () => tally.archivedBytes],
    ['troupe_archive_segments_total', 'Segments written to the archive.', () => tally.archiveSegments],
    ['troupe_trimmed_entries_total', 'Entries that left the journal.', () => tally.trimmedEntries],
    [
      'troupe_retired_actors_total',
      'Actors that were over, and were reduced to what their definition keeps.',
      () => tally.retiredActors,
    ],
  ];
  return [
    ...totals.map(
      ([name, help, of]): MetricDefinition => ({
        name,
        type: 'counter',
        labels: [],
        help,
        samples: () => [[{}, of()]],
      }),
    ),
    {
      name: 'troupe_archive_lag_seconds',
      type: 'gauge',
      labels: ['shard'],
      help: 'How long entries that are old enough for the archive have waited for it, of shards that this process owns.',
      samples: () =>
        tally
          .gauges()
          .filter(({ owned }) => owned)
          .map(({ shard }): Sample<number> => [{ shard }, (tally.shards[shard]?.archiveLagMs ?? 0) / msPerSecond]),
    },
    {
      name: 'troupe_compaction_failures_total',
      type: 'counter',
      labels: ['shard'],
      help: 'Times the shard could not be archived, trimmed or have actors retired; it is tried again.',
      samples: each(tally, ({ compactionFailures }) => compactionFailures),
    },
  ];
}

type ShardGauge = readonly [name: string, help: string, of: (shard: ShardGauges) => number];

const ownedGauges: readonly ShardGauge[] = [
  ['troupe_shard_epoch', 'Number of the epoch under which this process owns the shard.', ({ epoch }) => epoch],
  ['troupe_mailbox_deliveries', "Deliveries that wait in the shard's mailbox.", ({ mailbox }) => mailbox],
  ['troupe_inbox_lag_envelopes', "Envelopes in the shard's inbox that no commit has handled.", (s) => s.inboxLag],
  ['troupe_outbox_parcels', 'Parcels that wait for other shards to acknowledge them.', ({ outbox }) => outbox],
  ['troupe_resident_cells', 'Actors of the shard that are in memory.', ({ cells }) => cells],
  ['troupe_armed_timers', 'Durable timers of the shard that are still to fire.', ({ timers }) => timers],
];

function shardMetrics(tally: RuntimeTally): readonly MetricDefinition[] {
  const gauges = ownedGauges.map(
    ([name, help, of]): MetricDefinition => ({
      name,
      type: 'gauge',
      labels: ['shard'],
      help,
      samples: () =>
        tally
          .gauges()
          .filter(({ owned }) => owned)
          .map((shard): Sample<number> => [{ shard: shard.shard }, of(shard)]),
    }),
  );
  const owned: MetricDefinition = {
    name: 'troupe_shard_owned',
    type: 'gauge',
    labels: ['shard'],
    help: 'Whether this process owns the shard: 1 or 0. Over all nodes it adds up to 1.',
    samples: () => tally.gauges().map((shard): Sample<number> => [{ shard: shard.shard }, shard.owned ? 1 : 0]),
  };
  // The only ones with samples for shards of others: whether anybody has a shard can only be seen so.
  return [owned, ...gauges];
}

function httpMetrics(tally: GatewayTally): readonly MetricDefinition[] {
  return [
    {
      name: 'troupe_http_requests_total',
      type: 'counter',
      labels: ['method', 'route', 'status'],
      help: 'HTTP requests answered; the route is its template, none where nothing is there.',
      samples: () =>
        tally
          .routes()
          .flatMap(({ method, route, statuses }) =>
            Array.from(statuses, ([status, count]): Sample<number> => [{ method, route, status }, count]),
          ),
    },
    {
      name: 'troupe_http_request_duration_seconds',
      type: 'histogram',
      labels: ['method', 'route'],
      help: 'Time to the answer of an HTTP request, waiting for an outcome (Prefer: wait) included.',
      scale: msPerSecond,
      samples: () => tally.routes().map(({ method, route, ms }): Sample<Distribution> => [{ method, route }, ms]),
    },
    {
      name: 'troupe_commands_total',
      type: 'counter',
      labels: ['command', 'outcome'],
      help: 'Commands over HTTP and sockets: done (durably started), refused, rate-limited or failed.',
      samples: () =>
        [...tally.commands].flatMap(([command, { ends }]) =>
          by('outcome', ends).map(([labels, value]): Sample<number> => [{ command, ...labels }, value]),
        ),
    },
    {
      name: 'troupe_command_duration_seconds',
      type: 'histogram',
      labels: ['command'],
      help: 'Time from a command to its reply, over HTTP and sockets.',
      scale: msPerSecond,
      samples: () => [...tally.commands].map(([command, { ms }]): Sample<Distribution> => [{ command }, ms]),
    },
    {
      name: 'troupe_rate_limited_total',
      type: 'counter',
      labels: [],
      help: 'Calls refused because their user made too many.',
      samples: () => [[{}, tally.rateLimits]],
    },
  ];
}

function socketMetrics(tally: GatewayTally): readonly MetricDefinition[] {
  return [
    {
      name: 'troupe_sockets',
      type: 'gauge',
      labels: [],
      help: 'Open sockets.',
      samples: () => [[{}, tally.sockets]],
    },
    {
      name: 'troupe_socket_closes_total',
      type: 'counter',
      labels: ['code'],
      help: 'Sockets closed by this side, by the announced code.',
      samples: () => by('code', tally.closes),
    },
    {
      name: 'troupe_socket_frames_sent_total',
      type: 'counter',
      labels: [],
      help: 'Frames sent to sockets.',
      samples: () => [[{}, tally.framesSent]],
    },
    {
      name: 'troupe_socket_setbacks_total',
      type: 'counter',
      labels: [],
      help: 'Times a socket read too slowly, so that publications were no longer sent to it as they came.',
      samples: () => [[{}, tally.setbacks]],
    },
    {
      name: 'troupe_socket_publications_read_again_total',
      type: 'counter',
      labels: [],
      help: "Publications given to a socket from a topic's history instead of as they came.",
      samples: () => [[{}, tally.publicationsReadAgain]],
    },
  ];
}

export function catalogueOf(runtime: RuntimeTally, gateway: GatewayTally): readonly MetricDefinition[] {
  return [
    // First: it makes the other metrics know every shard.
    ...shardMetrics(runtime),
    ...turnMetrics(runtime),
    ...ownershipMetrics(runtime),
    ...archiveMetrics(runtime),
    ...httpMetrics(gateway),
    ...socketMetrics(gateway),
  ];
}
