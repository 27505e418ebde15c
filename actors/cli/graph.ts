/** `troupe graph`: the statechart of a type of actors, or of one actor with the state it is in lit. */

import { writeFile } from 'node:fs/promises';
import { Command, Option } from 'commander';
import {
  activeStates,
  type Chart,
  chartOf,
  definitionOf,
  elkLayout,
  layoutOf,
  mermaidOf,
  messageOf,
  parseAddress,
  svgOf,
} from '../../src/index.ts';
import { readStoreConfig } from '../config.ts';
import { definitions } from './application.ts';
import { countArgument, examples, flagsOf, withSettings } from './options.ts';
import { Failure, type Terminal, UsageError } from './terminal.ts';
import { definitionNamed, travelling } from './travelling.ts';

interface GraphOptions {
  readonly format: 'svg' | 'mermaid' | 'json';
  readonly theme: 'light' | 'dark' | 'auto';
  readonly out?: string;
  readonly at?: number;
}

interface Lit {
  readonly active: readonly string[];
  readonly taken: readonly string[];
}

function chartNamed(type: string): Chart {
  const definition = definitionNamed(type);
  if (definition !== undefined) return chartOf(definitionOf(definition.machine));
  const known = definitions.map((one) => one.type).join(', ');
  throw new UsageError(`There are no actors of type "${type}"; there are ${known}.`);
}

/** What is lit of an actor: where it is, or was at an event, and how it came there. */
async function litOf(address: string, chart: Chart, options: GraphOptions, terminal: Terminal): Promise<Lit> {
  const config = readStoreConfig(terminal.environment, flagsOf({ ...options }));
  return travelling(config, async (travel) => {
    const newest = (await travel.steps(address, { after: Number.MAX_SAFE_INTEGER - 1, limit: 1 })).version;
    if (newest === 0) throw new Failure(`${address} has never accepted an event.`);
    const at = options.at ?? newest;
    const step = await travel.at(address, at);
    if (step === undefined) throw new Failure(`Event ${at} of ${address} cannot be seen; it has accepted ${newest}.`);
    return { active: activeStates(chart, step.value), taken: step.taken };
  });
}

async function graph(subject: string, options: GraphOptions, terminal: Terminal): Promise<void> {
  const isAddress = subject.includes('/');
  const chart = chartNamed(isAddress ? parseAddress(subject).type : subject);
  if (!isAddress && options.at !== undefined)
    throw new UsageError('--at is for one actor: troupe graph <address> --at 2.');
  const lit = isAddress ? await litOf(subject, chart, options, terminal) : { active: [], taken: [] };
  const { format, theme, out } = options;
  let text: string;
  if (format === 'svg') text = `${svgOf(await layoutOf(chart, elkLayout), { ...lit, theme })}\n`;
  else if (format === 'mermaid') text = mermaidOf(chart);
  else text = `${JSON.stringify(isAddress ? { ...chart, ...lit } : chart, undefined, 2)}\n`;
  if (out === undefined) return terminal.out(text.trimEnd());
  try {
    await writeFile(out, text);
  } catch (error) {
    throw new Failure(`${out} cannot be written: ${messageOf(error)}`);
  }
  terminal.err(`${out} has the statechart of ${subject}.`);
}

export function graphCommand(terminal: Terminal): Command {
  const command = new Command('graph')
    .description('draw the statechart of a type of actors, or of one actor with its state lit')
    .argument('<type>', 'a type of actors, or the address of one')
    .addOption(new Option('--format <format>', 'what to write').choices(['svg', 'mermaid', 'json']).default('svg'))
    .addOption(new Option('--theme <theme>', 'colours of an SVG').choices(['light', 'dark', 'auto']).default('auto'))
    .option('--out <file>', 'write it there instead of printing it')
    .option('--at <seq>', 'of one actor: as it was at its event number <seq>', countArgument)
    .action((subject: string, options: GraphOptions) => graph(subject, options, terminal));
  examples(command, [
    'troupe graph room --out room.svg',
    'troupe graph MESSAGE_CREATE --format mermaid',
    'troupe graph room/8f14e45f-0000-4000-8000-000000000001 --at 2 --out then.svg',
  ]);
  return withSettings(command, ['journal', 'shards', 'archive']);
}
