/**
 * Rebuilds what is derived from the journal of one shard: the rows of projections, and on request the snapshots. It is
 * used when a shard is opened with a projection that is new or changed, and by `troupe rebuild`.
 *
 * It writes as the shard's owner, by ordinary commits without entries, and guarantees that an interrupted rebuild is
 * noticed: the first commit empties the views and marks their projections as incomplete, the last one names their
 * version. Beginning again is always right. It does not serve anybody meanwhile: whoever owns the shard takes no envelope
 * until it is done, and renews the lease (`afterPage`).
 */

import type { HostedMachine } from '../actor/logic.ts';
import { TroupeError } from '../errors.ts';
import { encode } from '../journal/codec.ts';
import {
  type ActorIndex,
  type Commit,
  emptyCommit,
  type Head,
  type Journal,
  type Lease,
  type SnapshotRecord,
  type ViewChange,
} from '../journal/journal.ts';
import type { Projection, Row } from './projection.ts';
import { Projections } from './projections.ts';
import { projectedStep, Replay, type ReplayedActor, typesOf } from './replay.ts';
import { retirementsOf } from './retirements.ts';

export interface RebuildOptions {
  readonly journal: Journal;
  /** The right to write the shard. */
  readonly lease: Lease;
  readonly head: Head;
  readonly hosts: ReadonlyMap<string, HostedMachine>;
  /** Those to rebuild. */
  readonly projections: readonly Projection[];
  /** Write a snapshot of every actor, folded from its first event, too. */
  readonly snapshots?: boolean;
  /** Called between pages of the journal, with the number of entries of the last one. */
  readonly afterPage?: (entries: number) => Promise<void> | void;
}

export interface Rebuilt {
  /** Where the shard stands afterwards. */
  readonly head: Head;
  readonly entries: number;
  /** Rows written, repeatedly written ones counted once per batch. */
  readonly rows: number;
  readonly snapshots: number;
  /** What could not be folded, a sentence each. Its rows stand as of the last good event. */
  readonly problems: readonly string[];
}

/** Rows and snapshots of one commit: enough to be fast, few enough to stay far from every store's limits. */
const rowsMax = 2_000;
const snapshotBytesMax = 4 * 1024 * 1024;
const snapshotsMax = 1_000;
/** Sentences kept; a shard with more is damaged beyond listing. */
const problemsMax = 100;

/** Appends commits to one shard, one after the other. */
class Appender {
  head: Head;
  readonly #journal: Journal;
  readonly #lease: Lease;

  constructor(journal: Journal, lease: Lease, head: Head) {
    this.#journal = journal;
    this.#lease = lease;
    this.head = head;
  }

  async append(part: Partial<Commit>): Promise<void> {
    const { shard, epoch } = this.#lease;
    const number = this.head.commits + 1;
    const id = `${epoch.number}.${epoch.nonce}.rebuild.${number}`;
    const outcome = await this.#journal.commit({
      ...emptyCommit,
      ...part,
      shard,
      epoch,
      number,
      id,
      firstSeq: this.head.seq + 1,
    });
    switch (outcome.kind) {
      case 'done':
        this.head = { commits: number, seq: this.head.seq, commitId: id };
        return;
      case 'refused':
        throw new TroupeError(
          'SHARD_LOST',
          `Shard ${shard} went to another owner during a rebuild: ${outcome.message}`,
          { shard },
        );
      case 'invalid':
        throw new TroupeError('LIMIT_EXCEEDED', `Shard ${shard} cannot be rebuilt: ${outcome.message}`, { shard });
      case 'unknown':
        throw new TroupeError(
          'JOURNAL_UNAVAILABLE',
          `A rebuild of shard ${shard} was interrupted: ${outcome.message}`,
          { shard },
        );
    }
  }
}

/** Rows on their way to the store: a later value of a row replaces an earlier one of the same batch. */
class RowBatch {
  written = 0;
  #changes = new Map<string, ViewChange>();

  get isFull(): boolean {
    return this.#changes.size >= rowsMax;
  }

  add(change: ViewChange): void {
    const key = `${change.view}\n${change.key}`;
    // Taken out first, so that the batch stays in the order of the last writes.
    this.#changes.delete(key);
    this.#changes.set(key, change);
  }

  take(): readonly ViewChange[] {
    const changes = [...this.#changes.values()];
    this.#changes = new Map();
    this.written += changes.length;
    return changes;
  }
}

function* snapshotBatches(actors: Iterable<ReplayedActor>): Generator<Pick<Commit, 'actors' | 'snapshots'>> {
  let indices: ActorIndex[] = [];
  let snapshots: SnapshotRecord[] = [];
  let bytes = 0;
  for (const { address, version, hosted, state, retired } of actors) {
    const payload = hosted.persist(state, retired);
    indices.push({ actor: address, version, snapshotVersion: version, tail: [] });
    snapshots.push({ actor: address, version, payload });
    bytes += payload.length;
    if (bytes < snapshotBytesMax && snapshots.length < snapshotsMax) continue;
    yield { actors: indices, snapshots };
    indices = [];
    snapshots = [];
    bytes = 0;
  }
  if (snapshots.length > 0) yield { actors: indices, snapshots };
}

function versionsOf(projections: readonly Projection[], complete: boolean): Record<string, string> {
  return Object.fromEntries(projections.map(({ name, version }) => [name, complete ? version : '']));
}

/**
 * Rebuilds one shard. Rejects with SHARD_LOST when the lease went elsewhere, and with what the journal rejects with; the
 * views are then incomplete and known to be.
 */
export async function rebuildShard(options: RebuildOptions): Promise<Rebuilt> {
  const { journal, lease, hosts, projections } = options;
  const appender = new Appender(journal, lease, options.head);
  const onlyTypes = options.snapshots === true ? undefined : typesOf(projections);
  const retirements = await retirementsOf(journal, lease.shard, hosts);
  const replay = new Replay(journal, lease.shard, hosts, onlyTypes, retirements);
  const rows = new Projections(projections);
  const batch = new RowBatch();
  const problems: string[] = [];
  const addRows = (changed: readonly Row[]): void => {
    for (const { view, key, value } of changed) {
      batch.add(value === undefined ? { view, key } : { view, key, payload: encode(value) });
    }
  };
  let entries = 0;
  if (projections.length > 0) {
    const viewsCleared = projections.flatMap((projection) => projection.views);
    await appender.append({ viewsCleared, projections: versionsOf(projections, false) });
  }
  await replay.advance(options.head.seq, {
    onStep: (step) => addRows(rows.rows(projectedStep(step))),
    onRetired: ({ actor: { address, version, state } }) => addRows(rows.rowsOfRetired(address, version, state)),
    onProblem: ({ seq, actor, reason }) => {
      if (problems.length < problemsMax) problems.push(`${actor ?? `entry ${seq}`} of shard ${lease.shard}: ${reason}`);
    },
    afterPage: async (count) => {
      entries += count;
      if (batch.isFull) await appender.append({ views: batch.take() });
      await options.afterPage?.(count);
    },
  });
  let snapshots = 0;
  if (options.snapshots === true) {
    for (const part of snapshotBatches(replay.actors.values())) {
      await appender.append(part);
      snapshots += part.snapshots.length;
    }
  }
  if (projections.length > 0) {
    await appender.append({ views: batch.take(), projections: versionsOf(projections, true) });
  }
  return { head: appender.head, entries, rows: batch.written, snapshots, problems };
}
