/**
 * What a verification of a store has counted and found. It grows while the verification runs, so that progress can be
 * shown, and keeps a bounded number of differences. It judges nothing.
 */

import { type ErrorCode, TroupeError } from '../errors.ts';
import type { Loss } from './journal.ts';

const damageCodes: ReadonlySet<ErrorCode> = new Set(['ACTOR_DAMAGED', 'ARCHIVE_DAMAGED', 'JOURNAL_DAMAGED']);
/** Differences that are kept; a store with more is beyond reading them one by one. */
const differencesMax = 1_000;

export interface Difference {
  readonly shard: number;
  /** The actor, row, topic or record that differs. */
  readonly subject: string;
  /** Completes the sentence that begins with the subject. */
  readonly reason: string;
}

/** Answered commits of a shard that are nowhere any more. */
export interface ShardLoss extends Loss {
  readonly shard: number;
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
  /** Of the archive. */
  segments = 0;
  /** All of them, those that are not kept included. */
  differenceCount = 0;
  readonly differences: Difference[] = [];
  /** What shards have lost for good; the store itself bounds how many it keeps. */
  readonly losses: ShardLoss[] = [];
  /** What is no error and worth knowing, with the number of times it was met. */
  readonly notes = new Map<string, number>();
  /** Publications that the folded effects of all shards account for, by topic. */
  readonly publications = new Map<string, number>();

  differ(shard: number, subject: string, reason: string): void {
    this.differenceCount++;
    if (this.differences.length < differencesMax) this.differences.push({ shard, subject, reason });
  }

  lost(shard: number, loss: Loss): void {
    this.losses.push({ shard, ...loss });
  }

  /** Runs one reading. What the journal calls damaged is a difference, and undefined is given; the rest goes on. */
  async reading<T>(shard: number, subject: string, read: () => Promise<T>): Promise<T | undefined> {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof TroupeError) || !damageCodes.has(error.code)) throw error;
      this.differ(shard, subject, `cannot be read: ${error.message}`);
      return undefined;
    }
  }

  note(sentence: string): void {
    this.notes.set(sentence, (this.notes.get(sentence) ?? 0) + 1);
  }
}
