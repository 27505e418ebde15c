/**
 * A chart as a Mermaid state diagram, for pages that draw those. Mermaid has no place for transitions that stay in their
 * state nor for what a state does on entry and exit: they become notes beside it, or beside its first inner state.
 */

import type { Chart, ChartEdge, ChartState } from './chart.ts';

/** Words that Mermaid reads otherwise, in lower case. */
const reserved = new Set([
  'state',
  'note',
  'end',
  'direction',
  'class',
  'classdef',
  'click',
  'style',
  'default',
  'hide',
]);

/** Names of states: their keys where those are words and nobody else has them, else their paths. */
function namesOf({ states }: Chart): ReadonlyMap<string, string> {
  const counts = new Map<string, number>();
  for (const { key } of states) counts.set(key, (counts.get(key) ?? 0) + 1);
  const isFree = ({ key }: ChartState): boolean =>
    counts.get(key) === 1 && /^[A-Za-z]\w*$/.test(key) && !reserved.has(key.toLowerCase());
  return new Map(states.map((state) => [state.id, isFree(state) ? state.key : `s_${state.id.replace(/\W/g, '_')}`]));
}

/** As a label may have it: Mermaid ends one at a colon, a semicolon or a hash. */
function plain(text: string): string {
  return text.replace(/[#;:]/g, (character) => `#${character.charCodeAt(0)};`).replace(/\s+/g, ' ');
}

function labelOf({ label, guard, actions }: ChartEdge): string {
  const when = guard === undefined ? '' : ` [${guard}]`;
  const then = actions.length === 0 ? '' : ` / ${actions.join(', ')}`;
  return plain(`${label}${when}${then}`);
}

class Diagram {
  readonly lines: string[] = ['stateDiagram-v2'];
  readonly #chart: Chart;
  readonly #names: ReadonlyMap<string, string>;
  readonly #byId: ReadonlyMap<string, ChartState>;

  constructor(chart: Chart) {
    this.#chart = chart;
    this.#names = namesOf(chart);
    this.#byId = new Map(chart.states.map((state) => [state.id, state]));
    const root = chart.states[0];
    if (root === undefined) return;
    this.#inside(root, 1);
    for (const edge of chart.edges) this.#edge(edge);
    this.#notes();
  }

  /** The machine itself has no box of its own. */
  #nameOf(id: string): string {
    return this.#names.get(id) ?? id;
  }

  #add(depth: number, line: string): void {
    this.lines.push(`${'    '.repeat(depth)}${line}`);
  }

  #inside({ id, kind, initial, children }: ChartState, depth: number): void {
    if (initial !== undefined) this.#add(depth, `[*] --> ${this.#nameOf(initial)}`);
    for (const [i, child] of children.entries()) {
      if (kind === 'parallel' && i > 0) this.#add(depth, '--');
      this.#state(this.#byId.get(child)!, depth);
    }
    if (children.length === 0) this.#add(depth, this.#nameOf(id));
  }

  #state(state: ChartState, depth: number): void {
    const { id, key, kind, children } = state;
    const name = this.#nameOf(id);
    const title = kind === 'history' ? 'H' : key;
    if (name !== title) this.#add(depth, `state "${plain(title).replaceAll('"', "'")}" as ${name}`);
    if (children.length > 0) {
      this.#add(depth, `state ${name} {`);
      this.#inside(state, depth + 1);
      this.#add(depth, '}');
    } else if (name === title) this.#add(depth, name);
    if (kind === 'final') this.#add(depth, `${name} --> [*]`);
  }

  #edge(edge: ChartEdge): void {
    // From anywhere in the machine: a note says it, since the machine has no box.
    if (edge.target === undefined || edge.source === this.#chart.states[0]?.id) return;
    this.#add(1, `${this.#nameOf(edge.source)} --> ${this.#nameOf(edge.target)}: ${labelOf(edge)}`);
  }

  /** One note beside each innermost state at most: of several, Mermaid keeps the last. */
  #notes(): void {
    const notes = new Map<string, string[]>();
    for (const state of this.#chart.states) {
      const says = this.#says(state);
      if (says.length === 0) continue;
      const { id } = this.#innermost(state);
      const lines = notes.get(id) ?? [];
      notes.set(id, lines);
      if (id !== state.id)
        lines.push(state.parent === undefined ? 'In every state:' : `In all of ${plain(state.key)}:`);
      else if (lines.length > 0) lines.push(`In ${plain(state.key)} itself:`);
      lines.push(...says);
    }
    for (const [id, lines] of notes) {
      this.#add(1, `note right of ${this.#nameOf(id)}`);
      for (const line of lines) this.#add(2, line);
      this.#add(1, 'end note');
    }
  }

  #says(state: ChartState): readonly string[] {
    const isRoot = state.parent === undefined;
    const own = this.#chart.edges.filter(
      ({ source, target }) => source === state.id && (isRoot || target === undefined),
    );
    return [
      ...(state.entry.length === 0 ? [] : [plain(`entry / ${state.entry.join(', ')}`)]),
      ...(state.exit.length === 0 ? [] : [plain(`exit / ${state.exit.join(', ')}`)]),
      ...own.map((edge) => {
        const where = edge.target === undefined ? '' : ` → ${this.#byId.get(edge.target)?.key}`;
        return `${labelOf(edge)}${where}`;
      }),
    ];
  }

  /** Mermaid has notes beside the innermost states alone. */
  #innermost(state: ChartState): ChartState {
    const first = state.initial ?? state.children[0];
    return first === undefined ? state : this.#innermost(this.#byId.get(first)!);
  }
}

export function mermaidOf(chart: Chart): string {
  return `${new Diagram(chart).lines.join('\n')}\n`;
}
