/**
 * The token a page acts with, or why it has none. It is kept with the tab, not with the browser: it survives a reload, two
 * tabs may be two people, and closing the tab forgets it. What is read from a token here is for showing; only the server
 * verifies it.
 */

import { createAtom, useAtom } from '@xstate/store-preact';

export interface Access {
  readonly token: string;
  readonly email: string;
  /** Undefined for an issuer's token: the server has rules of its own for whom it takes as an operator. */
  readonly isAdmin: boolean | undefined;
  /** Epoch milliseconds; undefined for a token that does not expire. */
  readonly expiresAt: number | undefined;
}

/** Why somebody is out: by a text of the pages, or in the server's own words. */
export type Exclusion =
  | 'expired'
  | 'denied'
  | 'failed'
  /** The issuer gave a token without an email. */
  | 'nameless'
  | 'issuer-silent'
  | { readonly sentence: string };

const storageKey = 'troupe.token';

function claimsOf(token: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const payload = (token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
    const bytes = Uint8Array.from(atob(payload), (character) => character.charCodeAt(0));
    const claims: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof claims === 'object' && claims !== null ? (claims as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** Undefined for what is no token of a person. */
export function accessOf(token: string): Access | undefined {
  const claims = claimsOf(token);
  if (typeof claims?.email !== 'string') return undefined;
  const expiresAt = typeof claims.exp === 'number' ? claims.exp * 1000 : undefined;
  const isAdmin = claims.iss === undefined ? claims.role === 'admin' : undefined;
  return { token, email: claims.email, isAdmin, expiresAt };
}

function stored(): Access | undefined {
  const token = sessionStorage.getItem(storageKey);
  const access = token === null ? undefined : accessOf(token);
  if (access?.expiresAt !== undefined && access.expiresAt <= Date.now()) return undefined;
  return access;
}

const access = createAtom<Access | undefined>(stored());
const exclusion = createAtom<Exclusion | undefined>(undefined);

export function keepAccess(kept: Access): void {
  sessionStorage.setItem(storageKey, kept.token);
  exclusion.set(undefined);
  access.set(kept);
}

/** `why` is shown where one signs in. */
export function forgetAccess(why?: Exclusion): void {
  sessionStorage.removeItem(storageKey);
  exclusion.set(why);
  access.set(undefined);
}

export function currentAccess(): Access | undefined {
  return access.get();
}

/** Tells of every change. */
export function onAccess(changed: (access: Access | undefined) => void): void {
  access.subscribe(changed);
}

export function useAccess(): Access | undefined {
  return useAtom(access);
}

export function useExclusion(): Exclusion | undefined {
  return useAtom(exclusion);
}
