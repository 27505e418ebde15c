/** `troupe try`: what an actor's machine would do with an event, at any point of its history. Nothing is sent or kept. */

import { Command } from 'commander';
import { type AnyEvent, type Attempt, parseAddress } from '../../src/index.ts';
import { readStoreConfig } from '../config.ts';
import { differenceLine, differences } from './difference.ts';
import { examples, flagsOf, numberArgument, withJson, withSettings } from './options.ts';
import { type Terminal, UsageError } from './terminal.ts';
import { effectLines, labelled, stateText, transitionTexts, travelling } from './travelling.ts';

interface TryOptions {
  readonly at?: number;
  readonly json?: boolean;
}

function eventIn(text: string): AnyEvent {
  let event: unknown;
  try {
    event = JSON.parse(text);
  } catch {
    event = undefined;
  }
  const type = (event as { readonly type?: unknown } | null | undefined)?.type;
  if (typeof type === 'string' && type !== '') return event as AnyEvent;
  throw new UsageError(
    `"${text}" is not an event; one looks like '{"type":"MESSAGE_READ_REJECTED","operationId":"…"}'.`,
  );
}

function refusalLines({ refusal }: Attempt, type: string): readonly string[] {
  if (refusal === undefined) return [];
  const texts = transitionTexts(
    type,
    refusal.candidates.map(({ transition }) => transition),
  );
  const asked = refusal.candidates.map(({ guard, passed, error }, i) => {
    const says = error === undefined ? (passed ? 'yes' : 'no') : `throws: ${error}`;
    return `${texts[i]}${guard === undefined ? '' : `  (${guard}: ${says})`}`;
  });
  return [...labelled('refused', [refusal.reason]), ...labelled('asked', asked)];
}

async function attempt(address: string, text: string, options: TryOptions, terminal: Terminal): Promise<void> {
  const event = eventIn(text);
  const config = readStoreConfig(terminal.environment, flagsOf({ ...options }));
  const [tried, before] = await travelling(config, async (travel) => {
    const newest = (await travel.steps(address, { after: Number.MAX_SAFE_INTEGER - 1, limit: 1 })).version;
    const at = options.at ?? newest;
    const { initial } = await travel.steps(address, { after: at, limit: 1 });
    return [await travel.attempt(address, at, event), initial] as const;
  });
  if (options.json === true) return terminal.out(JSON.stringify(tried));
  const { type } = parseAddress(address);
  const changes = differences(before?.context, tried.context).map(differenceLine);
  const [was, is] = [stateText(before?.value ?? ''), stateText(tried.value)];
  const outcome = [
    ...labelled('taken', transitionTexts(type, tried.taken)),
    ...labelled('state', [was === is ? is : `${was} → ${is}`]),
    ...labelled('effects', effectLines(tried.effects)),
    ...labelled('changes', changes.length === 0 ? ['none'] : changes),
  ];
  terminal.out(
    `${address} at ${tried.version}, in ${was}, with ${event.type}: ${tried.accepted ? 'taken' : 'refused'}`,
  );
  for (const line of tried.accepted ? outcome : refusalLines(tried, type)) terminal.out(line);
}

export function tryCommand(terminal: Terminal): Command {
  const command = new Command('try')
    .description('say what an actor would do with an event at some point of its history; nothing is sent or kept')
    .argument('<address>', 'type/id, as `troupe actors` lists them')
    .argument('<event>', 'an event as JSON, with its type')
    .option('--at <seq>', 'after its event number <seq>, 0 for before the first; default: as it is', numberArgument)
    .action((address: string, event: string, options: TryOptions) => attempt(address, event, options, terminal));
  examples(command, [
    `troupe try room/8f14e45f-0000-4000-8000-000000000001 '{"type":"ROOM_CREATE_REJECTED","operationId":"…"}'`,
    `troupe try room/8f14e45f-0000-4000-8000-000000000001 '{"type":"DANCE"}' --at 1 --json | jq .refusal`,
  ]);
  return withJson(withSettings(command, ['journal', 'shards', 'archive']));
}
