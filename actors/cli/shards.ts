/** `troupe shards`: every shard of a cluster; `troupe shards move` gives one to a node. */

import { Command } from 'commander';
import { announce, type ClusterStore, ownsShards, placementOf } from '../../src/index.ts';
import { readStoreConfig } from '../config.ts';
import { type ClusterOptions, cluster, withLooks } from './cluster.ts';
import { ownerOf, until } from './cluster-look.ts';
import { nodeCalled, withWaiting } from './drain.ts';
import { examples, flagsOf } from './options.ts';
import { withCluster } from './store.ts';
import { Failure, type Terminal, UsageError } from './terminal.ts';

interface MoveOptions {
  readonly journal?: string;
  readonly auto?: boolean;
  readonly wait: boolean;
  readonly timeout: number;
}

function shardCalled(text: string, shards: number): number {
  const shard = /^\d{1,5}$/.test(text) ? Number(text) : shards;
  if (shard < shards) return shard;
  throw new UsageError(`"${text}" is not a shard; they are numbered from 0 to ${shards - 1}.`);
}

/** Pins the shard, or takes its pin back; gives the node that it belongs on then. */
async function assign(
  store: ClusterStore,
  shards: number,
  shard: number,
  id: string | undefined,
): Promise<string | undefined> {
  if (id !== undefined) {
    const node = await nodeCalled(store, shards, id, await store.view());
    if (!ownsShards(node)) throw new Failure(`Node "${id}" is a gateway, which owns no shards.`);
    if (node.isDraining) {
      throw new Failure(`Node "${id}" is draining and takes no shards; "troupe drain ${id} --undo" changes that.`);
    }
  }
  await store.pin(shard, id);
  announce(store);
  return placementOf(shard, await store.view());
}

async function move(text: string, id: string | undefined, options: MoveOptions, terminal: Terminal): Promise<void> {
  const { auto = false, wait, timeout } = options;
  if (auto === (id !== undefined)) {
    throw new UsageError('Name the node that takes the shard, or --auto to take back what was said before; not both.');
  }
  const config = readStoreConfig(terminal.environment, flagsOf({ journal: options.journal }));
  await withCluster(config, async (store, { shards }) => {
    const shard = shardCalled(text, shards);
    const target = await assign(store, shards, shard, id);
    if (id !== undefined && target !== id) throw new Failure(`Node "${id}" has just left; shard ${shard} stays.`);
    const what = auto ? `Shard ${shard} is placed as all others again` : `Shard ${shard} is pinned to ${id}`;
    if (target === undefined) return terminal.out(`${what}; there is no node that takes it.`);
    if (!wait) return terminal.out(auto ? `${what}: it belongs on ${target}.` : `${what}.`);
    let owner: string | undefined;
    const isThere = async (): Promise<boolean> => {
      const [status] = await store.statuses([shard]);
      owner = status === undefined ? undefined : ownerOf(status);
      terminal.progress(`shard ${shard}: ${owner ?? 'nobody'} owns it, ${target} takes it`);
      return owner === target;
    };
    if (!(await until(isThere, timeout, terminal))) {
      throw new Failure(
        `${what}, but after ${timeout} s ${owner ?? 'nobody'} owns it, not ${target}. It still belongs there; "troupe shards" shows it.`,
      );
    }
    terminal.out(`${what}; ${target} owns it.`);
  });
}

function moveCommand(terminal: Terminal): Command {
  const command = new Command('move')
    .description('give a shard to a node for as long as that node is there, and wait until it owns it')
    .argument('<shard>', 'its number')
    .argument('[node]', 'the id of the node, as "troupe cluster" shows it')
    .option('--auto', 'take that back: the shard is placed as all others')
    .action((shard: string, node: string | undefined, _: MoveOptions, self: Command) =>
      move(shard, node, self.optsWithGlobals<MoveOptions>(), terminal),
    );
  examples(command, ['troupe shards move 7 node-2 --journal redis://127.0.0.1:6379', 'troupe shards move 7 --auto']);
  return withWaiting(command);
}

export function shardsCommand(terminal: Terminal): Command {
  const command = new Command('shards')
    .description('show every shard, as "troupe cluster --shards" does; "troupe shards move" gives one to a node')
    // Options behind "move" are its own; those before it (the journal) hold for both.
    .enablePositionalOptions()
    .action((options: ClusterOptions) => cluster({ ...options, shards: true }, terminal));
  examples(command, [
    'troupe shards --journal redis://127.0.0.1:6379',
    'troupe shards --hot 10 --watch 1',
    'troupe shards move 7 node-2',
  ]);
  return withLooks(command).addCommand(moveCommand(terminal));
}
