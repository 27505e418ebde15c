/**
 * Coming in through an issuer, staying in, and going out: what the pages do with oidc.ts. A token is exchanged for a fresh
 * one before it ends, if the issuer has left something to do that with; else whoever it was asks to sign in again when it
 * has ended. It guarantees that one exchange is under way at a time, and that whoever signs out meanwhile stays out.
 */

import { createAtom, useAtom } from '@xstate/store-preact';
import { type Access, accessOf, currentAccess, type Exclusion, forgetAccess, keepAccess, onAccess } from './access.ts';
import * as oidc from './oidc.ts';

/** So long before its end a token is exchanged, or at half of what is left. */
const leadMs = 60_000;
/** Between two exchanges, whatever the clocks say. */
const pauseMsMin = 2_000;
/** An issuer that does not answer is asked again after this. */
const retryMs = 10_000;
/** Browsers know no longer timers than some weeks. */
const timerMsMax = 3_600_000;

const tab: oidc.Tab = {
  storage: sessionStorage,
  get url() {
    return location.href;
  },
  replace(url) {
    history.replaceState(null, '', url);
    // Whoever has read the address already is told, as of going back.
    window.dispatchEvent(new PopStateEvent('popstate'));
  },
  leave: (url) => location.assign(url),
};

/** On the way in or out. */
export type Passage = 'in' | 'out';
const passage = createAtom<Passage | undefined>(undefined);

export function usePassage(): Passage | undefined {
  return useAtom(passage);
}

/** Nobody is in any more, and nothing is left to come in with by itself. */
export function turnAway(why: Exclusion): void {
  oidc.forget(tab);
  forgetAccess(why);
}

function admit(token: string): void {
  const access = accessOf(token);
  if (access === undefined) turnAway('nameless');
  else keepAccess(access);
}

let exchanging: Promise<oidc.Renewal> | undefined;

async function exchange(): Promise<oidc.Renewal> {
  const before = currentAccess();
  const renewal = await oidc.renew(tab);
  if (renewal.kind !== 'renewed') return renewal;
  const access = accessOf(renewal.token);
  const isSame = before === undefined || access?.email === before.email;
  if (access === undefined || !isSame || currentAccess() !== before) return { kind: 'over' };
  keepAccess(access);
  return renewal;
}

/** A token that came after this one, which is about to end or is refused. */
export async function freshen(token: string): Promise<oidc.Renewal> {
  const access = currentAccess();
  if (access !== undefined && access.token !== token) return { kind: 'renewed', token: access.token };
  exchanging ??= exchange().finally(() => {
    exchanging = undefined;
  });
  return exchanging;
}

let timer: number | undefined;

function lookAt(access: Access, dueAt: number): void {
  window.clearTimeout(timer);
  const look = (): void => {
    if (Date.now() < dueAt) lookAt(access, dueAt);
    else void exchangeOrEnd(access);
  };
  timer = window.setTimeout(look, Math.min(Math.max(dueAt - Date.now(), 0), timerMsMax));
}

function watchOver(access: Access | undefined): void {
  window.clearTimeout(timer);
  if (access?.expiresAt === undefined) return;
  const left = access.expiresAt - Date.now();
  const isRenewable = oidc.canRenew(tab);
  lookAt(access, isRenewable ? Date.now() + Math.max(pauseMsMin, left - Math.min(leadMs, left / 2)) : access.expiresAt);
}

async function exchangeOrEnd(access: Access): Promise<void> {
  const { kind } = await freshen(access.token);
  if (kind === 'renewed' || currentAccess() !== access) return;
  const now = Date.now();
  const { expiresAt = now } = access;
  // While the issuer is away, the server's patience counts; it may think of the time otherwise.
  if (kind === 'unavailable') lookAt(access, now + retryMs);
  else if (now < expiresAt) lookAt(access, expiresAt);
  else turnAway('expired');
}

async function comeIn(): Promise<void> {
  const completion = await oidc.completeSignIn(tab);
  if (completion.kind === 'signed-in') {
    admit(completion.token);
    return;
  }
  if (completion.kind === 'failed') console.warn('Signing in did not succeed.', completion.cause);
  // An address that somebody else has made up does not put anybody out.
  if (currentAccess() !== undefined) return;
  if (completion.kind === 'failed') {
    turnAway(completion.reason);
    return;
  }
  if (!oidc.canRenew(tab)) return;
  const renewal = await freshen('');
  if (renewal.kind === 'over') turnAway('expired');
  if (renewal.kind === 'unavailable') forgetAccess('issuer-silent');
}

/** To be called when a page opens, before it is drawn: takes an issuer's answer, or renews what has ended meanwhile. */
export function arrive(): void {
  const mustWait = oidc.isAnswer(tab) || (currentAccess() === undefined && oidc.canRenew(tab));
  onAccess(watchOver);
  watchOver(currentAccess());
  // Going back from an issuer may bring back the page as it was left.
  window.addEventListener('pageshow', ({ persisted }) => {
    if (persisted) passage.set(undefined);
  });
  if (!mustWait) return;
  passage.set('in');
  void comeIn().finally(() => passage.set(undefined));
}

/** Leaves for the issuer. When it does not answer, the page says so. */
export async function signInAt(config: oidc.OidcConfig): Promise<void> {
  passage.set('in');
  try {
    await oidc.beginSignIn(config, tab);
  } catch (error) {
    console.warn('The issuer cannot be reached.', error);
    passage.set(undefined);
    forgetAccess('issuer-silent');
  }
}

/** Nobody is in at once; then the issuer is told, and left through if it has a way out. */
export async function signOut(): Promise<void> {
  passage.set('out');
  const leaving = oidc.signOut(tab);
  forgetAccess();
  const hasLeft = await leaving;
  if (!hasLeft) passage.set(undefined);
}
