/** Paged lists as clients read them: by the link to the next page. */

import { expect } from 'vitest';
import type { Person } from './person.ts';

export interface Page<T> {
  readonly items: readonly T[];
  /** The path in the Link header. */
  readonly next: string | undefined;
}

export async function page<T>(person: Person, path: string): Promise<Page<T>> {
  const { status, headers, body } = await person.call<readonly T[]>('GET', path);
  expect(status, JSON.stringify(body)).toBe(200);
  const link = headers.get('link');
  if (link === null) return { items: body, next: undefined };
  const next = /^<(\/v1\/[^>]+)>; rel="next"$/.exec(link)?.[1];
  expect(next, link).toBeDefined();
  return { items: body, next };
}

/** Each page, following the links. */
export async function pages<T>(person: Person, path: string): Promise<readonly (readonly T[])[]> {
  const all: (readonly T[])[] = [];
  for (let next: string | undefined = path; next !== undefined && all.length < 100; ) {
    const found: Page<T> = await page<T>(person, next);
    all.push(found.items);
    next = found.next;
  }
  return all;
}
