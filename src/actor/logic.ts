/**
 * The one file that touches XState's insides. It hosts a machine as *actor logic*: a step is a call of
 * `machine.transition` with an `ActorScope` of our own, never a live actor, so that what a transition wants from the
 * world arrives here as data (emitted events, timers) and nothing happens by itself. Replay is the same call with that
 * data thrown away; therefore folding a history gives exactly the state that was reached live.
 *
 * It does not know addresses, effects or the journal, and hosts no children: `invoke`, `spawn` and `sendTo` are refused
 * (registration.ts says how to write them), since a child's snapshot would hide state from the journal.
 */

import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import type { AnyActorScope, AnyMachineSnapshot, AnyStateMachine, EventObject, Snapshot } from 'xstate';
import { evaluateGuard } from 'xstate/guards';
import { messageOf, TroupeError } from '../errors.ts';
import { decode, encode } from '../journal/codec.ts';
import type { ActorDefinition, PlainSnapshot } from './definition.ts';
import type { AnyEvent } from './envelope.ts';
import { type GuardSource, guardText } from './guard-text.ts';

export type TimerEffect =
  | {
      readonly kind: 'set';
      /** Undefined for a delayed raise without one: nothing can cancel it, and it replaces no other. */
      readonly id: string | undefined;
      readonly delayMs: number;
      readonly event: AnyEvent;
    }
  | { readonly kind: 'cancel'; readonly id: string };

export interface MachineStep {
  readonly state: AnyMachineSnapshot;
  /** False: the state is the same object as before. Something may have been emitted or scheduled all the same. */
  readonly changed: boolean;
  readonly emitted: readonly AnyEvent[];
  readonly timers: readonly TimerEffect[];
}

/** Where a transition stands in its machine: the id of its state, and which of that state's transitions on events it is. */
export interface TransitionPlace {
  readonly state: string;
  readonly index: number;
}

/** A transition of the current states that names an event. */
export interface Candidate extends TransitionPlace {
  readonly guard: string | undefined;
  /** What its guard says; true without one. */
  readonly passed: boolean;
  /** What its guard threw. */
  readonly error: string | undefined;
}

/** A machine that has not settled after this many microsteps of one event never will. */
const microstepsMax = 1_000;

const xstateVersion = (createRequire(import.meta.url)('xstate/package.json') as { version: string }).version;

/** What the executor saw of the step under way. Steps are synchronous, so one is enough for the process. */
let emitted: AnyEvent[] = [];
let timers: TimerEffect[] = [];

const nobody = {
  id: 'self',
  sessionId: 'self',
  send: () => {
    throw new TroupeError('MACHINE_REFUSED', 'A persisted machine cannot send to itself by reference; use raise().');
  },
  system: {
    // The first thing a child asks of its parent's system: registration cannot see a spawn inside of a function.
    _bookId: () => {
      throw new TroupeError(
        'MACHINE_REFUSED',
        "A persisted machine cannot spawn an actor; emit an event and let the definition's effects tell one.",
      );
    },
  },
};

/** XState hands actions over as `{type, params}`; `exec` is what a live interpreter would run, and is never called. */
function execute(action: { type: string; params: unknown }): void {
  switch (action.type) {
    case 'xstate.emit':
      emitted.push((action.params as { event: AnyEvent }).event);
      return;
    case 'xstate.raise': {
      const { event, id, delay } = action.params as { event: AnyEvent; id: string | undefined; delay: unknown };
      // Without a delay XState has already applied it inside the step.
      if (typeof delay === 'number') {
        timers.push({ kind: 'set', id, delayMs: delay, event });
      }
      return;
    }
    case 'xstate.cancel':
      timers.push({ kind: 'cancel', id: (action.params as { sendId: string }).sendId });
      return;
    case 'xstate.log':
      return;
    default:
      throw new TroupeError(
        'MACHINE_REFUSED',
        `The action "${action.type}" has a side effect; a persisted machine may only assign, emit, raise and cancel.`,
      );
  }
}

const scope = {
  self: nobody,
  id: 'self',
  sessionId: 'self',
  logger: () => undefined,
  defer: () => undefined,
  emit: () => undefined,
  stopChild: () => undefined,
  system: { _sendInspectionEvent: () => undefined },
  actionExecutor: execute,
} as unknown as AnyActorScope;

/** Text that changes when the machine does: its config and implementations, functions by their source. */
function describe(value: unknown, seen: Set<object>): string {
  if (typeof value !== 'object' && typeof value !== 'function') return JSON.stringify(value) ?? 'undefined';
  if (value === null || seen.has(value)) return 'null';
  seen.add(value);
  const own = Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, part]) => `${key}:${describe(part, seen)}`);
  return `${typeof value === 'function' ? value.toString() : ''}{${own.join(',')}}`;
}

type StateNode = AnyStateMachine['root'];
type Transition = Parameters<StateNode['transitions']['set']>[1][number];

/** The transitions of a state that name an event, in the order in which XState looks at them. */
function naming(node: StateNode, type: string): readonly Transition[] {
  const wild = [...node.transitions.keys()]
    .filter((name) => name === '*' || (name.endsWith('.*') && `${type}.`.startsWith(name.slice(0, -1))))
    .sort((a, b) => b.length - a.length);
  return [type, ...wild].flatMap((name) => node.transitions.get(name) ?? []);
}

function placeOf(transition: Transition): TransitionPlace {
  const { id, transitions } = transition.source;
  return { state: id, index: [...transitions.values()].flat().indexOf(transition) };
}

function asked(transition: Transition, state: AnyMachineSnapshot, event: AnyEvent): Candidate {
  const place = placeOf(transition);
  const guard = transition.guard as GuardSource | undefined;
  if (guard === undefined) return { ...place, guard, passed: true, error: undefined };
  const text = guardText(guard);
  try {
    const passed = evaluateGuard(guard as Parameters<typeof evaluateGuard>[0], state.context, event, state);
    return { ...place, guard: text, passed, error: undefined };
  } catch (error) {
    return { ...place, guard: text, passed: false, error: messageOf(error) };
  }
}

/** Whether entering this initial state runs no action and takes no eventless transition, whatever the context. */
function isStill(state: AnyMachineSnapshot): boolean {
  return (
    state.status === 'active' &&
    state._nodes.every((node) => node.entry.length === 0 && !node.always?.length && !node.initial?.actions.length)
  );
}

function refuseSpawn(): never {
  throw new TroupeError('MACHINE_REFUSED', 'A persisted machine spawns nothing; emit an event and tell another actor.');
}

/**
 * A snapshot as it is stored: the stamp of what can read it, the version at which the actor was retired (from there on its
 * states grew out of a reduced one; 0: never), and its state. Nearly all are active and have neither history nor children:
 * of those only value and context are kept.
 */
type StampedSnapshot =
  | readonly [stamp: Uint8Array, retired: number, state: Snapshot<unknown>]
  | readonly [stamp: Uint8Array, retired: number, value: unknown, context: unknown];

interface PlainState {
  readonly status: string;
  readonly value: unknown;
  readonly context: unknown;
  readonly historyValue: object;
  readonly children: object;
}

/** Bytes of a stamp: enough for no two machines of a store's life to share one. */
const stampBytes = 6;

/** Fields of a plain snapshot that is stored as value and context; the absent ones are there, and undefined. */
const briefFields: ReadonlySet<string> = new Set([
  'status',
  'value',
  'context',
  'historyValue',
  'children',
  'output',
  'error',
]);

function isBrief(state: Snapshot<unknown>): boolean {
  const { status, historyValue, children, output, error } = state as Snapshot<unknown> & Partial<PlainState>;
  return (
    status === 'active' &&
    output === undefined &&
    error === undefined &&
    Object.keys(historyValue ?? {}).length === 0 &&
    Object.keys(children ?? {}).length === 0 &&
    Object.keys(state).every((field) => briefFields.has(field))
  );
}

export class HostedMachine {
  readonly definition: ActorDefinition;
  /** Changes with the machine's config, guards, assignments and delays. */
  readonly hash: string;
  /** Of what can read its snapshots: this machine, under this version of XState. */
  readonly #stamp: Uint8Array;
  readonly #machine: AnyStateMachine;
  /** The initial state of all its actors but for the context, where entering it does nothing that could depend on it. */
  #still: AnyMachineSnapshot | undefined;

  constructor(definition: ActorDefinition) {
    this.definition = definition;
    const { config, implementations } = definition.machine;
    this.hash = createHash('sha256')
      .update(describe([config, implementations], new Set()))
      .digest('base64url')
      .slice(0, 16);
    this.#stamp = createHash('sha256').update(`${xstateVersion} ${this.hash}`).digest().subarray(0, stampBytes);
    this.#machine = definition.machine.provide({});
    // XState's own default is no limit, and it is already in the options.
    const maxIterations = Math.min(microstepsMax, this.#machine.options?.maxIterations ?? microstepsMax);
    this.#machine.options = { ...this.#machine.options, maxIterations };
  }

  /** The state before the first event, and what entering it emitted and scheduled. */
  initial(id: string): MachineStep {
    emitted = [];
    timers = [];
    const input = this.definition.input(id);
    const { context } = this.#machine.config;
    if (this.#still !== undefined && typeof context === 'function') {
      const state = { ...this.#still, context: context({ spawn: refuseSpawn, input, self: scope.self }) };
      return { state: state as AnyMachineSnapshot, changed: true, emitted, timers };
    }
    const state = this.#machine.getInitialSnapshot(scope, input) as AnyMachineSnapshot;
    if (state.status === 'error') throw state.error;
    if (isStill(state)) this.#still = state;
    return { state, changed: true, emitted, timers };
  }

  /** One event. Throws what the machine's guards and assignments throw; the given state is never touched. */
  step(state: AnyMachineSnapshot, event: AnyEvent): MachineStep {
    emitted = [];
    timers = [];
    // A stopped or final machine handles nothing; XState leaves that check to the interpreter.
    if (state.status !== 'active') return { state, changed: false, emitted, timers };
    const next = this.#machine.transition(state, event as EventObject, scope) as AnyMachineSnapshot;
    if (next.status === 'error') throw next.error;
    if (next !== state && Object.keys(next.children).length > 0) {
      throw new TroupeError(
        'MACHINE_REFUSED',
        `${this.definition.type} spawned an actor; persisted machines emit and are told instead.`,
      );
    }
    return { state: next, changed: next !== state, emitted, timers };
  }

  /** The transitions that name the event in the states the actor is in, the inner states' first, and what their guards say. */
  candidates(state: AnyMachineSnapshot, event: AnyEvent): readonly Candidate[] {
    const looked = new Set<StateNode>();
    for (const leaf of state._nodes.filter((node) => Object.keys(node.states).length === 0)) {
      for (let node: StateNode | undefined = leaf; node !== undefined; node = node.parent) looked.add(node);
    }
    return [...looked].flatMap((node) => naming(node, event.type)).map((one) => asked(one, state, event));
  }

  /** The transitions that the event takes; none when it changes nothing. Throws what a guard throws. */
  taken(state: AnyMachineSnapshot, event: AnyEvent): readonly TransitionPlace[] {
    if (state.status !== 'active') return [];
    return this.#machine.getTransitionData(state, event as EventObject).map(placeOf);
  }

  /** The state after `events`, from `state` or from the beginning, with every effect thrown away. */
  fold(id: string, state: AnyMachineSnapshot | undefined, events: Iterable<AnyEvent>): AnyMachineSnapshot {
    let folded = state ?? this.initial(id).state;
    for (const event of events) folded = this.step(folded, event).state;
    return folded;
  }

  /** The bytes of a snapshot, stamped with the versions that can read it. */
  persist(state: AnyMachineSnapshot, retired?: number): Uint8Array {
    const plain = this.plain(state);
    const { value, context } = plain as unknown as PlainState;
    const stamped: StampedSnapshot = isBrief(plain)
      ? [this.#stamp, retired ?? 0, value, context]
      : [this.#stamp, retired ?? 0, plain];
    return encode(stamped);
  }

  /** The state behind `persist`'s bytes; undefined when another version of the machine or of XState wrote them. */
  restore(payload: Uint8Array): AnyMachineSnapshot | undefined {
    const stamped = decode<StampedSnapshot>(payload);
    if (Buffer.compare(stamped[0], this.#stamp) !== 0) return undefined;
    const [, , value, context] = stamped;
    const plain =
      stamped.length === 3
        ? stamped[2]
        : { status: 'active', value, context, historyValue: {}, children: {}, output: undefined, error: undefined };
    return this.#machine.restoreSnapshot(plain as Snapshot<unknown>, scope) as AnyMachineSnapshot;
  }

  /** The version at which the actor behind `persist`'s bytes was retired, whichever version of the machine wrote them. */
  retiredAt(payload: Uint8Array): number | undefined {
    return this.definition.retire === undefined ? undefined : decode<StampedSnapshot>(payload)[1] || undefined;
  }

  /** Whether an actor in this state has nothing left to do. */
  isOver(state: AnyMachineSnapshot): boolean {
    return state.status === 'done' || this.definition.retire?.when?.(state as never) === true;
  }

  /**
   * What its definition keeps of an actor in this state; undefined when it is not one to be retired. Throws what the
   * definition throws, or when what it keeps is no state of the machine.
   */
  reduced(state: AnyMachineSnapshot): AnyMachineSnapshot | undefined {
    const { retire } = this.definition;
    if (retire === undefined || !this.isOver(state)) return undefined;
    // A copy by the codec: XState changes what it restores, and what comes back must be what a store would give.
    const kept = decode<Snapshot<unknown>>(encode(retire.reduce(this.plain(state) as PlainSnapshot)));
    return this.#machine.restoreSnapshot(kept, scope) as AnyMachineSnapshot;
  }

  /** The state as plain data, equal for equal states. */
  plain(state: AnyMachineSnapshot): Snapshot<unknown> {
    return this.#machine.getPersistedSnapshot(state);
  }
}

/** Whether an event may come from outside a machine: XState would take a forged `xstate.done.…` for the real one. */
export function isForeignEvent(event: AnyEvent): boolean {
  return typeof event?.type === 'string' && event.type.length > 0 && !event.type.startsWith('xstate.');
}
