/**
 * Replays the journal of one shard from its first entry: every actor is folded in journal order, and each accepted event
 * is handed over with the state after it. What rebuilds a view, rebuilds snapshots or verifies a store reads through
 * here, so that they cannot disagree about what the journal says.
 *
 * It causes nothing: effects and timers of the folded transitions are only shown. What cannot be folded (a damaged entry, a
 * gap, an unknown type, a machine that throws) stops that actor, never the shard. Memory follows the actors of one shard.
 */

import type { AnyMachineSnapshot } from 'xstate';
import { type Address, idOf, parseAddress } from '../actor/address.ts';
import type { AnyEvent } from '../actor/envelope.ts';
import type { HostedMachine, MachineStep, TimerEffect } from '../actor/logic.ts';
import { messageOf } from '../errors.ts';
import { decode } from '../journal/codec.ts';
import type { Journal, JournalEntry } from '../journal/journal.ts';
import type { Projection, Step } from './projection.ts';

export interface ReplayedActor {
  readonly address: Address;
  readonly id: string;
  readonly hosted: HostedMachine;
  state: AnyMachineSnapshot;
  /** What entering the initial state emitted and scheduled; taken with the first entry. */
  birth: MachineStep | undefined;
  version: number;
  /** Version at which it was retired, if it was and that has been folded. */
  retired: number | undefined;
}

export interface ReplayedStep {
  readonly entry: JournalEntry;
  /** As it stands after the entry. */
  readonly actor: ReplayedActor;
  readonly event: AnyEvent;
  /** What the machine emitted, its initial emissions included at version 1. */
  readonly emitted: readonly AnyEvent[];
  /** What it set and cancelled, by the same rule. */
  readonly timers: readonly TimerEffect[];
}

export interface ReplayProblem {
  readonly seq: number;
  /** Undefined when the entry does not even say whose it is. */
  readonly actor: Address | undefined;
  readonly reason: string;
}

export interface ReplayHooks {
  readonly onStep: (step: ReplayedStep) => void;
  /** After `onStep`, for the last step of an actor that was retired then: its state is the reduced one. */
  readonly onRetired?: (step: ReplayedStep) => void;
  readonly onProblem: (problem: ReplayProblem) => void;
  /** Called between pages, with the number of entries of the last one. */
  readonly afterPage?: (entries: number) => Promise<void> | void;
}

/** An actor before its first entry. Throws what its machine throws. */
export function unborn(address: Address, hosted: HostedMachine): ReplayedActor {
  const id = idOf(address);
  const birth = hosted.initial(id);
  return { address, id, hosted, state: birth.state, birth, version: 0, retired: undefined };
}

/** Folds the next entry of `actor` into it. Throws for a gap and what its machine throws; the actor is unchanged then. */
export function foldEntry(actor: ReplayedActor, entry: JournalEntry): ReplayedStep {
  if (entry.version !== actor.version + 1) {
    throw new Error(`its history goes from version ${actor.version} to ${entry.version}`);
  }
  const event = decode<AnyEvent>(entry.payload);
  const { birth } = actor;
  const step = actor.hosted.step(actor.state, event);
  actor.state = step.state;
  actor.version = entry.version;
  actor.birth = undefined;
  const { emitted, timers } = step;
  if (birth === undefined) return { entry, actor, event, emitted, timers };
  return { entry, actor, event, emitted: [...birth.emitted, ...emitted], timers: [...birth.timers, ...timers] };
}

/** Reduces an actor that was retired at the version it stands at. */
export function foldRetirement(actor: ReplayedActor): void {
  actor.state = actor.hosted.reduced(actor.state) ?? actor.state;
  actor.retired = actor.version;
}

/** Entries read from the journal at once. */
const pageEntries = 1_000;

export class Replay {
  /** The actors folded so far, without those that met a problem. */
  readonly actors = new Map<Address, ReplayedActor>();
  /** Actors that cannot be folded any further. */
  readonly broken = new Set<Address>();
  /** `seq` of the last entry read. */
  seq = 0;
  readonly #journal: Journal;
  readonly #shard: number;
  readonly #hosts: ReadonlyMap<string, HostedMachine>;
  readonly #onlyTypes: ReadonlySet<string> | undefined;
  readonly #retirements: ReadonlyMap<Address, number>;
  /** The last error that stood in the place of entries. */
  #error: Error | undefined;

  /**
   * Entries of types that are not in `hosts` are problems, unless `onlyTypes` leaves them out on purpose. Actors that were
   * retired are reduced at the version that `retirements` says.
   */
  constructor(
    journal: Journal,
    shard: number,
    hosts: ReadonlyMap<string, HostedMachine>,
    onlyTypes?: ReadonlySet<string>,
    retirements: ReadonlyMap<Address, number> = new Map(),
  ) {
    this.#journal = journal;
    this.#shard = shard;
    this.#hosts = hosts;
    this.#onlyTypes = onlyTypes;
    this.#retirements = retirements;
  }

  /** Reads on to the entry `until`, or to the journal's end if that comes first. */
  async advance(until: number, hooks: ReplayHooks): Promise<void> {
    while (this.seq < until) {
      const page = await this.#journal.readEntries(this.#shard, this.seq, Math.min(pageEntries, until - this.seq));
      if (page.length === 0) return;
      for (const entry of page) this.#take(entry, hooks);
      await hooks.afterPage?.(page.length);
    }
  }

  #take(entry: JournalEntry | Error, hooks: ReplayHooks): void {
    this.seq++;
    if (entry instanceof Error) {
      // A damaged segment stands in the place of each of its entries, and is one problem.
      if (entry === this.#error) return;
      this.#error = entry;
      hooks.onProblem({ seq: this.seq, actor: undefined, reason: entry.message });
      return;
    }
    if (entry.seq !== this.seq) {
      const reason = `the journal goes from ${this.seq - 1} to ${entry.seq}`;
      hooks.onProblem({ seq: this.seq, actor: undefined, reason });
      this.seq = entry.seq;
    }
    if (this.broken.has(entry.actor)) return;
    try {
      const step = this.#fold(entry);
      if (step === undefined) return;
      hooks.onStep(step);
      if (this.#retirements.get(entry.actor) === entry.version) this.#retire(step, hooks);
    } catch (error) {
      this.broken.add(entry.actor);
      this.actors.delete(entry.actor);
      hooks.onProblem({ seq: entry.seq, actor: entry.actor, reason: messageOf(error) });
    }
  }

  #retire(step: ReplayedStep, hooks: ReplayHooks): void {
    foldRetirement(step.actor);
    hooks.onRetired?.(step);
  }

  #fold(entry: JournalEntry): ReplayedStep | undefined {
    const { type } = parseAddress(entry.actor);
    if (this.#onlyTypes !== undefined && !this.#onlyTypes.has(type)) return undefined;
    const hosted = this.#hosts.get(type);
    if (hosted === undefined) throw new Error(`nothing is known of actors of type "${type}"`);
    let actor = this.actors.get(entry.actor);
    if (actor === undefined) {
      actor = unborn(entry.actor, hosted);
      this.actors.set(entry.actor, actor);
    }
    return foldEntry(actor, entry);
  }
}

/** The types whose steps a projection of `projections` reads. */
export function typesOf(projections: readonly Projection[]): ReadonlySet<string> {
  return new Set(projections.flatMap((projection) => Object.keys(projection.rules)));
}

/** The step as the rules of projections see it. */
export function projectedStep({ entry, actor, event }: ReplayedStep): Step<AnyMachineSnapshot, AnyEvent> {
  const { version, emitted, operation, at } = entry;
  return { self: actor.address, id: actor.id, version, event, emitted, state: actor.state, operation, at };
}
