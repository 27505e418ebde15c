/**
 * The reads of the LMDB adapter. Each runs in one go on one snapshot of the store, so what it gives belongs together.
 * Reads of single keys (`readActors`, `readRows`) may be given the latest tables; reads of ranges are given LMDB's own,
 * and their caller waits before until LMDB has what was answered.
 */

import type { Address } from '../actor/address.ts';
import { TroupeError } from '../errors.ts';
import { entriesTrimmed } from './checks.ts';
import type {
  ActorIndex,
  ActorRecord,
  DeadLetterRecord,
  JournalEntry,
  OutboxRecord,
  RangeOptions,
  ShardState,
  SnapshotRecord,
  TimerRecord,
  TopicPage,
  ViewRow,
} from './journal.ts';
import {
  entryKey,
  kinds,
  nameIn,
  nameKey,
  numberIn,
  otherIn,
  publicationKey,
  rangeOf,
  rowIn,
  rowKey,
  shardKey,
} from './lmdb-keys.ts';
import {
  DamagedRecord,
  readDeadLetter,
  readEntry,
  readIndex,
  readPayload,
  readSnapshot,
  readTimer,
} from './lmdb-records.ts';
import { readPairs, readProjections, readShardHead, readTopicNumbers, readTrimmed, whole } from './lmdb-shard.ts';
import type { ReadTables } from './lmdb-tables.ts';

export function readShard(tables: ReadTables, shard: number): Omit<ShardState, 'first'> {
  const timers: TimerRecord[] = [];
  for (const { key, value } of tables.state.getRange(rangeOf(shardKey(kinds.timer, shard)))) {
    timers.push(whole(shard, `Timer "${nameIn(key).replace('\0', ' ')}"`, () => readTimer(key, value)));
  }
  const outbox: OutboxRecord[] = [];
  for (const { key, value } of tables.state.getRange(rangeOf(shardKey(kinds.outbox, shard)))) {
    const [to, n] = [otherIn(key), numberIn(key)];
    outbox.push({ to, n, payload: whole(shard, `Outbox message ${n} to shard ${to}`, () => readPayload(key, value)) });
  }
  return {
    head: readShardHead(tables, shard),
    timers,
    outbox,
    outboxLast: readPairs(tables, shard, kinds.outboxLast),
    inbox: 0,
    marks: readPairs(tables, shard, kinds.mark),
    projections: readProjections(tables, shard),
  };
}

export function readEntries(tables: ReadTables, shard: number, after: number, limit: number): (JournalEntry | Error)[] {
  const start = Math.max(0, after) + 1;
  const { seq: last } = readShardHead(tables, shard);
  const entries: (JournalEntry | Error)[] = [];
  const end = Math.min(last, start + limit - 1);
  const trimmed = readTrimmed(tables, shard);
  if (start <= trimmed && limit > 0) throw entriesTrimmed(shard, start, trimmed + 1);
  if (end < start) return entries;
  for (const { key, value } of tables.journal.getRange({
    start: entryKey(shard, start),
    end: entryKey(shard, end + 1),
  })) {
    const seq = numberIn(key);
    while (start + entries.length < seq) entries.push(missing(shard, start + entries.length));
    entries.push(entryOr(shard, seq, key, value));
  }
  while (start + entries.length <= end) entries.push(missing(shard, start + entries.length));
  return entries;
}

export function readActors(
  tables: ReadTables,
  shard: number,
  actors: readonly Address[],
): (ActorRecord | Error | undefined)[] {
  return actors.map((actor) => {
    try {
      return readActor(tables, shard, actor);
    } catch (error) {
      if (error instanceof TroupeError) return error;
      throw error;
    }
  });
}

function readActor(tables: ReadTables, shard: number, actor: Address): ActorRecord | undefined {
  const index = indexOf(tables, shard, actor);
  if (index === undefined) return undefined;
  const tail = index.tail.map((seq) => {
    const key = entryKey(shard, seq);
    const record = tables.journal.getBinary(key);
    const entry = record === undefined ? missing(shard, seq) : entryOr(shard, seq, key, record);
    if (!(entry instanceof Error)) return entry;
    const params = { shard, actor, record: 'entry', seq };
    throw new TroupeError('ACTOR_DAMAGED', `${actor} cannot be read: ${entry.message}`, params, entry);
  });
  const snapshot = index.snapshotVersion === 0 ? undefined : snapshotOf(tables, shard, actor);
  return snapshot === undefined ? { index, tail } : { index, snapshot, tail };
}

function indexOf(tables: ReadTables, shard: number, actor: Address): ActorIndex | undefined {
  const key = nameKey(kinds.index, shard, actor);
  const record = tables.state.getBinary(key);
  if (record === undefined) return undefined;
  return ofActor(shard, actor, 'index', () => readIndex(key, actor, record));
}

function snapshotOf(tables: ReadTables, shard: number, actor: Address): SnapshotRecord | undefined {
  const key = nameKey(kinds.snapshot, shard, actor);
  const record = tables.state.getBinary(key);
  if (record === undefined) return undefined;
  return ofActor(shard, actor, 'snapshot', () => readSnapshot(key, actor, record));
}

export function listActors(tables: ReadTables, shard: number, options: RangeOptions): ActorIndex[] {
  const base = shardKey(kinds.index, shard);
  return scan(tables, base, options).map(({ key, value }) => {
    const actor = nameIn(key) as Address;
    return ofActor(shard, actor, 'index', () => readIndex(key, actor, value));
  });
}

export function readTopic(
  tables: ReadTables,
  shard: number,
  topic: string,
  after: number,
  limit: number,
): Omit<TopicPage, 'epoch'> {
  const { head, oldest } = readTopicNumbers(tables, shard, topic);
  const first = Math.max(after + 1, oldest);
  const publications: { readonly offset: number; readonly payload: Uint8Array }[] = [];
  if (first <= head) {
    const range = { start: publicationKey(shard, topic, first), end: publicationKey(shard, topic, head + 1), limit };
    for (const { key, value } of tables.state.getRange(range)) {
      const offset = numberIn(key);
      const payload = whole(shard, `Publication ${offset} of ${topic}`, () => readPayload(key, value));
      publications.push({ offset, payload });
    }
  }
  return { head, oldest, publications };
}

export function readDeadLetters(tables: ReadTables, shard: number, limit: number): DeadLetterRecord[] {
  const { start, end } = rangeOf(shardKey(kinds.deadLetter, shard));
  return [...tables.state.getRange({ start: end, end: start, reverse: true, limit })].map(({ key, value }) =>
    whole(shard, `Dead letter ${numberIn(key)}`, () => readDeadLetter(key, value)),
  );
}

export function readRows(
  tables: ReadTables,
  shard: number,
  view: string,
  names: readonly string[],
): (Uint8Array | undefined)[] {
  return names.map((name) => {
    const key = rowKey(shard, view, name);
    const record = tables.state.getBinary(key);
    return record === undefined ? undefined : rowPayload(shard, view, name, key, record);
  });
}

export function readRange(tables: ReadTables, shard: number, view: string, options: RangeOptions): ViewRow[] {
  return scan(tables, rowKey(shard, view, ''), options).map(({ key, value }) => {
    const name = rowIn(key);
    return { key: name, payload: rowPayload(shard, view, name, key, value) };
  });
}

/** The records whose keys are `base` and a name within the options. */
function scan(
  tables: ReadTables,
  base: Buffer,
  options: RangeOptions,
): { readonly key: Buffer; readonly value: Buffer }[] {
  const { prefix = '', after, reverse = false, limit } = options;
  const { start, end } = rangeOf(Buffer.concat([base, Buffer.from(prefix, 'latin1')]));
  const pivot = after === undefined ? undefined : Buffer.concat([base, Buffer.from(after, 'latin1')]);
  if (reverse) {
    // LMDB's start is inclusive; `end` and `pivot` are not wanted.
    const from = pivot === undefined || pivot.compare(end) > 0 ? end : pivot;
    if (from.compare(start) <= 0) return [];
    const range = { start: from, end: start, reverse: true, exclusiveStart: true, inclusiveEnd: true, limit };
    return [...tables.state.getRange(range)];
  }
  const isAfter = pivot !== undefined && pivot.compare(start) >= 0;
  const from = isAfter ? pivot : start;
  if (from.compare(end) >= 0) return [];
  return [...tables.state.getRange({ start: from, end, exclusiveStart: isAfter, limit })];
}

function entryOr(shard: number, seq: number, key: Buffer, record: Buffer): JournalEntry | Error {
  try {
    return readEntry(key, seq, record);
  } catch (error) {
    if (!(error instanceof DamagedRecord)) throw error;
    const message = `Entry ${seq} of shard ${shard} is damaged: ${error.message}.`;
    return new TroupeError('JOURNAL_DAMAGED', message, { shard, seq }, error);
  }
}

function missing(shard: number, seq: number): Error {
  return new TroupeError('JOURNAL_DAMAGED', `Entry ${seq} of shard ${shard} is missing.`, { shard, seq });
}

function ofActor<T>(shard: number, actor: Address, record: 'index' | 'snapshot', read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof DamagedRecord)) throw error;
    const message = `The ${record} of ${actor} (shard ${shard}) is damaged: ${error.message}.`;
    throw new TroupeError('ACTOR_DAMAGED', message, { shard, actor, record }, error);
  }
}

function rowPayload(shard: number, view: string, name: string, key: Buffer, record: Buffer): Uint8Array {
  return whole(shard, `Row ${name} of view ${view}`, () => readPayload(key, record));
}
