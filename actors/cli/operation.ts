/** `troupe operation`: everything that was journaled in the name of an operation, over all its actors. */

import { Command } from 'commander';
import { readStoreConfig } from '../config.ts';
import { examples, flagsOf, withJson, withSettings } from './options.ts';
import { count, Failure, type Terminal, table } from './terminal.ts';
import { travelling } from './travelling.ts';

interface OperationOptions {
  readonly json?: boolean;
}

const header = ['AFTER', 'ACTOR', 'VERSION', 'SHARD', 'EVENT', 'EMITTED', 'FROM'];

async function operation(id: string, options: OperationOptions, terminal: Terminal): Promise<void> {
  const config = readStoreConfig(terminal.environment, flagsOf({ ...options }));
  const { steps, isComplete } = await travelling(config, (travel) => travel.operation(id));
  const partial = isComplete ? '' : ' Not everything could be read: there may be more.';
  if (steps.length === 0) throw new Failure(`Nothing was journaled for operation ${id}.${partial}`);
  if (options.json === true) return terminal.out(JSON.stringify({ operationId: id, steps, isComplete }));
  const began = Math.min(...steps.map(({ at }) => at));
  const rows = steps.map(({ at, address, version, shard, event, emitted, from }) => {
    return [`${at - began} ms`, address, `${version}`, `${shard}`, event.type, emitted.join(',') || '-', from ?? '-'];
  });
  for (const line of table([header, ...rows])) terminal.out(line);
  const actors = new Set(steps.map(({ address }) => address)).size;
  terminal.err(
    `${count(steps.length, 'step')} of ${count(actors, 'actor')} from ${new Date(began).toISOString()} on.${partial}`,
  );
}

export function operationCommand(terminal: Terminal): Command {
  const command = new Command('operation')
    .description('show what all actors did for one operation, causes before their effects')
    .argument('<id>', 'its id, as answers and `troupe history` have it')
    .action((id: string, options: OperationOptions) => operation(id, options, terminal));
  examples(command, [
    'troupe operation 0b2f9a52-0000-4000-8000-000000000001',
    'troupe operation 0b2f9a52-0000-4000-8000-000000000001 --json | jq .steps[].address',
  ]);
  return withJson(withSettings(command, ['journal', 'shards', 'archive']));
}
