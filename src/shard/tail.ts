/**
 * The newest commits of one shard, as its owner keeps them in memory: what it appends again when the store has lost them
 * (mend.ts). They form one chain, each with the id of the commit before it, so that they fit a head or do not.
 *
 * Bounded by entries, bytes and age: what a failover loses is younger than that, or nobody has it any more. It keeps
 * nothing for a store that cannot lose anything.
 */

import type { Clock } from '../clock.ts';
import type { Commit, Epoch, Head } from '../journal/journal.ts';
import type { Limits } from '../limits.ts';

interface Kept {
  readonly commit: Commit;
  /** Id of the commit before it. */
  readonly follows: string;
  readonly at: number;
  readonly bytes: number;
}

export class Tail {
  readonly #clock: Clock;
  readonly #limits: Limits;
  readonly #isKept: boolean;
  #kept: Kept[] = [];
  #entries = 0;
  #bytes = 0;
  /** Number of the epoch it was continued under last. */
  #epoch = 0;

  constructor(clock: Clock, limits: Limits, isKept: boolean) {
    this.#clock = clock;
    this.#limits = limits;
    this.#isKept = isKept;
  }

  get length(): number {
    return this.#kept.length;
  }

  /** A commit was handed to the journal, behind the one with the id `follows`. */
  add(commit: Commit, follows: string): void {
    if (!this.#isKept) return;
    const bytes = bytesOf(commit);
    this.#kept.push({ commit, follows, at: this.#clock.monotonic(), bytes });
    this.#entries += weightOf(commit);
    this.#bytes += bytes;
    this.expire();
  }

  /** The shard stands here: what was to come after it never will. */
  settle({ commits, commitId }: Head): void {
    while (this.#kept.length > 0 && this.#last.commit.number > commits) this.#count(this.#kept.pop()!, -1);
    if (this.#kept.length > 0 && this.#last.commit.id !== commitId) this.clear();
  }

  /** The shard is ours under this epoch, after `before`. What somebody else has done meanwhile makes our commits void. */
  acquired(epoch: Epoch, before: Epoch | undefined): void {
    const isContinued = before === undefined || before.nonce === epoch.nonce || before.number < this.#epoch;
    if (!isContinued) this.clear();
    this.#epoch = epoch.number;
  }

  /** The commits that continue `head`, up to the one with the number `upto`, without a gap. */
  after(head: Head, upto: number): readonly Commit[] {
    const first = this.#kept.findIndex(
      ({ commit, follows }) => commit.number === head.commits + 1 && follows === head.commitId,
    );
    return first < 0
      ? []
      : this.#kept
          .slice(first)
          .map(({ commit }) => commit)
          .filter(({ number }) => number <= upto);
  }

  /** The operations of the commits after `number`, at most `limit`. */
  operationsAfter(number: number, limit: number): readonly string[] {
    const operations = new Set<string>();
    for (const { commit } of this.#kept) {
      if (commit.number <= number) continue;
      for (const { operation } of commit.entries) if (operation !== undefined) operations.add(operation);
    }
    return [...operations].slice(0, limit);
  }

  /** Forgets what is too old or too much. */
  expire(): void {
    const { tailEntriesMax, tailBytesMax, tailMs } = this.#limits;
    const since = this.#clock.monotonic() - tailMs;
    let gone = 0;
    for (const kept of this.#kept) {
      if (kept.at > since && this.#entries <= tailEntriesMax && this.#bytes <= tailBytesMax) break;
      this.#count(kept, -1);
      gone++;
    }
    if (gone > 0) this.#kept.splice(0, gone);
  }

  clear(): void {
    this.#kept = [];
    this.#entries = 0;
    this.#bytes = 0;
  }

  get #last(): Kept {
    return this.#kept.at(-1)!;
  }

  #count({ commit, bytes }: Kept, by: 1 | -1): void {
    this.#entries += by * weightOf(commit);
    this.#bytes += by * bytes;
  }
}

/** A commit without entries counts as well: marks alone are many. */
function weightOf({ entries }: Commit): number {
  return Math.max(1, entries.length);
}

/** What its payloads take. */
function bytesOf({ entries, snapshots, timersSet, outbox, publications, deadLetters, views }: Commit): number {
  let bytes = 0;
  for (const records of [entries, snapshots, timersSet, outbox, publications, deadLetters, views]) {
    for (const { payload } of records) bytes += payload?.length ?? 0;
  }
  return bytes;
}
