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

function ratioText(ratio: Spreading): string {
  const median = ratio.median.toFixed(2);
  return ratio.best === ratio.worst ? median : `${median} (${ratio.best.toFixed(2)} to ${ratio.worst.toFixed(2)})`;
}

function lineOf({ nodes, isApart, cost, ratio, ofApart, perSecond }: ScaleRow): readonly (string | number)[] {
  return [
    isApart ? `${nodes} apart` : nodes,
    rate(cost.nodes),
    rate(cost.redis),
    rate(cost.nodes + cost.redis),
    ratioText(ratio),
    ofApart === undefined ? '' : ofApart.toFixed(2),
    rate(cost.client),
    (1 / cost.commits).toFixed(2),
    cost.calls.toFixed(1),
    cost.messages.toFixed(1),
    rate(perSecond),
  ];
}

/** From one node to eight; on machines that are kept busy. */
const ratioMax = 1.3;

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

/** Rounds of each size beside the first, which is in all of them. */
function roundsText(rows: readonly ScaleRow[]): string {
  const counts = (rows.length > 1 ? rows.slice(1) : rows).map(({ rounds }) => rounds);
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  return least === most ? `${most} rounds` : `${least} to ${most} rounds`;
}

/** What the largest size costs beside the first, as a sentence. */
function verdicts(rows: readonly ScaleRow[]): readonly string[] {
  const [first] = rows;
  const last = rows
    .filter((row) => !row.isApart)
    .sort((a, b) => a.nodes - b.nodes)
    .at(-1);
  if (first === undefined || last === undefined || last.nodes === first.nodes) return [];
  const ratio = last.ratio.median.toFixed(2);
  const isMet = Number(ratio) <= ratioMax ? 'which is within' : 'which misses';
  return [
    `A saga on ${last.nodes} nodes costs ${ratio} times what it costs on ${first.nodes}, ${isMet} the goal of ${ratioMax}.`,
  ];
}

export function scaleTables(rows: readonly ScaleRow[], idle: readonly IdleRow[], cores: number): string {
  const parts: string[] = [];
  for (const redis of Object.keys(redisTexts) as readonly RedisKind[]) {
    for (const spread of ['total', 'each'] as const) {
      const own = rows.filter((row) => row.redis === redis && row.spread === spread);
      if (own.length === 0) continue;
      parts.push(`${redisTexts[redis]}, ${spreadText(spread, own)} (median of ${roundsText(own)})`);
      parts.push(table(head, own.map(lineOf)));
      if (spread === 'each') parts.push(...verdicts(own));
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
