/** What the commands that look into the past share: time travel over a store that is read, and how a step is printed. */

import { type ActorDefinition, chartOf, definitionOf, type HistoryStep, TimeTravel } from '../../src/index.ts';
import type { StoreConfig } from '../config.ts';
import { definitions } from './application.ts';
import { reading } from './store.ts';

/** Opens the store beside whoever writes it, for `use`. */
export function travelling<T>(config: StoreConfig, use: (travel: TimeTravel) => Promise<T>): Promise<T> {
  return reading(config, (journal) => use(new TimeTravel({ journal, actors: definitions })));
}

export function definitionNamed(type: string): ActorDefinition | undefined {
  return definitions.find((definition) => definition.type === type);
}

export function stateText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** The transitions of an actor's machine as people read them: `open: MESSAGE_CREATE_COMPLETED [isPending] / settle`. */
export function transitionTexts(type: string, ids: readonly string[]): readonly string[] {
  const definition = definitionNamed(type);
  if (definition === undefined || ids.length === 0) return ids;
  const { states, edges } = chartOf(definitionOf(definition.machine));
  const keys = new Map(states.map(({ id, key }) => [id, key]));
  return ids.map((id) => {
    const edge = edges.find((one) => one.id === id);
    if (edge === undefined) return id;
    const { source, target, label, guard, actions } = edge;
    const when = guard === undefined ? '' : ` [${guard}]`;
    const then = actions.length === 0 ? '' : ` / ${actions.join(', ')}`;
    return `${keys.get(source)}: ${label}${when}${then}${target === undefined ? '' : ` → ${keys.get(target)}`}`;
  });
}

/** One line for each effect: its type, and its data. */
export function effectLines(effects: HistoryStep['effects']): readonly string[] {
  return effects.map(({ type, ...data }) =>
    `${type} ${Object.keys(data).length === 0 ? '' : JSON.stringify(data)}`.trim(),
  );
}

/** `label` in front of the first line, and as much room in front of the others. */
export function labelled(label: string, lines: readonly string[]): readonly string[] {
  return lines.map((line, i) => `${(i === 0 ? label : '').padEnd(9)}${line}`);
}
