/** Tables of a scale measurement, ready for a page. */

import { rate, table } from './report.ts';
import { type IdleRow, primariesOf, type RedisKind, type ScaleRow, type Spread, type Spreading } from './scale.ts';

const redisTexts: Readonly<Record<RedisKind, string>> = {
  one: 'one Redis',
  cluster: `Redis Cluster of ${primariesOf.cluster} primaries`,
};

function spreadText(spread: Spread, rows: readonly ScaleRow[]): string {
  const inFlight = rows[0]?.inFlight ?? 0;
  const perNode = inFlight / (rows[0]?.nodes ?? 1);
  return spread === 'total' ? `${inFlight} sagas in flight in all` : `${perNode} sagas in flight per node`;
}

function ratioText(ratio: Spreading | undefined, rounds: number): string {
  if (ratio === undefined) return '';
  const median = ratio.median.toFixed(2);
  return rounds === 1 ? median : `${median} (${ratio.best.toFixed(2)} to ${ratio.worst.toFixed(2)})`;
}

function lineOf({ nodes, isApart, cost, ratio, ofApart, perSecond, rounds }: ScaleRow): readonly (string | number)[] {
  return [
    isApart ? `${nodes} apart` : nodes,
    rate(cost.nodes),
    rate(cost.redis),
    rate(cost.nodes + cost.redis),
    ratioText(ratio, rounds),
    ratioText(ofApart, rounds),
    rate(cost.client),
    (1 / cost.commits).toFixed(2),
    cost.calls.toFixed(1),
    cost.messages.toFixed(1),
    rate(perSecond),
  ];
}

const head = [
  'nodes',
  'CPU µs per saga: nodes',
  'Redis',
  'both',
  'of one node’s',
  'of nodes apart',
  'client',
  'sagas per commit',
  'calls per saga',
  'messages',
  'sagas/s',
];

export function scaleTables(rows: readonly ScaleRow[], idle: readonly IdleRow[], cores: number): string {
  const parts: string[] = [];
  for (const redis of Object.keys(redisTexts) as readonly RedisKind[]) {
    for (const spread of ['total', 'each'] as const) {
      const own = rows.filter((row) => row.redis === redis && row.spread === spread);
      if (own.length === 0) continue;
      const rounds = Math.max(...own.map((row) => row.rounds));
      parts.push(`${redisTexts[redis]}, ${spreadText(spread, own)} (median of ${rounds} rounds)`);
      parts.push(table(head, own.map(lineOf)));
    }
    const resting = idle.filter((row) => row.redis === redis);
    if (resting.length === 0) continue;
    parts.push(`${redisTexts[redis]}, without a command: ms of CPU per second`);
    parts.push(
      table(
        ['nodes', 'all nodes', 'Redis'],
        resting.map(({ nodes, nodesMs, redisMs }) => [nodes, nodesMs.toFixed(1), redisMs.toFixed(1)]),
      ),
    );
  }
  parts.push(
    'Nodes apart are systems of one node each, with a Redis of their own: what so many processes cost on this machine.',
  );
  parts.push(
    `Nodes, Redis and load share this machine's ${cores} cores, so that CPU time says how it scales, and sagas/s do not.`,
  );
  return parts.join('\n\n');
}
