/**
 * Time travel: what any persisted actor was at each of its versions, what moved it on, and what its machine would do with
 * another event there. It works on committed history alone, whether the actor is resident or not, and beside a server
 * that writes the store.
 *
 * It guarantees that nothing changes: it takes no lease, writes nothing, and a fork lives for one answer. Answers are
 * bounded, and reading a long history neither holds the event loop nor runs more than a few times at once. It does not
 * decide who may look; `isRedacted` hides the fields that a definition declares as personal.
 */

import type { AnyMachineSnapshot } from 'xstate';
import { type Address, parseAddress, shardOf } from '../actor/address.ts';
import type { ActorDefinition } from '../actor/definition.ts';
import type { AnyEvent } from '../actor/envelope.ts';
import { type HostedMachine, isForeignEvent } from '../actor/logic.ts';
import { register } from '../actor/registration.ts';
import { type Clock, systemClock } from '../clock.ts';
import { TroupeError } from '../errors.ts';
import type { Journal } from '../journal/journal.ts';
import type { Attempt, HistoryPage, HistoryStep, InitialState, OperationTrace } from './answers.ts';
import { attemptOf, edgeOf, effectsOf } from './attempt.ts';
import { OperationTracer } from './operation.ts';
import { type Moment, type Past, PastReader } from './past.ts';
import { noRedaction, type Redaction, redactionOf } from './personal.ts';
import { Scans } from './scans.ts';
import { defaultTravelLimits, type TravelLimits } from './travel-limits.ts';

export interface TimeTravelOptions {
  readonly journal: Journal;
  readonly actors: readonly ActorDefinition[];
  /** Hide the fields that definitions declare as personal. Default: show them. */
  readonly isRedacted?: boolean;
  readonly limits?: Partial<TravelLimits>;
  readonly clock?: Clock;
}

interface Subject {
  readonly address: Address;
  readonly type: string;
  readonly id: string;
  readonly shard: number;
  readonly hosted: HostedMachine;
  readonly redact: Redaction;
}

export class TimeTravel {
  readonly #journal: Journal;
  readonly #hosts: ReadonlyMap<string, HostedMachine>;
  readonly #limits: TravelLimits;
  readonly #isRedacted: boolean;
  readonly #past: PastReader;
  readonly #tracer: OperationTracer;

  /** Throws MACHINE_REFUSED as opening a system does. */
  constructor({ journal, actors, isRedacted = false, limits, clock = systemClock }: TimeTravelOptions) {
    this.#journal = journal;
    this.#hosts = register(actors);
    this.#limits = { ...defaultTravelLimits, ...limits };
    this.#isRedacted = isRedacted;
    const scans = new Scans(clock, this.#limits);
    this.#past = new PastReader(journal, scans, this.#limits);
    this.#tracer = new OperationTracer({ journal, hosts: this.#hosts, scans, limits: this.#limits });
  }

  /**
   * The steps after version `after` (default 0), at most `limit`, oldest first. Rejects with ADDRESS_INVALID,
   * ACTOR_TYPE_UNKNOWN, LIMIT_EXCEEDED (too many look at once), JOURNAL_TRIMMED (an archive is missing), and with what the journal rejects with.
   */
  async steps(
    address: string,
    { after = 0, limit }: { readonly after?: number; readonly limit: number },
  ): Promise<HistoryPage> {
    const subject = this.#subject(address);
    const part = { after: Math.max(0, after), limit: Math.min(Math.max(1, limit), this.#limits.stepsMax) };
    const past = await this.#past.read(subject.shard, subject.hosted, subject.address, part);
    const { version, state, from, moments, begins, retired, problem } = past;
    return {
      address: subject.address,
      type: subject.type,
      shard: subject.shard,
      version,
      steps: moments.map((moment) => stepOf(subject, moment)),
      more: problem === undefined && (moments.at(-1)?.entry.version ?? from) < version,
      ...(state === undefined ? {} : { initial: initialOf(subject, from, state) }),
      ...(begins === undefined ? {} : { begins }),
      ...(retired === undefined ? {} : { retired }),
      ...(problem === undefined ? {} : { problem }),
    };
  }

  /** The step that led to `version`; undefined when there is none, or none any more. */
  async at(address: string, version: number): Promise<HistoryStep | undefined> {
    if (version < 1) return undefined;
    const { steps } = await this.steps(address, { after: version - 1, limit: 1 });
    return steps.find((step) => step.version === version);
  }

  /**
   * What the machine would do with `event` at `version` (0: before the first event). Nothing is sent, and nothing kept. Rejects
   * with EVENT_REFUSED for an event that no system takes from outside, and as `steps` does.
   */
  async attempt(address: string, version: number, event: AnyEvent): Promise<Attempt> {
    const subject = this.#subject(address);
    if (!isForeignEvent(event)) {
      const message = `"${event?.type}" is not taken from outside a machine; an event has a type that does not begin with "xstate.".`;
      throw new TroupeError('EVENT_REFUSED', message);
    }
    const past = await this.#past.read(subject.shard, subject.hosted, subject.address, { after: version, limit: 0 });
    if (past.state === undefined || past.from !== version) throw unreachable(address, version, past);
    return attemptOf({ hosted: subject.hosted, state: past.state, version, event, redact: subject.redact });
  }

  /** All journaled steps of an operation, over all actors, causes before their effects. */
  async operation(id: string): Promise<OperationTrace> {
    const trace = await this.#tracer.trace(id);
    return {
      ...trace,
      steps: trace.steps.map((step) => ({ ...step, event: this.#redactionOf(step.address)(step.event) })),
    };
  }

  #subject(address: string): Subject {
    const { type, id } = parseAddress(address);
    const hosted = this.#hosts.get(type);
    if (hosted === undefined) {
      const known = [...this.#hosts.keys()].join(', ');
      throw new TroupeError('ACTOR_TYPE_UNKNOWN', `There are no actors of type "${type}"; there are ${known}.`, {
        type,
      });
    }
    const shard = shardOf(hosted.definition.shardKey(id), this.#journal.shards);
    return { address: address as Address, type, id, shard, hosted, redact: this.#redactionOf(address) };
  }

  #redactionOf(address: string): Redaction {
    const hosted = this.#hosts.get(parseAddress(address).type);
    return !this.#isRedacted || hosted === undefined ? noRedaction : redactionOf(hosted.definition);
  }
}

function unreachable(address: string, version: number, past: Past): TroupeError {
  const { begins, problem } = past;
  const why =
    begins?.reason ?? problem ?? (past.version === 0 ? 'It never accepted an event.' : `It is at ${past.version}.`);
  return new TroupeError('VERSION_UNKNOWN', `${address} cannot be seen at version ${version}. ${why}`, {
    address,
    version,
    newest: past.version,
  });
}

function initialOf({ hosted, redact }: Subject, version: number, state: AnyMachineSnapshot): InitialState {
  const { context } = hosted.plain(state) as { readonly context?: unknown };
  return { version, value: state.value, status: state.status, context: redact(context) };
}

function stepOf(subject: Subject, { entry, event, emitted, timers, before, after }: Moment): HistoryStep {
  const { hosted, redact } = subject;
  const { value, status, context } = initialOf(subject, entry.version, after);
  return {
    version: entry.version,
    shardSeq: entry.seq,
    at: entry.at,
    event: redact(event),
    ...(entry.operation === undefined ? {} : { operation: entry.operation }),
    ...(entry.from === undefined ? {} : { from: entry.from }),
    value,
    status,
    context,
    effects: redact(effectsOf(emitted, timers)),
    taken: takenBy(hosted, before, event),
  };
}

/** Nothing where a guard throws: the fold came this far by another way. */
function takenBy(hosted: HostedMachine, before: AnyMachineSnapshot, event: AnyEvent): readonly string[] {
  try {
    return hosted.taken(before, event).map(edgeOf);
  } catch {
    return [];
  }
}
