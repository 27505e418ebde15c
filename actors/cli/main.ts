/** The bin `troupe`: puts the commands together and turns what they throw into one sentence and an exit code. */

import { createRequire } from 'node:module';
import { Command, CommanderError } from 'commander';
import { type ErrorCode, messageOf, TroupeError } from '../../src/index.ts';
import { actorsCommand } from './actors.ts';
import { clusterCommand } from './cluster.ts';
import { drainCommand } from './drain.ts';
import { graphCommand } from './graph.ts';
import { historyCommand } from './history.ts';
import { operationCommand } from './operation.ts';
import { rebuildCommand } from './rebuild.ts';
import { shardsCommand } from './shards.ts';
import { showCommand } from './show.ts';
import { startCommand } from './start.ts';
import { Failure, processTerminal, type Terminal, UsageError } from './terminal.ts';
import { tokenCommand } from './token.ts';
import { tryCommand } from './try.ts';
import { verifyCommand } from './verify.ts';

const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };

function withDescendants(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(withDescendants)];
}

/** As it is typed, with the commands above it. */
function nameOf(command: Command): string {
  return command.parent === null ? command.name() : `${nameOf(command.parent)} ${command.name()}`;
}

function createProgram(terminal: Terminal): Command {
  const program = new Command('troupe')
    .description('XState machines as long-lived, persisted, single-writer actors; and the chat that runs on them.')
    .version(version)
    // What stands behind a command is the command's own, at every level.
    .enablePositionalOptions()
    .addHelpText(
      'after',
      '\nEvery option can be an environment variable (named in its help); a flag wins. Exit codes: 1 failed, 2 usage.',
    );
  const commands = [
    startCommand,
    tokenCommand,
    actorsCommand,
    showCommand,
    historyCommand,
    tryCommand,
    operationCommand,
    graphCommand,
    verifyCommand,
    rebuildCommand,
    clusterCommand,
    shardsCommand,
    drainCommand,
  ];
  for (const make of commands) program.addCommand(make(terminal));
  for (const command of withDescendants(program)) {
    command.exitOverride();
    command.configureOutput({
      writeOut: (text) => terminal.out(text.trimEnd()),
      writeErr: (text) => terminal.err(text.trimEnd()),
    });
    command.showHelpAfterError(`(${nameOf(command)} --help says more)`);
  }
  return program;
}

/** Codes of errors in what was typed, not in what was found. */
const usageCodes: ReadonlySet<ErrorCode> = new Set([
  'ADDRESS_INVALID',
  'ACTOR_TYPE_UNKNOWN',
  'CONFIG_INVALID',
  'EVENT_REFUSED',
]);

/** Says what went wrong; the exit code of it. */
function explain(error: unknown, terminal: Terminal): number {
  // Commander has printed the help or its own sentence already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  const known = error instanceof TroupeError || error instanceof UsageError || error instanceof Failure;
  const sentence = known ? error.message : error instanceof Error ? (error.stack ?? error.message) : messageOf(error);
  if (sentence !== '') terminal.err(sentence);
  const isUsage = error instanceof UsageError || (error instanceof TroupeError && usageCodes.has(error.code));
  return isUsage ? 2 : 1;
}

/** Runs one command line (without node and script) and gives its exit code. Never rejects. */
export async function runTroupe(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    await createProgram(terminal).parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    return explain(error, terminal);
  }
}

export async function main(argv: readonly string[]): Promise<void> {
  process.exitCode = await runTroupe(argv.slice(2), processTerminal());
}
