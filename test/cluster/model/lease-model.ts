/**
 * One shard, its store and the nodes that want it, as a model for explore.ts. Each step is one that the code takes
 * without waiting in between (ARCHITECTURE.md, "The lease protocol, explored", names the functions), or a fault.
 *
 * A process that sleeps needs no step of its own: nothing obliges a node to take its next step before time passes, so
 * every node may be asleep between any two steps, and wakes up when it takes one. Placement is not modelled either:
 * whoever is closed may want the shard, and whoever has it may have to give it away, at any time.
 *
 * Left out: what is not about one shard (parcels, timers, projections), damage, and a store that loses what it answered.
 */

import type { Model, Step } from './explore.ts';
import { movesOf } from './lease-node.ts';
import { scene as defaultScene, type Property, protocol, type Rules, type Scene } from './lease-rules.ts';
import type { StrayCall } from './lease-state.ts';
import { initialState, keyOf, type LeaseState } from './lease-state.ts';
import { isSpent } from './lease-store.ts';

type LeaseStep = Step<LeaseState, Property>;

export function leaseModel(changes: Partial<Scene> = {}, rules: Rules = protocol): Model<LeaseState, Property> {
  const scene: Scene = { ...defaultScene, ...changes };
  return {
    initial: initialState(scene.nodes),
    key: keyOf,
    steps: (state) => stepsOf(state, scene, rules),
    isGoal: ({ store, nodes }) =>
      store.inboxDone === store.inboxLast &&
      nodes.some(
        ({ phase, epoch, left, flights }) =>
          phase === 'open' && epoch === store.epoch && left > 0 && flights.length === 0,
      ),
  };
}

function stepsOf(state: LeaseState, scene: Scene, rules: Rules): LeaseStep[] {
  const { store, nodes } = state;
  const steps: LeaseStep[] = [];
  if (store.inboxLast < scene.envelopes) {
    const inboxLast = store.inboxLast + 1;
    steps.push({
      label: `a gateway puts envelope ${inboxLast} into the inbox`,
      next: { ...state, store: { ...store, inboxLast } },
    });
  }
  for (const [storeMs, nodeMs] of scene.rates) {
    const next = after(state, storeMs, nodeMs);
    if (next !== undefined) steps.push({ label: `time passes: ${storeMs} at the store, ${nodeMs} at the nodes`, next });
  }
  for (const [index, node] of nodes.entries()) {
    const name = `n${index + 1}`;
    for (const { label, ...move } of movesOf(state, node, scene, rules)) {
      const changed: LeaseState = {
        store: move.store ?? store,
        nodes: move.node === undefined ? nodes : nodes.with(index, move.node),
        commands: move.commands ?? state.commands,
        minted: move.minted ?? state.minted,
      };
      const next = move.store === undefined ? changed : withoutSpent(changed, rules);
      steps.push({
        label: `${name} ${label}`,
        next,
        ...(move.isFault === true && { isFault: true }),
        ...(move.breaches !== undefined && { breaches: move.breaches }),
      });
    }
  }
  return steps;
}

function after(state: LeaseState, storeMs: number, nodeMs: number): LeaseState | undefined {
  let isChanged = state.store.left > 0;
  const store = isChanged ? { ...state.store, left: Math.max(0, state.store.left - storeMs) } : state.store;
  const less = <T extends { readonly left: number }>(one: T): T => {
    if (one.left === 0) return one;
    isChanged = true;
    return { ...one, left: Math.max(0, one.left - nodeMs) };
  };
  const nodes = state.nodes.map((node) => {
    const acquiring = node.acquiring && less(node.acquiring);
    const renewing = node.renewing && less(node.renewing);
    const isSame = acquiring === node.acquiring && renewing === node.renewing;
    return less(isSame ? node : { ...node, acquiring, renewing });
  });
  return isChanged ? { ...state, store, nodes } : undefined;
}

function withoutSpent(state: LeaseState, rules: Rules): LeaseState {
  const isIn = (strays: readonly StrayCall[]) => strays.some((stray) => isSpent(stray, state.store, rules));
  if (!state.nodes.some(({ strays }) => isIn(strays))) return state;
  const nodes = state.nodes.map((node) =>
    isIn(node.strays) ? { ...node, strays: node.strays.filter((stray) => !isSpent(stray, state.store, rules)) } : node,
  );
  return { ...state, nodes };
}
