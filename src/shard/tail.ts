/**
 * The newest commits of one shard, as its owner keeps them in memory: what it appends again when the store has lost them
 * (mend.ts). They form one chain, each with the id of the commit before it, so that they fit a head or do not.
 *
 * They are kept as bytes: thousands of commits that outlive the young generation as objects cost the collector more than
 * writing them does.
 *
 * Bounded by entries, bytes and age: what a failover loses is younger than that, or nobody has it any more. It keeps
 * nothing for a store that cannot lose anything.
 */

import type { Clock } from '../clock.ts';
import { decode, encode } from '../journal/codec.ts';
import type { Commit, Epoch, Head } from '../journal/journal.ts';
import type { Limits } from '../limits.ts';

interface Kept {
  readonly number: number;
  readonly id: string;
  /** The commit, encoded. */
  readonly packed: Uint8Array;
  /** Id of the commit before it. */
  readonly follows: string;
  readonly at: number;
  readonly weight: number;
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
    const { number, id } = commit;
    const kept = { number, id, packed: packed(commit), follows, at: this.#clock.monotonic(), weight: weightOf(commit) };
    this.#kept.push(kept);
    this.#count(kept, 1);
    this.expire();
  }

  /** The shard stands here: what was to come after it never will. */
  settle({ commits, commitId }: Head): void {
    while (this.#kept.length > 0 && this.#last.number > commits) this.#count(this.#kept.pop()!, -1);
    if (this.#kept.length > 0 && this.#last.id !== commitId) this.clear();
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
      ({ number, follows }) => number === head.commits + 1 && follows === head.commitId,
    );
    if (first < 0) return [];
    return this.#kept
      .slice(first)
      .filter(({ number }) => number <= upto)
      .map((kept) => decode<Commit>(kept.packed));
  }

  /** The operations of the commits after `number`, at most `limit`. */
  operationsAfter(number: number, limit: number): readonly string[] {
    const operations = new Set<string>();
    for (const kept of this.#kept) {
      if (kept.number <= number) continue;
      const { entries } = decode<Commit>(kept.packed);
      for (const { operation } of entries) if (operation !== undefined) operations.add(operation);
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

  #count({ weight, packed: { length } }: Kept, by: 1 | -1): void {
    this.#entries += by * weight;
    this.#bytes += by * length;
  }
}

/** A copy, which holds nothing of the codec's slab. Of a publication's data only what is written. */
function packed(commit: Commit): Uint8Array {
  const publications = commit.publications.map(({ topic, payload }) => ({ topic, payload }));
  return new Uint8Array(encode({ ...commit, publications }));
}

/** A commit without entries counts as well: marks alone are many. */
function weightOf({ entries }: Commit): number {
  return Math.max(1, entries.length);
}
