/**
 * What every adapter checks before it writes: that a commit keeps the port's contract and bounds (`contractBreach`), and
 * that it is the next one under the right epoch (`verdictOn`). Both are pure and run before the first write, because no
 * store undoes half a step: a Redis function keeps the writes it made before it failed, and so does an lmdb-js
 * transaction. A store that checks the head in its own language (Redis) keeps the rules of `verdictOn`.
 *
 * It looks at a commit alone, never at the records stored before: whether a mark or a version follows from the last one
 * is the writer's business (and `troupe verify`'s).
 */

import { slots } from '../actor/address.ts';
import { TroupeError } from '../errors.ts';
import type { JournalBounds } from './bounds.ts';
import type { ActorIndex, Commit, CommitOutcome, Epoch, Head, JournalEntry, Lease, TrimOutcome } from './journal.ts';

/** Characters of an address, a topic's or view's name, a row's key, a commit's id. All are ASCII, as store keys hold them. */
const nameCharsMax = 200;
/** Characters of what is kept beside a payload: event types, timers' ids, reasons. */
const textCharsMax = 1_000;
/** Records of one commit. A turn's budgets (limits.ts) stay far below it. */
const recordsMax = 100_000;

const namePattern = /^[\x20-\x7e]{1,200}$/;

/** Why a commit of a store without inboxes names one; undefined when it does not. */
export function inboxBreach({ inbox }: Commit): string | undefined {
  return inbox === 0 ? undefined : `it names envelope ${inbox} of an inbox, and this store has none`;
}

/** Why a commit breaks the contract or a bound; undefined when it keeps both. */
export function contractBreach(commit: Commit, shards: number, bounds: JournalBounds): string | undefined {
  return (
    frameBreach(commit, shards) ??
    entriesBreach(commit, bounds) ??
    stateBreach(commit, bounds) ??
    messagesBreach(commit, shards, bounds) ??
    viewsBreach(commit, bounds)
  );
}

/**
 * Whether `commit` is the next one: `apply`, or the outcome to answer with. The epoch comes first: a writer that lost its
 * shard learns that, and nothing else, even when its last commit was applied.
 */
export function verdictOn(commit: Commit, holder: Epoch | undefined, head: Head): 'apply' | CommitOutcome {
  const { shard, epoch, number, firstSeq } = commit;
  if (holder === undefined || holder.number !== epoch.number || holder.nonce !== epoch.nonce) {
    const held = holder === undefined ? 'nobody holds it' : `epoch ${holder.number} (${holder.nonce}) holds it`;
    const message = `Epoch ${epoch.number} (${epoch.nonce}) does not hold shard ${shard}; ${held}.`;
    return { kind: 'refused', reason: 'epoch', message };
  }
  if (number === head.commits && commit.id === head.commitId) return { kind: 'done', offsets: undefined };
  if (number !== head.commits + 1 || firstSeq !== head.seq + 1) {
    const message = `Commit ${number} (first seq ${firstSeq}) does not follow the head of shard ${shard}: commit ${head.commits}, seq ${head.seq}.`;
    return { kind: 'refused', reason: 'head', message };
  }
  return 'apply';
}

/** Why a trim is refused; undefined when it is to be done. */
export function verdictOnTrim(
  { shard, epoch }: Lease,
  upto: number,
  holder: Epoch | undefined,
  head: Head,
): TrimOutcome | undefined {
  if (holder === undefined || holder.number !== epoch.number || holder.nonce !== epoch.nonce) {
    const message = `Epoch ${epoch.number} (${epoch.nonce}) does not hold shard ${shard}: nothing is trimmed.`;
    return { kind: 'refused', reason: 'epoch', message };
  }
  if (isCount(upto) && upto <= head.seq) return undefined;
  const message = `Shard ${shard} ends at entry ${head.seq} and cannot be trimmed up to ${upto}.`;
  return { kind: 'refused', reason: 'head', message };
}

/** The error of a read that would have to begin with an entry that was trimmed. */
export function entriesTrimmed(shard: number, next: number, first: number): TroupeError {
  return new TroupeError(
    'JOURNAL_TRIMMED',
    `Entry ${next} of shard ${shard} was moved to an archive, as all before entry ${first}; open the store together with its archive (ARCHIVE=file:<folder>) to read them.`,
    { shard, next, first },
  );
}

/** The error of a read that would show less than this journal was answered. */
export function commitsMissing(shard: number): TroupeError {
  const message = `The store lacks commits of shard ${shard} that were answered: it has gone backwards. Acquire the shard.`;
  return new TroupeError('JOURNAL_UNAVAILABLE', message, { shard });
}

/** Throws when the store has no such shard. */
export function assertShard(shard: number, shards: number): void {
  if (isCount(shard) && shard < shards) return;
  throw new TroupeError('JOURNAL_INCOMPATIBLE', `There is no shard ${shard}: the store has ${shards}, from 0.`, {
    shard,
    shards,
  });
}

/** Throws when an envelope for a shard's inbox is larger than any record may be. */
export function assertEnvelope(shard: number, { length }: Uint8Array, bytesMax: number): void {
  if (length <= bytesMax) return;
  const message = `An envelope for shard ${shard} has ${length} bytes; at most ${bytesMax} are taken.`;
  throw new TroupeError('LIMIT_EXCEEDED', message, { shard, bytes: length, max: bytesMax, sent: false });
}

/** Throws unless `shards` is a number of shards a store can be made with. */
export function assertShards(shards: number): void {
  if (Number.isInteger(shards) && shards >= 1 && shards <= slots) return;
  throw new TroupeError('CONFIG_INVALID', `A store has 1 to ${slots} shards, not ${shards}.`, { shards });
}

/** The error of a store that was made with another number of shards than it is opened with. */
export function shardsDiffer(stored: number, asked: number): TroupeError {
  return new TroupeError(
    'JOURNAL_INCOMPATIBLE',
    `The store was made with ${stored} shards and cannot be opened with ${asked}: its number of shards never changes. Open it with ${stored}, or leave the number out.`,
    { stored, asked },
  );
}

function frameBreach(commit: Commit, shards: number): string | undefined {
  const { shard, epoch } = commit;
  if (!isCount(shard) || shard >= shards) return `there is no shard ${shard}: the store has ${shards}, from 0`;
  if (!isRank(epoch.number) || !isName(epoch.nonce)) return 'its epoch is not a positive number and a nonce';
  if (!isRank(commit.number)) return `its number ${commit.number} is not a positive integer`;
  if (!isRank(commit.firstSeq)) return `its firstSeq ${commit.firstSeq} is not a positive integer`;
  if (!isCount(commit.inbox)) return `its inbox number ${commit.inbox} is not a whole number from 0`;
  if (!isName(commit.id)) return `its id is not 1 to ${nameCharsMax} ASCII characters`;
  if (recordsIn(commit) > recordsMax) return `it has ${recordsIn(commit)} records; at most ${recordsMax} are taken`;
  return undefined;
}

function entriesBreach(commit: Commit, bounds: JournalBounds): string | undefined {
  for (let i = 0; i < commit.entries.length; i++) {
    const entry = commit.entries[i] as JournalEntry;
    const breach = entryBreach(entry, commit.firstSeq + i, bounds);
    if (breach !== undefined) return `entry ${i} (seq ${entry.seq}, ${entry.actor}) ${breach}`;
  }
  return undefined;
}

function entryBreach(entry: JournalEntry, seq: number, bounds: JournalBounds): string | undefined {
  if (entry.seq !== seq) return `should have seq ${seq}`;
  if (!isName(entry.actor)) return 'has no valid address';
  if (!isRank(entry.version)) return `has version ${entry.version}, which is not a positive integer`;
  if (!isText(entry.type) || entry.type === '') return `has a type that is not 1 to ${textCharsMax} characters`;
  if (!entry.emitted.every(isText)) return `has an emitted type that is not up to ${textCharsMax} characters`;
  if (entry.from !== undefined && !isName(entry.from)) return 'has a sender without a valid address';
  if (entry.operation !== undefined && !isText(entry.operation)) return 'has an operation that is too long';
  if (!Number.isFinite(entry.at)) return `has the time ${entry.at}`;
  return payloadBreach(entry.payload, bounds);
}

function stateBreach(commit: Commit, bounds: JournalBounds): string | undefined {
  const lastSeq = commit.firstSeq + commit.entries.length - 1;
  for (const index of commit.actors) {
    const breach = indexBreach(index, lastSeq);
    if (breach !== undefined) return `the index of ${index.actor} ${breach}`;
  }
  for (const snapshot of commit.snapshots) {
    if (!isName(snapshot.actor) || !isRank(snapshot.version)) return 'a snapshot has no valid address or version';
    const breach = payloadBreach(snapshot.payload, bounds);
    if (breach !== undefined) return `the snapshot of ${snapshot.actor} ${breach}`;
  }
  for (const timer of commit.timersSet) {
    if (!isName(timer.actor) || !isText(timer.id)) return 'a timer has no valid address or id';
    if (!Number.isFinite(timer.dueAt) || !isCount(timer.generation))
      return `timer ${timer.id} of ${timer.actor} has no time`;
    if (timer.operation !== undefined && !isText(timer.operation))
      return `timer ${timer.id} has an operation that is too long`;
    const breach = payloadBreach(timer.payload, bounds);
    if (breach !== undefined) return `timer ${timer.id} of ${timer.actor} ${breach}`;
  }
  for (const timer of commit.timersCleared) {
    if (!isName(timer.actor) || !isText(timer.id)) return 'a cleared timer has no valid address or id';
  }
  return undefined;
}

function indexBreach(index: ActorIndex, lastSeq: number): string | undefined {
  const { version, snapshotVersion, tail } = index;
  if (!isName(index.actor)) return 'has no valid address';
  if (!isRank(version) || !isCount(snapshotVersion) || snapshotVersion > version) {
    return `has version ${version} and snapshot version ${snapshotVersion}`;
  }
  if (tail.length !== version - snapshotVersion) {
    return `has a tail of ${tail.length} entries for versions ${snapshotVersion + 1} to ${version}`;
  }
  let before = 0;
  for (const seq of tail) {
    if (!isRank(seq) || seq <= before || seq > lastSeq)
      return `has seq ${seq} in its tail, after ${before}, last ${lastSeq}`;
    before = seq;
  }
  return undefined;
}

function messagesBreach(commit: Commit, shards: number, bounds: JournalBounds): string | undefined {
  for (const { to, n, payload } of commit.outbox) {
    if (!isCount(to) || to >= shards || !isRank(n)) return `an outbox message goes to shard ${to} as number ${n}`;
    const breach = payloadBreach(payload, bounds);
    if (breach !== undefined) return `outbox message ${n} to shard ${to} ${breach}`;
  }
  for (const mark of [...commit.outboxAcked, ...commit.marks]) {
    if (!isCount(mark.shard) || mark.shard >= shards || !isCount(mark.n))
      return `a mark names shard ${mark.shard}, n ${mark.n}`;
  }
  for (const { topic, payload } of commit.publications) {
    if (!isName(topic)) return `a topic's name is not 1 to ${nameCharsMax} ASCII characters`;
    const breach = payloadBreach(payload, bounds);
    if (breach !== undefined) return `a publication to ${topic} ${breach}`;
  }
  for (const letter of commit.deadLetters) {
    if (!isText(letter.code) || typeof letter.reason !== 'string') return 'a dead letter has no code or reason';
    if (letter.reason.length > bounds.recordBytesMax / 3)
      return `a dead letter's reason has ${letter.reason.length} characters`;
    if (!Number.isFinite(letter.at)) return `a dead letter has the time ${letter.at}`;
    const breach = payloadBreach(letter.payload, bounds);
    if (breach !== undefined) return `a dead letter ${breach}`;
  }
  return undefined;
}

function viewsBreach(commit: Commit, bounds: JournalBounds): string | undefined {
  for (const view of commit.viewsCleared) {
    if (!isName(view)) return `a view's name is not 1 to ${nameCharsMax} ASCII characters`;
  }
  for (const { view, key, payload } of commit.views) {
    if (!isName(view)) return `a view's name is not 1 to ${nameCharsMax} ASCII characters`;
    if (!isName(key)) return `a key of view ${view} is not 1 to ${nameCharsMax} ASCII characters`;
    const breach = payload === undefined ? undefined : payloadBreach(payload, bounds);
    if (breach !== undefined) return `row ${key} of view ${view} ${breach}`;
  }
  for (const [name, version] of Object.entries(commit.projections)) {
    if (!isName(name) || !isText(version)) return `projection ${name} has no valid name or version`;
  }
  return undefined;
}

function payloadBreach(payload: Uint8Array, bounds: JournalBounds): string | undefined {
  if (!(payload instanceof Uint8Array)) return 'has a payload that is not bytes';
  if (payload.length <= bounds.recordBytesMax) return undefined;
  return `has ${payload.length} bytes; at most ${bounds.recordBytesMax} are taken`;
}

function recordsIn(commit: Commit): number {
  return (
    commit.entries.length +
    commit.actors.length +
    commit.snapshots.length +
    commit.timersSet.length +
    commit.timersCleared.length +
    commit.outbox.length +
    commit.publications.length +
    commit.deadLetters.length +
    commit.views.length
  );
}

/** A whole number from 0. */
function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/** A whole number from 1. */
function isRank(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1;
}

function isName(value: string): boolean {
  return typeof value === 'string' && namePattern.test(value);
}

function isText(value: string): boolean {
  return typeof value === 'string' && value.length <= textCharsMax;
}
