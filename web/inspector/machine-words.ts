/** What can be said about a machine from its config alone: its states, its events, and which of them a state takes. */

import type { AnyEvent, StateValue } from '../../src/inspect/answers.ts';

/** The paths of the states a value names, outer ones first: `a`, `a.b`. */
export function statePaths(value: StateValue, above = ''): readonly string[] {
  const join = (name: string): string => (above === '' ? name : `${above}.${name}`);
  if (typeof value === 'string') return [join(value)];
  return Object.entries(value).flatMap(([region, inner = {}]) => [join(region), ...statePaths(inner, join(region))]);
}

/** A state as one reads it: `open`, or `a.b + c` where there are several. */
export function stateText(value: StateValue): string {
  const paths = statePaths(value);
  return paths.filter((path) => !paths.some((other) => other.startsWith(`${path}.`))).join(' + ');
}

interface StateConfig {
  readonly on?: Readonly<Record<string, unknown>>;
  readonly states?: Readonly<Record<string, unknown>>;
}

function configOf(node: unknown): StateConfig {
  return typeof node === 'object' && node !== null ? node : {};
}

function eventsBelow(node: unknown): readonly string[] {
  const { on = {}, states = {} } = configOf(node);
  return [...Object.keys(on), ...Object.values(states).flatMap(eventsBelow)];
}

function eventsIn(node: unknown, value: StateValue | undefined): readonly string[] {
  const { on = {}, states = {} } = configOf(node);
  const inner =
    value === undefined
      ? []
      : typeof value === 'string'
        ? eventsIn(states[value], undefined)
        : Object.entries(value).flatMap(([region, below]) => eventsIn(states[region], below));
  return [...inner, ...Object.keys(on)];
}

export interface EventNames {
  /** Named by the state it is in, innermost first. */
  readonly here: readonly string[];
  /** Named by other states alone. */
  readonly elsewhere: readonly string[];
}

/** The events a machine has a word for. Timers of XState's own, which nobody may send, are left out. */
export function eventNames(definition: unknown, value: StateValue | undefined): EventNames {
  const isOpen = (name: string): boolean => !name.startsWith('xstate.') && name !== '*';
  const here = [...new Set(eventsIn(definition, value))].filter(isOpen);
  const all = [...new Set(eventsBelow(definition))].filter(isOpen);
  return { here, elsewhere: all.filter((name) => !here.includes(name)) };
}

/** An event to begin with: the newest one of that type in the actor's history, else its type alone. */
export function exampleOf(type: string, history: readonly { readonly event: AnyEvent }[]): AnyEvent {
  return history.findLast(({ event }) => event.type === type)?.event ?? { type };
}
