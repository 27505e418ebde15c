/**
 * Turns the replies of the read functions (reads.lua) into the port's records, and says which one is damaged when a
 * checksum does not fit. It reads nothing itself.
 */

import type { Address } from '../../actor/address.ts';
import { TroupeError } from '../../errors.ts';
import { entriesTrimmed } from '../checks.ts';
import type {
  ActorIndex,
  ActorRecord,
  DeadLetterRecord,
  Head,
  JournalEntry,
  Lease,
  Loss,
  Mark,
  OutboxRecord,
  ShardState,
  SnapshotRecord,
  TimerRecord,
  TopicPage,
  TrimOutcome,
  ViewRow,
} from '../journal.ts';
import type { Reply } from './connection.ts';
import { rowsOf } from './entry-rows.ts';
import {
  decodeDeadLetter,
  decodeIndex,
  decodeSnapshot,
  decodeTimer,
  headChecksum,
  isSnapshot,
  readEntry,
  readRowKey,
  timerKeyOf,
  unsealed,
} from './records.ts';

/** `null` stands where a hash has no such field. */
type Fields = readonly (Buffer | null)[];
type Pairs = readonly Buffer[];

/** What the function `trim` (trim.lua) answered. */
export function trimOutcomeOf({ shard, epoch }: Lease, upto: number, reply: Reply): TrimOutcome {
  const [kind, ...rest] = (reply as readonly Reply[]).map(String) as [string, ...string[]];
  if (kind === 'done') return { kind };
  if (kind === 'head') {
    const message = `Shard ${shard} ends at entry ${rest[0]} and cannot be trimmed up to ${upto}.`;
    return { kind: 'refused', reason: 'head', message };
  }
  const message = `Epoch ${epoch.number} (${epoch.nonce}) does not hold shard ${shard}: nothing is trimmed.`;
  return { kind: 'refused', reason: 'epoch', message };
}

/** The head of `[commits, seq, commit id, checksum]`. */
export function headOf(shard: number, [commits, seq, id, check]: Fields): Head {
  if (commits == null) return { commits: 0, seq: 0, commitId: '' };
  const head = { commits: Number(commits), seq: Number(seq), commitId: String(id ?? '') };
  if (head.commits > 0 && headChecksum(head) !== String(check)) {
    throw new TroupeError('JOURNAL_DAMAGED', `The head of shard ${shard} is damaged.`, { shard });
  }
  return head;
}

export function shardStateOf(shard: number, reply: Reply): ShardState {
  const [head, timers, outbox, marks, projections] = reply as readonly [Fields, Pairs, Pairs, Pairs, Pairs];
  const counted = pairsOf(marks).map(([field, n]) => [field, countOf(shard, field, n)] as const);
  return {
    head: headOf(shard, head),
    first: Number(head[4] ?? 0) + 1,
    ...(head[6] == null ? undefined : { numbers: Number(head[6]) }),
    ...(head[5] == null ? undefined : { losses: String(head[5]).split(' ').map(lossOf) }),
    timers: pairsOf(timers).map(([field, record]) => timerOf(shard, field, record)),
    outbox: pairsOf(outbox)
      .map(([field, record]) => messageOf(shard, field, record))
      .sort((a, b) => a.to - b.to || a.n - b.n),
    outboxLast: marksOf(counted, 'out:'),
    marks: marksOf(counted, 'in:'),
    inbox: counted.find(([field]) => field === 'inbox')?.[1] ?? 0,
    projections: Object.fromEntries(pairsOf(projections).map(([name, version]) => [name, String(version)])),
  };
}

/** As `declare_lost` writes it. */
function lossOf(text: string): Loss {
  const [from, to, seq, epoch, at] = text.split(':').map(Number) as [number, number, number, number, number];
  return { from, to, seq, epoch, at };
}

function timerOf(shard: number, field: string, record: Buffer): TimerRecord {
  const body = unsealed(field, record);
  if (body !== undefined) return decodeTimer(field, body);
  const { actor, id: timer } = timerKeyOf(field);
  throw new TroupeError('JOURNAL_DAMAGED', `Timer ${timer} of ${actor} is damaged.`, { shard, actor, timer });
}

function messageOf(shard: number, field: string, record: Buffer): OutboxRecord {
  const [to, n] = field.split(':').map(Number) as [number, number];
  const payload = unsealed(field, record);
  // Copied, because messages stay in memory until they are acknowledged and would keep the whole reply there.
  if (payload !== undefined) return { to, n, payload: Buffer.from(payload) };
  const what = `Outbox message ${n} from shard ${shard} to ${to}`;
  throw new TroupeError('JOURNAL_DAMAGED', `${what} is damaged.`, { shard, to, n });
}

function countOf(shard: number, mark: string, value: Buffer): number {
  const n = Number(value);
  if (Number.isSafeInteger(n)) return n;
  throw new TroupeError('JOURNAL_DAMAGED', `Mark ${mark} of shard ${shard} is damaged.`, { shard, mark });
}

function marksOf(counted: readonly (readonly [string, number])[], kind: string): readonly Mark[] {
  return counted
    .filter(([field]) => field.startsWith(kind))
    .map(([field, n]) => ({ shard: Number(field.slice(kind.length)), n }))
    .sort((a, b) => a.shard - b.shard);
}

/** What `[index, snapshot, rows of the tail]` says of one actor, or its damage as a value. */
export function actorOf(shard: number, actor: Address, reply: Reply): ActorRecord | TroupeError | undefined {
  const [record, snapshotRecord, tailRows] = reply as readonly [Buffer?, (Buffer | null)?, Buffer?];
  if (record === undefined) return undefined;
  try {
    const { index, snapshot: own } = ownRecord(shard, actor, record);
    if (own !== undefined) return { index, tail: [], snapshot: own };
    const rows = tailRows === undefined ? [] : rowsOf(tailRows);
    const tail = index.tail.map((seq, i) => tailEntry(shard, actor, seq, rows[i] ?? []));
    if (index.snapshotVersion === 0 || snapshotRecord == null) return { index, tail };
    return { index, tail, snapshot: snapshotOf(shard, actor, snapshotRecord) };
  } catch (error) {
    if (error instanceof TroupeError) return error;
    throw error;
  }
}

export function indexOf(shard: number, actor: Address, record: Buffer): ActorIndex {
  return ownRecord(shard, actor, record).index;
}

/** As `indexOf`, with damage as a value. */
export function indexOr(shard: number, actor: Address, record: Buffer | null): ActorIndex | TroupeError | undefined {
  try {
    return record === null ? undefined : indexOf(shard, actor, record);
  } catch (error) {
    if (error instanceof TroupeError) return error;
    throw error;
  }
}

/** The index of an actor, or the one that the snapshot in its place stands for. */
function ownRecord(
  shard: number,
  actor: Address,
  record: Buffer,
): { readonly index: ActorIndex; readonly snapshot?: SnapshotRecord } {
  const body = unsealed(actor, record);
  if (body === undefined) throw damagedActor(shard, actor, 'index', `The index of ${actor} is damaged.`);
  if (!isSnapshot(body)) return { index: decodeIndex(actor, body) };
  const snapshot = decodeSnapshot(actor, body);
  const { version } = snapshot;
  return { index: { actor, version, snapshotVersion: version, tail: [] }, snapshot };
}

function snapshotOf(shard: number, actor: Address, record: Buffer): SnapshotRecord {
  const body = unsealed(actor, record);
  if (body !== undefined) return decodeSnapshot(actor, body);
  throw damagedActor(shard, actor, 'snapshot', `The snapshot of ${actor} is damaged.`);
}

function tailEntry(shard: number, actor: Address, seq: number, [id, ...values]: Pairs): JournalEntry {
  // The function gives what it finds: with one missing, every later one stands in another's place.
  if (String(id) === `${seq}-0`) {
    const entry = readEntry(`${seq}-0`, values);
    if (entry !== undefined && entry.actor === actor) return entry;
  }
  const what = String(id) === `${seq}-0` ? damagedEntry(shard, seq) : missingEntry(shard, seq);
  throw damagedActor(shard, actor, 'entry', `${actor} cannot be read: ${what.message}`, { seq });
}

function damagedActor(shard: number, actor: Address, record: string, message: string, params = {}): TroupeError {
  return new TroupeError('ACTOR_DAMAGED', message, { ...params, shard, actor, record });
}

/**
 * Entries from `first` on, each or its damage as a value, of what XRANGE gives and of the last one that was trimmed. Throws
 * JOURNAL_TRIMMED when `first` was.
 */
export function entriesOf(
  shard: number,
  first: number,
  [replies, trimmed]: readonly [Reply, Reply],
): readonly (JournalEntry | TroupeError)[] {
  const entries = replies as readonly (readonly [id: Buffer, pairs: Pairs])[];
  // What was trimmed after the entries were read is no reason to refuse them.
  const isNext = entries[0] !== undefined && String(entries[0][0]) === `${first}-0`;
  if (!isNext && first <= Number(trimmed ?? 0)) throw entriesTrimmed(shard, first, Number(trimmed) + 1);
  return entries.map(([id, pairs]) => {
    const values = pairs.filter((_, i) => i % 2 === 1);
    return readEntry(String(id), values) ?? damagedEntry(shard, Number.parseInt(String(id), 10));
  });
}

function damagedEntry(shard: number, seq: number): TroupeError {
  return new TroupeError('JOURNAL_DAMAGED', `Entry ${seq} of shard ${shard} is damaged.`, { shard, seq });
}

function missingEntry(shard: number, seq: number): TroupeError {
  return new TroupeError('JOURNAL_DAMAGED', `Entry ${seq} of shard ${shard} is missing.`, { shard, seq });
}

export function topicPageOf(shard: number, topic: string, epoch: string, reply: Reply): TopicPage {
  const [stored, head, kept, first, records] = reply as readonly [Buffer | null, number, number, number, Pairs];
  const publications = records.map((record, i) => {
    const offset = first + i;
    const payload = unsealed(topic, record);
    if (payload !== undefined) return { offset, payload };
    const message = `Publication ${offset} of ${topic} is damaged.`;
    throw new TroupeError('JOURNAL_DAMAGED', message, { shard, topic, offset });
  });
  return { epoch: stored === null ? epoch : String(stored), head, oldest: head - kept + 1, publications };
}

export function deadLetterOf(shard: number, record: Buffer): DeadLetterRecord {
  const body = unsealed('dead', record);
  if (body !== undefined) return decodeDeadLetter(body);
  throw new TroupeError('JOURNAL_DAMAGED', `A dead letter of shard ${shard} is damaged.`, { shard });
}

/** The row of a sorted set's member: key, zero byte, sealed payload. */
export function rowOf(shard: number, view: string, member: Buffer): ViewRow {
  const found = readRowKey(member);
  const key = found?.key ?? '';
  const payload = found && unsealed(`${view} ${key}`, member.subarray(found.end + 1));
  if (payload !== undefined) return { key, payload };
  throw new TroupeError('JOURNAL_DAMAGED', `Row ${key} of view ${view} is damaged.`, { shard, view, key });
}

function pairsOf(flat: Pairs): readonly (readonly [string, Buffer])[] {
  const pairs: [string, Buffer][] = [];
  for (let i = 0; i < flat.length; i += 2) pairs.push([String(flat[i]), flat[i + 1] as Buffer]);
  return pairs;
}
