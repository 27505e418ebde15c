/**
 * What a verification of a store has counted and found. It grows while the verification runs, so that progress can be
 * shown, and keeps a bounded number of differences. It judges nothing.
 */

/** Differences that are kept; a store with more is beyond reading them one by one. */
const differencesMax = 1_000;

export interface Difference {
  readonly shard: number;
  /** The actor, row, topic or record that differs. */
  readonly subject: string;
  /** Completes the sentence that begins with the subject. */
  readonly reason: string;
}

/** What a verification has counted and found; it grows while the verification runs. */
export class Findings {
  shards = 0;
  entries = 0;
  actors = 0;
  snapshots = 0;
  rows = 0;
  timers = 0;
  topics = 0;
  deadLetters = 0;
  /** All of them, those that are not kept included. */
  differenceCount = 0;
  readonly differences: Difference[] = [];
  /** What is no error and worth knowing, with the number of times it was met. */
  readonly notes = new Map<string, number>();
  /** Publications that the folded effects of all shards account for, by topic. */
  readonly publications = new Map<string, number>();

  differ(shard: number, subject: string, reason: string): void {
    this.differenceCount++;
    if (this.differences.length < differencesMax) this.differences.push({ shard, subject, reason });
  }

  note(sentence: string): void {
    this.notes.set(sentence, (this.notes.get(sentence) ?? 0) + 1);
  }
}
