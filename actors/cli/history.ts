/** `troupe history`: the events one actor has accepted, or with `--at` its state at one of them and what that one changed. */

import { Command } from 'commander';
import { type HistoryEntry, type HistoryStep, type InitialState, JournalReader } from '../../src/index.ts';
import { readStoreConfig, type StoreConfig } from '../config.ts';
import { definitions } from './application.ts';
import { differenceLine, differences } from './difference.ts';
import { countArgument, examples, flagsOf, withJson, withSettings } from './options.ts';
import { reading } from './store.ts';
import { Failure, type Terminal, table } from './terminal.ts';
import { effectLines, labelled, stateText, transitionTexts, travelling } from './travelling.ts';

interface HistoryOptions {
  readonly limit: number;
  readonly at?: number;
  readonly json?: boolean;
}

const header = ['SEQ', 'VERSION', 'TIME', 'TYPE', 'EMITTED', 'FROM', 'OPERATION'];

function cells({ seq, version, at, event, emitted, from, operation }: HistoryEntry): readonly string[] {
  const time = new Date(at).toISOString();
  return [`${seq}`, `${version}`, time, event.type, emitted.join(',') || '-', from ?? '-', operation ?? '-'];
}

async function list(address: string, config: StoreConfig, options: HistoryOptions, terminal: Terminal): Promise<void> {
  const entries = await reading(config, (journal) => {
    return new JournalReader(journal, definitions).history(address, options.limit);
  });
  if (entries.length === 0) throw new Failure(`${address} has never accepted an event.`);
  if (options.json === true) return terminal.out(JSON.stringify(entries));
  for (const line of table([header, ...entries.map(cells)])) terminal.out(line);
  const before = (entries[0]?.version ?? 1) - 1;
  if (before > 0) terminal.err(`${before} earlier; see them with --limit ${before + entries.length}.`);
}

function printStep(step: HistoryStep, before: InitialState, newest: number, type: string, terminal: Terminal): void {
  const { version, at, event, from, operation, value, status, effects, taken } = step;
  const { type: name, ...data } = event;
  const origin = `${from === undefined ? 'from outside' : `from ${from}`}${operation === undefined ? '' : `, operation ${operation}`}`;
  const [was, is] = [stateText(before.value), stateText(value)];
  const changes = differences(before.context, step.context).map(differenceLine);
  const lines = [
    `${step.version} of ${newest}  ${new Date(at).toISOString()}  entry ${step.shardSeq} of its shard, ${status}`,
    ...labelled('event', [`${name} ${JSON.stringify(data)}`, origin]),
    ...labelled('taken', transitionTexts(type, taken)),
    ...labelled('state', [was === is ? is : `${was} → ${is}`]),
    ...labelled('effects', effectLines(effects)),
    ...labelled('changes', changes.length === 0 ? ['none'] : changes),
    ...labelled('context', JSON.stringify(step.context, undefined, 2).split('\n')),
  ];
  for (const line of lines) terminal.out(line);
  if (version < newest) terminal.err(`The next one is --at ${version + 1}.`);
}

async function step(
  address: string,
  config: StoreConfig,
  at: number,
  terminal: Terminal,
  json: boolean,
): Promise<void> {
  const page = await travelling(config, (travel) => travel.steps(address, { after: at - 1, limit: 1 }));
  if (page.version === 0) throw new Failure(`${address} has never accepted an event.`);
  const found = page.steps.find(({ version }) => version === at);
  if (found === undefined || page.initial === undefined) {
    const why = page.problem ?? page.begins?.reason ?? `It has accepted ${page.version}.`;
    throw new Failure(`Event ${at} of ${address} cannot be seen. ${why}`);
  }
  if (json) return terminal.out(JSON.stringify({ ...found, before: page.initial }));
  printStep(found, page.initial, page.version, page.type, terminal);
  if (page.retired === at) terminal.err('It was retired here: what came later grew out of a reduced state.');
}

function history(address: string, options: HistoryOptions, terminal: Terminal): Promise<void> {
  const config = readStoreConfig(terminal.environment, flagsOf({ ...options }));
  if (options.at === undefined) return list(address, config, options, terminal);
  return step(address, config, options.at, terminal, options.json === true);
}

export function historyCommand(terminal: Terminal): Command {
  const command = new Command('history')
    .description('show the newest events an actor has accepted, oldest first; or its state at one of them')
    .argument('<address>', 'type/id, as `troupe actors` lists them')
    .option('--limit <count>', 'at most so many', countArgument, 100)
    .option('--at <seq>', 'the state at its event number <seq> (column VERSION), and what it changed', countArgument)
    .action((address: string, options: HistoryOptions) => history(address, options, terminal));
  examples(command, [
    'troupe history user/c160f8cc-69a4-30bf-ab03-62752353d060',
    'troupe history room/8f14e45f-0000-4000-8000-000000000001 --at 2',
    'troupe history room/8f14e45f-0000-4000-8000-000000000001 --json | jq .[].event',
  ]);
  return withJson(withSettings(command, ['journal', 'shards', 'archive']));
}
