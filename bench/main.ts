/** `npm run bench`: measures the runtime on this machine, beside what its stores can do, and prints tables. */

import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { processTerminal, type Terminal } from '../actors/cli/terminal.ts';
import { capacityCommand, socketsCommand } from './capacity-command.ts';
import { inspectCommand } from './inspect-command.ts';
import { type Over, type Selection, type Workload, workloads } from './plan.ts';
import { machineText, section, summary } from './report.ts';
import { runBench } from './run.ts';
import { type MeasuredSaga, measuredSagas } from './sagas.ts';
import { scaleCommand } from './scale-command.ts';
import { type StoreName, storeNames } from './stores.ts';

const storeGroups: Readonly<Record<string, readonly StoreName[]>> = {
  all: ['memory', 'lmdb-disk', 'lmdb-process', 'redis-everysec'],
  lmdb: ['lmdb-disk', 'lmdb-process'],
  redis: ['redis-everysec'],
  ...Object.fromEntries(storeNames.map((name) => [name, [name]])),
};

function stores(text: string): readonly StoreName[] {
  const named = text.split(',').map((name) => storeGroups[name]);
  if (named.includes(undefined)) {
    throw new InvalidArgumentError(`It must be of ${Object.keys(storeGroups).join(', ')}; several with commas.`);
  }
  return storeNames.filter((name) => named.some((group) => group?.includes(name)));
}

function sagas(text: string): readonly MeasuredSaga[] {
  const named = measuredSagas.filter((saga) => text.split(',').includes(saga));
  if (named.length !== text.split(',').length)
    throw new InvalidArgumentError(`It must be of ${measuredSagas.join(', ')}.`);
  return named;
}

function over(text: string): readonly Over[] {
  if (text === 'both') return ['process', 'socket'];
  if (text === 'process' || text === 'socket') return [text];
  throw new InvalidArgumentError('It must be process, socket or both.');
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < 1e9)) throw new InvalidArgumentError('It must be a positive number.');
  return value;
}

function counts(text: string): readonly number[] {
  const values = text.split(',').map(Number);
  if (!values.every((value) => Number.isInteger(value) && value > 0)) {
    throw new InvalidArgumentError('It must be whole numbers, separated by commas.');
  }
  return values;
}

interface Options extends Omit<Selection, 'workloads' | 'stores' | 'sagas' | 'over' | 'nodeFlags' | 'folder'> {
  readonly journal: readonly StoreName[];
  readonly saga: readonly MeasuredSaga[];
  readonly over: readonly Over[];
  readonly nodeFlags: string;
  readonly cpuProf?: string;
  readonly folder: string;
  readonly minutes: number;
  readonly json?: boolean;
}

function selectionOf(named: readonly Workload[], options: Options): Selection {
  const { journal, saga, cpuProf, nodeFlags, folder } = options;
  const profile = cpuProf === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${resolve(cpuProf)}`];
  return {
    ...options,
    workloads: named.length === 0 ? workloads : named,
    stores: journal,
    sagas: saga,
    nodeFlags: [...nodeFlags.split(' ').filter((flag) => flag !== ''), ...profile],
    folder: resolve(folder),
  };
}

async function bench(named: readonly Workload[], options: Options, terminal: Terminal): Promise<void> {
  const selection = selectionOf(named, options);
  const json = options.json === true;
  let said = '';
  const { machine, results, leftOut, failed } = await runBench(selection, options.minutes, {
    doing(line) {
      const step = line.slice(0, line.indexOf(']'));
      terminal.progress(line);
      if (!process.stderr.isTTY && step !== said) terminal.err(line);
      said = step;
    },
    finished: (workload, soFar) => {
      if (!json) terminal.out(section(workload, soFar));
    },
  });
  for (const failure of failed) terminal.err(`Failed: ${failure}`);
  if (failed.length > 0) process.exitCode = 1;
  if (json) {
    terminal.out(JSON.stringify({ machine, ...results, leftOut, failed }));
    return;
  }
  if (leftOut.length > 0) terminal.out(`Left out after ${options.minutes} minutes: ${leftOut.join('; ')}.\n`);
  terminal.out(`${machineText(machine, selection.stores)}\n`);
  terminal.out(summary(results, selection.stores));
}

function workload(text: string, before: readonly Workload[] = []): readonly Workload[] {
  const found = workloads.find((name) => name === text.toLowerCase());
  if (found === undefined) throw new InvalidArgumentError(`It must be of ${workloads.join(', ')}.`);
  return [...before, found];
}

/** The command line, with what it prints going to `terminal`. */
export function benchCommand(terminal: Terminal): Command {
  return (
    new Command('bench')
      .addCommand(scaleCommand(terminal))
      .addCommand(socketsCommand(terminal))
      .addCommand(capacityCommand(terminal))
      .addCommand(inspectCommand(terminal))
      // Options behind a command of its own are that command's.
      .enablePositionalOptions()
      .description('measure the runtime on this machine, beside the raw limits of its stores; everything stays on it')
      .argument('[workloads...]', 'raw, w1, w2, w3, bytes; all of them when none is named', workload)
      .option(
        '--journal <stores>',
        `${Object.keys(storeGroups).join(', ')}; several with commas`,
        stores,
        storeGroups.all,
      )
      .option('--saga <sagas>', 'sagas of W2', sagas, measuredSagas)
      .option('--over <way>', 'W1 and W2: process, socket, or both', over, over('both'))
      .option('--in-flight <counts>', 'operations at once, for W1 and W2', counts, [1, 64, 256])
      .option('--seconds <n>', 'measured time of each load', positive, 1.2)
      .option('--users <n>', 'users of W2, all online', positive, 200)
      .option('--rooms <n>', 'rooms of W2', positive, 200)
      .option('--counters <n>', 'actors of W1', positive, 1_000)
      .option('--actors <counts>', 'actors of the stores of W3', counts, [10_000, 100_000])
      .option('--weighed <n>', 'operations a store is weighed by, and cells of each type', positive, 5_000)
      .option('--weighed-rooms <n>', 'rooms of the Redis that is weighed key by key', positive, 50)
      .option('--messages-per-room <n>', 'messages in each of them', positive, 200)
      .option('--minutes <n>', 'no measurement begins after this', positive, 8)
      .option('--log-level <level>', 'of the server in W2 over WebSocket', 'info')
      .option('--node-flags <flags>', 'flags of the measured processes; those of npm start', '--max-semi-space-size=64')
      .option('--cpu-prof <folder>', 'write CPU profiles of the measured processes there')
      .option('--folder <folder>', 'where the stores of LMDB lie meanwhile', tmpdir())
      .option('--json', 'print JSON')
      .action((named: readonly Workload[], options: Options) => bench(named, options, terminal))
      .addHelpText(
        'after',
        '\nExamples:\n  $ npm run bench\n  $ npm run bench -- w2 --journal lmdb --over process --seconds 5\n  $ npm run bench -- raw w1 --journal redis,redis-always --json',
      )
  );
}

/** Commander shows the defaults of lists badly; ours are shown as they are typed. */
function showDefaults(command: Command): Command {
  const shown: Readonly<Record<string, string>> = { journal: 'all', saga: 'both', over: 'both' };
  for (const option of command.options) {
    const text = shown[option.attributeName()];
    if (text !== undefined) option.defaultValueDescription = text;
    else if (Array.isArray(option.defaultValue)) option.defaultValueDescription = option.defaultValue.join(',');
  }
  return command;
}

if (process.argv[1] === import.meta.filename) {
  await showDefaults(benchCommand(processTerminal())).parseAsync(process.argv);
}
