/**
 * A shard: the unit of ownership, ordering and commit. It is one loop over one mailbox: take a batch, rehydrate what is
 * missing, run the turn, hand its commit to the journal, and let the turn's effects out when that and all earlier
 * commits are durable. Meanwhile the next turn runs on top of what is not durable yet.
 *
 * A commit that did not simply succeed ends in `#recover` (recovery.ts decides what became of each turn): the shard
 * drops every cell, takes a new epoch, which fences whatever is still under way, reads its open work again and runs the
 * discarded envelopes again in order. So a shard never answers from state that the journal does not hold.
 *
 * It knows nothing of other shards but their numbers: the transport brings and takes parcels. Where there are other nodes
 * it is opened and closed again and again; while it is closed its commands are somebody else's (SHARD_LOST: certainly not
 * done here, ask the owner).
 */

import type { Address } from '../actor/address.ts';
import type { HostedMachine } from '../actor/logic.ts';
import type { Clock } from '../clock.ts';
import { type ErrorCode, messageOf, TroupeError } from '../errors.ts';
import type { Ids } from '../ids.ts';
import type { Commit, CommitOutcome, Head, Lease } from '../journal/journal.ts';
import type { Limits } from '../limits.ts';
import type { RecoveryReason, TakeoverReason } from '../observer.ts';
import type { Projections } from '../projection/projections.ts';
import type { ShardStanding, Witness } from '../witness.ts';
import type { Cell } from './cell.ts';
import { type Barrier, type Command, type Delivery, type Read, snapshotOf } from './delivery.ts';
import { Inbox } from './inbox.ts';
import { Mailbox } from './mailbox.ts';
import { numbersPerEpoch, parcelsLost } from './mend.ts';
import { Outbox } from './outbox.ts';
import { type Parcel, parcelFrom } from './parcel.ts';
import { type Flight, Pipeline } from './pipeline.ts';
import { Quarantine } from './quarantine.ts';
import { isFromInbox, isOutside, requeue } from './recovery.ts';
import { Residents } from './residents.ts';
import { Run } from './run.ts';
import { freshStats, type ShardOptions, type ShardStats } from './shard-options.ts';
import { Tail } from './tail.ts';
import { type Patience, type Taken, takeShard } from './taking.ts';
import { Tenure } from './tenure.ts';
import { Timers } from './timers.ts';
import type { Transport } from './transport.ts';
import { Turn, type TurnHost } from './turn.ts';

/** `closed` before it is opened and after it is stopped; `lost` while it takes its lease (again). */
type Phase = 'closed' | 'lost' | 'open' | 'draining';

/** Between attempts at reading a shard that was acquired. */
const pauseMs = 50;
/** Turns that only read and wait for one commit: what follows waits in the mailbox, which has a bound. */
const flightsMax = 32;

export class Shard implements TurnHost {
  readonly shard: number;
  readonly shards: number;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly hosted: ReadonlyMap<string, HostedMachine>;
  readonly projections: Projections;
  readonly transport: Transport;
  readonly witness: Witness;
  readonly cells: Map<Address, Cell>;
  readonly timers: Timers;
  readonly outbox: Outbox;
  readonly inbox: Inbox;
  readonly marks = new Map<number, number>();
  readonly outboxLast = new Map<number, number>();
  numbersFrom = 0;
  readonly stats: ShardStats = freshStats();
  readonly #options: ShardOptions;
  readonly #mailbox: Mailbox;
  readonly #pipeline = new Pipeline();
  readonly #tail: Tail;
  readonly parcelsLost: TurnHost['parcelsLost'];
  readonly residents: Residents;
  readonly #tenure: Tenure;
  #phase: Phase = 'closed';
  /** Rises whenever it is opened, closed or recovers: what an earlier attempt at taking it still does is void. */
  #attempt = 0;
  /** Wakes an attempt that waits for somebody else's lease. */
  #wake: (() => void) | undefined;
  /** Monotonic ms since which it is wanted and not open. */
  #wantedSince = 0;
  /** Whether nobody else has held it since it was last open here. */
  #isOurs = false;
  /** Whether it was said that the lease is lost; else it is while the shard recovers, if it ends or somebody else holds it. */
  #isLossTold = false;
  /** Where the shard stands after the newest turn, committed or not. */
  #head: Head = { commits: 0, seq: 0, commitId: '' };
  /** Number of the newest commit whose effects were let out, and the `seq` of the last entry up to there. */
  #released = 0;
  #releasedSeq = 0;
  /** Recoveries since a commit was last done. */
  #setbacks = 0;
  #running: Run | undefined;
  #whenIdle: (() => void)[] = [];
  readonly #quarantine = new Quarantine();
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
    this.witness = options.witness;
    this.#mailbox = new Mailbox(options.limits.mailboxMax);
    const cellsMax = Math.max(64, Math.floor(options.limits.cellsMax / options.shards));
    const leave = (address: Address): void => void this.offer(snapshotOf(address));
    this.residents = new Residents(options.hosted, cellsMax, options.journal.archive && leave);
    this.cells = this.residents.cells;
    this.#tenure = new Tenure(options.clock, options.limits.leaseMs, () => {
      this.#recover('lease-lost', 'its lease could not be prolonged in time');
    });
    this.outbox = new Outbox(options.shard, options.transport, this.outboxLast);
    this.parcelsLost = parcelsLost(options.log, options.shard);
    this.#tail = new Tail(options.clock, options.limits, options.journal.declareLost !== undefined);
    this.inbox = new Inbox(
      options.inbox,
      (deliveries) => deliveries.forEach((delivery) => void this.#enqueue(delivery)),
      (error) => options.log.warn({ shard: options.shard }, `an inbox could not be read: ${messageOf(error)}`),
    );
    this.timers = new Timers(options.clock, (firing) => this.#enqueue(firing));
  }

  get isOpen(): boolean {
    return this.#phase === 'open';
  }

  /** It is owned by this process, if only until what was begun is finished. */
  get isHere(): boolean {
    return this.#phase === 'open' || this.#phase === 'draining';
  }

  get lease(): Lease | undefined {
    return this.#tenure.lease;
  }

  /** It is open or on its way to be. */
  get isWanted(): boolean {
    return this.#phase === 'open' || this.#phase === 'lost';
  }

  /** Why it cannot be opened at all. */
  get failure(): TroupeError | undefined {
    return this.#failure;
  }

  /** Where it stands after the newest commit that is known to be done. */
  get commits(): number {
    return this.#released;
  }

  get mailboxLength(): number {
    return this.#mailbox.length;
  }

  get standing(): ShardStanding {
    return {
      shard: this.shard,
      owned: this.isHere,
      epoch: this.#tenure.epoch?.number ?? 0,
      mailbox: this.#mailbox.length,
      inboxLag: this.inbox.lag,
      outbox: this.outbox.size,
      cells: this.cells.size,
      timers: this.timers.size,
      commits: this.#released,
      seq: this.#releasedSeq,
    };
  }

  /** Nothing waits, runs or is under way. */
  get isIdle(): boolean {
    return this.#mailbox.length === 0 && this.#running === undefined && this.#pipeline.isEmpty;
  }

  /** Acquires the shard, however long that takes, and reads its open work. Timers wait for `startTimers`. */
  open(): Promise<void> {
    this.#phase = 'lost';
    this.#wantedSince = this.clock.monotonic();
    return this.#reopen(++this.#attempt, 'opened', []);
  }

  /** Somebody may have given it back. */
  ring(): void {
    if (this.#phase === 'lost') this.#wake?.();
    this.inbox.ring();
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
    if (this.inbox.exists && (this.#phase === 'lost' ? !this.#isOurs : this.#phase !== 'open')) {
      return new TroupeError('SHARD_LOST', `Shard ${this.shard} is not owned by this node.`, { shard: this.shard });
    }
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
    this.#options.schedule();
    return undefined;
  }

  /** An id of this shard was minted just now. */
  minted(id: string): void {
    if (this.#phase === 'open') this.residents.minted(id);
  }

  /** Takes a parcel of another shard's outbox; `from`'s outbox keeps it until it is acknowledged. */
  arrive(from: number, n: number, parcel: Parcel, gatherFor?: string): void {
    const isTaking = this.#phase === 'open' || (this.#phase === 'draining' && !this.inbox.exists);
    if (isTaking) this.#enqueue({ kind: 'parcel', from, n, parcel, gatherFor });
  }

  /** Runs a turn if there is work and room for a commit. */
  pump(): void {
    if (this.#phase !== 'open' && this.#phase !== 'draining') return;
    if (this.#running !== undefined || this.#pipeline.commits >= this.limits.commitsInFlightMax) return;
    if (this.#pipeline.length >= flightsMax) return;
    if (this.#mailbox.length === 0 && !this.outbox.wantsCommit && !this.inbox.wantsCommit) return this.#noteIdle();
    const batch = this.#mailbox.take(this.#quarantine.batchMax(this.limits.turnEnvelopesMax));
    this.#running = new Run(this, new Turn(this, this.#head), batch);
    this.#run(this.#running);
  }

  /** Prolongs the lease; a lease that is not ours any more ends everything that was built on it. */
  async renew(): Promise<void> {
    if (this.#phase !== 'open' && this.#phase !== 'draining') return;
    if (await this.#tenure.renew(this.#options.journal)) return;
    this.#recover('lease-lost', 'its lease was not ours any more');
  }

  /** Drops cells that have been idle for long. */
  passivate(): void {
    this.#tail.expire();
    if (this.#running !== undefined) return;
    this.stats.passivated += this.residents.passivate(this.clock.monotonic(), this.#released, this.mailboxLength === 0);
  }

  /** Removes acknowledged parcels and handled envelopes from the store although nothing else is to be written. */
  tidy(): void {
    if (!this.isIdle || this.#phase !== 'open' || (!this.outbox.hasAcked && !this.inbox.hasHandled)) return;
    this.outbox.tidy();
    this.inbox.tidy();
    this.#options.schedule();
  }

  /** Takes nothing new, finishes what waits, and gives the lease back. What came through the inbox stays there. */
  async stop(): Promise<void> {
    if (this.#phase === 'closed') return;
    if (this.#phase === 'open') this.#phase = 'draining';
    this.timers.stop();
    this.inbox.close();
    this.#mailbox.sift((delivery) => !isFromInbox(delivery));
    if (this.#phase === 'draining' && !this.isIdle) {
      await new Promise<void>((resolve) => {
        this.#whenIdle.push(resolve);
        this.#options.schedule();
      });
    }
    // A recovery may have begun meanwhile; its attempt is void with the next line.
    this.#attempt++;
    this.#phase = 'closed';
    this.#isOurs = false;
    this.#tail.clear();
    this.#wake?.();
    requeue(this.#mailbox.take(this.#mailbox.length), 0, this.#goneCode);
    this.#forget();
    if (this.#tenure.lease === undefined) return;
    await this.#options.gone?.();
    const lease = this.#tenure.end();
    this.residents.clear();
    if (lease === undefined) return;
    // A lease that cannot be given back expires.
    await this.#options.journal
      .release(lease)
      .catch((error) =>
        this.#options.log.warn({ shard: this.shard }, `a lease was not given back: ${messageOf(error)}`),
      );
  }

  /** What those hear who wait for a shard that is not ours any more, and certainly nothing was done for. */
  get #goneCode(): 'SHARD_LOST' | 'STOPPED' {
    return this.inbox.exists ? 'SHARD_LOST' : 'STOPPED';
  }

  /** Its open work is somebody else's: nothing of it is to be sent from here, kept, or waited for. */
  #forget(): void {
    this.outbox.failDrained();
    this.outbox.clear();
    this.timers.load([]);
  }

  #enqueue(delivery: Delivery): void {
    this.#mailbox.offer(delivery);
    this.#options.schedule();
  }

  /** Goes on with a turn until it needs a cell that is not resident, or is done. */
  #run(run: Run): void {
    let commit: Commit | undefined;
    try {
      if (!run.go(this.#mailbox, this.#quarantine)) return this.#load(run);
      const due = this.#head.commits === 0 ? this.projections.versions : undefined;
      commit = run.turn.finish(this.#tenure.epoch!, due);
    } catch (error) {
      this.#running = undefined;
      this.#quarantine.blame(run.batch, new TroupeError('MACHINE_FAILED', messageOf(error), {}, error));
      return this.#recover('turn-failed', `a turn failed: ${messageOf(error)}`, run.batch);
    }
    this.#finish(run, commit);
  }

  /** Rehydrates everything that the rest of the turn is known to need, in one read, and goes on. */
  #load(run: Run): void {
    const isWanted = (): boolean => this.#running === run;
    run.load(this.#options.journal, isWanted).then(
      (rehydrated) => {
        if (!isWanted()) return;
        this.stats.rehydrated += rehydrated;
        this.#run(run);
      },
      (error) => {
        if (!isWanted()) return;
        this.#running = undefined;
        this.#recover('read-failed', `its actors could not be read: ${messageOf(error)}`, run.batch);
      },
    );
  }

  /** Nothing in here may throw: from here on the pipeline has the deliveries. */
  #finish(running: Run, commit: Commit | undefined): void {
    const { turn, batch, absent } = running;
    this.#running = undefined;
    turn.taken.push(...batch);
    this.stats.turns++;
    const envelopes = batch.length + turn.locals.length;
    this.stats.envelopes += envelopes;
    const { observer } = this.#options;
    observer.turn(this.shard, envelopes, running.spentMs);
    for (const cell of absent) if (cell.version === 0) this.cells.delete(cell.address);
    this.stats.passivated += this.residents.evict(this.#released);
    const flight = this.#pipeline.add(turn, commit);
    if (commit !== undefined) {
      this.#tail.add(commit, this.#head.commitId);
      this.#head = turn.headAfter(commit.id);
      this.stats.commits++;
      this.stats.deadLetters += commit.deadLetters.length;
      const sentAt = this.clock.monotonic();
      const landed = (outcome: CommitOutcome): void => {
        flight.outcome = outcome;
        observer.commit(this.shard, outcome.kind, this.clock.monotonic() - sentAt, commit.entries.length);
        this.#land();
      };
      this.#options.journal
        .commit(commit)
        .then(landed, (error) => landed({ kind: 'unknown', message: messageOf(error) }));
    }
    this.#land();
    this.inbox.goOn();
    if (this.#mailbox.length > 0) this.#options.schedule();
  }

  /** Lets out what has become durable, in order, until a commit is still under way or failed. */
  #land(): void {
    // The outcome of a commit that a recovery has already judged by the head.
    if (this.#phase !== 'open' && this.#phase !== 'draining') return;
    for (let flight = this.#pipeline.landed(); flight !== undefined; flight = this.#pipeline.landed()) {
      const { turn, commit, outcome } = flight;
      if (outcome.kind === 'refused' || outcome.kind === 'unknown') {
        return this.#recover(`commit-${outcome.kind}`, `a commit was ${outcome.kind}: ${outcome.message}`);
      }
      if (outcome.kind === 'invalid') {
        this.#quarantine.blame(turn.taken, new TroupeError('LIMIT_EXCEEDED', outcome.message));
        return this.#recover('commit-invalid', `a commit was invalid: ${outcome.message}`);
      }
      if (commit === undefined && !this.#tenure.holds) {
        return this.#recover('lease-lost', 'its lease may have expired');
      }
      // A repetition's answer lacks the offsets; they are found again where an unknown commit's are.
      if (outcome.offsets === undefined && turn.publications.length > 0) {
        return this.#recover('commit-repeated', 'a commit was answered as a repetition');
      }
      this.#pipeline.shift();
      if (commit !== undefined) this.#setbacks = 0;
      if (commit !== undefined) this.#release(turn, outcome.offsets);
      turn.release();
      if (commit !== undefined) this.outbox.pump();
    }
    if (this.isIdle) this.#noteIdle();
    else this.#options.schedule();
  }

  /** Lets a stop go on that waits for the work at hand. */
  #noteIdle(): void {
    if (!this.isIdle) return;
    for (const resolve of this.#whenIdle) resolve();
    this.#whenIdle = [];
  }

  #release(turn: Turn, offsets: readonly number[] | undefined): void {
    this.#released = turn.number;
    this.#releasedSeq = turn.headAfter('').seq;
    this.outbox.release(turn.number);
    if (this.#running === undefined) this.stats.passivated += this.residents.dismiss(turn.touched, turn.number);
    for (const { code } of turn.deadLetters) this.#options.observer.deadLetter(this.shard, code as ErrorCode);
    for (const [index, publication] of turn.publications.entries()) {
      const offset = offsets?.[index];
      if (offset !== undefined) this.#options.hub.publish(publication, offset, this.shard);
    }
  }

  /** Everything that was built on uncommitted state goes; the shard is taken and read again. */
  #recover(cause: RecoveryReason, reason: string, batch: readonly Delivery[] = []): void {
    if (this.#phase === 'closed' || this.#phase === 'lost') return;
    const { log, observer } = this.#options;
    const isDraining = this.#phase === 'draining';
    this.#phase = 'lost';
    this.#wantedSince = this.clock.monotonic();
    this.stats.recoveries++;
    this.#setbacks++;
    observer.recovered(this.shard, cause);
    this.#isLossTold = cause === 'lease-lost';
    if (this.#isLossTold) observer.leaseLost(this.shard);
    log.warn({ shard: this.shard, cause }, `shard ${this.shard} starts again from its journal: ${reason}`);
    this.timers.stop();
    this.inbox.close();
    this.residents.clear();
    this.#tenure.end();
    const running = this.#running;
    this.#running = undefined;
    const flights = this.#pipeline.clear();
    const left = [...batch, ...(running?.batch ?? [])];
    this.#reopen(++this.#attempt, 'recovered', flights, left).then(
      () => {
        if (!isDraining || this.#phase !== 'open') return;
        this.#phase = 'draining';
        this.timers.stop();
        this.inbox.close();
        this.#noteIdle();
      },
      (error) => log.error({ shard: this.shard }, `shard ${this.shard} could not be opened: ${messageOf(error)}`),
    );
  }

  async #reopen(
    attempt: number,
    reason: TakeoverReason,
    flights: readonly Flight[],
    left: Delivery[] = [],
  ): Promise<void> {
    const { clock, limits, observer, gone, isCutOff } = this.#options;
    const isLeaving = reason === 'recovered' && this.#whenIdle.length > 0;
    // A store that keeps failing after the shard was taken again is not to be asked in a hot loop.
    if (this.#setbacks > 1) await this.#pause(pauseMs * Math.min(2 ** (this.#setbacks - 2), 20));
    let how = reason;
    const patience: Patience = {
      pause: (ms) => this.#pause(ms),
      held: () => {
        how = reason === 'opened' ? 'handed-over' : 'expired';
        if (!this.inbox.exists) return true;
        if (this.#isOurs && !this.#isLossTold) observer.leaseLost(this.shard);
        if (this.#isOurs) void gone?.();
        this.#isOurs = false;
        this.#forget();
        this.#giveUp(flights, left);
        return !isLeaving;
      },
      isGoingOn: (attempts) => {
        if (attempts >= (isCutOff?.() === true ? 1 : limits.storeAttemptsMax)) this.#keepWaiting(flights, left);
        return this.#attempt === attempt;
      },
      // From here on commands go into the mailbox, behind everything that this node and others have sent to the inbox.
      acquired: () => {
        if (this.#isOurs && !this.#isLossTold && this.#tenure.isOver) observer.leaseLost(this.shard);
        this.#isOurs = true;
      },
    };
    let taken: Taken | undefined;
    try {
      taken = await takeShard({ ...this.#options, inbox: this.inbox, tail: this.#tail }, flights, patience);
    } catch (error) {
      this.#failure = error instanceof TroupeError ? error : new TroupeError('JOURNAL_DAMAGED', messageOf(error));
      this.#abandon(flights, left, attempt);
      throw error;
    }
    if (taken === undefined) return this.#abandon(flights, left, attempt);
    this.#take(taken);
    this.#settle(taken, left);
    observer.takeover(this.shard, how, clock.monotonic() - this.#wantedSince);
  }

  /** Ends early when somebody rings. */
  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.clock.after(ms, () => done(), { keepAlive: true });
      const done = (): void => {
        cancel();
        if (this.#wake === done) this.#wake = undefined;
        resolve();
      };
      this.#wake = done;
    });
  }

  /** Answers who has waited long enough, and lets go of what they wait for. */
  #keepWaiting(flights: readonly Flight[], left: Delivery[]): void {
    this.#letGo(flights, left, 'JOURNAL_UNAVAILABLE');
  }

  /** Somebody else holds the shard: what was not begun here is asked there, and nobody can tell what became of the rest. */
  #giveUp(flights: readonly Flight[], left: Delivery[]): void {
    this.#letGo(flights, left, 'SHARD_LOST');
  }

  /** `code`: what those hear whose delivery was not begun. */
  #letGo(flights: readonly Flight[], left: Delivery[], code: 'SHARD_LOST' | 'JOURNAL_UNAVAILABLE'): void {
    for (const { turn } of flights) requeue(turn.taken.splice(0), 0, 'JOURNAL_UNAVAILABLE');
    const waiting = this.#mailbox.sift((delivery) => !isOutside(delivery));
    for (const deliveries of [left.splice(0), waiting]) requeue(deliveries, 0, code);
  }

  /** The shard is not wanted any more: nobody is left waiting. */
  #abandon(flights: readonly Flight[], left: readonly Delivery[], attempt: number): void {
    requeue([...flights.flatMap(({ turn }) => turn.taken), ...left], 0, 'JOURNAL_UNAVAILABLE');
    if (this.#attempt !== attempt) return;
    this.#phase = 'closed';
    for (const resolve of this.#whenIdle.splice(0)) resolve();
    requeue(this.#mailbox.take(this.#mailbox.length), 0, 'JOURNAL_UNAVAILABLE');
  }

  /** Takes over the shard's open work as the journal has it. */
  #take({ lease, head, state, askedAt }: Taken): void {
    this.#tenure.begin(lease, askedAt);
    this.#head = head;
    this.#released = head.commits;
    this.#releasedSeq = head.seq;
    this.#tail.settle(head);
    this.numbersFrom = (state.numbers ?? 0) * numbersPerEpoch;
    this.residents.clear();
    this.marks.clear();
    for (const { shard, n } of state.marks) this.marks.set(shard, n);
    this.outboxLast.clear();
    for (const { shard, n } of state.outboxLast) this.outboxLast.set(shard, n);
    this.outbox.clear();
    for (const { to, n, payload } of state.outbox) this.outbox.add(to, n, parcelFrom(payload), head.commits);
    this.outbox.release(head.commits);
    this.outbox.releaseDrained();
    this.timers.load(state.timers);
    // Where there are other nodes, what they have for it must arrive first, whenever it is taken (`took`).
    if (this.#timersAllowed && !this.inbox.exists) this.timers.start();
  }

  #settle({ fates, waiting }: Taken, left: readonly Delivery[]): void {
    this.#phase = 'open';
    for (const { turn, offsets } of fates.done) {
      this.#release(turn, offsets);
      turn.release();
    }
    const again = [...fates.discarded.flatMap(({ taken }) => taken), ...left];
    this.#mailbox.sift((delivery) => isOutside(delivery) && !isFromInbox(delivery));
    this.#mailbox.putBack([...waiting, ...requeue(again, this.limits.storeAttemptsMax, 'JOURNAL_UNAVAILABLE')]);
    requeue(fates.lost, 0, 'JOURNAL_UNAVAILABLE');
    this.inbox.open();
    this.outbox.pump();
    const { took } = this.#options;
    if (took !== undefined) took();
    else
      for (let sender = 0; sender < this.shards; sender++) {
        this.transport.resend(sender, this.shard, this.marks.get(sender) ?? 0);
      }
    this.#options.schedule();
  }
}
