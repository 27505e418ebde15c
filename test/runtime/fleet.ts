/** Several nodes of one store on a stage. */

import { announce } from '../../src/cluster/messages.ts';
import type { Membership } from '../../src/cluster/node.ts';
import { type Opened, type OpenOptions, type Stage, watch } from './stage.ts';

export const member: Membership = { role: 'all', weight: 1, about: 'a test' };

export function join(stage: Stage, node: string, options: OpenOptions = {}): Promise<Opened> {
  return stage.open({ node, cluster: member, ...options });
}

/** The node that holds each shard. */
export function owners(stage: Stage): (string | undefined)[] {
  return stage.store.shards.map(({ holder }) => holder?.node);
}

/** Nodes a, b, … on one store, which have settled. */
export async function fleet(stage: Stage, ...nodes: readonly string[]): Promise<Opened[]> {
  const opened: Opened[] = [];
  for (const node of nodes) opened.push(await join(stage, node));
  await stage.clock.advance(2_000);
  return opened;
}

/** As `troupe shards move` does it. */
export async function move(stage: Stage, shard: number, node: string | undefined): Promise<void> {
  const { cluster } = stage.journal();
  await cluster!.pin(shard, node);
  announce(cluster!);
  await stage.clock.advance(1_000);
}

/** Lets `ms` pass and gives what became of a promise. */
export async function after(
  stage: Stage,
  ms: number,
  promise: Promise<unknown>,
): Promise<ReturnType<ReturnType<typeof watch>>> {
  const fate = watch(promise);
  await stage.clock.advance(ms);
  return fate();
}
