/**
 * A journal together with its archive: `readEntries` gives the entries of both as one, from the first one ever on, so that
 * whoever reads a history, folds an actor, rebuilds a view or verifies a store needs to know of neither. Everything else
 * is the journal's own, unchanged.
 *
 * It guarantees what the port says: entries in order without gaps, a damaged segment as an error in the place of each of
 * its entries, and JOURNAL_TRIMMED when the archive lacks what was trimmed. It reads from the journal first, so that an
 * entry which is in both costs no read of a segment.
 */

import { TroupeError } from '../errors.ts';
import type { Journal, JournalEntry } from '../journal/journal.ts';
import { type Archive, type Segment, segmentWith } from './archive.ts';

type Entries = readonly (JournalEntry | Error)[];

/** What is known of a shard: it only ever grows. */
interface Known {
  /** `seq` of the first entry that may still be in the journal. */
  first: number;
  segments: readonly Segment[];
}

export class ArchivedJournal implements Journal {
  readonly kind: Journal['kind'];
  readonly id: string;
  readonly description: string;
  readonly shards: number;
  readonly archive: Archive;
  readonly cluster?: NonNullable<Journal['cluster']>;
  readonly acquire: Journal['acquire'];
  readonly renew: Journal['renew'];
  readonly release: Journal['release'];
  readonly commit: Journal['commit'];
  readonly declareLost?: NonNullable<Journal['declareLost']>;
  readonly trim?: NonNullable<Journal['trim']>;
  readonly readShard: Journal['readShard'];
  readonly readActors: Journal['readActors'];
  readonly readIndexes?: NonNullable<Journal['readIndexes']>;
  readonly listActors: Journal['listActors'];
  readonly readTopic: Journal['readTopic'];
  readonly readDeadLetters: Journal['readDeadLetters'];
  readonly readRows: Journal['readRows'];
  readonly readRange: Journal['readRange'];
  readonly readMeta: Journal['readMeta'];
  readonly initMeta: Journal['initMeta'];
  readonly #journal: Journal;
  readonly #known = new Map<number, Known>();

  constructor(journal: Journal, archive: Archive) {
    this.#journal = journal;
    this.archive = archive;
    this.kind = journal.kind;
    this.id = journal.id;
    this.description = `${journal.description}; archive ${archive.description}`;
    this.shards = journal.shards;
    if (journal.cluster !== undefined) this.cluster = journal.cluster;
    this.acquire = journal.acquire.bind(journal);
    this.renew = journal.renew.bind(journal);
    this.release = journal.release.bind(journal);
    this.commit = journal.commit.bind(journal);
    if (journal.declareLost !== undefined) this.declareLost = journal.declareLost.bind(journal);
    if (journal.trim !== undefined) this.trim = journal.trim.bind(journal);
    this.readShard = journal.readShard.bind(journal);
    this.readActors = journal.readActors.bind(journal);
    if (journal.readIndexes !== undefined) this.readIndexes = journal.readIndexes.bind(journal);
    this.listActors = journal.listActors.bind(journal);
    this.readTopic = journal.readTopic.bind(journal);
    this.readDeadLetters = journal.readDeadLetters.bind(journal);
    this.readRows = journal.readRows.bind(journal);
    this.readRange = journal.readRange.bind(journal);
    this.readMeta = journal.readMeta.bind(journal);
    this.initMeta = journal.initMeta.bind(journal);
  }

  async readEntries(shard: number, after: number, limit: number): Promise<Entries> {
    const known = this.#known.get(shard) ?? { first: 1, segments: [] };
    this.#known.set(shard, known);
    const entries: (JournalEntry | Error)[] = [];
    while (entries.length < limit) {
      // Archived entries follow each other, so their number says where the journal goes on.
      const next = Math.max(0, after) + entries.length + 1;
      if (next >= known.first) {
        const rest = await this.#fromJournal(shard, next, limit - entries.length, known);
        if (rest !== undefined) return [...entries, ...rest];
      }
      entries.push(...(await this.#fromArchive(shard, next, limit - entries.length, known)));
    }
    return entries;
  }

  async close(): Promise<void> {
    await this.#journal.close();
    await this.archive.close();
  }

  /** Undefined when the entry `next` was trimmed. */
  async #fromJournal(shard: number, next: number, limit: number, known: Known): Promise<Entries | undefined> {
    try {
      return await this.#journal.readEntries(shard, next - 1, limit);
    } catch (error) {
      if (!(error instanceof TroupeError) || error.code !== 'JOURNAL_TRIMMED') throw error;
      known.first = Math.max(known.first, Number(error.params.first));
      return undefined;
    }
  }

  /** At least one entry, from `next` on, of those that were trimmed. */
  async #fromArchive(shard: number, next: number, limit: number, known: Known): Promise<Entries> {
    if (segmentWith(known.segments, next) === undefined) known.segments = await this.archive.segments(shard);
    const segment = segmentWith(known.segments, next);
    if (segment === undefined) {
      throw new TroupeError(
        'JOURNAL_TRIMMED',
        `Entry ${next} of shard ${shard} was trimmed, and the archive ${this.archive.description} does not have it; open the store with the archive it was trimmed into.`,
        { shard, next, first: known.first },
      );
    }
    const count = Math.min(limit, Math.min(segment.last, known.first - 1) - next + 1);
    let entries: readonly JournalEntry[];
    try {
      entries = (await this.archive.readSegment(segment)).slice(next - segment.first, next - segment.first + count);
    } catch (error) {
      if (!(error instanceof TroupeError) || error.code !== 'ARCHIVE_DAMAGED') throw error;
      entries = [];
      if (count > 0) return Array.from({ length: count }, () => error);
    }
    assertRun(entries, shard, next, count, segment);
    return entries;
  }
}

/**
 * Every reader goes on behind the entry it was given last. One that is missing, or is another one, would have it read the
 * same page for ever.
 */
function assertRun(
  entries: readonly JournalEntry[],
  shard: number,
  next: number,
  count: number,
  { name }: Segment,
): void {
  if (count > 0 && entries.length === count && entries.every(({ seq }, i) => seq === next + i)) return;
  throw new TroupeError(
    'ARCHIVE_DAMAGED',
    `Segment ${name} does not give the entries of shard ${shard} from ${next} on that its name says; troupe verify says more.`,
    { shard, segment: name, next },
  );
}
