/**
 * A statechart as a graph: states with what they hold, and transitions with what they say. It is made of a machine's
 * definition alone, in Node as in a browser, by xstate/graph, and adds what that leaves out (eventless transitions). It
 * has neither sizes nor places; layout.ts gives them.
 */

import { createMachine } from 'xstate';
import { toDirectedGraph } from 'xstate/graph';
import type { MachineDefinition } from './definition.ts';
import { alwaysIdOf, edgeIdOf } from './edge-id.ts';

export type StateKind = 'atomic' | 'compound' | 'parallel' | 'final' | 'history';

export interface ChartState {
  /** As XState has it: `room.open`. */
  readonly id: string;
  readonly key: string;
  /** Undefined for the machine itself. */
  readonly parent: string | undefined;
  readonly kind: StateKind;
  readonly children: readonly string[];
  /** The child that is entered first. */
  readonly initial: string | undefined;
  readonly description: string | undefined;
  readonly entry: readonly string[];
  readonly exit: readonly string[];
  readonly tags: readonly string[];
}

export interface ChartEdge {
  /** As edge-id.ts makes it. */
  readonly id: string;
  readonly source: string;
  /** Undefined for a transition that stays where it is. */
  readonly target: string | undefined;
  readonly kind: 'event' | 'always' | 'after' | 'done';
  /** The event's type; for the others what stands in its place, for people: `after timeout (5 s)`, `always`, `done`. */
  readonly label: string;
  readonly guard: string | undefined;
  readonly actions: readonly string[];
}

export interface Chart {
  readonly id: string;
  readonly title: string;
  /** The machine itself first, then each state behind its parent. */
  readonly states: readonly ChartState[];
  readonly edges: readonly ChartEdge[];
}

type Graph = ReturnType<typeof toDirectedGraph>;
type StateNode = Graph['stateNode'];
type Transition = Graph['edges'][number]['transition'];
type Named = string | { readonly type: string };

/** Names of actions as people read them: XState's own without their prefix. */
function namesOf(actions: unknown): readonly string[] {
  if (actions === undefined) return [];
  return (Array.isArray(actions) ? (actions as readonly Named[]) : [actions as Named])
    .map((action) => (typeof action === 'string' ? action : action.type).replace(/^xstate\./, ''))
    .filter((name) => name !== '');
}

function stateOf(node: StateNode): ChartState {
  const { config } = node;
  const initial = node.initial?.target[0] as StateNode | undefined;
  return {
    id: node.id,
    key: node.key,
    parent: node.parent?.id,
    kind: node.type,
    children: Object.values(node.states).map((child) => (child as StateNode).id),
    initial: node.type === 'compound' ? initial?.id : undefined,
    description: typeof config.description === 'string' ? config.description : undefined,
    entry: namesOf(config.entry),
    exit: namesOf(config.exit),
    tags: [...node.tags],
  };
}

/** `250 ms`, `5 s`, `2 min`, `36 h`. */
function timeText(ms: number): string {
  const units = [
    ['h', 3_600_000],
    ['min', 60_000],
    ['s', 1_000],
  ] as const;
  const [unit, size] = units.find(([, length]) => ms >= length && ms % length === 0) ?? ['ms', 1];
  return `${ms / size} ${unit}`;
}

function delayText(delay: string | number, delays: MachineDefinition['delays']): string {
  if (!Number.isNaN(Number(delay))) return `after ${timeText(Number(delay))}`;
  const ms = delays?.[delay];
  return ms === undefined ? `after ${delay}` : `after ${delay} (${timeText(ms)})`;
}

/** What leads to a transition: XState's own events have long names, of which people need the beginning. */
function causeOf(transition: Transition, delays: MachineDefinition['delays']): Pick<ChartEdge, 'kind' | 'label'> {
  const { eventType } = transition;
  const [, after] = /^xstate\.after\.(.+?)\./.exec(eventType) ?? [];
  const delay = (transition as { readonly delay?: string | number }).delay ?? after;
  if (after !== undefined && delay !== undefined) return { kind: 'after', label: delayText(delay, delays) };
  const [, what, name] = /^xstate\.(done|error)\.(?:state|actor)\.(.*)$/.exec(eventType) ?? [];
  if (what !== undefined && name !== undefined) {
    return { kind: 'done', label: eventType.startsWith('xstate.done.state.') ? 'done' : `${what} ${name}` };
  }
  return { kind: 'event', label: eventType === '*' ? 'any other event' : eventType };
}

function edgeOf(
  id: string,
  source: StateNode,
  transition: Transition,
  target: StateNode | undefined,
  cause: Pick<ChartEdge, 'kind' | 'label'>,
): ChartEdge {
  const guard = transition.guard as Named | undefined;
  return {
    id,
    source: source.id,
    target: target?.id,
    ...cause,
    guard: guard === undefined ? undefined : typeof guard === 'string' ? guard : guard.type,
    actions: namesOf(transition.actions),
  };
}

function eventlessOf(node: StateNode): readonly ChartEdge[] {
  const cause = { kind: 'always', label: 'always' } as const;
  return (node.always ?? []).flatMap((transition, index) => {
    const targets: readonly (StateNode | undefined)[] = transition.target ?? [undefined];
    return targets.map((target, i) => edgeOf(alwaysIdOf(node.id, index, i), node, transition, target, cause));
  });
}

function edgesOf({ stateNode, edges }: Graph, delays: MachineDefinition['delays']): readonly ChartEdge[] {
  const transitions = [...stateNode.transitions.values()].flat();
  const onEvents = edges.map(({ source, target, transition }) => {
    const place = transition.target?.indexOf(target) ?? 0;
    const id = edgeIdOf(source.id, transitions.indexOf(transition), place);
    return edgeOf(id, source, transition, transition.target && target, causeOf(transition, delays));
  });
  return [...onEvents, ...eventlessOf(stateNode)];
}

/** The chart of a machine, of what `definitionOf` gives, or the JSON of a config. Throws what XState throws for one that is none. */
export function chartOf(definition: MachineDefinition): Chart {
  const machine = createMachine(definition as Parameters<typeof createMachine>[0]);
  const states: ChartState[] = [];
  const edges: ChartEdge[] = [];
  const visit = (graph: Graph): void => {
    states.push(stateOf(graph.stateNode));
    edges.push(...edgesOf(graph, definition.delays));
    for (const child of graph.children) visit(child);
  };
  visit(toDirectedGraph(machine));
  return { id: machine.id, title: machine.id === '(machine)' ? 'machine' : machine.id, states, edges };
}

/** The ids of the states that a state value says an actor is in, outer ones included: what to light. */
export function activeStates(chart: Chart, value: unknown): readonly string[] {
  const byId = new Map(chart.states.map((state) => [state.id, state]));
  const active: string[] = [];
  const visit = (state: ChartState | undefined, inner: unknown): void => {
    if (state === undefined) return;
    active.push(state.id);
    const keys = typeof inner === 'string' ? [inner] : Object.keys((inner ?? {}) as object);
    for (const id of state.children) {
      const child = byId.get(id);
      if (child === undefined || !keys.includes(child.key)) continue;
      visit(child, typeof inner === 'string' ? {} : (inner as Readonly<Record<string, unknown>>)[child.key]);
    }
  };
  visit(chart.states[0], value);
  return active;
}
