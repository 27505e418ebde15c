/** One setting: an environment variable and, mostly, a flag, with what makes its value a good one. */

import type { z } from 'zod';

export interface Setting<T> {
  /** The environment variable. */
  readonly name: string;
  /** The flag of `troupe start`; a secret has none, since everyone can read the arguments of a process. */
  readonly flag?: string;
  readonly argument: string;
  readonly about: string;
  readonly schema: z.ZodType<T, string>;
  readonly initial: T;
  readonly secret?: boolean;
}

export function setting<T>(value: Setting<T>): Setting<T> {
  return value;
}
