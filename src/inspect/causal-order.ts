/**
 * The steps of one operation over several shards, causes before their effects. Within a shard the journal knows the order;
 * between shards the time of entries says it, unless a step would come before the one that sent its event: nodes' clocks
 * differ by more than a message takes.
 */

import type { Address } from '../actor/address.ts';
import type { OperationStep } from './answers.ts';

/** What actors have emitted, '' standing for their being there at all. */
type Emissions = Map<Address, Set<string>>;

function note(emissions: Emissions, { address, emitted }: OperationStep): void {
  const types = emissions.get(address) ?? new Set(['']);
  emissions.set(address, types);
  for (const type of emitted) types.add(type);
}

/** Whether what sent the event of `step` is among what was given; a sender without any step in `all` is not waited for. */
function isCaused({ from, event }: OperationStep, given: Emissions, all: Emissions): boolean {
  const types = from === undefined ? undefined : all.get(from);
  if (from === undefined || types === undefined) return true;
  return given.get(from)?.has(types.has(event.type) ? event.type : '') === true;
}

function lanesOf(steps: readonly OperationStep[]): readonly OperationStep[][] {
  const lanes = new Map<number, OperationStep[]>();
  for (const step of [...steps].sort((a, b) => a.shardSeq - b.shardSeq)) {
    const lane = lanes.get(step.shard);
    if (lane === undefined) lanes.set(step.shard, [step]);
    else lane.push(step);
  }
  return [...lanes.values()];
}

export function inCausalOrder(steps: readonly OperationStep[]): readonly OperationStep[] {
  const all: Emissions = new Map();
  for (const step of steps) note(all, step);
  const given: Emissions = new Map();
  const lanes = lanesOf(steps);
  const next = lanes.map(() => 0);
  const ordered: OperationStep[] = [];
  while (ordered.length < steps.length) {
    const heads = lanes.flatMap((lane, i) => (lane[next[i]!] === undefined ? [] : [{ i, step: lane[next[i]!]! }]));
    const ready = heads.filter(({ step }) => isCaused(step, given, all));
    const { i, step } = (ready.length > 0 ? ready : heads).reduce((a, b) => (b.step.at < a.step.at ? b : a));
    next[i]!++;
    note(given, step);
    ordered.push(step);
  }
  return ordered;
}
