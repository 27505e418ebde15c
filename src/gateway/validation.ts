/**
 * Inputs against their schemas. Every wrong field is named, in the caller's language where zod speaks it; what is not in
 * a body's schema is left out, an unknown query parameter is refused (a misspelt filter would otherwise filter nothing).
 */

import * as z from 'zod';
import { type FieldError, Refusal } from './problem.ts';

export type Schema = z.ZodObject;

const errorMaps: Readonly<Record<string, z.core.$ZodErrorMap>> = {
  en: z.locales.en().localeError,
  uk: z.locales.uk().localeError,
  it: z.locales.it().localeError,
};

function fieldOf(issue: z.core.$ZodIssue): string {
  const path = issue.path.map(String).join('.');
  const keys = issue.code === 'unrecognized_keys' ? issue.keys.join(', ') : '';
  return path === '' ? keys || 'body' : path;
}

function refusal(schema: Schema, input: unknown, error: z.ZodError, status: number): Refusal {
  const fields = [...new Set(error.issues.map(fieldOf))].join(', ');
  const errors = (language: string): readonly FieldError[] => {
    const map = errorMaps[language];
    const again = schema.safeParse(input, map === undefined ? {} : { error: map });
    const issues = again.success ? error.issues : again.error.issues;
    return issues.map((issue) => ({ field: fieldOf(issue), detail: issue.message }));
  };
  return new Refusal('VALIDATION_FAILED', { status, params: { fields }, errors });
}

/** The input as its schema gives it. Throws a `Refusal`: 400 when a field of `inPath` is wrong, else `status`. */
export function validated<TSchema extends Schema>(
  schema: TSchema,
  input: unknown,
  status: number,
  inPath: readonly string[] = [],
): z.infer<TSchema> {
  const result = schema.safeParse(input);
  if (result.success) return result.data as z.infer<TSchema>;
  const pathIsWrong = result.error.issues.some((issue) => inPath.includes(String(issue.path[0])));
  throw refusal(schema, input, result.error, pathIsWrong ? 400 : status);
}

/** Query parameters as an object. A repeated one is refused like a wrong one. */
export function queryObject(query: string): Readonly<Record<string, string | readonly string[]>> {
  if (query === '') return {};
  const values: Record<string, string | readonly string[]> = {};
  const parameters = new URLSearchParams(query);
  for (const name of new Set(parameters.keys())) {
    const all = parameters.getAll(name);
    values[name] = all.length === 1 ? (all[0] as string) : all;
  }
  return values;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The JSON of a body. Throws a `Refusal` (400 INVALID_JSON) when it is not valid UTF-8 or not JSON. */
export function jsonOf(body: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(body)) as unknown;
  } catch (cause) {
    throw new Refusal('INVALID_JSON', { cause });
  }
}
