/** Where one is in the inspector, as its address line says it. Every view can be linked to and comes back on a reload. */

import type { AnyEvent } from '../../src/inspect/answers.ts';

/** `seq` is a version of the actor; without it the view follows the newest one. */
export interface ActorPlace {
  readonly view: 'actor';
  readonly actor: string;
  readonly seq?: number | undefined;
  /** To be tried on a copy there, once. It is in no link. */
  readonly tried?: AnyEvent | undefined;
}

export type Place =
  | { readonly view: 'overview' }
  | ActorPlace
  | { readonly view: 'operation'; readonly operation: string };

export const overview: Place = { view: 'overview' };

const addressForm = /^[A-Za-z][\w-]*\/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const idForm = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export function isAddress(text: string): boolean {
  return addressForm.test(text);
}

export function isId(text: string): boolean {
  return idForm.test(text);
}

/** The place a query string names. What it does not understand it leaves out. */
export function placeOf(search: string): Place {
  const params = new URLSearchParams(search);
  const actor = params.get('actor') ?? '';
  if (isAddress(actor)) {
    const seq = /^\d{1,15}$/.test(params.get('seq') ?? '') ? Number(params.get('seq')) : undefined;
    return { view: 'actor', actor, seq };
  }
  const operation = params.get('operation') ?? '';
  return isId(operation) ? { view: 'operation', operation } : overview;
}

/** What a tab is called there. */
export function titleOf(place: Place): string {
  const name = 'Troupe inspector';
  switch (place.view) {
    case 'overview':
      return name;
    case 'actor': {
      const [type = '', id = ''] = place.actor.split('/');
      return `${type} ${id.slice(0, 8)} · ${name}`;
    }
    case 'operation':
      return `Operation ${place.operation.slice(0, 8)} · ${name}`;
  }
}

/** The query string of a place, with its question mark; empty for the overview. */
export function searchOf(place: Place): string {
  switch (place.view) {
    case 'overview':
      return '';
    case 'actor':
      return `?actor=${place.actor}${place.seq === undefined ? '' : `&seq=${place.seq}`}`;
    case 'operation':
      return `?operation=${place.operation}`;
  }
}
