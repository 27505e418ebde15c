/**
 * What an owner does about a store that has gone backwards, before it opens the shard: it appends the commits that it
 * still holds again, under its new epoch and with their numbers and ids, so that everything is as it was. Their effects
 * were let out before and are not let out again. What nobody holds is declared lost, and named.
 *
 * A crash in between changes nothing: the store remembers how far it had answered until the commits are there or given up.
 */

import type { Commit, Head, Journal, Lease, Rewind } from '../journal/journal.ts';
import type { Log } from '../log.ts';
import type { Observer } from '../observer.ts';
import type { Tail } from './tail.ts';

export interface MendOptions {
  readonly journal: Journal;
  readonly log: Log;
  readonly observer: Observer;
  readonly tail: Tail;
}

/**
 * After a loss, the numbers of a shard's parcels go on at its epoch times this: beyond everything that it can have sent
 * and forgotten, however much that was.
 */
export const numbersPerEpoch = 1_000_000;
/** Operations that are named. */
const operationsMax = 50;

/** Gives where the shard stands afterwards. Rejects when the store cannot be written: acquire, and begin again. */
export async function mend(options: MendOptions, lease: Lease, head: Head, lost: Rewind): Promise<Head> {
  const { journal, log, observer, tail } = options;
  const { shard } = lease;
  let mended = head;
  for (const commit of tail.after(head, lost.answered)) mended = await append(journal, lease, commit);
  const again = mended.commits - head.commits;
  if (again > 0) {
    const message = `shard ${shard}: the store had lost commits ${head.commits + 1} to ${lost.answered}; ${again} were appended again, up to ${mended.commits}`;
    log.warn({ shard, from: head.commits + 1, to: mended.commits }, message);
  }
  if (again === 0 || mended.commits < lost.answered) await declare(options, lease, mended, lost);
  // A head that is another commit with the same number stands for one lost commit at least.
  observer.rewound(shard, Math.max(1, lost.answered - head.commits), again);
  return mended;
}

async function append(journal: Journal, { epoch }: Lease, commit: Commit): Promise<Head> {
  const outcome = await journal.commit({ ...commit, epoch });
  const { number, id, firstSeq, entries } = commit;
  if (outcome.kind === 'done') return { commits: number, seq: firstSeq + entries.length - 1, commitId: id };
  throw new Error(`commit ${number} could not be appended again: it was ${outcome.kind}: ${outcome.message}`);
}

async function declare({ journal, log, tail }: MendOptions, lease: Lease, head: Head, lost: Rewind): Promise<void> {
  const { shard } = lease;
  if (!(await journal.declareLost?.(lease, lost.answered)))
    throw new Error('its lease was lost before a loss was declared');
  const from = Math.min(head.commits + 1, lost.answered);
  const operations = tail.operationsAfter(head.commits, operationsMax);
  const message = `shard ${shard} has lost its answered commits ${from} to ${lost.answered}, after entry ${head.seq}: nobody has them any more`;
  log.error({ shard, from, to: lost.answered, seq: head.seq, operations }, message);
}

/** Names parcels that a shard had handled in commits which are lost, and which their sender does not have any more. */
export function parcelsLost(log: Log, shard: number): (from: number, first: number, last: number) => void {
  return (from, first, last) => {
    const message = `shard ${shard} has lost what it had done about parcels ${first} to ${last} of shard ${from}`;
    log.error({ shard, from, first, last }, message);
  };
}
