/**
 * The archive port: where entries of a journal are kept for ever once they may leave it. An archive holds *segments*: runs
 * of consecutive entries of one shard, each written once as a whole and never changed.
 *
 * It guarantees:
 * - **Whole or not there.** A segment that `append` was interrupted in is not listed, or says that it is damaged.
 * - **Durable before it answers.**
 * - **Idempotent.** Appending a range again, by whichever node, changes nothing. Segments may overlap (two nodes that
 *   cut one shard differently); entries of one `seq` are the same in all of them, or somebody has lost a history.
 * - **Checked.** Every entry and every segment carries a checksum. What is damaged rejects with ARCHIVE_DAMAGED and names
 *   itself; every other segment stays readable.
 * - **One store.** It remembers whose journal it holds and refuses another one's.
 *
 * What is deliberately not part of it: when something is archived and what may be trimmed then (shard/compaction.ts),
 * reading archive and journal as one (archived-journal.ts), and deleting anything.
 *
 * `ObjectArchive` implements it on objects (objects.ts) in a folder, in memory or in whatever else can put, get and list.
 */

import type { JournalEntry } from '../journal/entry.ts';

/** A run of consecutive entries of one shard, as listed: nothing of it has been read. */
export interface Segment {
  readonly shard: number;
  /** `seq` of its first and last entry. */
  readonly first: number;
  readonly last: number;
  /** For people and messages. */
  readonly name: string;
}

export interface Archive {
  /** For people: where it is. */
  readonly description: string;
  /** The id of the store whose journal it holds. */
  readonly store: string;

  /** Writes the entries, which are consecutive and at least one, as one segment. */
  append(shard: number, entries: readonly JournalEntry[]): Promise<Segment>;
  /** In order of their first, then of their last entry. */
  segments(shard: number): Promise<readonly Segment[]>;
  /** All entries of a segment, in order. Rejects with ARCHIVE_DAMAGED. */
  readSegment(segment: Segment): Promise<readonly JournalEntry[]>;
  /** Bytes it takes. */
  sizeOf(segment: Segment): Promise<number>;
  close(): Promise<void>;
}

/** The segment that holds the entry, and of several the one that goes furthest. */
export function segmentWith(segments: readonly Segment[], seq: number): Segment | undefined {
  let found: Segment | undefined;
  for (const segment of segments) {
    if (segment.first > seq) break;
    if (segment.last >= seq && segment.last > (found?.last ?? 0)) found = segment;
  }
  return found;
}

/** The last entry that can be reached from `after` on without a gap; `after` itself when there is none. */
export function reachOf(segments: readonly Segment[], after: number): number {
  let reach = after;
  for (let next = segmentWith(segments, reach + 1); next !== undefined; next = segmentWith(segments, reach + 1)) {
    reach = next.last;
  }
  return reach;
}

/** The entries `first` to `last` of a shard, which the archive has. */
export async function archivedEntries(
  archive: Archive,
  shard: number,
  first: number,
  last: number,
): Promise<readonly JournalEntry[]> {
  const segments = await archive.segments(shard);
  const found: JournalEntry[] = [];
  for (let next = first; next <= last; next = first + found.length) {
    const segment = segmentWith(segments, next);
    if (segment === undefined) break;
    const entries = (await archive.readSegment(segment)).slice(next - segment.first, last - segment.first + 1);
    // One that holds less than it says would be read again and again.
    if (entries.length === 0) break;
    found.push(...entries);
  }
  return found;
}

/** The first entry of which the other list has another one, or none; undefined when the lists are the same. */
export function firstDifference(
  entries: readonly JournalEntry[],
  others: readonly JournalEntry[],
): JournalEntry | undefined {
  return entries.find((entry, i) => !isSame(entry, others[i])) ?? others[entries.length];
}

function isSame(entry: JournalEntry, other: JournalEntry | undefined): boolean {
  return (
    other !== undefined &&
    entry.seq === other.seq &&
    entry.actor === other.actor &&
    entry.version === other.version &&
    entry.type === other.type &&
    entry.at === other.at &&
    entry.from === other.from &&
    entry.operation === other.operation &&
    entry.emitted.join('\n') === other.emitted.join('\n') &&
    Buffer.compare(entry.payload, other.payload) === 0
  );
}
