/** What somebody types to find an actor, as a question to the server. */

import type { TypeRow } from '../../src/inspect/answers.ts';
import type { ActorQuery } from './inspect-api.ts';
import { isAddress, isId } from './place.ts';

export interface SearchQuery {
  /** Where the text itself leads. */
  readonly address?: string | undefined;
  readonly operation?: string | undefined;
  /** What to look for otherwise; undefined when nothing was typed, or a word means nothing. */
  readonly actors?: Omit<ActorQuery, 'limit'> | undefined;
  /** The first word that means nothing. */
  readonly unknown?: string | undefined;
}

/** The names of its states, outer ones first. */
export function stateNames(definition: unknown): readonly string[] {
  if (typeof definition !== 'object' || definition === null || !('states' in definition)) return [];
  const states = definition.states as Readonly<Record<string, unknown>>;
  return Object.entries(states).flatMap(([name, inner]) => [name, ...stateNames(inner)]);
}

function found(word: string, names: readonly string[]): string | undefined {
  const lower = word.toLowerCase();
  return (
    names.find((name) => name === word) ??
    names.find((name) => name.toLowerCase() === lower) ??
    (lower.length > 1 ? names.find((name) => name.toLowerCase().startsWith(lower)) : undefined)
  );
}

const labelled = /^(type|state|id|operation|op):(.+)$/i;

/** Words may say what they are (`type:room state:open`); those that do not are an id, a type or a state. */
export function searchQuery(text: string, types: readonly Pick<TypeRow, 'type' | 'definition'>[]): SearchQuery {
  const trimmed = text.trim();
  if (isAddress(trimmed)) return { address: trimmed };
  if (isId(trimmed)) return { operation: trimmed, actors: { id: trimmed } };

  const actors: { type?: string; state?: string; id?: string; operation?: string } = {};
  for (const word of trimmed.split(/\s+/).filter(Boolean)) {
    const [, label, value = word] = labelled.exec(word) ?? [];
    const kind = label?.toLowerCase();
    const type = found(
      value,
      types.map((row) => row.type),
    );
    const chosen = types.filter((row) => actors.type === undefined || row.type === actors.type);
    const state = found(value, [...new Set(chosen.flatMap((row) => stateNames(row.definition)))]);
    if (kind === 'operation' || kind === 'op') actors.operation = value;
    else if (kind === 'id' || (kind === undefined && isId(value))) actors.id = value;
    else if (kind !== 'state' && actors.type === undefined && type !== undefined) actors.type = type;
    else if (kind !== 'type' && state !== undefined) actors.state = state;
    else return { unknown: word };
  }
  return Object.keys(actors).length === 0 ? {} : { actors };
}
