/** `troupe cluster`: who is there, who owns which shard, and how busy they are. */

import { Command, InvalidArgumentError } from 'commander';
import { type ClusterStore, messageOf, sleep, systemClock, TroupeError } from '../../src/index.ts';
import { readStoreConfig } from '../config.ts';
import { type Look, look } from './cluster-look.ts';
import { jsonOf, screenOf } from './cluster-screen.ts';
import { countArgument, examples, flagsOf, withJson, withSettings } from './options.ts';
import { withCluster } from './store.ts';
import type { Terminal } from './terminal.ts';

export interface ClusterOptions {
  readonly journal?: string;
  readonly shards?: boolean;
  readonly hot?: number;
  /** Seconds between two looks; true: as many as usual. */
  readonly watch?: number | true;
  readonly json?: boolean;
}

/** Rates are of this time when there was no look before. */
const sampleMs = 500;
const watchSeconds = 2;

/** Resolves after `ms`, or as soon as the signal is aborted. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const cancel = systemClock.after(ms, resolve, { keepAlive: true });
    const stop = (): void => {
      cancel();
      resolve();
    };
    signal.addEventListener('abort', stop, { once: true });
  });
}

/** Two looks, so that there are rates. */
async function sample(cluster: ClusterStore, shards: number): Promise<Look> {
  const first = await look(cluster, shards);
  await sleep(systemClock, sampleMs);
  return look(cluster, shards, first);
}

async function watch(cluster: ClusterStore, shards: number, options: ClusterOptions, terminal: Terminal) {
  const seconds = typeof options.watch === 'number' ? options.watch : watchSeconds;
  const signal = terminal.interruption();
  let last: Look | undefined;
  while (!signal.aborted) {
    try {
      last = last === undefined ? await sample(cluster, shards) : await look(cluster, shards, last);
      if (options.json === true) terminal.out(jsonOf(last, options));
      else terminal.draw([`${new Date(last.at).toISOString()}  ${shown(options)}`, ...screenOf(last, options)]);
    } catch (error) {
      // A store that fails over comes back; who watches wants to see that.
      if (!(error instanceof TroupeError && error.code === 'JOURNAL_UNAVAILABLE')) throw error;
      terminal.err(`${messageOf(error)} Looking again every ${seconds} s.`);
    }
    await pause(seconds * 1000, signal);
  }
}

function shown({ watch: seconds }: ClusterOptions): string {
  return `every ${typeof seconds === 'number' ? seconds : watchSeconds} s, Ctrl-C ends`;
}

export async function cluster(options: ClusterOptions, terminal: Terminal): Promise<void> {
  // Not the rest: --shards is a setting elsewhere.
  const config = readStoreConfig(terminal.environment, flagsOf({ journal: options.journal }));
  await withCluster(config, async (store, journal) => {
    if (options.watch !== undefined) return watch(store, journal.shards, options, terminal);
    const taken = await sample(store, journal.shards);
    if (options.json === true) return terminal.out(jsonOf(taken, options));
    for (const line of screenOf(taken, options)) terminal.out(line);
  });
}

function secondsArgument(text: string): number {
  const seconds = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || seconds < 0.2 || seconds > 3_600) {
    throw new InvalidArgumentError('It must be a number of seconds from 0.2 to 3600.');
  }
  return seconds;
}

/** The options of `troupe cluster` that are about how much is shown, and how often. */
export function withLooks(command: Command): Command {
  command.option('--hot <count>', 'only so many shards, the busiest first', countArgument);
  command.option('--watch [seconds]', `look again and again (default every ${watchSeconds} s)`, secondsArgument);
  return withJson(withSettings(command, ['journal']));
}

export function clusterCommand(terminal: Terminal): Command {
  const command = new Command('cluster')
    .description('show the nodes of a journal, the shards of each, and how busy they are')
    .option('--shards', 'every shard: owner, where it moves to, epoch, lease, commits, inbox lag, pin, rewinds')
    .action((options: ClusterOptions) => cluster(options, terminal));
  examples(command, [
    'troupe cluster --journal redis://127.0.0.1:6379',
    'troupe cluster --hot 5 --watch',
    'troupe cluster --shards --json | jq .summary',
  ]);
  return withLooks(command);
}
