/**
 * The commits of one shard that are under way, in order. Turns run on top of commits that are not durable yet; what they
 * cause leaves strictly in order, when all commits before are done. A turn without a commit (it only read) waits in
 * the same line, since what it read may not be durable yet.
 */

import type { Commit, CommitOutcome } from '../journal/journal.ts';
import type { Turn } from './turn.ts';

export interface Flight {
  readonly turn: Turn;
  readonly commit: Commit | undefined;
  outcome: CommitOutcome | undefined;
}

const nothingToCommit: CommitOutcome = { kind: 'done', offsets: [] };

export class Pipeline {
  #flights: Flight[] = [];
  #commits = 0;

  /** Commits under way. */
  get commits(): number {
    return this.#commits;
  }

  /** Turns under way, those without a commit included. */
  get length(): number {
    return this.#flights.length;
  }

  get isEmpty(): boolean {
    return this.#flights.length === 0;
  }

  add(turn: Turn, commit: Commit | undefined): Flight {
    const flight: Flight = { turn, commit, outcome: commit === undefined ? nothingToCommit : undefined };
    this.#flights.push(flight);
    if (commit !== undefined) this.#commits++;
    return flight;
  }

  /** The first flight, if its outcome is known. */
  landed(): (Flight & { readonly outcome: CommitOutcome }) | undefined {
    const first = this.#flights[0];
    return first?.outcome === undefined ? undefined : { ...first, outcome: first.outcome };
  }

  /** Removes the first flight. */
  shift(): void {
    if (this.#flights.shift()?.commit !== undefined) this.#commits--;
  }

  /** Removes and gives back everything. */
  clear(): Flight[] {
    const all = this.#flights;
    this.#flights = [];
    this.#commits = 0;
    return all;
  }
}
