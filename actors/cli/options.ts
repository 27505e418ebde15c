/** The options that several commands share, made from the settings so that help and configuration cannot disagree. */

import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Config, type Flags, settings } from '../config.ts';

function optionOf(key: keyof Config): Option | undefined {
  const { name, flag, argument, about, initial } = settings[key] as {
    readonly name: string;
    readonly flag?: string;
    readonly argument: string;
    readonly about: string;
    readonly initial: unknown;
  };
  if (flag === undefined) return undefined;
  const byDefault = initial === undefined || Array.isArray(initial) ? '' : `, default ${String(initial)}`;
  return new Option(`${flag} <${argument}>`, `${about} (${name}${byDefault})`);
}

/** Adds the flags of these settings; `readConfig` merges them with the environment. */
export function withSettings(command: Command, keys: readonly (keyof Config)[]): Command {
  for (const key of keys) {
    const option = optionOf(key);
    if (option !== undefined) command.addOption(option);
  }
  return command;
}

export function withJson(command: Command): Command {
  return command.option('--json', 'print JSON');
}

export function flagsOf(options: Readonly<Record<string, unknown>>): Flags {
  return Object.fromEntries(Object.keys(settings).map((key) => [key, options[key]])) as Flags;
}

export function examples(command: Command, lines: readonly string[]): Command {
  return command.addHelpText('after', `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}`);
}

/** Parses a count of at least 1. */
export function countArgument(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('It must be a whole number of at least 1.');
  return Number(text);
}

/** Parses a whole number from 0. */
export function numberArgument(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number of at least 0.');
  return Number(text);
}

/** Parses `90m`, `24h`, `30d` or `45s` into seconds. */
export function durationArgument(text: string): number {
  const [, digits, unit] = /^([1-9]\d{0,5})([smhd])$/.exec(text) ?? [];
  if (digits === undefined) throw new InvalidArgumentError('It must look like 90m, 24h or 30d.');
  return Number(digits) * { s: 1, m: 60, h: 3_600, d: 86_400 }[unit as 's' | 'm' | 'h' | 'd'];
}
