/**
 * The store of the lease model: what leases.lua and commit.lua do with one call, as functions of a store. A call is one
 * atomic step, whenever it gets there.
 */

import type { Breach } from './explore.ts';
import type { Property, Rules, Scene } from './lease-rules.ts';
import { type Commit, commitsIn, isOfInbox, type LeaseState, type Store, type StrayCall } from './lease-state.ts';

export interface Acquired {
  readonly store: Store;
  readonly minted: number;
  readonly outcome: 'acquired' | 'held';
}

/** leases.lua `acquire`: one outcome, or one for each reading of a coarse clock. */
export function acquire({ store, minted }: LeaseState, nonce: number, rules: Rules, scene: Scene): Acquired[] {
  const isForeign = store.nonce !== 0 && store.nonce !== nonce;
  const isAlive = !rules.leasesExpire || (rules.acquireWaitsForExpiry && store.left > 0);
  if (isForeign && isAlive) return [{ store, minted, outcome: 'held' }];
  const keeps = !rules.acquireRaisesEpoch && store.nonce === nonce;
  const epoch = keeps ? store.epoch : minted + 1;
  return lifetimes(scene).map((left) => ({
    store: { ...store, epoch, nonce, left },
    minted: keeps ? minted : epoch,
    outcome: 'acquired' as const,
  }));
}

/** leases.lua `renew`: also an expired lease that nobody took meanwhile. The stores it may become; none: not the caller's. */
export function renew(store: Store, epoch: number, nonce: number, rules: Rules, scene: Scene): Store[] {
  if (rules.renewComparesEpoch && (store.epoch !== epoch || store.nonce !== nonce)) return [];
  return lifetimes(scene).map((left) => ({ ...store, left }));
}

/** leases.lua `release`. */
export function release(store: Store, epoch: number, nonce: number, rules: Rules): Store {
  if (rules.releaseComparesEpoch && (store.epoch !== epoch || store.nonce !== nonce)) return store;
  return { ...store, nonce: 0, left: 0 };
}

export interface Committed {
  readonly store: Store;
  readonly outcome: 'done' | 'refused';
  readonly breaches: readonly Breach<Property>[];
}

/** commit.lua. */
export function commit(store: Store, one: Commit, rules: Rules): Committed {
  const refused = { store, outcome: 'refused', breaches: [] } as const;
  const isOwners = one.epoch === store.epoch && one.nonce === store.nonce;
  if (rules.commitComparesEpoch && !isOwners) return refused;
  const number = commitsIn(one.base) + 1;
  const stored = commitsIn(store.history);
  if (number === stored && one.id === store.headId) return { store, outcome: 'done', breaches: [] };
  if (rules.commitComparesHead && number !== stored + 1) return refused;
  const applied: Store = {
    ...store,
    history: `${store.history}${one.adds}.`,
    headId: one.id,
    inboxDone: rules.commitCarriesInbox ? Math.max(store.inboxDone, one.inbox) : store.inboxDone,
  };
  return { store: applied, outcome: 'done', breaches: breachesOf(store, one, applied) };
}

/** A call that nobody waits for gets there after all. */
export function deliver(state: LeaseState, call: StrayCall, rules: Rules, scene: Scene): Omit<Acquired, 'outcome'>[] {
  const { store, minted } = state;
  if (call.kind === 'acquire') return acquire(state, call.nonce, rules, scene);
  if (call.kind === 'renew')
    return renew(store, call.epoch, call.nonce, rules, scene).map((next) => ({ store: next, minted }));
  if (call.kind === 'release') return [{ store: release(store, call.epoch, call.nonce, rules), minted }];
  if (call.kind === 'commit') return [{ store: commit(store, call.commit, rules).store, minted }];
  if (call.epoch !== store.epoch) return [{ store, minted }];
  return [{ store: { ...store, inboxDone: Math.max(store.inboxDone, call.inbox) }, minted }];
}

/** Whether a call can never change anything any more: old epochs do not come back. */
export function isSpent(call: StrayCall, { epoch }: Store, rules: Rules): boolean {
  if (call.kind === 'commit') return rules.commitComparesEpoch && call.commit.epoch !== epoch;
  if (call.kind === 'renew') return rules.renewComparesEpoch && call.epoch !== epoch;
  if (call.kind === 'release') return rules.releaseComparesEpoch && call.epoch !== epoch;
  return call.kind === 'mark' && call.epoch !== epoch;
}

/** How long a lease that begins somewhere between two readings of the store's clock can last. */
function lifetimes({ leaseMs, grainMs }: Scene): number[] {
  return Array.from({ length: grainMs }, (_, i) => leaseMs - i);
}

function breachesOf(store: Store, one: Commit, applied: Store): readonly Breach<Property>[] {
  const breaches: Breach<Property>[] = [];
  if (one.epoch !== store.epoch) {
    breaches.push({ property: 'fenced', message: 'a commit of an old epoch was applied' });
  }
  if (one.base !== store.history) {
    const message = `a commit computed from "${one.base}" was applied on "${store.history}"`;
    breaches.push({ property: 'kept', message });
  }
  const envelopes = [...applied.history].filter((envelope) => envelope !== '.');
  const ofInbox = envelopes.filter(isOfInbox);
  const isInOrder = ofInbox.every((envelope, i) => Number(envelope) === i + 1);
  if (!isInOrder || new Set(envelopes).size < envelopes.length || applied.inboxDone > ofInbox.length) {
    const message = `the history is "${applied.history}", the inbox handled up to ${applied.inboxDone}`;
    breaches.push({ property: 'once', message });
  }
  return breaches;
}
