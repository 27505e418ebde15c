/** What an operator sees of a cluster: one look at its store, and what follows from it and from an earlier one. */

import {
  type ClusterStore,
  type LiveNode,
  messageOf,
  placementOf,
  type ShardStatus,
  sleep,
  systemClock,
  TroupeError,
} from '../../src/index.ts';
import type { Terminal } from './terminal.ts';

/** Statuses are asked for in pages, so that no answer of the store grows with the number of shards. */
const pageSize = 512;
const pollMs = 200;

export interface ShardLook extends ShardStatus {
  /** The node that has a lease; undefined for none. */
  readonly owner: string | undefined;
  /** Where every node would put it. */
  readonly belongsTo: string | undefined;
  readonly pinnedTo: string | undefined;
  /** Envelopes sent to its inbox and not handled. */
  readonly inboxLag: number;
  /** Since the earlier look; undefined without one, and after its head went backwards. */
  readonly commitsPerSecond: number | undefined;
}

export interface NodeLook extends LiveNode {
  readonly state: 'live' | 'draining';
  /** Shards it has, and shards it will have when everything has moved. */
  readonly owned: number;
  readonly belonging: number;
  readonly commitsPerSecond: number | undefined;
  readonly inboxLag: number;
}

/** A head that a node answered for, and that the store is behind: commits were lost. */
export interface LostCommits {
  readonly shard: number;
  readonly node: string;
  readonly answered: number;
  readonly stored: number;
}

export interface Look {
  /** Monotonic and wall-clock time, ms. */
  readonly takenAt: number;
  readonly at: number;
  readonly nodes: readonly NodeLook[];
  readonly shards: readonly ShardLook[];
  readonly lost: readonly LostCommits[];
}

export interface Summary {
  readonly total: number;
  readonly owned: number;
  /** Owned by a node that they do not belong to. */
  readonly moving: number;
  readonly withoutOwner: number;
}

export function summaryOf({ shards }: Look): Summary {
  const owned = shards.filter(({ owner }) => owner !== undefined);
  return {
    total: shards.length,
    owned: owned.length,
    moving: owned.filter(({ owner, belongsTo }) => owner !== belongsTo).length,
    withoutOwner: shards.length - owned.length,
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0);
}

export function ownerOf({ node, expiresInMs }: ShardStatus): string | undefined {
  return expiresInMs > 0 && node !== '' ? node : undefined;
}

/** All shards in order. */
export async function statusesOf(cluster: ClusterStore, shards: number): Promise<readonly ShardStatus[]> {
  const statuses: ShardStatus[] = [];
  for (let first = 0; first < shards; first += pageSize) {
    const length = Math.min(pageSize, shards - first);
    statuses.push(...(await cluster.statuses(Array.from({ length }, (_, i) => first + i))));
  }
  return statuses;
}

/** Looks at every node and shard. `earlier` makes rates of what rose since. */
export async function look(cluster: ClusterStore, shards: number, earlier?: Look): Promise<Look> {
  // The nodes first: a head that a node has said by then is not ahead of what the store says after it.
  const view = await cluster.view();
  const takenAt = systemClock.monotonic();
  const seconds = earlier === undefined ? 0 : (takenAt - earlier.takenAt) / 1000;
  const looks = (await statusesOf(cluster, shards)).map((status): ShardLook => {
    const { shard, commits, inboxLast, inboxDone } = status;
    const risen = commits - (earlier?.shards[shard]?.commits ?? commits);
    return {
      ...status,
      owner: ownerOf(status),
      belongsTo: placementOf(shard, view),
      pinnedTo: view.pins.get(shard),
      inboxLag: inboxLast - inboxDone,
      commitsPerSecond: seconds <= 0 || risen < 0 ? undefined : risen / seconds,
    };
  });
  const nodes = view.nodes.map((node): NodeLook => {
    const owned = looks.filter(({ owner }) => owner === node.id);
    return {
      ...node,
      state: node.isDraining ? 'draining' : 'live',
      owned: owned.length,
      belonging: looks.filter(({ belongsTo }) => belongsTo === node.id).length,
      commitsPerSecond: seconds <= 0 ? undefined : sum(owned.map(({ commitsPerSecond = 0 }) => commitsPerSecond)),
      inboxLag: sum(owned.map(({ inboxLag }) => inboxLag)),
    };
  });
  const lost = view.nodes.flatMap(({ id, heads }) =>
    Object.entries(heads)
      .map(([shard, answered]) => ({ shard: Number(shard), node: id, answered, stored: looks[Number(shard)]?.commits }))
      .filter((one): one is LostCommits => one.stored !== undefined && one.stored < one.answered),
  );
  return { takenAt, at: systemClock.now(), nodes, shards: looks, lost };
}

/** The busiest shards first: by commits since the earlier look, then by what waits, then by all commits ever. */
export function hottest(shards: readonly ShardLook[], count: number): readonly ShardLook[] {
  const rate = ({ commitsPerSecond = 0 }: ShardLook): number => commitsPerSecond;
  return [...shards]
    .sort((a, b) => rate(b) - rate(a) || b.inboxLag - a.inboxLag || b.commits - a.commits || a.shard - b.shard)
    .slice(0, count);
}

/**
 * Asks until it is so; false when it is not after `seconds`. A store that does not answer meanwhile (a failover) is
 * asked again, and its error thrown only when the time is over.
 */
export async function until(check: () => Promise<boolean>, seconds: number, terminal: Terminal): Promise<boolean> {
  const deadline = systemClock.monotonic() + seconds * 1000;
  for (;;) {
    const isLate = systemClock.monotonic() >= deadline;
    try {
      if (await check()) return true;
    } catch (error) {
      if (isLate || !(error instanceof TroupeError && error.code === 'JOURNAL_UNAVAILABLE')) throw error;
      terminal.progress(messageOf(error));
    }
    if (isLate) return false;
    await sleep(systemClock, pollMs);
  }
}
