/**
 * The compaction of one shard, under one lease. Two things, each in pieces:
 *
 * - **Archive and trim.** Take the oldest entries of the journal; see to it that no actor needs one of them to be
 *   rehydrated, by having the shard commit a snapshot of each that does (an ordinary turn: fenced, and in order with its
 *   other commits); write them as a segment; read it back and compare; only then trim, fenced by the epoch. A crash
 *   between any two of these leaves more than is needed, never less, and the next owner goes on from what it finds.
 * - **Retire.** Actors that are over and whose last event is older than the retention are reduced to what their
 *   definition keeps. How far that came is part of a commit of the shard (`retiredProgress`).
 *
 * It trims nothing that it has not just compared with the archive, and nothing before an actor that it cannot make a
 * snapshot of (damaged, of an unknown type, too large): such an actor keeps what follows in the journal, and is named.
 */

import { type Address, typeOf } from '../actor/address.ts';
import type { HostedMachine } from '../actor/logic.ts';
import { type Archive, archivedEntries, firstDifference, reachOf, segmentWith } from '../archive/archive.ts';
import { type Clock, sleep } from '../clock.ts';
import { type ErrorCode, TroupeError } from '../errors.ts';
import type { ActorIndex, Journal, JournalEntry, Lease } from '../journal/journal.ts';
import type { Limits } from '../limits.ts';
import type { Log } from '../log.ts';
import type { Observer } from '../observer.ts';
import type { Barrier, Read, ReadState, Waiting } from './delivery.ts';

/** What it needs of a shard. */
export interface CompactedShard {
  readonly shard: number;
  readonly isOpen: boolean;
  readonly lease: Lease | undefined;
  readonly mailboxLength: number;
  offer(delivery: Read | Barrier): TroupeError | undefined;
}

export interface ShardCompactionOptions {
  readonly journal: Journal;
  readonly hosted: ReadonlyMap<string, HostedMachine>;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly log: Log;
  readonly observer: Observer;
}

/** Beside the projections' versions in a commit: the last entry up to which actors were retired. */
const retiredProgress = 'troupe.retired';

const pageEntries = 1_000;
/** Actors that are read, and made a snapshot of, at once: half of what a turn takes. */
const actorsAtOnce = 128;
/** While more deliveries than a turn takes are waiting, it lets the shard work, but not for ever. */
const pauseMs = 5;
const pausesMax = 20;
/** What is wrong with one actor alone. */
const ofOneActor: ReadonlySet<ErrorCode> = new Set(['ACTOR_DAMAGED', 'MACHINE_FAILED', 'LIMIT_EXCEEDED']);

export class ShardCompaction {
  readonly lease: Lease;
  readonly #options: ShardCompactionOptions;
  readonly #archive: Archive;
  readonly #shard: CompactedShard;
  /** `seq` of the first entry in the journal. */
  #first: number;
  /** The last entry that the archive has without a gap before it. */
  #archived: number;
  #retired: number;
  /** Wall-clock time before which nobody is to be retired. */
  #retireAgainAt = 0;
  /** The actor that was last said to keep the journal from being trimmed. */
  #named: Address | undefined;

  private constructor(
    options: ShardCompactionOptions,
    archive: Archive,
    shard: CompactedShard,
    lease: Lease,
    at: { readonly first: number; readonly archived: number; readonly retired: number },
  ) {
    this.#options = options;
    this.#archive = archive;
    this.#shard = shard;
    this.lease = lease;
    this.#first = at.first;
    this.#archived = at.archived;
    this.#retired = at.retired;
  }

  /** Finds out where the shard stands. The journal has an archive. Rejects with JOURNAL_TRIMMED when it is another one. */
  static async begin(options: ShardCompactionOptions, shard: CompactedShard, lease: Lease): Promise<ShardCompaction> {
    const archive = options.journal.archive as Archive;
    const { first, projections } = await options.journal.readShard(shard.shard);
    const segments = await archive.segments(shard.shard);
    if (first > 1 && segmentWith(segments, first - 1) === undefined)
      throw otherArchive(archive, shard.shard, first - 1);
    const archived = reachOf(segments, first - 1);
    const retired = Number(projections[retiredProgress] ?? 0);
    return new ShardCompaction(options, archive, shard, lease, { first, archived, retired });
  }

  /** Moves one segment from the journal to the archive. False: nothing more is to be moved by now. */
  async archiveNext(): Promise<boolean> {
    const { segmentEntriesMin } = this.#options.limits;
    if (this.#archived >= this.#first) return this.#trimArchived();
    const entries = await this.#due();
    if (entries.length === 0) return false;
    const upto = await this.#untail(entries);
    const run = entries.filter(({ seq }) => seq <= upto);
    if (run.length < segmentEntriesMin) return false;
    const { shard } = this.#shard;
    const segment = await this.#archive.append(shard, run);
    this.#options.observer.archived(shard, run.length, await this.#archive.sizeOf(segment));
    this.#assertSame(run, await this.#archive.readSegment(segment));
    this.#archived = upto;
    await this.#trim(upto);
    return run.length === entries.length;
  }

  /** Retires a page of actors. False: no other one is due by now. */
  async retireNext(): Promise<boolean> {
    const { journal, clock, limits } = this.#options;
    const retentionMs = this.#retentionMs();
    if (retentionMs === undefined || clock.now() < this.#retireAgainAt) return false;
    const { shard } = this.#shard;
    const probe = await this.#entryAt(this.#retired + limits.segmentEntriesMin);
    const dueAt = (probe instanceof Error ? 0 : (probe?.at ?? clock.now())) + retentionMs;
    if (dueAt > clock.now() || probe === undefined) {
      this.#retireAgainAt = Math.min(dueAt, clock.now() + limits.archiveAfterMs);
      return false;
    }
    const page = await journal.readEntries(shard, this.#retired, Math.min(pageEntries, limits.segmentEntriesMax));
    const last = new Map<Address, number>();
    let upto = this.#retired;
    for (const entry of page) {
      if (!(entry instanceof Error)) {
        if (entry.at + retentionMs > clock.now()) break;
        if (this.#retires(entry.actor)) last.set(entry.actor, entry.version);
      }
      upto++;
    }
    // Clocks of nodes differ: a younger entry may stand before the one that was looked at.
    if (upto === this.#retired) return false;
    for (const addresses of slices([...last.keys()], actorsAtOnce)) await this.#retireAll(addresses, last);
    await this.#say({ [retiredProgress]: String(upto) });
    this.#retired = upto;
    return true;
  }

  /** The oldest entries of the journal that are old and many enough to make a segment. */
  async #due(): Promise<readonly JournalEntry[]> {
    const { clock, limits, observer } = this.#options;
    const { journalEntriesMin, segmentEntriesMin, segmentEntriesMax, segmentBytesMax } = limits;
    const { shard } = this.#shard;
    const youngest = clock.now() - limits.archiveAfterMs;
    const enough = this.#first - 1 + segmentEntriesMin;
    // One small read, or two, where nothing is to be done.
    const probe = await this.#entryAt(enough);
    const at = probe === undefined || probe instanceof Error ? Number.POSITIVE_INFINITY : probe.at;
    const isDue = at <= youngest && (await this.#entryAt(enough + journalEntriesMin)) !== undefined;
    observer.archiveLag(shard, isDue ? youngest - at : 0);
    if (!isDue) return [];
    const entries: JournalEntry[] = [];
    let bytes = 0;
    for (let isMore = true; isMore && entries.length < segmentEntriesMax; ) {
      const after = this.#first - 1 + entries.length;
      const page = await this.#read(after, Math.min(pageEntries, segmentEntriesMax - entries.length));
      isMore = page.length > 0;
      for (const entry of page) {
        // A damaged entry stays where it is, and what comes after it as well.
        isMore = !(entry instanceof Error) && entry.at <= youngest && bytes < segmentBytesMax;
        if (!isMore || entry instanceof Error) break;
        bytes += entry.payload.length;
        entries.push(entry);
      }
    }
    const last = this.#first - 1 + entries.length;
    const leavesEnough = (await this.#entryAt(last + journalEntriesMin)) !== undefined;
    return leavesEnough ? entries : entries.slice(0, segmentEntriesMin);
  }

  /** Goes on where somebody stopped between writing a segment and trimming. */
  async #trimArchived(): Promise<boolean> {
    const { limits } = this.#options;
    const last = Math.min(this.#archived, this.#first - 1 + limits.segmentEntriesMax);
    const entries: JournalEntry[] = [];
    while (this.#first + entries.length <= last) {
      const after = this.#first - 1 + entries.length;
      const page = await this.#read(after, Math.min(pageEntries, last - after));
      const damaged = page.find((entry) => entry instanceof Error);
      if (damaged !== undefined) throw damaged;
      if (page.length === 0) break;
      entries.push(...(page as readonly JournalEntry[]));
    }
    this.#assertSame(entries, await archivedEntries(this.#archive, this.#shard.shard, this.#first, last));
    const upto = await this.#untail(entries);
    if (upto >= this.#first) await this.#trim(upto);
    return upto === last;
  }

  /** Has a snapshot made of every actor whose tail has one of these entries. Gives the last entry that may go then. */
  async #untail(entries: readonly JournalEntry[]): Promise<number> {
    let upto = entries.at(-1)?.seq ?? 0;
    const last = upto;
    const first = new Map<Address, number>();
    for (const { actor, seq } of entries) if (!first.has(actor)) first.set(actor, seq);
    for (const addresses of slices([...first.keys()], actorsAtOnce)) {
      await this.#giveWay();
      const needing = (await this.#needing(addresses, first, last)).map(([actor]) => actor);
      if (needing.length === 0) continue;
      await Promise.all(needing.filter((actor) => this.#isHosted(actor)).map((actor) => this.#compact(actor)));
      for (const [actor, seq] of await this.#needing(needing, first, last)) {
        if (seq > upto) continue;
        upto = seq - 1;
        this.#nameOnce(actor);
      }
    }
    return upto;
  }

  /** Which of the actors need an entry up to `last`, and the first one that they (may) need. */
  async #needing(
    actors: readonly Address[],
    first: ReadonlyMap<Address, number>,
    last: number,
  ): Promise<readonly (readonly [Address, number])[]> {
    const indexes = await this.#indexesOf(actors);
    return actors.flatMap((actor, i) => {
      const index = indexes[i];
      // What cannot be read may need anything.
      if (index === undefined || index instanceof Error) return [[actor, first.get(actor) as number] as const];
      const [seq = Number.POSITIVE_INFINITY] = index.tail;
      return seq <= last ? [[actor, seq] as const] : [];
    });
  }

  /** Without the entries of their tails where the store can leave them out: those are most of what there is to read. */
  async #indexesOf(actors: readonly Address[]): Promise<readonly (ActorIndex | Error | undefined)[]> {
    const { journal } = this.#options;
    if (journal.readIndexes !== undefined) return journal.readIndexes(this.#shard.shard, actors);
    const records = await journal.readActors(this.#shard.shard, actors);
    return records.map((record) => (record instanceof Error ? record : record?.index));
  }

  async #retireAll(actors: readonly Address[], last: ReadonlyMap<Address, number>): Promise<void> {
    await this.#giveWay();
    // The turn sees for itself whether an actor has gone on or was retired before.
    const states = await Promise.all(actors.map((actor) => this.#compact(actor, last.get(actor))));
    const retired = states.filter(
      (state, i) => state !== undefined && state.retired === last.get(actors[i] as Address),
    );
    this.#options.observer.retired(this.#shard.shard, retired.length);
  }

  /** Has the shard commit a snapshot of the actor. What is wrong with it alone is found by looking at its record again. */
  #compact(address: Address, retireAt?: number): Promise<ReadState | undefined> {
    return this.#deliver<ReadState | undefined>((waiting) => {
      return { kind: 'read', address, compact: { retireAt }, waiting, attempts: 0 };
    }).catch((error) => {
      if (!(error instanceof TroupeError) || !ofOneActor.has(error.code)) throw error;
      this.#nameOnce(address);
      return undefined;
    });
  }

  #say(progress: Readonly<Record<string, string>>): Promise<void> {
    return this.#deliver<void>((waiting) => ({ kind: 'barrier', progress, waiting, attempts: 0 }));
  }

  #deliver<T>(deliveryOf: (waiting: Waiting<T>) => Read | Barrier): Promise<T> {
    return new Promise((resolve, reject) => {
      const refused = this.#shard.offer(deliveryOf({ resolve, reject }));
      if (refused !== undefined) reject(refused);
    });
  }

  async #trim(upto: number): Promise<void> {
    const { journal, log, observer } = this.#options;
    const { shard } = this.#shard;
    const outcome = await journal.trim?.(this.lease, upto);
    if (outcome?.kind === 'refused') throw new TroupeError('SHARD_LOST', outcome.message, { shard });
    log.debug({ shard, first: this.#first, upto }, `shard ${shard} moved entries to the archive`);
    observer.trimmed(shard, upto + 1 - this.#first);
    this.#first = upto + 1;
  }

  #assertSame(entries: readonly JournalEntry[], archived: readonly JournalEntry[]): void {
    const different = firstDifference(entries, archived);
    if (different === undefined) return;
    const { shard } = this.#shard;
    throw new TroupeError(
      'ARCHIVE_DAMAGED',
      `Entry ${different.seq} of shard ${shard} is not the same in the archive ${this.#archive.description}: the journal was set back after it was archived, or the segment was changed. Nothing is trimmed; troupe verify says more.`,
      { shard, seq: different.seq },
    );
  }

  #nameOnce(actor: Address): void {
    if (this.#named === actor) return;
    this.#named = actor;
    const { shard } = this.#shard;
    this.#options.log.warn(
      { shard, actor },
      `${actor} cannot be compacted; what follows its entries stays in the journal`,
    );
  }

  /** The retention of the definitions that retire anything: the longest of them. */
  #retentionMs(): number | undefined {
    let longest: number | undefined;
    for (const { definition } of this.#options.hosted.values()) {
      if (definition.retire === undefined) continue;
      longest = Math.max(longest ?? 0, definition.retire.afterMs ?? this.#options.limits.retentionMs);
    }
    return longest;
  }

  #isHosted(actor: Address): boolean {
    return this.#options.hosted.has(typeOf(actor));
  }

  #retires(actor: Address): boolean {
    return this.#options.hosted.get(typeOf(actor))?.definition.retire !== undefined;
  }

  async #entryAt(seq: number): Promise<JournalEntry | Error | undefined> {
    return (await this.#read(seq - 1, 1))[0];
  }

  #read(after: number, limit: number): Promise<readonly (JournalEntry | Error)[]> {
    return this.#options.journal.readEntries(this.#shard.shard, after, limit);
  }

  async #giveWay(): Promise<void> {
    const { clock, limits } = this.#options;
    for (let pauses = 0; pauses < pausesMax; pauses++) {
      if (this.#shard.lease !== this.lease) {
        throw new TroupeError('SHARD_LOST', `Shard ${this.#shard.shard} went elsewhere.`, { shard: this.#shard.shard });
      }
      if (this.#shard.mailboxLength <= limits.turnEnvelopesMax) return;
      await sleep(clock, pauseMs);
    }
  }
}

/** Two archives of one store would each lack what the other has. */
function otherArchive({ description }: Archive, shard: number, seq: number): TroupeError {
  return new TroupeError(
    'JOURNAL_TRIMMED',
    `Entry ${seq} of shard ${shard} was trimmed, and the archive ${description} does not have it. Every node of a store uses the same archive: name that one, on a file system that all of them share.`,
    { shard, seq },
  );
}

function slices<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
}
