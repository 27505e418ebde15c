/** The command line as a test types it: in this process, with what it printed and its exit code. */

import { runTroupe } from '../../actors/cli/main.ts';
import type { Terminal } from '../../actors/cli/terminal.ts';

export interface Typed {
  readonly code: number;
  /** Lines on stdout. */
  readonly out: readonly string[];
  /** Lines on stderr. */
  readonly err: readonly string[];
}

/** Runs `troupe …args` in an environment of its own; parts of its terminal may be the test's. */
export async function troupe(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  terminal: Partial<Terminal> = {},
): Promise<Typed> {
  const out: string[] = [];
  const err: string[] = [];
  const code = await runTroupe(args, {
    environment,
    out: (line) => out.push(...line.split('\n')),
    err: (line) => err.push(...line.split('\n')),
    progress: () => undefined,
    draw: (lines) => out.push(...lines),
    interruption: () => new AbortController().signal,
    ...terminal,
  });
  return { code, out, err };
}
