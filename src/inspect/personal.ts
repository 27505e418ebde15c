/**
 * Personal data in what is shown of an actor: fields whose names its definition declares as `personal` are replaced at any
 * depth, so that an operator sees that there is something and not what. What is not declared is shown.
 */

import type { ActorDefinition } from '../actor/definition.ts';

const hidden = '…';

export type Redaction = <T>(value: T) => T;

export const noRedaction: Redaction = (value) => value;

/** Copies what it changes, and nothing else. */
export function redactionOf({ personal }: Pick<ActorDefinition, 'personal'>): Redaction {
  if (personal.length === 0) return noRedaction;
  const names = new Set(personal);
  const redact = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
    if (Array.isArray(value)) {
      const parts = value.map(redact);
      return parts.some((part, i) => part !== value[i]) ? parts : value;
    }
    let copy: Record<string, unknown> | undefined;
    for (const [name, part] of Object.entries(value)) {
      const shown = names.has(name) && part !== undefined && part !== null ? hidden : redact(part);
      if (shown === part) continue;
      copy ??= { ...value };
      copy[name] = shown;
    }
    return copy ?? value;
  };
  return redact as Redaction;
}
