/**
 * Guards as people read them: `isOpen`, `!isOpen`, `isOpen && isOurs`, `in state open`. For charts and for saying why an
 * event was refused; it decides nothing.
 */

/** What a transition may have as its guard: a name, a name with parameters, a function, or one of and, or, not, stateIn. */
export type GuardSource = string | { readonly type: string } | ((...args: never[]) => unknown);

interface Combined {
  readonly name: string;
  readonly guards?: readonly GuardSource[];
  readonly stateValue?: unknown;
}

export function guardText(guard: GuardSource): string {
  if (typeof guard === 'string') return guard;
  if (typeof guard !== 'function') return guard.type;
  const { name, guards = [], stateValue } = guard as unknown as Combined;
  const [first] = guards;
  if (first !== undefined && name === 'not') return `!${bracketed(first)}`;
  if (first !== undefined) return guards.map(bracketed).join(name === 'or' ? ' || ' : ' && ');
  if (stateValue !== undefined) {
    return `in state ${typeof stateValue === 'string' ? stateValue : JSON.stringify(stateValue)}`;
  }
  return name === '' || name === 'guard' ? 'a condition' : name;
}

/** In brackets where it would be read otherwise without. */
function bracketed(guard: GuardSource): string {
  const text = guardText(guard);
  return text.includes(' && ') || text.includes(' || ') ? `(${text})` : text;
}
