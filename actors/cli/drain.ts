/** `troupe drain`: tells a node to give its shards away, and waits until it has. */

import { Command } from 'commander';
import { announce, type ClusterStore, type ClusterView, type LiveNode, ownsShards } from '../../src/index.ts';
import { readStoreConfig } from '../config.ts';
import { ownerOf, statusesOf, until } from './cluster-look.ts';
import { durationArgument, examples, flagsOf, withSettings } from './options.ts';
import { withCluster } from './store.ts';
import { count, Failure, type Terminal } from './terminal.ts';

interface DrainOptions {
  readonly journal?: string;
  readonly undo?: boolean;
  readonly wait: boolean;
  readonly force?: boolean;
  readonly timeout: number;
}

export const timeoutSeconds = 60;
/** Shards that a sentence names. */
const namedMax = 10;

async function ownedBy(cluster: ClusterStore, shards: number, id: string): Promise<readonly number[]> {
  const statuses = await statusesOf(cluster, shards);
  return statuses.filter((status) => ownerOf(status) === id).map(({ shard }) => shard);
}

/** The node, or a failure that says who is there. */
export async function nodeCalled(
  cluster: ClusterStore,
  shards: number,
  id: string,
  view: ClusterView,
): Promise<LiveNode> {
  const node = view.nodes.find((one) => one.id === id);
  if (node !== undefined) return node;
  const left = (await statusesOf(cluster, shards)).filter((status) => status.node === id);
  const leased = left.filter(({ expiresInMs }) => expiresInMs > 0).length;
  if (left.length > 0) {
    const rest = leased === 0 ? 'it owns none now' : `its leases on ${leased} of them end by themselves`;
    throw new Failure(`Node "${id}" is gone. It was the last owner of ${count(left.length, 'shard')}; ${rest}.`);
  }
  const known = view.nodes.map((one) => one.id);
  throw new Failure(
    `There is no node "${id}"; ${known.length === 0 ? 'no node is there' : `there are ${known.join(', ')}`}.`,
  );
}

/** Whether another node could take what this one gives away. */
function hasHeir({ nodes }: ClusterView, id: string): boolean {
  return nodes.some((node) => node.id !== id && ownsShards(node) && node.weight > 0 && !node.isDraining);
}

function named(shards: readonly number[]): string {
  const more = shards.length > namedMax ? ` and ${shards.length - namedMax} more` : '';
  return `${shards.slice(0, namedMax).join(', ')}${more}`;
}

async function drain(id: string, options: DrainOptions, terminal: Terminal): Promise<void> {
  const { undo, wait, force, timeout } = options;
  const config = readStoreConfig(terminal.environment, flagsOf({ journal: options.journal }));
  await withCluster(config, async (cluster, { shards }) => {
    const view = await cluster.view();
    const node = await nodeCalled(cluster, shards, id, view);
    const gone = new Failure(`Node "${id}" has just left; there is nothing to drain.`);
    if (undo === true) {
      if (!(await cluster.drain(id, false))) throw gone;
      announce(cluster);
      return terminal.out(`Node ${id} takes shards again.`);
    }
    if (ownsShards(node) && !node.isDraining && !hasHeir(view, id) && force !== true) {
      throw new Failure(
        `Node "${id}" is the last one that takes shards: without it nobody owns any, and commands wait until they fail. Start another one first, or use --force.`,
      );
    }
    const before = await ownedBy(cluster, shards, id);
    if (!(await cluster.drain(id, true))) throw gone;
    announce(cluster);
    if (!wait) return terminal.out(`Node ${id} gives ${count(before.length, 'shard')} away.`);
    let left = before;
    const isEmpty = async (): Promise<boolean> => {
      left = await ownedBy(cluster, shards, id);
      terminal.progress(`${before.length - left.length} of ${count(before.length, 'shard')} given away`);
      return left.length === 0;
    };
    if (!(await until(isEmpty, timeout, terminal))) {
      throw new Failure(
        `Node "${id}" still owns ${left.length} of ${count(before.length, 'shard')} after ${timeout} s: ${named(left)}. It stays told to give them away; "troupe drain ${id}" waits again, --undo takes it back.`,
      );
    }
    terminal.out(`Node ${id} owns no shard: ${count(before.length, 'shard')} given away.`);
  });
}

/** How long a command waits for nodes to do what it told them. */
export function withWaiting(command: Command): Command {
  command.option('--no-wait', 'tell the nodes, and do not wait until it is done');
  command.option('--timeout <duration>', 'how long to wait for it', durationArgument, timeoutSeconds);
  command.options.find(({ long }) => long === '--timeout')?.default(timeoutSeconds, `${timeoutSeconds}s`);
  return withSettings(command, ['journal']);
}

export function drainCommand(terminal: Terminal): Command {
  const command = new Command('drain')
    .description('make a node give its shards away, and wait until it owns none; it goes on running')
    .argument('<node>', 'its id, as "troupe cluster" shows it')
    .option('--undo', 'let it take shards again')
    .option('--force', 'even if no other node could take them')
    .action((id: string, options: DrainOptions) => drain(id, options, terminal));
  examples(command, [
    'troupe drain node-1 --journal redis://127.0.0.1:6379',
    'troupe drain node-1 --timeout 5m && systemctl stop troupe',
    'troupe drain node-1 --undo',
  ]);
  return withWaiting(command);
}
