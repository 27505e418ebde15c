/**
 * An attempt: what a machine would do with an event in a state, and if it would refuse it, why. It is one call of the
 * machine on a state that nobody else holds, so that it changes nothing.
 */

import type { AnyMachineSnapshot } from 'xstate';
import type { Candidate, HostedMachine, TimerEffect, TransitionPlace } from '../actor/logic.ts';
import { messageOf } from '../errors.ts';
import type { AnyEvent, Attempt, AttemptCandidate, Refusal, StateValue } from './answers.ts';
import { edgeIdOf } from './chart/edge-id.ts';
import type { Redaction } from './personal.ts';

export interface Fork {
  readonly hosted: HostedMachine;
  readonly state: AnyMachineSnapshot;
  readonly version: number;
  readonly event: AnyEvent;
  readonly redact: Redaction;
}

export function attemptOf({ hosted, state, version, event, redact }: Fork): Attempt {
  const show = (shown: AnyMachineSnapshot, effects: Attempt['effects']) => ({
    value: shown.value,
    status: shown.status,
    context: redact((hosted.plain(shown) as { readonly context?: unknown }).context),
    effects: redact(effects),
  });
  const fixed = { version, event: redact(event) };
  const refused = (thrown?: string): Attempt => {
    const refusal = refusalOf(hosted, state, event, thrown);
    return { ...fixed, ...show(state, []), accepted: false, changes: false, taken: [], refusal };
  };
  try {
    const taken = hosted.taken(state, event).map(edgeOf);
    if (taken.length === 0) return refused();
    const step = hosted.step(state, event);
    const effects = effectsOf(step.emitted, step.timers);
    return {
      ...fixed,
      ...show(step.state, effects),
      accepted: true,
      changes: step.changed || effects.length > 0,
      taken,
    };
  } catch (error) {
    return refused(messageOf(error));
  }
}

export function edgeOf({ state, index }: TransitionPlace): string {
  return edgeIdOf(state, index);
}

/** What a step let out, in one list: the emitted events as they are, then what became of timers. */
export function effectsOf(emitted: readonly AnyEvent[], timers: readonly TimerEffect[]): readonly AnyEvent[] {
  return [...emitted, ...timers.map(({ kind, ...timer }) => ({ type: `timer.${kind}`, ...timer }))];
}

/** Throws nothing: a guard that does says so in its candidate. */
function refusalOf(hosted: HostedMachine, state: AnyMachineSnapshot, event: AnyEvent, thrown?: string): Refusal {
  const found = state.status === 'active' ? hosted.candidates(state, event) : [];
  const where = statesIn(state.value).join(', ');
  return { state: where, reason: reasonOf(state, where, event, found, thrown), candidates: found.map(candidateOf) };
}

function candidateOf({ guard, passed, error, ...place }: Candidate): AttemptCandidate {
  return {
    transition: edgeOf(place),
    state: place.state,
    ...(guard === undefined ? {} : { guard }),
    passed,
    ...(error === undefined ? {} : { error }),
  };
}

function reasonOf(
  { status }: AnyMachineSnapshot,
  where: string,
  { type }: AnyEvent,
  found: readonly Candidate[],
  thrown: string | undefined,
): string {
  if (thrown !== undefined) return `The machine throws on ${type} in ${where}: ${thrown}`;
  if (status !== 'active') return `The machine has come to its end in ${where} and takes no event any more.`;
  if (found.length === 0) return `Nothing handles ${type} in ${where}.`;
  const guards = [...new Set(found.map(({ guard }) => guard))].join(', ');
  return `${type} is handled in ${where}, and its ${found.length === 1 ? 'guard says' : 'guards say'} no: ${guards}.`;
}

/** The innermost states of a state value, as paths. */
function statesIn(value: StateValue): readonly string[] {
  if (typeof value === 'string') return [value];
  return Object.entries(value).flatMap(([key, inner]) => {
    const below = inner === undefined ? [] : statesIn(inner);
    return below.length === 0 ? [key] : below.map((path) => `${key}.${path}`);
  });
}
