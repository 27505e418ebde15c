/**
 * Keeps the journal of every shard that is owned here bounded: now and then, its old entries go to the archive and leave
 * the journal (shard-compaction.ts), and actors that are over are retired. It works through the shards one after the
 * other, a bounded piece at a time, and gives way to traffic.
 *
 * Without an archive it does nothing, and nothing is ever trimmed. What goes wrong is logged and tried again later: what
 * it does may stop at any point and be repeated, also by another node.
 */

import type { HostedMachine } from '../actor/logic.ts';
import type { Clock } from '../clock.ts';
import { type ErrorCode, messageOf, TroupeError } from '../errors.ts';
import type { Journal } from '../journal/journal.ts';
import type { Limits } from '../limits.ts';
import type { Log } from '../log.ts';
import type { Observer } from '../observer.ts';
import { type CompactedShard, ShardCompaction } from './shard-compaction.ts';

export interface CompactionOptions {
  readonly journal: Journal;
  readonly shards: readonly CompactedShard[];
  readonly hosted: ReadonlyMap<string, HostedMachine>;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly log: Log;
  readonly observer: Observer;
}

/** Pieces of one shard before the next one has its turn. */
const piecesMax = 8;
/** A shard where something went wrong is left alone for this long. */
const retryMs = 30_000;
/** Ends of a pass that say nothing about the store: the shard went elsewhere, or has other things to do. */
const passing: ReadonlySet<ErrorCode> = new Set(['STOPPED', 'SHARD_LOST', 'MAILBOX_FULL']);

export class Compaction {
  readonly #options: CompactionOptions;
  /** Per shard what is known of it, for as long as its lease is the same. */
  readonly #known = new Map<number, ShardCompaction>();
  /** Monotonic ms until which a shard is left alone. */
  readonly #pausedUntil = new Map<number, number>();
  #round: Promise<void> | undefined;
  #isStopped = false;

  constructor(options: CompactionOptions) {
    this.#options = options;
  }

  /** Begins a round over all shards, unless one is under way. */
  sweep(): void {
    const { journal, log } = this.#options;
    if (this.#isStopped || this.#round !== undefined || journal.archive === undefined) return;
    if (journal.trim === undefined) return;
    this.#round = this.#sweepAll()
      .catch((error) => log.error({}, `a compaction broke off: ${messageOf(error)}`))
      .finally(() => {
        this.#round = undefined;
      });
  }

  /** Begins nothing more. Resolves when what was under way has ended. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#round;
  }

  async #sweepAll(): Promise<void> {
    const { shards, clock, log, observer } = this.#options;
    for (const shard of shards) {
      if (this.#isStopped) return;
      if (clock.monotonic() < (this.#pausedUntil.get(shard.shard) ?? 0)) continue;
      try {
        await this.#sweepShard(shard);
      } catch (error) {
        this.#known.delete(shard.shard);
        if (error instanceof TroupeError && passing.has(error.code)) continue;
        observer.compactionFailed(shard.shard);
        this.#pausedUntil.set(shard.shard, clock.monotonic() + retryMs);
        log.warn({ shard: shard.shard }, `shard ${shard.shard} was not compacted: ${messageOf(error)}`);
      }
    }
  }

  async #sweepShard(shard: CompactedShard): Promise<void> {
    const { lease } = shard;
    if (!shard.isOpen || lease === undefined) return;
    let known = this.#known.get(shard.shard);
    if (known?.lease !== lease) {
      known = await ShardCompaction.begin(this.#options, shard, lease);
      this.#known.set(shard.shard, known);
    }
    for (let piece = 0; piece < piecesMax && !this.#isStopped; piece++) {
      const isMore = await known.archiveNext();
      const isMoreToRetire = await known.retireNext();
      if (!isMore && !isMoreToRetire) return;
    }
  }
}
