/**
 * What was found for what is typed: asked for when typing pauses, and dropped when it goes on. More of it is read page by
 * page, up to a bound. Where nothing is typed, what could be.
 */

import { useEffect, useRef, useState } from 'preact/hooks';
import type { ActorRow, TypeRow } from '../../src/inspect/answers.ts';
import { useDesk } from './desk.ts';
import type { ActorQuery, ActorsPage, InspectApi } from './inspect-api.ts';
import { stateText } from './machine-words.ts';
import type { Place } from './place.ts';
import { searchQuery, stateNames } from './search-query.ts';

const typingMs = 180;
const pageSize = 12;
export const resultsMax = 240;
/** The server looks at a number of actors for one page: of a rare state, so many pages are read before somebody is asked. */
const emptyPagesMax = 5;
const hint = 'Say an address, an id, a type, a state, or op: and an operation.';

export interface Result {
  readonly key: string;
  readonly kind: string;
  readonly title: string;
  readonly note?: string | undefined;
  /** Where it leads; or what is to be typed instead. */
  readonly leadsTo: Place | string;
}

export interface Found {
  /** The text it was found for: while somebody types, an older one. */
  readonly text: string;
  readonly results: readonly Result[];
  /** Below the results, or instead of any. */
  readonly sentence?: string | undefined;
  /** Where the search goes on. */
  readonly next?: string | undefined;
}

const nothing: Found = { text: '', results: [] };

type Answer = Omit<Found, 'text'>;

function ofActor({ address, value, version }: ActorRow): Result {
  const [kind = '', title = ''] = address.split('/');
  const note = value === null ? 'unreadable' : `${stateText(value)} · ${version}`;
  return { key: address, kind, title, note, leadsTo: { view: 'actor', actor: address } };
}

function ofType({ type, definition }: TypeRow): Result {
  return { key: type, kind: type, title: stateNames(definition).join(', '), leadsTo: `${type} ` };
}

/** Reads on until something is found. */
async function read(api: InspectApi, query: ActorQuery | string, signal: AbortSignal): Promise<ActorsPage> {
  let page = await api.actors(query, signal);
  for (let pages = 1; pages < emptyPagesMax && page.rows.length === 0 && page.next !== undefined; pages += 1) {
    page = await api.actors(page.next, signal);
  }
  return page;
}

function answerWith(results: readonly Result[], next: string | undefined): Answer {
  if (results.length >= resultsMax && next !== undefined) {
    return { results, sentence: `These are the first ${results.length}. Say more to find others.` };
  }
  if (results.length > 0) return { results, next };
  return { results, next, sentence: next === undefined ? 'Nothing found.' : 'Nothing found among the first actors.' };
}

async function look(api: InspectApi, text: string, signal: AbortSignal): Promise<Answer> {
  const types = await api.types();
  const { address, operation, actors, unknown } = searchQuery(text, types);
  if (unknown !== undefined) return { results: [], sentence: `“${unknown}” is no type and no state. ${hint}` };
  if (address !== undefined) {
    const [kind = '', title = ''] = address.split('/');
    return { results: [{ key: address, kind, title, leadsTo: { view: 'actor', actor: address } }] };
  }
  if (actors === undefined) return { results: types.map(ofType), sentence: hint };
  const { rows, next } = await read(api, { ...actors, limit: pageSize }, signal);
  const found = rows.map(ofActor);
  if (operation === undefined) return answerWith(found, next);
  const own: Result = {
    key: operation,
    kind: 'operation',
    title: operation,
    leadsTo: { view: 'operation', operation },
  };
  // An id may be an operation's, whose actor is called like it, or any actor's: what it is comes first.
  const ending = types.filter(({ ends }) => ends).map(({ type }) => type);
  const isOperation = rows.length === 0 || rows.some((row) => ending.includes(row.address.split('/')[0] ?? ''));
  return answerWith(isOperation ? [own, ...found] : [...found, own], next);
}

export interface Search {
  readonly found: Found;
  /** Reads the next page and puts it behind what was found. */
  readonly more: () => void;
}

/** While `isOpen`, what is found for `text`. */
export function useSearch(text: string, isOpen: boolean): Search {
  const { api } = useDesk();
  const [found, setFound] = useState<Found>(nothing);
  const leaving = useRef<AbortController>();
  useEffect(() => {
    if (!isOpen) return;
    const asking = new AbortController();
    leaving.current = asking;
    const { signal } = asking;
    const timer = setTimeout(
      () => {
        look(api, text, signal).then(
          (answer) => signal.aborted || setFound({ text, ...answer }),
          (error: Error) => signal.aborted || setFound({ text, results: [], sentence: error.message }),
        );
      },
      text.trim() === '' ? 0 : typingMs,
    );
    return () => {
      clearTimeout(timer);
      asking.abort();
    };
  }, [text, api, isOpen]);

  const { results, next } = found;
  const more = (): void => {
    const signal = leaving.current?.signal;
    if (next === undefined || signal === undefined) return;
    setFound({ ...found, next: undefined });
    read(api, next, signal).then(
      (page) => signal.aborted || setFound({ text, ...answerWith([...results, ...page.rows.map(ofActor)], page.next) }),
      // What was there stays, and can be asked to go on again.
      (error: Error) => signal.aborted || setFound({ ...found, sentence: error.message }),
    );
  };
  return { found, more };
}
