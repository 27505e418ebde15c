/** What an operator does to the nodes of a history, by chance: moves shards, drains nodes, and gives them other parts to play. */

import { announce } from '../../src/cluster/messages.ts';
import type { Membership } from '../../src/cluster/node.ts';
import { member } from './fleet.ts';
import type { Stage } from './stage.ts';

/** Moves a shard to the node, or drains that or takes it back; the others are mostly told. */
export async function operate(stage: Stage, random: () => number, node: string | undefined): Promise<void> {
  const { cluster } = stage.journal();
  const dice = random();
  if (dice < 0.6) await cluster!.pin(Math.floor(random() * stage.store.shards.length), dice < 0.4 ? node : undefined);
  else if (node !== undefined) await cluster!.drain(node, dice < 0.8);
  if (random() < 0.8) announce(cluster!);
}

export async function undoOperations(stage: Stage): Promise<void> {
  const { cluster } = stage.journal();
  for (const shard of stage.store.shards.keys()) await cluster!.pin(shard, undefined);
  for (const { id } of (await cluster!.view()).nodes) await cluster!.drain(id, false);
}

export function membership(random: () => number): Membership {
  const dice = random();
  if (dice < 0.2) return { ...member, role: 'gateway' };
  if (dice < 0.4) return { ...member, role: 'worker', weight: 3 };
  return { ...member, weight: dice < 0.5 ? 0 : 1 };
}
