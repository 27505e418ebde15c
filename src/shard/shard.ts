/**
 * A shard: the unit of ownership, ordering and commit. It is one loop over one mailbox: take a batch, rehydrate what is
 * missing, run the turn, hand its commit to the journal, and let the turn's effects out when that and all earlier
 * commits are durable. Meanwhile the next turn runs on top of what is not durable yet.
 *
 * A commit that did not simply succeed ends in `#recover` (recovery.ts decides what became of each turn): the shard
 * drops every cell, takes a new epoch, which fences whatever is still under way, reads its open work again and runs the
 * discarded envelopes again in order. So a shard never answers from state that the journal does not hold.
 *
 * It knows nothing of other shards but their numbers: the transport brings and takes parcels.
 */

import { type Address, idOf, typeOf } from '../actor/address.ts';
import type { HostedMachine } from '../actor/logic.ts';
import { type Clock, sleep } from '../clock.ts';
import { messageOf, TroupeError } from '../errors.ts';
import type { Ids } from '../ids.ts';
import { decode } from '../journal/codec.ts';
import type { Commit, Head, Journal, Lease, Owner, ShardState } from '../journal/journal.ts';
import type { Limits } from '../limits.ts';
import type { Log } from '../log.ts';
import type { Projections } from '../projection/projections.ts';
import type { Hub } from '../topic/hub.ts';
import { absentCell, type Cell, rehydrate } from './cell.ts';
import type { Barrier, Command, Delivery, Parcel, Read } from './delivery.ts';
import { Mailbox } from './mailbox.ts';
import { actorNamedBy, actorNeededBy } from './need.ts';
import { Outbox } from './outbox.ts';
import { type Flight, Pipeline } from './pipeline.ts';
import { Quarantine } from './quarantine.ts';
import { acquireLease, fatesOf, rebuildOutdated, requeue } from './recovery.ts';
import { Timers } from './timers.ts';
import type { Transport } from './transport.ts';
import { Turn, type TurnHost } from './turn.ts';

export interface ShardOptions {
  readonly shard: number;
  readonly shards: number;
  readonly journal: Journal;
  readonly owner: Owner;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly limits: Limits;
  readonly log: Log;
  readonly hosted: ReadonlyMap<string, HostedMachine>;
  readonly projections: Projections;
  readonly transport: Transport;
  readonly hub: Hub;
  /** Asks for a `pump` soon. */
  readonly schedule: (shard: Shard) => void;
}

/** `closed` before it is opened and after it is stopped; `lost` while it takes its lease (again). */
type Phase = 'closed' | 'lost' | 'open' | 'draining';

/** Minted ids that are remembered, so that the first envelope of a fresh actor reads nothing. */
const mintedMax = 10_000;

/** Between attempts at reading a shard that was acquired. */
const pauseMs = 50;
/** Turns that only read and wait for one commit: what follows waits in the mailbox, which has a bound. */
const flightsMax = 32;

export interface ShardStats {
  turns: number;
  commits: number;
  envelopes: number;
  rehydrated: number;
  passivated: number;
  recoveries: number;
  deadLetters: number;
}

/** A turn under way: its batch and how far it got. */
interface Running {
  readonly turn: Turn;
  readonly batch: Delivery[];
  /** Ms this turn has run, without the waits for its reads. */
  spentMs: number;
  /** Actors that could not be rehydrated, with the reason. */
  readonly broken: Map<Address, TroupeError>;
  readonly absent: Cell[];
  next: number;
  nextLocal: number;
}

export class Shard implements TurnHost {
  readonly shard: number;
  readonly shards: number;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly hosted: ReadonlyMap<string, HostedMachine>;
  readonly projections: Projections;
  readonly transport: Transport;
  readonly cells = new Map<Address, Cell>();
  readonly timers: Timers;
  readonly outbox: Outbox;
  readonly marks = new Map<number, number>();
  readonly outboxLast = new Map<number, number>();
  readonly stats: ShardStats = {
    turns: 0,
    commits: 0,
    envelopes: 0,
    rehydrated: 0,
    passivated: 0,
    recoveries: 0,
    deadLetters: 0,
  };
  readonly #options: ShardOptions;
  readonly #mailbox: Mailbox;
  readonly #pipeline = new Pipeline();
  readonly #cellsMax: number;
  #phase: Phase = 'closed';
  #lease: Lease | undefined;
  /** Monotonic ms until which the lease is certainly ours. */
  #leaseUntil = 0;
  /** Where the shard stands after the newest turn, committed or not. */
  #head: Head = { commits: 0, seq: 0, commitId: '' };
  /** Number of the newest commit whose effects were let out. */
  #released = 0;
  /** Recoveries since a commit was last done. */
  #setbacks = 0;
  #running: Running | undefined;
  #whenIdle: (() => void)[] = [];
  readonly #quarantine = new Quarantine();
  /** Ids minted here since the shard was acquired and not used yet: the journal cannot hold an actor with one of them. */
  readonly #minted = new Set<string>();
  #timersAllowed = false;
  /** Why the shard cannot be opened at all. */
  #failure: TroupeError | undefined;

  constructor(options: ShardOptions) {
    this.#options = options;
    this.shard = options.shard;
    this.shards = options.shards;
    this.limits = options.limits;
    this.clock = options.clock;
    this.ids = options.ids;
    this.hosted = options.hosted;
    this.projections = options.projections;
    this.transport = options.transport;
    this.#mailbox = new Mailbox(options.limits.mailboxMax);
    this.#cellsMax = Math.max(64, Math.floor(options.limits.cellsMax / options.shards));
    this.outbox = new Outbox(options.shard, options.transport);
    this.timers = new Timers(options.clock, (firing) => this.#enqueue(firing));
  }

  get isOpen(): boolean {
    return this.#phase === 'open';
  }

  get lease(): Lease | undefined {
    return this.#lease;
  }

  get mailboxLength(): number {
    return this.#mailbox.length;
  }

  /** Nothing waits, runs or is under way. */
  get isIdle(): boolean {
    return this.#mailbox.length === 0 && this.#running === undefined && this.#pipeline.isEmpty;
  }

  /** Acquires the shard and reads its open work. Timers wait for `startTimers`. */
  open(): Promise<void> {
    this.#phase = 'lost';
    return this.#reopen([]);
  }

  /** Lets due timers fire: after what had already arrived before a restart has been handled. */
  startTimers(): void {
    this.#timersAllowed = true;
    if (this.#phase === 'open') this.timers.start();
  }

  /** Takes a command or read from outside, or gives the reason why not. */
  offer(delivery: Command | Read | Barrier): TroupeError | undefined {
    const { limits } = this;
    if (this.#failure !== undefined) return this.#failure;
    if (this.#phase === 'closed' || this.#phase === 'draining') {
      return new TroupeError('STOPPED', 'This node is stopping; try another one, or again later.');
    }
    if (delivery.kind === 'command' && this.outbox.size >= limits.outboxMax) {
      return new TroupeError(
        'OUTBOX_FULL',
        `Shard ${this.shard} has ${this.outbox.size} messages that wait for other shards; try again later.`,
      );
    }
    if (!this.#mailbox.offer(delivery)) {
      return new TroupeError(
        'MAILBOX_FULL',
        `Shard ${this.shard} has ${limits.mailboxMax} commands waiting; try again later.`,
      );
    }
    this.#options.schedule(this);
    return undefined;
  }

  /** An id of this shard was minted just now. */
  minted(id: string): void {
    if (this.#phase !== 'open') return;
    if (this.#minted.size >= mintedMax) this.#minted.clear();
    this.#minted.add(id);
  }

  /** Takes a parcel of another shard's outbox; `from`'s outbox keeps it until it is acknowledged. */
  arrive(from: number, n: number, parcel: Parcel): void {
    if (this.#phase === 'open' || this.#phase === 'draining') this.#enqueue({ kind: 'parcel', from, n, parcel });
  }

  /** Runs a turn if there is work and room for a commit. */
  pump(): void {
    if (this.#phase !== 'open' && this.#phase !== 'draining') return;
    if (this.#running !== undefined || this.#pipeline.commits >= this.limits.commitsInFlightMax) return;
    if (this.#pipeline.length >= flightsMax) return;
    if (this.#mailbox.length === 0 && !this.outbox.wantsCommit) return this.#noteIdle();
    const batch = this.#mailbox.take(this.#quarantine.batchMax(this.limits.turnEnvelopesMax));
    this.#running = {
      turn: new Turn(this, this.#head),
      batch,
      spentMs: 0,
      broken: new Map(),
      absent: [],
      next: 0,
      nextLocal: 0,
    };
    this.#run(this.#running);
  }

  /** Prolongs the lease; a lease that is not ours any more ends everything that was built on it. */
  async renew(): Promise<void> {
    const lease = this.#lease;
    if (lease === undefined || (this.#phase !== 'open' && this.#phase !== 'draining')) return;
    const askedAt = this.clock.monotonic();
    const renewed = await this.#options.journal.renew(lease, this.limits.leaseMs);
    if (this.#lease !== lease) return;
    if (renewed) this.#leaseUntil = askedAt + this.limits.leaseMs;
    else this.#recover('its lease was not ours any more');
  }

  /** Drops cells that have been idle for long. */
  passivate(): void {
    const now = this.clock.monotonic();
    for (const cell of this.cells.values()) {
      if (now - cell.usedAt >= cell.hosted.definition.passivateAfterMs) this.#drop(cell);
    }
  }

  /** Removes acknowledged parcels from the store although nothing else is to be written. */
  tidy(): void {
    if (this.outbox.hasAcked && this.isIdle && this.#phase === 'open') {
      this.outbox.tidy();
      this.#options.schedule(this);
    }
  }

  /** Takes no new commands, finishes what waits, and gives the lease back. */
  async stop(): Promise<void> {
    if (this.#phase === 'closed') return;
    if (this.#phase === 'open') this.#phase = 'draining';
    this.timers.stop();
    if (this.#phase === 'draining' && !this.isIdle) {
      await new Promise<void>((resolve) => {
        this.#whenIdle.push(resolve);
        this.#options.schedule(this);
      });
    }
    this.#phase = 'closed';
    requeue(this.#mailbox.take(this.#mailbox.length), 0, 'STOPPED');
    const lease = this.#lease;
    this.#lease = undefined;
    if (lease === undefined) return;
    // A lease that cannot be given back expires.
    await this.#options.journal
      .release(lease)
      .catch((error) =>
        this.#options.log.warn({ shard: this.shard }, `a lease was not given back: ${messageOf(error)}`),
      );
  }

  #enqueue(delivery: Delivery): void {
    this.#mailbox.offer(delivery);
    this.#options.schedule(this);
  }

  /** Goes on with a turn until it needs a cell that is not resident, or is done. */
  #run(running: Running): void {
    const { turn, batch } = running;
    const resumedAt = this.clock.monotonic() - running.spentMs;
    let commit: Commit | undefined;
    try {
      for (;;) {
        running.spentMs = this.clock.monotonic() - resumedAt;
        const isLate = running.next > 0 && running.spentMs > this.limits.turnMs;
        if (isLate && running.next < batch.length) this.#mailbox.putBack(batch.splice(running.next));
        const fromBatch = running.next < batch.length;
        const delivery = fromBatch ? batch[running.next] : turn.locals[running.nextLocal];
        if (delivery === undefined) break;
        const address = actorNeededBy(delivery, this);
        const refusal =
          this.#quarantine.verdict(delivery) ?? (address === undefined ? undefined : running.broken.get(address));
        if (refusal !== undefined) turn.refuse(delivery, refusal);
        else if (address === undefined || this.#isResident(address, running)) turn.handle(delivery);
        else return this.#load(running);
        if (fromBatch) running.next++;
        else running.nextLocal++;
      }
      const due = this.#head.commits === 0 ? this.projections.versions : undefined;
      commit = turn.finish(this.#lease!.epoch, due);
    } catch (error) {
      this.#running = undefined;
      this.#quarantine.blame(batch, new TroupeError('MACHINE_FAILED', messageOf(error), {}, error));
      return this.#recover(`a turn failed: ${messageOf(error)}`, batch);
    }
    this.#finish(running, commit);
  }

  /** Whether its cell is there, which for an actor with a fresh id needs no read. */
  #isResident(address: Address, running: Running): boolean {
    if (this.cells.has(address)) return true;
    const id = idOf(address);
    if (!this.#minted.delete(id)) return false;
    const cell = absentCell(address, this.hosted.get(typeOf(address))!);
    this.cells.set(address, cell);
    running.absent.push(cell);
    return true;
  }

  /** Rehydrates everything that the rest of the turn is known to need, in one read, and goes on. */
  #load(running: Running): void {
    const wanted = new Set<Address>();
    for (const delivery of [...running.batch.slice(running.next), ...running.turn.locals.slice(running.nextLocal)]) {
      const address = actorNamedBy(delivery, this);
      if (address !== undefined && !running.broken.has(address) && !this.#isResident(address, running))
        wanted.add(address);
    }
    this.#rehydrate([...wanted], running).then(
      () => {
        if (this.#running === running) this.#run(running);
      },
      (error) => {
        if (this.#running !== running) return;
        this.#running = undefined;
        this.#recover(`its actors could not be read: ${messageOf(error)}`, running.batch);
      },
    );
  }

  async #rehydrate(addresses: readonly Address[], running: Running): Promise<void> {
    const { journal } = this.#options;
    const records = await journal.readActors(this.shard, addresses);
    for (const [index, address] of addresses.entries()) {
      try {
        const cell = await rehydrate(journal, this.shard, this.hosted.get(typeOf(address))!, address, records[index]);
        if (this.#running !== running) return;
        this.cells.set(address, cell);
        if (cell.version === 0) running.absent.push(cell);
        else this.stats.rehydrated++;
      } catch (error) {
        if (!(error instanceof TroupeError) || error.code === 'JOURNAL_UNAVAILABLE') throw error;
        running.broken.set(address, error);
      }
    }
  }

  /** Nothing in here may throw: from here on the pipeline has the deliveries. */
  #finish(running: Running, commit: Commit | undefined): void {
    const { turn, batch, absent } = running;
    this.#running = undefined;
    turn.taken.push(...batch);
    this.stats.turns++;
    this.stats.envelopes += batch.length + turn.locals.length;
    for (const cell of absent) if (cell.version === 0) this.cells.delete(cell.address);
    if (this.cells.size > this.#cellsMax) this.#evict();
    const flight = this.#pipeline.add(turn, commit);
    if (commit !== undefined) {
      this.#head = turn.headAfter(commit.id);
      this.stats.commits++;
      this.stats.deadLetters += commit.deadLetters.length;
      this.#options.journal.commit(commit).then(
        (outcome) => {
          flight.outcome = outcome;
          this.#land();
        },
        (error) => {
          flight.outcome = { kind: 'unknown', message: messageOf(error) };
          this.#land();
        },
      );
    }
    this.#land();
    if (this.#mailbox.length > 0) this.#options.schedule(this);
  }

  /** Lets out what has become durable, in order, until a commit is still under way or failed. */
  #land(): void {
    // The outcome of a commit that a recovery has already judged by the head.
    if (this.#phase !== 'open' && this.#phase !== 'draining') return;
    for (let flight = this.#pipeline.landed(); flight !== undefined; flight = this.#pipeline.landed()) {
      const { turn, commit, outcome } = flight;
      if (outcome.kind === 'refused' || outcome.kind === 'unknown') {
        return this.#recover(`a commit was ${outcome.kind}: ${outcome.message}`);
      }
      if (outcome.kind === 'invalid') {
        this.#quarantine.blame(turn.taken, new TroupeError('LIMIT_EXCEEDED', outcome.message));
        return this.#recover(`a commit was invalid: ${outcome.message}`);
      }
      if (commit === undefined && this.clock.monotonic() >= this.#leaseUntil) {
        return this.#recover('its lease may have expired');
      }
      // A repetition's answer lacks the offsets; they are found again where an unknown commit's are.
      if (outcome.offsets === undefined && turn.publications.length > 0) {
        return this.#recover('a commit was answered as a repetition');
      }
      this.#pipeline.shift();
      if (commit !== undefined) this.#setbacks = 0;
      if (commit !== undefined) this.#release(turn, outcome.offsets);
      turn.release();
      if (commit !== undefined) this.outbox.pump();
    }
    if (this.isIdle) this.#noteIdle();
    else this.#options.schedule(this);
  }

  /** Lets a stop go on that waits for the work at hand. */
  #noteIdle(): void {
    if (!this.isIdle) return;
    for (const resolve of this.#whenIdle) resolve();
    this.#whenIdle = [];
  }

  #release(turn: Turn, offsets: readonly number[] | undefined): void {
    this.#released = turn.number;
    this.outbox.release(turn.number);
    for (const [index, { topic, data }] of turn.publications.entries()) {
      const offset = offsets?.[index];
      if (offset !== undefined) this.#options.hub.publish(topic, offset, data);
    }
  }

  /** Everything that was built on uncommitted state goes; the shard is taken and read again. */
  #recover(reason: string, batch: readonly Delivery[] = []): void {
    if (this.#phase === 'closed' || this.#phase === 'lost') return;
    const isDraining = this.#phase === 'draining';
    this.#phase = 'lost';
    this.stats.recoveries++;
    this.#setbacks++;
    this.#options.log.warn({ shard: this.shard }, `shard ${this.shard} starts again from its journal: ${reason}`);
    this.timers.stop();
    this.cells.clear();
    const running = this.#running;
    this.#running = undefined;
    const flights = this.#pipeline.clear();
    const left = [...batch, ...(running?.batch ?? [])];
    this.#reopen(flights, left).then(
      () => {
        if (!isDraining || this.#phase !== 'open') return;
        this.#phase = 'draining';
        this.timers.stop();
      },
      (error) =>
        this.#options.log.error({ shard: this.shard }, `shard ${this.shard} could not be opened: ${messageOf(error)}`),
    );
  }

  async #reopen(flights: readonly Flight[], left: Delivery[] = []): Promise<void> {
    const { journal, log, owner, clock, limits } = this.#options;
    // A store that keeps failing after the shard was taken again is not to be asked in a hot loop.
    if (this.#setbacks > 1) await sleep(clock, pauseMs * Math.min(2 ** (this.#setbacks - 2), 20));
    for (let attempt = 1; ; attempt++) {
      const acquired = await acquireLease({ journal, shard: this.shard, owner, clock, limits, log }, () =>
        this.#keepWaiting(flights, left),
      );
      if (acquired === undefined) return this.#abandon(flights, left);
      try {
        const fates = await fatesOf(journal, this.shard, acquired.head, flights);
        const head = await rebuildOutdated({
          journal,
          ...acquired,
          log,
          limits,
          hosted: this.hosted,
          projections: this.projections,
        });
        const state = await journal.readShard(this.shard);
        if (this.#phase !== 'lost') {
          this.#abandon(flights, left);
          return await journal.release(acquired.lease);
        }
        this.#take(acquired.lease, head, state, acquired.askedAt);
        this.#settle(fates, left);
        return;
      } catch (error) {
        log.warn({ shard: this.shard }, `shard ${this.shard} could not be read: ${messageOf(error)}`);
        if (error instanceof TroupeError && error.code === 'JOURNAL_DAMAGED') {
          this.#failure = error;
          this.#abandon(flights, left);
          throw error;
        }
        if (attempt >= limits.storeAttemptsMax) this.#keepWaiting(flights, left);
        await sleep(clock, pauseMs * Math.min(attempt, 10));
      }
    }
  }

  /** Answers who has waited long enough, and lets go of what they wait for; false when the shard is not wanted any more. */
  #keepWaiting(flights: readonly Flight[], left: Delivery[]): boolean {
    for (const { turn } of flights) requeue(turn.taken.splice(0), 0, 'JOURNAL_UNAVAILABLE');
    requeue(left.splice(0), 0, 'JOURNAL_UNAVAILABLE');
    const waiting = this.#mailbox.sift((delivery) => delivery.kind === 'parcel' || delivery.kind === 'timer');
    requeue(waiting, 0, 'JOURNAL_UNAVAILABLE');
    return this.#phase === 'lost';
  }

  /** The shard will not be had: nobody is left waiting, and nobody is let in any more. */
  #abandon(flights: readonly Flight[], left: readonly Delivery[]): void {
    this.#phase = 'closed';
    for (const resolve of this.#whenIdle.splice(0)) resolve();
    requeue([...flights.flatMap(({ turn }) => turn.taken), ...left], 0, 'JOURNAL_UNAVAILABLE');
    requeue(this.#mailbox.take(this.#mailbox.length), 0, 'JOURNAL_UNAVAILABLE');
  }

  /** Takes over the shard's open work as the journal has it. */
  #take(lease: Lease, head: Head, state: ShardState, askedAt: number): void {
    this.#lease = lease;
    this.#leaseUntil = askedAt + this.limits.leaseMs;
    this.#head = head;
    this.#released = head.commits;
    this.cells.clear();
    this.#minted.clear();
    this.marks.clear();
    for (const { shard, n } of state.marks) this.marks.set(shard, n);
    this.outboxLast.clear();
    for (const { shard, n } of state.outboxLast) this.outboxLast.set(shard, n);
    this.outbox.clear();
    for (const { to, n, payload } of state.outbox) this.outbox.add(to, n, decode<Parcel>(payload), head.commits);
    this.outbox.release(head.commits);
    this.outbox.releaseDrained();
    this.timers.load(state.timers);
    if (this.#timersAllowed) this.timers.start();
  }

  #settle(fates: Awaited<ReturnType<typeof fatesOf>>, left: readonly Delivery[]): void {
    this.#phase = 'open';
    for (const { turn, offsets } of fates.done) {
      this.#release(turn, offsets);
      turn.release();
    }
    const again = [...fates.discarded.flatMap(({ taken }) => taken), ...left];
    this.#mailbox.sift((delivery) => delivery.kind !== 'parcel' && delivery.kind !== 'timer');
    this.#mailbox.putBack(requeue(again, this.limits.storeAttemptsMax, 'JOURNAL_UNAVAILABLE'));
    requeue(fates.lost, 0, 'JOURNAL_UNAVAILABLE');
    this.outbox.pump();
    for (let sender = 0; sender < this.shards; sender++) {
      this.transport.resend(sender, this.shard, this.marks.get(sender) ?? 0);
    }
    this.#options.schedule(this);
  }

  #drop(cell: Cell): void {
    // A cell that a commit under way has changed is the only place where that change can be read.
    if (cell.commit > this.#released || this.#running !== undefined) return;
    this.cells.delete(cell.address);
    this.stats.passivated++;
  }

  /** Drops the quarter that was used longest ago, so that the bound costs little per envelope. */
  #evict(): void {
    const oldest = [...this.cells.values()].sort((a, b) => a.usedAt - b.usedAt);
    for (const cell of oldest.slice(0, Math.ceil(oldest.length / 4))) this.#drop(cell);
  }
}
