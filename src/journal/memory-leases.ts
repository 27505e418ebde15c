/**
 * Who may write a shard of the memory journal, and whether its store has gone backwards: the steps of acquiring, prolonging
 * and giving up. Each is one synchronous step, by the same rules as redis/leases.lua. `shardAsOf` is what a stale replica
 * is to a real store: tests put a shard back to it.
 */

import type { AcquireOutcome, Epoch, Known, Lease, Owner } from './journal.ts';
import type { MemoryShard } from './memory.ts';

/** What a journal was answered itself. */
export interface MemorySeen {
  epoch: number;
  commits: number;
  commitId: string;
}

/** Losses that are kept of a shard; the oldest go first. */
const lossesMax = 100;

export function acquireShard(
  data: MemoryShard,
  lease: { readonly shard: number; readonly owner: Owner; readonly expiresAt: number; readonly now: number },
  seen: MemorySeen,
  known: Known = { epoch: 0, commits: 0 },
): AcquireOutcome {
  const { shard, owner, expiresAt, now } = lease;
  const expiresInMs = (data.holder?.expiresAt ?? 0) - now;
  if (data.holder !== undefined && data.holder.epoch.nonce !== owner.nonce && expiresInMs > 0) {
    return { kind: 'held', by: data.holder.node, expiresInMs };
  }
  const before = { number: data.epochNumber, nonce: data.holder?.epoch.nonce ?? '' };
  const { head } = data;
  const remembered = data.answered;
  const declared = data.losses.at(-1)?.epoch ?? 0;
  const isSeen = seen.epoch >= declared;
  const isAnother = isSeen && seen.commits > 0 && seen.commits === head.commits && seen.commitId !== head.commitId;
  const answered = Math.max(remembered, isSeen ? seen.commits : 0, known.epoch >= declared ? known.commits : 0);
  const wentBack = answered > head.commits || isAnother;
  if (wentBack && remembered <= head.commits) data.rewinds += 1;
  data.answered = wentBack ? answered : 0;

  const isEpochLost = data.epochNumber < Math.max(seen.epoch, known.epoch);
  data.epochNumber = Math.max(data.epochNumber, seen.epoch, known.epoch) + 1;
  if (isEpochLost) data.numbers = data.epochNumber;
  const epoch = { number: data.epochNumber, nonce: owner.nonce };
  data.holder = { epoch, node: owner.node, expiresAt };
  seen.epoch = epoch.number;
  if (wentBack) return { kind: 'acquired', lease: { shard, epoch }, head, lost: { answered, before } };
  seen.commits = head.commits;
  seen.commitId = head.commitId;
  return { kind: 'acquired', lease: { shard, epoch }, head };
}

export function renewShard(data: MemoryShard, { epoch }: Lease, expiresAt: number, seen: MemorySeen): boolean {
  const { holder, head } = data;
  if (holder === undefined || !sameEpoch(holder.epoch, epoch) || head.commits < seen.commits) return false;
  holder.expiresAt = expiresAt;
  return true;
}

export function declareShardLost(
  data: MemoryShard,
  { epoch }: Lease,
  { answered, topicsEpoch, at }: { readonly answered: number; readonly topicsEpoch: string; readonly at: number },
  seen: MemorySeen,
): boolean {
  if (data.holder === undefined || !sameEpoch(data.holder.epoch, epoch)) return false;
  const { commits, seq } = data.head;
  const loss = { from: Math.min(commits + 1, answered), to: answered, seq, epoch: epoch.number, at };
  data.losses = [...data.losses, loss].slice(-lossesMax);
  data.numbers = epoch.number;
  data.answered = 0;
  data.topicsEpoch = topicsEpoch;
  seen.commits = 0;
  return true;
}

export function sameEpoch(a: Epoch, b: Epoch): boolean {
  return a.number === b.number && a.nonce === b.nonce;
}

/** A copy of a shard as it is, which later commits leave alone. */
export function shardAsOf(data: MemoryShard): MemoryShard {
  return {
    ...data,
    holder: data.holder && { ...data.holder },
    entries: [...data.entries],
    actors: new Map(data.actors),
    snapshots: new Map(data.snapshots),
    timers: new Map(data.timers),
    outboxLast: new Map(data.outboxLast),
    marks: new Map(data.marks),
    topics: new Map(
      [...data.topics].map(([topic, { head, publications }]) => [topic, { head, publications: [...publications] }]),
    ),
    deadLetters: [...data.deadLetters],
    views: new Map([...data.views].map(([view, rows]) => [view, new Map(rows)])),
  };
}
