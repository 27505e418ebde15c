/** How a look at the cluster is shown: as lines for people, or as JSON. */

import { hottest, type Look, type ShardLook, summaryOf } from './cluster-look.ts';
import { count, table } from './terminal.ts';

export interface ScreenOptions {
  /** Every shard. */
  readonly shards?: boolean;
  /** Only so many shards, the busiest first. */
  readonly hot?: number;
}

function chosen(look: Look, { shards, hot }: ScreenOptions): readonly ShardLook[] {
  if (hot !== undefined) return hottest(look.shards, hot);
  return shards === true ? look.shards : [];
}

function rate(perSecond: number | undefined): string {
  if (perSecond === undefined) return '-';
  return perSecond.toLocaleString('en', { maximumFractionDigits: perSecond < 10 ? 1 : 0 });
}

function whole(n: number): string {
  return n.toLocaleString('en');
}

function left(ms: number): string {
  return ms > 0 ? `${(ms / 1000).toFixed(1)} s` : '-';
}

function summaryLine(look: Look): string {
  const { total, owned, moving, withoutOwner } = summaryOf(look);
  return `${count(look.nodes.length, 'node')}; ${count(total, 'shard')}: ${owned} owned (${moving} moving), ${withoutOwner} without owner`;
}

const nodeHeader = [
  'NODE',
  'ROLE',
  'WEIGHT',
  'STATE',
  'SHARDS',
  'PLACED',
  'COMMITS/S',
  'LAG',
  'SINCE',
  'EXPIRES',
  'ABOUT',
];

function nodeLines(look: Look): readonly string[] {
  const rows = look.nodes.map((node) => [
    node.id,
    node.role,
    `${node.weight}`,
    node.state,
    `${node.owned}`,
    `${node.belonging}`,
    rate(node.commitsPerSecond),
    whole(node.inboxLag),
    `${new Date(node.startedAt).toISOString().slice(0, 19)}Z`,
    left(node.expiresInMs),
    node.about,
  ]);
  return rows.length === 0 ? ['No node is there.'] : table([nodeHeader, ...rows]);
}

const shardHeader = [
  'SHARD',
  'OWNER',
  'MOVES TO',
  'EPOCH',
  'LEASE',
  'COMMITS',
  'COMMITS/S',
  'LAG',
  'PINNED',
  'REWINDS',
];

function shardLines(shards: readonly ShardLook[]): readonly string[] {
  const rows = shards.map((shard) => [
    `${shard.shard}`,
    shard.owner ?? '-',
    shard.belongsTo === shard.owner ? '-' : (shard.belongsTo ?? 'nobody'),
    `${shard.epoch}`,
    left(shard.expiresInMs),
    whole(shard.commits),
    rate(shard.commitsPerSecond),
    whole(shard.inboxLag),
    shard.pinnedTo ?? '-',
    `${shard.rewinds}`,
  ]);
  return table([shardHeader, ...rows]);
}

export function screenOf(look: Look, options: ScreenOptions): readonly string[] {
  const shards = chosen(look, options);
  return [
    summaryLine(look),
    ...look.lost.map(
      ({ shard, node, answered, stored }) =>
        `Shard ${shard} stands at ${count(stored, 'commit')}, but ${node} has answered ${whole(answered)}: the store has lost some.`,
    ),
    '',
    ...nodeLines(look),
    ...(shards.length === 0 ? [] : ['', ...shardLines(shards)]),
  ];
}

export function jsonOf(look: Look, options: ScreenOptions): string {
  const listed = options.shards === true || options.hot !== undefined;
  return JSON.stringify({
    at: new Date(look.at).toISOString(),
    summary: summaryOf(look),
    nodes: look.nodes.map(({ isDraining: _, heads: __, nonce: ___, startedAt, ...node }) => ({
      ...node,
      startedAt: new Date(startedAt).toISOString(),
    })),
    ...(listed ? { shards: chosen(look, options).map(({ node: _, ...shard }) => shard) } : {}),
    lost: look.lost,
  });
}
