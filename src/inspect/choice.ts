/**
 * What a watcher chooses to see: actors, types and operations. Within one of them any will do, several of them must all
 * hold, and nothing chosen means everything.
 */

import { type Address, isActorType, parseAddress, typeOf } from '../actor/address.ts';
import { Refusal } from '../gateway/problem.ts';

export interface Choice {
  readonly actors: readonly string[];
  readonly types: readonly string[];
  readonly operations: readonly string[];
}

/** Values of one parameter. */
const valuesMax = 100;
const charactersMax = 200;

function isAddress(text: string): boolean {
  try {
    parseAddress(text);
    return true;
  } catch {
    return false;
  }
}

const parameters: Readonly<Record<string, { readonly detail: string; isValid(value: string): boolean }>> = {
  actor: { detail: 'an address, such as room/<uuid in lower case>', isValid: isAddress },
  type: { detail: "an actor's type", isValid: isActorType },
  operation: { detail: 'an operation id', isValid: (value) => value.length > 0 && value.length <= charactersMax },
};

/** What is chosen by the query of a URL. Throws a `Refusal`; a misspelt parameter would otherwise choose everything. */
export function choiceOf(query: string): Choice {
  const given = new URLSearchParams(query);
  const wrong = [...new Set(given.keys())].filter((name) => {
    if (name === 'access_token') return false;
    const parameter = parameters[name];
    const values = given.getAll(name);
    return parameter === undefined || values.length > valuesMax || !values.every((value) => parameter.isValid(value));
  });
  if (wrong.length > 0) {
    const errors = () =>
      wrong.map((field) => ({ field, detail: parameters[field]?.detail ?? 'actor, type or operation' }));
    throw new Refusal('VALIDATION_FAILED', { status: 400, params: { fields: wrong.join(', ') }, errors });
  }
  return { actors: given.getAll('actor'), types: given.getAll('type'), operations: given.getAll('operation') };
}

export function chooses({ actors, types, operations }: Choice, actor: Address, operation: string | undefined): boolean {
  if (actors.length > 0 && !actors.includes(actor)) return false;
  if (types.length > 0 && !types.includes(typeOf(actor))) return false;
  return operations.length === 0 || (operation !== undefined && operations.includes(operation));
}
