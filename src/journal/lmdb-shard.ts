/**
 * What the one writing process remembers of a shard (`ShardBook`), and the writes of a commit. The book holds what a
 * commit is checked against and numbered from, so that the hot path reads nothing from the store: the head, the holder
 * of the lease, where the outbox, the dead letters and the topics stand. It is read from the store when a shard is first
 * touched, and dropped whenever a transaction's fate is not known.
 *
 * A book runs ahead of the store by the transaction under way: it is for planning. Whoever reads for a caller reads the store.
 */

import { TroupeError } from '../errors.ts';
import type { JournalBounds } from './bounds.ts';
import { verdictOnTrim } from './checks.ts';
import type { Commit, Epoch, Head, Lease, TrimOutcome } from './journal.ts';
import {
  deadLetterKey,
  entryKey,
  kinds,
  nameKey,
  numberIn,
  otherIn,
  outboxKey,
  pairKey,
  publicationKey,
  rangeOf,
  rowKey,
  shardKey,
  timerKey,
} from './lmdb-keys.ts';
import {
  DamagedRecord,
  deadLetterRecord,
  entryRecord,
  headRecord,
  indexRecord,
  jsonRecord,
  numbersRecord,
  payloadRecord,
  readHead,
  readJson,
  readNumbers,
  snapshotRecord,
  timerRecord,
} from './lmdb-records.ts';
import type { ReadTable, ReadTables } from './lmdb-tables.ts';
import type { Write } from './redo-log.ts';

/** Topics whose numbers a book remembers at most; the others are read again. */
const topicsMax = 4_096;

export interface EpochRecord extends Epoch {
  readonly node: string;
}

interface TopicNumbers {
  head: number;
  oldest: number;
}

export interface ShardBook {
  head: Head;
  /** Number of the last epoch given out. */
  epochNumber: number;
  /** In this process; a lease of an earlier process died with its lock. */
  holder: { readonly epoch: Epoch; readonly node: string; expiresAt: number } | undefined;
  projections: Readonly<Record<string, string>>;
  /** Per receiving shard, the oldest outbox message that is kept. */
  readonly outboxFirst: Map<number, number>;
  readonly outboxLast: Map<number, number>;
  deadFirst: number;
  deadNext: number;
  readonly topics: Map<string, TopicNumbers>;
}

/** A record of the `state` table, or undefined. Throws JOURNAL_DAMAGED with its name. */
export function readState<T>(
  tables: ReadTables,
  shard: number,
  what: string,
  key: Buffer,
  read: (key: Buffer, record: Buffer) => T,
): T | undefined {
  const record = tables.state.getBinary(key);
  if (record === undefined) return undefined;
  return whole(shard, what, () => read(key, record));
}

/** What `read` gives; a damaged record becomes JOURNAL_DAMAGED with its name. */
export function whole<T>(shard: number, what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof DamagedRecord)) throw error;
    throw new TroupeError('JOURNAL_DAMAGED', `${what} of shard ${shard} is damaged: ${error.message}.`, {
      shard,
      record: what,
    });
  }
}

export function readShardHead(tables: ReadTables, shard: number): Head {
  const stored = readState(tables, shard, 'The head', shardKey(kinds.head, shard), readHead);
  return stored ?? { commits: 0, seq: 0, commitId: '' };
}

/** `seq` of the last entry that was trimmed; 0 before. */
export function readTrimmed(tables: ReadTables, shard: number): number {
  const key = shardKey(kinds.trimmed, shard);
  const what = 'The end of what was trimmed';
  return readState(tables, shard, what, key, (k, r) => readNumbers(k, r, 1)[0]) ?? 0;
}

/** Adds the writes that remove the entries up to `upto`. */
export function planTrim(
  tables: ReadTables,
  { holder, head }: ShardBook,
  lease: Lease,
  upto: number,
  writes: Write[],
): TrimOutcome {
  const { shard } = lease;
  const refusal = verdictOnTrim(lease, upto, holder?.epoch, head);
  if (refusal !== undefined) return refusal;
  const trimmed = readTrimmed(tables, shard);
  if (upto <= trimmed) return { kind: 'done' };
  for (let seq = trimmed + 1; seq <= upto; seq++) {
    writes.push({ table: 'journal', key: entryKey(shard, seq), value: undefined });
  }
  const key = shardKey(kinds.trimmed, shard);
  writes.push({ table: 'state', key, value: numbersRecord(key, [upto]) });
  return { kind: 'done' };
}

export function readProjections(tables: ReadTables, shard: number): Readonly<Record<string, string>> {
  const key = shardKey(kinds.projections, shard);
  return readState(tables, shard, 'The projections', key, readJson<Record<string, string>>) ?? {};
}

/** The marks or the outboxLast of a shard, by shard. */
export function readPairs(
  tables: ReadTables,
  shard: number,
  kind: typeof kinds.mark | typeof kinds.outboxLast,
): { readonly shard: number; readonly n: number }[] {
  return [...tables.state.getRange(rangeOf(shardKey(kind, shard)))].map(({ key, value }) => {
    const other = otherIn(key);
    const what = kind === kinds.mark ? `The mark of shard ${other}` : `The last outbox number to shard ${other}`;
    const [n] = whole(shard, what, () => readNumbers(key, value, 1));
    return { shard: other, n: n as number };
  });
}

export function readTopicNumbers(tables: ReadTables, shard: number, topic: string): TopicNumbers {
  const key = nameKey(kinds.topic, shard, topic);
  const [head, oldest] = readState(tables, shard, `Topic ${topic}`, key, (k, r) => readNumbers(k, r, 2)) ?? [0, 1];
  return { head: head as number, oldest: oldest as number };
}

export function readBook(tables: ReadTables, shard: number): ShardBook {
  const epoch = readState(tables, shard, 'The epoch', shardKey(kinds.epoch, shard), readJson<EpochRecord>);
  const outboxLast = new Map(readPairs(tables, shard, kinds.outboxLast).map((mark) => [mark.shard, mark.n]));
  const outboxFirst = new Map<number, number>();
  for (const [to, last] of outboxLast) {
    const range = { start: outboxKey(shard, to, 0), end: outboxKey(shard, to, last + 1) };
    outboxFirst.set(to, numberAt(tables.state, range) ?? last + 1);
  }
  const letters = rangeOf(shardKey(kinds.deadLetter, shard));
  const deadFirst = numberAt(tables.state, letters);
  const deadLast = numberAt(tables.state, { start: letters.end, end: letters.start, reverse: true });
  return {
    head: readShardHead(tables, shard),
    epochNumber: epoch?.number ?? 0,
    holder: undefined,
    projections: readProjections(tables, shard),
    outboxFirst,
    outboxLast,
    deadFirst: deadFirst ?? 1,
    deadNext: (deadLast ?? 0) + 1,
    topics: new Map(),
  };
}

/** The number that the first key of a range ends with. */
function numberAt(table: ReadTable, range: { start: Buffer; end: Buffer; reverse?: boolean }): number | undefined {
  for (const key of table.getKeys({ ...range, limit: 1 })) return numberIn(key);
  return undefined;
}

/**
 * Lists the writes of a commit that is the next one, moves the book on, and gives the publications' offsets. `tables` are
 * the latest ones; where views are cleared, everything must be applied, for their rows are looked up.
 */
export function planCommit(
  tables: ReadTables,
  book: ShardBook,
  commit: Commit,
  bounds: JournalBounds,
  writes: Write[],
): readonly number[] {
  const { shard } = commit;
  // What can throw (a damaged topic) comes before the book moves.
  const topics = new Map(commit.publications.map(({ topic }) => [topic, topicNumbers(tables, book, shard, topic)]));
  const cleared = commit.viewsCleared.flatMap((view) => rowKeysOf(tables, shard, view));
  const put = (key: Buffer, value: Buffer): void => {
    writes.push({ table: 'state', key, value });
  };
  const remove = (key: Buffer): void => {
    writes.push({ table: 'state', key, value: undefined });
  };

  for (const entry of commit.entries) {
    const key = entryKey(shard, entry.seq);
    writes.push({ table: 'journal', key, value: entryRecord(key, entry) });
  }
  for (const index of commit.actors) {
    const key = nameKey(kinds.index, shard, index.actor);
    put(key, indexRecord(key, index));
  }
  for (const snapshot of commit.snapshots) {
    const key = nameKey(kinds.snapshot, shard, snapshot.actor);
    put(key, snapshotRecord(key, snapshot));
  }
  for (const { actor, id } of commit.timersCleared) remove(timerKey(shard, actor, id));
  for (const timer of commit.timersSet) {
    const key = timerKey(shard, timer.actor, timer.id);
    put(key, timerRecord(key, timer));
  }
  planOutbox(book, commit, put, remove);
  for (const mark of commit.marks) {
    const key = pairKey(kinds.mark, shard, mark.shard);
    put(key, numbersRecord(key, [mark.n]));
  }
  planDeadLetters(book, commit, bounds.deadLettersMax, put, remove);
  for (const key of cleared) remove(key);
  for (const { view, key: name, payload } of commit.views) {
    const key = rowKey(shard, view, name);
    if (payload === undefined) remove(key);
    else put(key, payloadRecord(key, payload));
  }
  const offsets = planPublications(topics, commit, bounds.topicHistoryMax, put, remove);
  planHead(book, commit, put);
  if (book.topics.size > topicsMax) book.topics.clear();
  for (const [topic, numbers] of topics) book.topics.set(topic, numbers);
  return offsets;
}

type Put = (key: Buffer, value: Buffer) => void;
type Remove = (key: Buffer) => void;

function planHead(book: ShardBook, commit: Commit, put: Put): void {
  const { shard } = commit;
  book.head = { commits: commit.number, seq: commit.firstSeq + commit.entries.length - 1, commitId: commit.id };
  const key = shardKey(kinds.head, shard);
  put(key, headRecord(key, book.head));
  const changed = Object.entries(commit.projections).some(([name, version]) => book.projections[name] !== version);
  if (!changed) return;
  book.projections = { ...book.projections, ...commit.projections };
  const projectionsKey = shardKey(kinds.projections, shard);
  put(projectionsKey, jsonRecord(projectionsKey, book.projections));
}

function planOutbox(book: ShardBook, commit: Commit, put: Put, remove: Remove): void {
  const { shard } = commit;
  const touched = new Set<number>();
  for (const { to, n, payload } of commit.outbox) {
    const key = outboxKey(shard, to, n);
    put(key, payloadRecord(key, payload));
    if (!book.outboxFirst.has(to)) book.outboxFirst.set(to, n);
    book.outboxLast.set(to, n);
    touched.add(to);
  }
  for (const to of touched) {
    const key = pairKey(kinds.outboxLast, shard, to);
    put(key, numbersRecord(key, [book.outboxLast.get(to) as number]));
  }
  for (const { shard: to, n } of commit.outboxAcked) {
    const last = Math.min(n, book.outboxLast.get(to) ?? 0);
    let first = book.outboxFirst.get(to) ?? last + 1;
    for (; first <= last; first++) remove(outboxKey(shard, to, first));
    if (book.outboxLast.has(to)) book.outboxFirst.set(to, first);
  }
}

function planDeadLetters(book: ShardBook, commit: Commit, max: number, put: Put, remove: Remove): void {
  for (const letter of commit.deadLetters) {
    const key = deadLetterKey(commit.shard, book.deadNext);
    put(key, deadLetterRecord(key, letter));
    book.deadNext += 1;
  }
  if (commit.deadLetters.length === 0) return;
  for (; book.deadNext - book.deadFirst > max; book.deadFirst++) remove(deadLetterKey(commit.shard, book.deadFirst));
}

function planPublications(
  topics: ReadonlyMap<string, TopicNumbers>,
  commit: Commit,
  historyMax: number,
  put: Put,
  remove: Remove,
): readonly number[] {
  const { shard } = commit;
  const offsets = commit.publications.map(({ topic, payload }) => {
    const numbers = topics.get(topic) as TopicNumbers;
    numbers.head += 1;
    const key = publicationKey(shard, topic, numbers.head);
    put(key, payloadRecord(key, payload));
    return numbers.head;
  });
  for (const [topic, numbers] of topics) {
    for (; numbers.head - numbers.oldest >= historyMax; numbers.oldest++) {
      remove(publicationKey(shard, topic, numbers.oldest));
    }
    const key = nameKey(kinds.topic, shard, topic);
    put(key, numbersRecord(key, [numbers.head, numbers.oldest]));
  }
  return offsets;
}

/** A copy: the book's own moves only when nothing can throw any more. */
function topicNumbers(tables: ReadTables, book: ShardBook, shard: number, topic: string): TopicNumbers {
  const known = book.topics.get(topic);
  return known === undefined ? readTopicNumbers(tables, shard, topic) : { ...known };
}

function rowKeysOf(tables: ReadTables, shard: number, view: string): Buffer[] {
  return [...tables.state.getKeys(rangeOf(rowKey(shard, view, '')))].map((key) => Buffer.from(key));
}
