/**
 * One turn of a shard: deliveries in, one commit out. A turn runs machines on cells and gathers everything their steps
 * cause; nothing leaves it before its commit is durable (`release`). A tell to the same shard is handled inside the same
 * turn, so that a saga whose participants are near takes one commit.
 *
 * A turn never waits and never throws for what an envelope does: a machine or an effect rule that throws leaves the cell
 * untouched, and the envelope is a dead letter at once.
 */

import type { Address } from '../actor/address.ts';
import { idOf, shardOf, typeOf } from '../actor/address.ts';
import type { Effect } from '../actor/effect.ts';
import { type AnyEvent, type Envelope, packedEnvelope } from '../actor/envelope.ts';
import { type HostedMachine, isForeignEvent } from '../actor/logic.ts';
import type { Clock } from '../clock.ts';
import { type ErrorCode, messageOf, TroupeError } from '../errors.ts';
import type { Ids } from '../ids.ts';
import { decode, encode } from '../journal/codec.ts';
import type {
  Commit,
  DeadLetterRecord,
  Epoch,
  Head,
  JournalEntry,
  Mark,
  OutboxRecord,
  SnapshotRecord,
  ViewChange,
} from '../journal/journal.ts';
import type { Limits } from '../limits.ts';
import type { Projections } from '../projection/projections.ts';
import type { Published } from '../topic/hub.ts';
import { topicShard } from '../topic/topic.ts';
import type { StepEnd, Witness } from '../witness.ts';
import type { Cell } from './cell.ts';
import type { Arrival, Barrier, Command, Delivery, Firing, News, Read } from './delivery.ts';
import type { Inbox } from './inbox.ts';
import { isNext } from './need.ts';
import type { Outbox } from './outbox.ts';
import { keepable, type Parcel, packed, publicationOf } from './parcel.ts';
import { type CellStep, stepOf } from './step.ts';
import { TimerChanges } from './timer-changes.ts';
import type { Timers } from './timers.ts';
import type { Transport } from './transport.ts';

/** What a turn reads and moves on. It belongs to the shard and stands after the newest turn. */
export interface TurnHost {
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
  /** Highest parcel handled per sending shard. */
  readonly marks: Map<number, number>;
  /** Highest parcel number handed out per receiving shard. */
  readonly outboxLast: Map<number, number>;
  /** Lower numbers are not given to parcels: they may have been, before the store lost that. */
  readonly numbersFrom: number;
  /** So much of what a shard has sent here was handled, and lost with the commits that did it. */
  parcelsLost(from: number, first: number, last: number): void;
}

/** Room for the parcels of one turn in the numbers that order all parcels of a shard. */
const ordersPerTurn = 131_072;

export class Turn {
  /** Everything it took from the mailbox, to be run again if its commit is discarded. */
  readonly taken: Delivery[] = [];
  /** Told within this turn and not handled yet. */
  readonly locals: Delivery[] = [];
  readonly publications: Published[] = [];
  readonly deadLetters: DeadLetterRecord[] = [];
  /** Cells that its commit holds a change of. */
  readonly touched = new Set<Cell>();
  readonly number: number;
  readonly #host: TurnHost;
  readonly #at: number;
  readonly #firstSeq: number;
  readonly #entries: JournalEntry[] = [];
  readonly #timers: TimerChanges;
  readonly #outbox: OutboxRecord[] = [];
  readonly #marks = new Map<number, number>();
  readonly #rows = new Map<string, { view: string; key: string; value: unknown }>();
  readonly #releases: (() => void)[] = [];
  /** Cells whose snapshot was asked for. */
  readonly #compacted = new Set<Cell>();
  #progress: Readonly<Record<string, string>> = {};
  /** Senders that wait for an acknowledgement. */
  readonly #awaited = new Set<number>();
  /** Senders with a gap, each asked once. */
  readonly #asked = new Set<number>();
  #tells = 0;

  constructor(host: TurnHost, head: Head) {
    this.#host = host;
    this.#at = host.clock.now();
    this.#timers = new TimerChanges(host.timers);
    this.#firstSeq = head.seq + 1;
    this.number = head.commits + 1;
  }

  /** Handles one delivery whose cell (if it needs one) is resident. */
  handle(delivery: Delivery): void {
    switch (delivery.kind) {
      case 'command':
        this.#take(delivery);
        return this.#run(delivery.envelope, delivery);
      case 'local':
        return this.#run(delivery.envelope, undefined);
      case 'parcel':
        return this.#arrive(delivery);
      case 'timer':
        return this.#fire(delivery);
      case 'read': {
        this.#take(delivery);
        const { version, state, retired } =
          delivery.compact === undefined ? this.#use(delivery.address) : this.#compact(delivery);
        this.#releases.push(() => delivery.waiting.resolve(version === 0 ? undefined : { version, state, retired }));
        return;
      }
      case 'barrier':
        this.#take(delivery);
        this.#progress = { ...this.#progress, ...delivery.progress };
        this.#releases.push(() => delivery.waiting.resolve());
        return;
      case 'news':
        return this.#tellNews(delivery);
    }
  }

  /** The actor could not be rehydrated: a read or command gets the error, anything else becomes a dead letter. */
  refuse(delivery: Delivery, error: TroupeError): void {
    switch (delivery.kind) {
      case 'command':
        this.#take(delivery);
        return this.#fail(delivery.envelope, error, delivery);
      case 'local':
        return this.#fail(delivery.envelope, error, undefined);
      case 'read':
        this.#take(delivery);
        this.#releases.push(() => delivery.waiting.reject(error));
        return;
      case 'parcel':
        if (this.#moveMark(delivery)) this.#fail(letterOf(delivery), error, undefined);
        return;
      case 'timer': {
        const envelope = this.#takeTimer(delivery);
        if (envelope !== undefined) this.#fail(envelope, error, undefined);
        return;
      }
      case 'barrier':
      case 'news':
        return this.handle(delivery);
    }
  }

  /** The commit of this turn, or undefined when it has nothing to write. */
  finish(epoch: Epoch, projectionsDue: Readonly<Record<string, string>> | undefined): Commit | undefined {
    const { outbox, inbox, shard, ids } = this.#host;
    const written =
      this.#entries.length +
      this.#marks.size +
      this.#timers.size +
      this.#outbox.length +
      this.publications.length +
      this.deadLetters.length;
    const asked = this.#compacted.size + Object.keys(this.#progress).length;
    if (written + asked === 0 && !outbox.wantsCommit && !inbox.wantsCommit) return undefined;
    const timers = this.#timers.close();
    const snapshots: SnapshotRecord[] = [];
    const actors = [...this.touched].map((cell) => {
      this.#takeSnapshot(cell, snapshots);
      cell.commit = this.number;
      return {
        actor: cell.address,
        version: cell.version,
        snapshotVersion: cell.snapshotVersion,
        tail: cell.tail.slice(),
      };
    });
    return {
      shard,
      epoch,
      number: this.number,
      id: ids.nonce(),
      firstSeq: this.#firstSeq,
      entries: this.#entries,
      actors,
      snapshots,
      timersSet: timers.set,
      timersCleared: timers.cleared,
      outbox: this.#outbox,
      outboxAcked: outbox.takeAcked(),
      marks: [...this.#marks].map(([from, n]): Mark => ({ shard: from, n })),
      inbox: inbox.due(),
      publications: this.publications,
      deadLetters: this.deadLetters,
      viewsCleared: [],
      views: [...this.#rows.values()].map(
        ({ view, key, value }): ViewChange =>
          value === undefined ? { view, key } : { view, key, payload: encode(value) },
      ),
      projections: { ...projectionsDue, ...this.#progress },
    };
  }

  /** The shard's head once this turn is committed. */
  headAfter(commitId: string): Head {
    return { commits: this.number, seq: this.#firstSeq + this.#entries.length - 1, commitId };
  }

  /** Lets everything out, in order. Only after the commit, and those of all earlier turns, are durable. */
  release(): void {
    for (const release of this.#releases) release();
  }

  /** It is being handled, so that this turn's commit says so to the inbox it came through. */
  #take({ inbox }: Command | Read | Barrier): void {
    if (inbox !== undefined) this.#host.inbox.took(inbox);
  }

  #use(address: Address): Cell {
    const cell = this.#host.cells.get(address);
    if (cell === undefined) throw new Error(`cell of ${address} is not resident`);
    cell.usedAt = this.#host.clock.monotonic();
    return cell;
  }

  /** Makes a snapshot of an actor part of this commit, and reduces it first if it is one to be retired. */
  #compact({ address, compact, waiting }: Read): Cell {
    const cell = this.#host.cells.get(address);
    if (cell === undefined) throw new Error(`cell of ${address} is not resident`);
    if (cell.version === 0) return cell;
    try {
      const isDue = cell.version === compact?.retireAt && cell.retired === undefined;
      const reduced = isDue ? cell.hosted.reduced(cell.state) : undefined;
      if (reduced !== undefined) {
        for (const row of this.#host.projections.rowsOfRetired(address, cell.version, reduced)) {
          this.#rows.set(`${row.view} ${row.key}`, row);
        }
        cell.state = reduced;
        cell.retired = cell.version;
      }
      if (reduced === undefined && (cell.tail.length === 0 || compact?.retireAt !== undefined)) return cell;
      this.touched.add(cell);
      this.#compacted.add(cell);
    } catch (error) {
      const message = `${address} cannot be retired, and stays as it is: ${messageOf(error)}`;
      this.#releases.push(() => waiting.reject(new TroupeError('MACHINE_FAILED', message, {}, error)));
    }
    return cell;
  }

  #run(envelope: Envelope, command: Command | undefined, timer = false): void {
    const { hosted } = this.#host;
    const type = typeOf(envelope.to);
    if (!hosted.has(type)) {
      return this.#fail(
        envelope,
        new TroupeError('ACTOR_TYPE_UNKNOWN', `No actor type "${type}" is defined here.`),
        command,
      );
    }
    if (!timer && !isForeignEvent(envelope.event)) {
      const refused = `"${envelope.event.type}" belongs to XState itself and is not taken from outside a machine.`;
      return this.#fail(envelope, new TroupeError('EVENT_REFUSED', refused), command);
    }
    const cell = this.#use(envelope.to);
    let outcome: CellStep;
    try {
      outcome = stepOf(this.#host, cell, envelope, this.#at, command?.payload);
    } catch (error) {
      const failed = error instanceof TroupeError ? error : undefined;
      const message = `${envelope.to} failed on ${envelope.event.type} and stays as it was: ${messageOf(error)}`;
      const reason = failed ?? new TroupeError('MACHINE_FAILED', message, {}, error);
      if (this.#host.witness.isWatched) this.#show(cell, envelope, 'failed', [], reason.code);
      return this.#fail(envelope, reason, command);
    }
    this.#accept(cell, envelope, outcome, command);
    if (this.#host.witness.isWatched) this.#show(cell, envelope, endOf(outcome), outcome.step.emitted);
  }

  /** Shows the step that `cell` has just made, once it can no longer be undone. */
  #show(cell: Cell, envelope: Envelope, end: StepEnd, emitted: readonly AnyEvent[], code?: ErrorCode): void {
    const { witness, shard } = this.#host;
    const { event, from, operation } = envelope;
    const { address: actor, hosted, state, version } = cell;
    if (!witness.wants(actor, operation)) return;
    const types = emitted.map(({ type }) => type);
    const step = {
      shard,
      actor,
      hosted,
      at: this.#at,
      event,
      from,
      operation,
      end,
      code,
      state,
      version,
      emitted: types,
    };
    this.#releases.push(() => witness.stepped(step));
  }

  #accept(cell: Cell, envelope: Envelope, outcome: CellStep, command: Command | undefined): void {
    if (outcome.isJournaled) this.#journal(cell, envelope, outcome);
    let answer: { readonly value: unknown } | undefined;
    for (const effect of outcome.effects) {
      if (effect.kind === 'reply') answer = { value: effect.value };
      else this.#perform(effect, cell.address, envelope);
    }
    if (command === undefined) return;
    const { waiting, wantsReply } = command;
    if (wantsReply && answer === undefined) {
      const message = `${cell.address} took ${envelope.event.type} and its definition replied nothing.`;
      this.#releases.push(() => waiting.reject(new TroupeError('NO_REPLY', message)));
    } else {
      this.#releases.push(() => waiting.resolve(answer?.value));
    }
  }

  #journal(cell: Cell, envelope: Envelope, { step, rows, payload }: CellStep): void {
    const seq = this.#firstSeq + this.#entries.length;
    cell.state = step.state;
    cell.birth = undefined;
    cell.version++;
    cell.tail.push(seq);
    cell.tailBytes += payload.length;
    this.touched.add(cell);
    this.#entries.push({
      seq,
      actor: cell.address,
      version: cell.version,
      type: envelope.event.type,
      emitted: step.emitted.map((event) => event.type),
      // Always there, so that all entries have one shape: whoever reads them does so for each commit.
      from: envelope.from,
      operation: envelope.operation,
      at: this.#at,
      payload,
    });
    const { operation } = envelope;
    this.#timers.apply(step.timers, { actor: cell.address, at: this.#at, generation: seq, operation });
    for (const row of rows) {
      this.#rows.set(`${row.view} ${row.key}`, row);
    }
  }

  #perform(effect: Exclude<Effect, { kind: 'reply' }>, self: Address, cause: Envelope): void {
    const { shard, shards, limits, ids, outbox, hosted } = this.#host;
    const operation = effect.operation ?? cause.operation;
    const { settled } = effect;
    if (effect.kind === 'publish') {
      const { topic, data } = effect;
      const to = topicShard(topic, shards);
      const origin = operation === undefined || operation === cause.operation ? cause : { ...cause, operation };
      if (to !== shard) this.#sendNews(to, topic, data, origin, settled);
      else if (settled === true) this.locals.push({ kind: 'news', topic, data, cause: origin });
      else this.#publish(topic, data, cause);
      return;
    }
    const mustWait = settled === true && operation !== undefined && outbox.isPending(operation);
    const id = idOf(effect.to);
    const to = shardOf(hosted.get(typeOf(effect.to))?.definition.shardKey(id) ?? id, shards);
    const envelope: Envelope = {
      id: ids.nonce(),
      to: effect.to,
      from: self,
      event: effect.event,
      operation,
      trace: cause.trace,
    };
    // Behind what this actor told that one before, and which had to go through the outbox.
    const isNear = to === shard && !mustWait && !outbox.isHolding(self, effect.to);
    if (isNear && this.#tells < limits.turnTellsMax) {
      this.#tells++;
      this.locals.push({ kind: 'local', envelope });
      return;
    }
    this.#send(to, { envelope }, envelope, settled);
  }

  /** Everything near that was told before it has been handled; what of it went far is waited for. */
  #tellNews({ topic, data, cause }: News): void {
    const { outbox, shard } = this.#host;
    const mustWait = cause.operation !== undefined && outbox.isPending(cause.operation);
    if (mustWait) this.#sendNews(shard, topic, data, cause, true);
    else this.#publish(topic, data, cause);
  }

  #publish(topic: string, data: unknown, cause: Envelope): void {
    const publication = this.#publicationOf(topic, data, cause);
    if (publication !== undefined) this.publications.push(publication);
  }

  #sendNews(to: number, topic: string, data: unknown, cause: Envelope, settled?: boolean): void {
    const publication = this.#publicationOf(topic, data, cause);
    if (publication !== undefined) this.#send(to, { publication }, cause, settled);
  }

  /** Undefined when it cannot be encoded, which is the envelope's failure. */
  #publicationOf(topic: string, data: unknown, cause: Envelope): Published | undefined {
    try {
      return publicationOf(topic, data);
    } catch (error) {
      const message = `A publication to ${topic} cannot be encoded: ${messageOf(error)}`;
      this.#fail(cause, new TroupeError('MACHINE_FAILED', message, { topic }, error), undefined);
      return undefined;
    }
  }

  #send(
    to: number,
    content: Partial<Pick<Parcel, 'envelope' | 'publication'>>,
    cause: Envelope,
    settled?: boolean,
  ): void {
    const { outbox, outboxLast, numbersFrom } = this.#host;
    const { operation } = cause;
    const last = outboxLast.get(to) ?? 0;
    const n = Math.max(last + 1, numbersFrom);
    const parcel: Parcel = {
      envelope: content.envelope,
      publication: content.publication,
      operation,
      settled: settled === true ? true : undefined,
      order: this.number * ordersPerTurn + this.#outbox.length,
      after: n > last + 1 ? last : undefined,
    };
    let payload: Uint8Array;
    try {
      payload = encode(packed(parcel));
    } catch (error) {
      const message = `What belongs to ${cause.event.type} for ${cause.to} cannot be encoded: ${messageOf(error)}`;
      return this.#fail(cause, new TroupeError('MACHINE_FAILED', message, {}, error), undefined);
    }
    outboxLast.set(to, n);
    this.#outbox.push({ to, n, payload });
    outbox.add(to, n, keepable(parcel), this.number);
  }

  #arrive(arrival: Arrival): void {
    if (!this.#moveMark(arrival)) return;
    const { envelope, publication } = arrival.parcel;
    if (publication !== undefined) this.publications.push(publication);
    if (envelope !== undefined) this.#run(envelope, undefined);
  }

  /** True when the parcel is the next one of its sender; a repeat is acknowledged again, a gap is asked for again. */
  #moveMark(arrival: Arrival): boolean {
    const { from, n, parcel, gatherFor } = arrival;
    const { marks, transport, shard } = this.#host;
    const mark = marks.get(from) ?? 0;
    if (isNext(arrival, this.#host)) {
      if (isEmpty(parcel)) this.#releases.push(() => this.#host.parcelsLost(from, mark + 1, n));
      marks.set(from, n);
      if (gatherFor === undefined) this.#awaited.add(from);
      if (!this.#marks.has(from)) {
        const gatheredFor = (): string | undefined => (this.#awaited.has(from) ? undefined : gatherFor);
        this.#releases.push(() => transport.acknowledge(from, shard, this.#marks.get(from) ?? n, gatheredFor()));
      }
      this.#marks.set(from, n);
      return true;
    }
    if (n <= mark) this.#releases.push(() => transport.acknowledge(from, shard, mark));
    else if (!this.#asked.has(from)) {
      this.#asked.add(from);
      this.#releases.push(() => transport.resend(from, shard, mark));
    }
    return false;
  }

  #fire(firing: Firing): void {
    const envelope = this.#takeTimer(firing);
    if (envelope !== undefined) this.#run(envelope, undefined, true);
  }

  #takeTimer({ key, generation }: Firing): Envelope | undefined {
    const record = this.#host.timers.get(key);
    if (record === undefined || record.generation !== generation) return undefined;
    this.#timers.clear(key);
    return {
      id: `${key.actor} ${key.id} ${generation}`,
      to: key.actor,
      from: undefined,
      event: decode<AnyEvent>(record.payload),
      operation: record.operation,
      trace: undefined,
    };
  }

  #takeSnapshot(cell: Cell, into: SnapshotRecord[]): void {
    const { everyEvents, everyBytes } = cell.hosted.definition.snapshots;
    const isAsked = cell.needsSnapshot || this.#compacted.has(cell);
    if (!isAsked && cell.tail.length < everyEvents && cell.tailBytes < everyBytes) return;
    // One that was too large is tried again now and then: its actor lives on its tail meanwhile, up to a bound.
    if (!isAsked && cell.isTooLarge && cell.tail.length % everyEvents !== 0) return;
    const payload = cell.hosted.persist(cell.state, cell.retired);
    // The tail of one that was folded from its first event may be trimmed: it could not be read without a snapshot.
    cell.isTooLarge = !cell.needsSnapshot && payload.length > this.#host.limits.snapshotBytesMax;
    if (cell.isTooLarge) return;
    cell.needsSnapshot = false;
    into.push({ actor: cell.address, version: cell.version, payload });
    cell.snapshotVersion = cell.version;
    cell.tail = [];
    cell.tailBytes = 0;
  }

  #fail(envelope: Envelope, error: TroupeError, command: Command | undefined): void {
    const code: ErrorCode = error.code;
    this.deadLetters.push({ at: this.#at, code, reason: error.message, payload: this.#letter(envelope) });
    if (command !== undefined) this.#releases.push(() => command.waiting.reject(error));
  }

  /** A dead letter keeps its envelope, or what can be kept of one that cannot be encoded or is too large. */
  #letter(envelope: Envelope): Uint8Array {
    try {
      const payload = encode(packedEnvelope(envelope, envelope.event));
      if (payload.length <= this.#host.limits.eventBytesMax) return payload;
    } catch {
      // The envelope's own event is what cannot be encoded; its type still names it below.
    }
    return encode(packedEnvelope(envelope, { type: envelope.event.type }));
  }
}

function endOf({ step, effects, isJournaled }: CellStep): StepEnd {
  if (isJournaled) return 'accepted';
  return step.emitted.length + effects.length > 0 ? 'answered' : 'refused';
}

function isEmpty({ envelope, publication }: Parcel): boolean {
  return envelope === undefined && publication === undefined;
}

/** What a parcel that is refused is kept as: its envelope, or its publication written as one to the topic. */
function letterOf({ from, n, parcel: { envelope, publication, operation } }: Arrival): Envelope {
  if (envelope !== undefined) return envelope;
  const { topic = '', data } = publication ?? {};
  const event = { type: 'publish', topic, data: data?.() };
  return {
    id: `parcel ${n} of shard ${from}`,
    to: topic as Address,
    from: undefined,
    event,
    operation,
    trace: undefined,
  };
}
