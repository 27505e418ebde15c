/** `troupe history`: the events one actor has accepted. */

import { Command } from 'commander';
import { type HistoryEntry, JournalReader } from '../../src/index.ts';
import { readStoreConfig } from '../config.ts';
import { definitions } from './application.ts';
import { countArgument, examples, flagsOf, withJson, withSettings } from './options.ts';
import { reading } from './store.ts';
import { Failure, type Terminal, table } from './terminal.ts';

interface HistoryOptions {
  readonly limit: number;
  readonly json?: boolean;
}

const header = ['SEQ', 'VERSION', 'TIME', 'TYPE', 'EMITTED', 'FROM', 'OPERATION'];

function cells({ seq, version, at, event, emitted, from, operation }: HistoryEntry): readonly string[] {
  const time = new Date(at).toISOString();
  return [`${seq}`, `${version}`, time, event.type, emitted.join(',') || '-', from ?? '-', operation ?? '-'];
}

async function history(address: string, options: HistoryOptions, terminal: Terminal): Promise<void> {
  const config = readStoreConfig(terminal.environment, flagsOf({ ...options }));
  const entries = await reading(config, (journal) => {
    return new JournalReader(journal, definitions).history(address, options.limit);
  });
  if (entries.length === 0) throw new Failure(`${address} has never accepted an event.`);
  if (options.json === true) return terminal.out(JSON.stringify(entries));
  for (const line of table([header, ...entries.map(cells)])) terminal.out(line);
  const before = (entries[0]?.version ?? 1) - 1;
  if (before > 0) terminal.err(`${before} earlier; see them with --limit ${before + entries.length}.`);
}

export function historyCommand(terminal: Terminal): Command {
  const command = new Command('history')
    .description('show the newest events an actor has accepted, oldest first')
    .argument('<address>', 'type/id, as `troupe actors` lists them')
    .option('--limit <count>', 'at most so many', countArgument, 100)
    .action((address: string, options: HistoryOptions) => history(address, options, terminal));
  examples(command, [
    'troupe history user/c160f8cc-69a4-30bf-ab03-62752353d060',
    'troupe history room/8f14e45f-0000-4000-8000-000000000001 --json | jq .[].event',
  ]);
  return withJson(withSettings(command, ['journal', 'shards', 'archive']));
}
