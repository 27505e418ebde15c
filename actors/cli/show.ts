/** `troupe show`: one actor's state as of everything committed. */

import { Command } from 'commander';
import { JournalReader } from '../../src/index.ts';
import { readStoreConfig } from '../config.ts';
import { definitions } from './application.ts';
import { examples, flagsOf, withJson, withSettings } from './options.ts';
import { reading } from './store.ts';
import { Failure, type Terminal } from './terminal.ts';

interface ShowOptions {
  readonly json?: boolean;
}

async function show(address: string, options: ShowOptions, terminal: Terminal): Promise<void> {
  const config = readStoreConfig(terminal.environment, flagsOf({ ...options }));
  const actor = await reading(config, (journal) => new JournalReader(journal, definitions).actor(address));
  if (actor === undefined) throw new Failure(`${address} has never accepted an event.`);
  const { version, shard, status, value, context } = actor;
  if (options.json === true) {
    return terminal.out(JSON.stringify({ address, version, shard, status, value, context }));
  }
  terminal.out(`${address}  version ${version}, shard ${shard}, ${status}`);
  terminal.out(`state    ${typeof value === 'string' ? value : JSON.stringify(value)}`);
  terminal.out(`context  ${JSON.stringify(context, undefined, 2)}`);
}

export function showCommand(terminal: Terminal): Command {
  const command = new Command('show')
    .description('show the state and context of one actor, folded from its journal')
    .argument('<address>', 'type/id, as `troupe actors` lists them')
    .action((address: string, options: ShowOptions) => show(address, options, terminal));
  examples(command, [
    'troupe show user/c160f8cc-69a4-30bf-ab03-62752353d060',
    'troupe show room/8f14e45f-0000-4000-8000-000000000001 --json | jq .context',
  ]);
  return withJson(withSettings(command, ['journal', 'shards', 'archive']));
}
