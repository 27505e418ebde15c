/** `troupe actors`: lists the actors of a store. */

import { Command } from 'commander';
import { JournalReader, shardOf } from '../../src/index.ts';
import { readStoreConfig } from '../config.ts';
import { definitions } from './application.ts';
import { countArgument, examples, flagsOf, withJson, withSettings } from './options.ts';
import { reading } from './store.ts';
import { count, type Terminal, table } from './terminal.ts';

interface ActorsOptions {
  readonly type?: string;
  readonly after?: string;
  readonly limit: number;
  readonly json?: boolean;
}

async function actors(options: ActorsOptions, terminal: Terminal): Promise<void> {
  const { type, after, limit } = options;
  const config = readStoreConfig(terminal.environment, flagsOf({ ...options }));
  await reading(config, async (journal) => {
    const reader = new JournalReader(journal, definitions);
    const page = {
      limit: limit + 1,
      ...(type === undefined ? {} : { type }),
      ...(after === undefined ? {} : { after }),
    };
    const found = await reader.actors(page);
    const shown = found.slice(0, limit).map(({ actor, version, snapshotVersion }) => {
      return { address: actor, version, snapshotVersion, shard: shardOf(actor.slice(-36), journal.shards) };
    });
    if (options.json === true) return terminal.out(JSON.stringify(shown));
    const rows = shown.map(({ address, version, snapshotVersion, shard }) => [
      address,
      `${version}`,
      `${snapshotVersion}`,
      `${shard}`,
    ]);
    for (const line of table([['ADDRESS', 'VERSION', 'SNAPSHOT', 'SHARD'], ...rows])) terminal.out(line);
    const more = found.length > limit ? `; the next ones with --after ${shown.at(-1)?.address}` : '';
    terminal.err(`${count(shown.length, 'actor')}${more}.`);
  });
}

export function actorsCommand(terminal: Terminal): Command {
  const command = new Command('actors')
    .description('list actors with their versions, in order of their address')
    .option('--type <type>', 'only actors of this type')
    .option('--limit <count>', 'at most so many', countArgument, 100)
    .option('--after <address>', 'only those after this address')
    .action((options: ActorsOptions) => actors(options, terminal));
  examples(command, ['troupe actors', 'troupe actors --type room --limit 20', 'troupe actors --json | jq .[0]']);
  return withJson(withSettings(command, ['journal', 'shards']));
}
