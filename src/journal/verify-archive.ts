/**
 * The checks of one shard's archive, for `verifyJournal`: every segment is whole and is what its name says, no entry is
 * missing from the first one on, everything that was trimmed is there, and what is both in the archive and in the journal
 * (an owner stopped between writing a segment and trimming) is the same in both.
 *
 * It reads every segment once, one at a time, and reports into the findings.
 */

import { type Archive, firstDifference, reachOf, type Segment } from '../archive/archive.ts';
import { messageOf, TroupeError } from '../errors.ts';
import { Findings } from './findings.ts';
import type { Journal, JournalEntry } from './journal.ts';

/** Whether the shard can be read from its first entry on, as far as the archive goes; a journal may have none. */
export async function verifyArchive(journal: Journal, shard: number, findings: Findings): Promise<boolean> {
  const { archive } = journal;
  if (archive === undefined) return true;
  // What is damaged about the shard itself is reported by its own checks.
  const state = await new Findings().reading(shard, 'open work', () => journal.readShard(shard));
  const segments = await archive.segments(shard);
  // The head is read first, and only grows; the archive never holds more than the journal did.
  const { first, head } = state ?? { first: 1, head: { seq: Number.POSITIVE_INFINITY } };
  const reach = reachOf(segments, 0);
  if (reach < first - 1) {
    findings.differ(shard, archive.description, `has entries up to ${reach} of the ${first - 1} that were trimmed`);
  }
  verifyGaps(segments, shard, findings);
  const latest =
    (await new Findings().reading(shard, 'open work', () => journal.readShard(shard)))?.head.seq ?? head.seq;
  for (const segment of segments) {
    findings.segments++;
    if (segment.last > latest) {
      findings.differ(shard, segment.name, `goes beyond the journal's last entry ${latest}, which was set back`);
    }
    if (reach >= first - 1) await verifySegment(journal, archive, segment, findings);
  }
  return reach >= first - 1;
}

/** Entries between segments that are in none of them. */
function verifyGaps(segments: readonly Segment[], shard: number, findings: Findings): void {
  let reached = 0;
  for (const { first, last, name } of segments) {
    if (first > reached + 1) {
      findings.differ(shard, name, `begins with entry ${first}; no segment has entries ${reached + 1} to ${first - 1}`);
    }
    reached = Math.max(reached, last);
  }
}

async function verifySegment(journal: Journal, archive: Archive, segment: Segment, findings: Findings): Promise<void> {
  const { shard, first, last, name } = segment;
  let entries: readonly JournalEntry[];
  try {
    entries = await archive.readSegment(segment);
  } catch (error) {
    const isDamage = error instanceof TroupeError && error.code === 'ARCHIVE_DAMAGED';
    if (!isDamage) throw error;
    return findings.differ(shard, name, `cannot be read: ${messageOf(error)}`);
  }
  // What the journal still has comes from there, what it has not from the archive: then it is the same of necessity, unless
  // segments overlap and differ.
  const read = await journal.readEntries(shard, first - 1, last - first + 1);
  const intact = read.filter((entry) => !(entry instanceof Error)) as readonly JournalEntry[];
  if (intact.length < read.length) return;
  const different = firstDifference(entries, intact);
  if (different === undefined) return;
  findings.differ(shard, name, `has another entry ${different.seq} than the journal or an overlapping segment`);
}
