/** What is concluded from the records of a store, which are given here; test/cli/cluster.test.ts has a real one. */

import { describe, expect, test } from 'vitest';
import { hottest, type Look, look, summaryOf } from '../../actors/cli/cluster-look.ts';
import { jsonOf, screenOf } from '../../actors/cli/cluster-screen.ts';
import { drawing } from '../../actors/cli/terminal.ts';
import { type ClusterStore, type LiveNode, placementOf, type ShardStatus } from '../../src/index.ts';

const shards = 8;

function node(id: string, about: Partial<LiveNode> = {}): LiveNode {
  const said = { id, nonce: id, role: 'all', weight: 1, isDraining: false, startedAt: 0, about: '' } as const;
  return { ...said, heads: {}, expiresInMs: 4_000, ...about };
}

function status(shard: number, about: Partial<ShardStatus> = {}): ShardStatus {
  const none = { epoch: 3, node: '', expiresInMs: 0, commits: 0, seq: 0, inboxLast: 0, inboxDone: 0, rewinds: 0 };
  return { shard, ...none, ...about };
}

/** A store that has these records, and nothing else. */
function storeOf(
  nodes: readonly LiveNode[],
  statuses: readonly ShardStatus[],
  pins: ReadonlyMap<number, string> = new Map(),
): ClusterStore {
  const reads: Pick<ClusterStore, 'view' | 'statuses'> = {
    view: async () => ({ nodes, pins }),
    statuses: async (asked) => asked.map((shard) => statuses.find((one) => one.shard === shard) ?? status(shard)),
  };
  return reads as ClusterStore;
}

/** The shards, each held by the node it belongs on. */
function settled(nodes: readonly LiveNode[], about: Partial<ShardStatus> = {}): readonly ShardStatus[] {
  return Array.from({ length: shards }, (_, shard) =>
    status(shard, { node: placementOf(shard, { nodes, pins: new Map() })!, expiresInMs: 4_000, ...about }),
  );
}

describe('a look at a cluster', () => {
  test('counts shards owned, moving and without owner', async () => {
    const nodes = [node('a'), node('b')];
    const rest = settled(nodes);
    const elsewhere = rest[2]!.node === 'a' ? 'b' : 'a';

    const taken = await look(storeOf(nodes, [status(1), { ...rest[2]!, node: elsewhere }, rest[3]!, rest[4]!]), 5);

    expect(summaryOf(taken)).toEqual({ total: 5, owned: 3, moving: 1, withoutOwner: 2 });
  });

  test('a shard of a dead node is moving', async () => {
    const nodes = [node('a')];

    const taken = await look(storeOf(nodes, [status(0, { node: 'dead', expiresInMs: 900 })]), 1);

    expect(taken.shards[0]).toMatchObject({ owner: 'dead', belongsTo: 'a' });
    expect(summaryOf(taken)).toMatchObject({ owned: 1, moving: 1 });
  });

  test('a lease that has ended owns nothing', async () => {
    const taken = await look(storeOf([node('a')], [status(0, { node: 'a', expiresInMs: 0 })]), 1);

    expect(taken.shards[0]!.owner).toBeUndefined();
    expect(taken.nodes[0]).toMatchObject({ owned: 0, belonging: 1 });
  });

  test('a draining node has shards but none belong', async () => {
    const nodes = [node('a', { isDraining: true }), node('b')];

    const taken = await look(storeOf(nodes, settled([node('a')])), shards);

    expect(taken.nodes[0]).toMatchObject({ state: 'draining', owned: shards, belonging: 0 });
    expect(taken.nodes[1]).toMatchObject({ state: 'live', owned: 0, belonging: shards });
  });

  test('rates are of what rose since the earlier look', async () => {
    const nodes = [node('a'), node('b')];
    const first = await look(storeOf(nodes, settled(nodes, { commits: 100 })), shards);
    const earlier: Look = { ...first, takenAt: first.takenAt - 10_000 };

    const later = await look(storeOf(nodes, settled(nodes, { commits: 150 })), shards, earlier);

    const seconds = (later.takenAt - earlier.takenAt) / 1000;
    expect(first.shards[0]!.commitsPerSecond).toBeUndefined();
    for (const { commitsPerSecond } of later.shards) expect(commitsPerSecond! * seconds).toBeCloseTo(50);
    const sum = later.nodes.reduce((total, { commitsPerSecond }) => total + commitsPerSecond!, 0);
    expect(sum * seconds).toBeCloseTo(50 * shards);
  });

  test('a head that went backwards has no rate', async () => {
    const nodes = [node('a')];
    const first = await look(storeOf(nodes, settled(nodes, { commits: 100 })), shards);
    const earlier: Look = { ...first, takenAt: first.takenAt - 1_000 };

    const later = await look(storeOf(nodes, settled(nodes, { commits: 90 })), shards, earlier);

    expect(later.shards.map(({ commitsPerSecond }) => commitsPerSecond)).toEqual(Array(shards).fill(undefined));
  });

  test('says where the store lost answered commits', async () => {
    const nodes = [node('a', { heads: { 0: 12, 1: 10 } })];

    const taken = await look(storeOf(nodes, settled(nodes, { commits: 10 })), shards);

    expect(taken.lost).toEqual([{ shard: 0, node: 'a', answered: 12, stored: 10 }]);
    expect(screenOf(taken, {}).join('\n')).toMatch(/^Shard 0 stands at 10 commits, but a has answered 12/m);
  });

  test('the busiest shards come first', async () => {
    const nodes = [node('a')];
    const first = await look(storeOf(nodes, settled(nodes, { commits: 5 })), 4);
    const earlier: Look = { ...first, takenAt: first.takenAt - 1_000 };
    const busy = [status(0), status(1, { commits: 5, inboxLast: 9, inboxDone: 2 }), status(2, { commits: 90 })];

    const later = await look(storeOf(nodes, [...busy, status(3, { commits: 6 })]), 4, earlier);

    expect(hottest(later.shards, 3).map(({ shard }) => shard)).toEqual([2, 3, 1]);
    expect(later.shards[1]!.inboxLag).toBe(7);
  });

  test('shows each shard with its pin and rewinds', async () => {
    const nodes = [node('a'), node('b')];
    const held = status(0, { node: 'a', expiresInMs: 2_500, epoch: 7, commits: 1_200, rewinds: 2 });

    const taken = await look(storeOf(nodes, [held], new Map([[0, 'b']])), 1);

    const row = screenOf(taken, { shards: true }).at(-1)!.split(/ {2,}/);
    expect(row).toEqual(['0', 'a', 'b', '7', '2.5 s', '1,200', '-', '0', 'b', '2']);
    expect(JSON.parse(jsonOf(taken, { shards: true })).shards[0]).toMatchObject({ owner: 'a', pinnedTo: 'b' });
  });

  test('lists shards only when it is asked to', async () => {
    const nodes = [node('a')];
    const taken = await look(storeOf(nodes, settled(nodes)), shards);

    const lines = {
      plain: screenOf(taken, {}),
      hot: screenOf(taken, { hot: 3 }),
      all: screenOf(taken, { shards: true }),
    };

    expect([lines.hot.length - lines.plain.length, lines.all.length - lines.plain.length]).toEqual([2 + 3, 2 + shards]);
    expect(JSON.parse(jsonOf(taken, {}))).not.toHaveProperty('shards');
  });

  test('a cluster without nodes says so', async () => {
    const taken = await look(storeOf([], []), 2);

    expect(screenOf(taken, {})).toEqual([
      '0 nodes; 2 shards: 0 owned (0 moving), 2 without owner',
      '',
      'No node is there.',
    ]);
  });
});

describe('a block on a screen', () => {
  const lines = ['first', 'second line', 'third', 'fourth'];

  test('starts at the top and clears what was', () => {
    const home = '\u001b[H';
    const [clearLine, clearRest] = ['\u001b[K\n', '\u001b[J'];

    expect(drawing(lines.slice(0, 2), 80, 24)).toBe(`${home}first${clearLine}second line${clearLine}${clearRest}`);
  });

  test('is cut to the width and height', () => {
    const shown = drawing(lines, 6, 4);

    expect(shown).toContain('second\u001b[K');
    expect(shown).not.toContain('third');
    expect(shown).toContain('… 2 mo');
    expect(shown.split('\n')).toHaveLength(4);
  });
});
