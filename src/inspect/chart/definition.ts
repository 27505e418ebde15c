/**
 * A machine's config as plain data, for whoever draws it: functions by their names, guards as people read them, and the
 * delays that are numbers, in ms. It holds nothing of what the functions do, and can be sent to a browser as JSON.
 */

import { type GuardSource, guardText } from '../../actor/guard-text.ts';

/** What `definitionOf` needs of a machine; every XState machine is one. */
export interface DefinedMachine {
  readonly config: object;
  readonly implementations: { readonly delays: object };
}

/** Plain data: what `createMachine` takes, with names in the place of functions. */
export interface MachineDefinition {
  readonly id?: string;
  /** Delays by their name, in ms; one that depends on the context is left out. */
  readonly delays?: Readonly<Record<string, number>>;
  readonly [field: string]: unknown;
}

function nameOf(value: (...args: never[]) => unknown): string {
  const { type } = value as { readonly type?: unknown };
  return typeof type === 'string' ? type : value.name || 'inline';
}

function plain(key: string, value: unknown): unknown {
  if (typeof value === 'function') {
    if (key === 'guard') return guardText(value as GuardSource);
    return key === 'context' || key === 'output' || key === 'input' ? undefined : nameOf(value as () => unknown);
  }
  if (Array.isArray(value)) return value.map((part) => plain(key, part));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, plain(name, part)]));
}

export function definitionOf({ config, implementations }: DefinedMachine): MachineDefinition {
  const delays = Object.fromEntries(Object.entries(implementations.delays).filter(([, ms]) => typeof ms === 'number'));
  return { ...(plain('', config) as object), ...(Object.keys(delays).length === 0 ? {} : { delays }) };
}
