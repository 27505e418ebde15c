/** `troupe show`: one actor's state as of everything committed, and how it came there. */

import { Command } from 'commander';
import { type HistoryStep, JournalReader, TimeTravel, TroupeError } from '../../src/index.ts';
import { readStoreConfig } from '../config.ts';
import { definitions } from './application.ts';
import { examples, flagsOf, withJson, withSettings } from './options.ts';
import { reading } from './store.ts';
import { Failure, type Terminal, table } from './terminal.ts';
import { labelled, stateText } from './travelling.ts';

interface ShowOptions {
  readonly json?: boolean;
}

/** Steps shown beside the state. */
const lastSteps = 5;

/** None where they cannot be read: the state alone is in the actor's own records. */
async function stepsBefore(travel: TimeTravel, address: string, version: number): Promise<readonly HistoryStep[]> {
  try {
    return (await travel.steps(address, { after: version - lastSteps, limit: lastSteps })).steps;
  } catch (error) {
    if (error instanceof TroupeError) return [];
    throw error;
  }
}

async function show(address: string, options: ShowOptions, terminal: Terminal): Promise<void> {
  const config = readStoreConfig(terminal.environment, flagsOf({ ...options }));
  const found = await reading(config, async (journal) => {
    const actor = await new JournalReader(journal, definitions).actor(address);
    if (actor === undefined || options.json === true) return { actor, steps: [] };
    const travel = new TimeTravel({ journal, actors: definitions });
    return { actor, steps: await stepsBefore(travel, address, actor.version) };
  });
  if (found.actor === undefined) throw new Failure(`${address} has never accepted an event.`);
  const { version, shard, status, value, context } = found.actor;
  if (options.json === true) {
    return terminal.out(JSON.stringify({ address, version, shard, status, value, context }));
  }
  terminal.out(`${address}  version ${version}, shard ${shard}, ${status}`);
  const steps = found.steps.map(({ at, event, ...step }) => {
    return [`${step.version}`, new Date(at).toISOString(), event.type, `→ ${stateText(step.value)}`];
  });
  const lines = [
    ...labelled('state', [stateText(value)]),
    ...labelled('context', JSON.stringify(context, undefined, 2).split('\n')),
    ...labelled('steps', table(steps)),
  ];
  for (const line of lines) terminal.out(line);
}

export function showCommand(terminal: Terminal): Command {
  const command = new Command('show')
    .description('show the state and context of one actor, folded from its journal, and its last steps')
    .argument('<address>', 'type/id, as `troupe actors` lists them')
    .action((address: string, options: ShowOptions) => show(address, options, terminal));
  examples(command, [
    'troupe show user/c160f8cc-69a4-30bf-ab03-62752353d060',
    'troupe show room/8f14e45f-0000-4000-8000-000000000001 --json | jq .context',
  ]);
  return withJson(withSettings(command, ['journal', 'shards', 'archive']));
}
