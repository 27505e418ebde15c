/**
 * The past of one actor: its entries with the state before and after each, folded from the journal and its archive. What
 * lies behind its newest snapshot comes from the actor's own records; what lies before is looked for in the journal of
 * its shard, from the last place that is remembered on.
 *
 * It guarantees that a state is the fold of everything before it, reduced where the actor was retired. It writes nothing,
 * needs no actor to be resident, and keeps a bounded number of places. Where entries were trimmed and no archive has
 * them, history begins behind the snapshot, and `begins` says so.
 */

import type { AnyMachineSnapshot } from 'xstate';
import type { Address } from '../actor/address.ts';
import type { HostedMachine } from '../actor/logic.ts';
import { messageOf, TroupeError } from '../errors.ts';
import type { ActorRecord, Journal, JournalEntry } from '../journal/journal.ts';
import { foldEntry, foldRetirement, type ReplayedActor, type ReplayedStep, unborn } from '../projection/replay.ts';
import { Bookmarks } from './bookmarks.ts';
import type { Scans } from './scans.ts';
import type { TravelLimits } from './travel-limits.ts';

/** One step, with the states around it; the actor itself has gone on. */
export interface Moment extends Omit<ReplayedStep, 'actor'> {
  readonly before: AnyMachineSnapshot;
  readonly after: AnyMachineSnapshot;
}

export interface Past {
  /** Version after its newest event; 0 for an actor that has none. */
  readonly version: number;
  /** The version before the first of `moments`, and the state at it; undefined where the actor cannot be folded that far. */
  readonly from: number;
  readonly state: AnyMachineSnapshot | undefined;
  readonly moments: readonly Moment[];
  /** The first version whose event is there, and why it is not 1. */
  readonly begins: { readonly version: number; readonly reason: string } | undefined;
  /** Version at which it was retired. */
  readonly retired: number | undefined;
  /** Why it could not be folded any further. */
  readonly problem: string | undefined;
}

/** Which part of a history: the events after version `after`, at most `limit`. */
export interface Part {
  readonly after: number;
  readonly limit: number;
}

interface Known {
  readonly version: number;
  readonly retired: number | undefined;
  readonly damage: string | undefined;
}

/** The versions from which on one more state is remembered. */
const bookmarkEvery = 200;

export class PastReader {
  readonly #journal: Journal;
  readonly #scans: Scans;
  readonly #bookmarks: Bookmarks;

  constructor(journal: Journal, scans: Scans, limits: TravelLimits) {
    this.#journal = journal;
    this.#scans = scans;
    this.#bookmarks = new Bookmarks(limits);
  }

  /** Rejects with what the journal rejects with; an actor that cannot be folded is a `problem`. */
  async read(shard: number, hosted: HostedMachine, address: Address, part: Part): Promise<Past> {
    const [record] = await this.#journal.readActors(shard, [address]);
    if (record === undefined) return absent(address, hosted, part);
    if (record instanceof Error) {
      const damaged = { version: Number.POSITIVE_INFINITY, retired: undefined, damage: record.message };
      return this.#scans.run(() => this.#scanned(shard, hosted, address, part, damaged));
    }
    const { snapshot, index } = record;
    const retired = snapshot === undefined ? undefined : hosted.retiredAt(snapshot.payload);
    const known = { version: index.version, retired, damage: undefined };
    if (part.after >= index.snapshotVersion) {
      const recent = recentPast(hosted, record, part, known);
      if (recent !== undefined) return recent;
    }
    try {
      return await this.#scans.run(() => this.#scanned(shard, hosted, address, part, known));
    } catch (error) {
      if (!(error instanceof TroupeError) || error.code !== 'JOURNAL_TRIMMED') throw error;
      const from = index.snapshotVersion;
      const recent = recentPast(hosted, record, { after: from, limit: part.limit }, known);
      if (recent === undefined) throw error;
      const reason = `Events 1 to ${from} were moved to an archive, which was not opened with the journal.`;
      return { ...recent, begins: { version: from + 1, reason } };
    }
  }

  /** From the entries of the whole shard. */
  async #scanned(
    shard: number,
    hosted: HostedMachine,
    address: Address,
    { after, limit }: Part,
    known: Known,
  ): Promise<Past> {
    const mark = await this.#bookmarks.find(this.#journal, shard, address, after, known.retired);
    const actor: ReplayedActor = unborn(address, hosted);
    if (mark !== undefined) {
      const retired = mark.retired !== undefined && mark.version >= mark.retired ? mark.retired : undefined;
      Object.assign(actor, { state: mark.state, version: mark.version, birth: undefined, retired });
    }
    const gathering = new Gathering(actor, { after, limit }, known);
    let damage = known.damage;
    for (let at = mark?.seq ?? 0; !gathering.isComplete; ) {
      const page = await this.#scans.page(this.#journal, shard, at);
      if (page.length === 0) break;
      for (const entry of page) {
        at = entry instanceof Error ? at + 1 : entry.seq;
        // Nobody knows whose a damaged entry was: it is only told when the actor's history has a gap.
        if (entry instanceof Error) damage ??= entry.message;
        else if (entry.actor === address && !gathering.isComplete) {
          gathering.take(entry);
          const isPlace = actor.version % bookmarkEvery === 0 || actor.version === after + limit;
          if (isPlace && gathering.problem === undefined) this.#bookmarks.add(address, actor, entry, known.retired);
          await this.#scans.rest();
        }
      }
    }
    return gathering.past(damage);
  }
}

/** An actor that never accepted an event: it can only be at version 0. */
function absent(address: Address, hosted: HostedMachine, { after }: Part): Past {
  const nothing = { version: 0, from: 0, moments: [], begins: undefined, retired: undefined };
  try {
    const { state } = unborn(address, hosted);
    return { ...nothing, state: after === 0 ? state : undefined, problem: undefined };
  } catch (error) {
    return { ...nothing, state: undefined, problem: messageOf(error) };
  }
}

/** From the actor's own records; undefined when its snapshot is missing or of another version of the machine. */
function recentPast(hosted: HostedMachine, record: ActorRecord, part: Part, known: Known): Past | undefined {
  const { index, snapshot, tail } = record;
  const actor = unborn(index.actor, hosted);
  if (index.snapshotVersion > 0) {
    const state = snapshot === undefined ? undefined : hosted.restore(snapshot.payload);
    if (state === undefined) return undefined;
    Object.assign(actor, { state, version: index.snapshotVersion, birth: undefined, retired: known.retired });
  }
  const gathering = new Gathering(actor, part, known);
  for (const entry of tail) {
    if (gathering.isComplete) break;
    gathering.take(entry);
  }
  return gathering.past(undefined);
}

/** Folds an actor on and keeps the steps that were asked for. */
class Gathering {
  problem: string | undefined;
  readonly #actor: ReplayedActor;
  readonly #part: Part;
  readonly #known: Known;
  readonly #moments: Moment[] = [];
  #base: AnyMachineSnapshot | undefined;

  constructor(actor: ReplayedActor, part: Part, known: Known) {
    this.#actor = actor;
    this.#part = part;
    this.#known = known;
    this.#settle();
  }

  get isComplete(): boolean {
    const { after, limit } = this.#part;
    const { version } = this.#actor;
    return this.problem !== undefined || version >= after + limit || version >= this.#known.version;
  }

  take(entry: JournalEntry): void {
    const before = this.#actor.state;
    try {
      const { actor: _, ...step } = foldEntry(this.#actor, entry);
      if (this.#actor.version > this.#part.after) this.#moments.push({ ...step, before, after: this.#actor.state });
    } catch (error) {
      this.problem = `Event ${this.#actor.version + 1} cannot be folded: ${messageOf(error)}.`;
      return;
    }
    this.#settle();
  }

  past(damage: string | undefined): Past {
    const { version, retired } = this.#known;
    const known = Number.isFinite(version) ? version : this.#actor.version;
    // An entry that was looked for and not found was damaged, or is gone.
    const isShort = this.#actor.version < Math.min(known, this.#part.after + this.#part.limit);
    const missing = isShort ? `Event ${this.#actor.version + 1} is not in the journal.` : undefined;
    const problem = this.problem ?? missing ?? (Number.isFinite(version) ? undefined : damage);
    return {
      version: known,
      from: this.#part.after,
      state: this.#base,
      moments: this.#moments,
      begins: undefined,
      retired,
      problem: problem === undefined || problem === damage || damage === undefined ? problem : `${problem} ${damage}`,
    };
  }

  /** What is so of a state once it is reached: reduced if it was, and the one that was asked for. */
  #settle(): void {
    if (this.#actor.version === this.#known.retired && this.#actor.retired === undefined) foldRetirement(this.#actor);
    if (this.#actor.version === this.#part.after) this.#base = this.#actor.state;
  }
}
