/**
 * What a request's headers ask for: `Prefer: wait` (RFC 7240), `Idempotency-Key` and `Accept-Language` (RFC 9110).
 * Preferences that make no sense are ignored, as their RFCs say; a bad idempotency key is refused, because ignoring it
 * would break the promise it asks for.
 */

import { Refusal } from './problem.ts';

const idempotencyKeyCharactersMax = 255;

/** Milliseconds to wait for an outcome, at most `maxMs`; 0 when nothing is preferred. */
export function waitPreference(header: string | undefined, maxMs: number): number {
  if (header === undefined) return 0;
  const match = /(?:^|[,;])\s*wait\s*=\s*"?(\d{1,9})"?\s*(?=$|[,;])/i.exec(header);
  return match === null ? 0 : Math.min(Number(match[1]) * 1000, maxMs);
}

/** The key without its quotes: `"a"` and `a` are the same key. Throws a `Refusal` when it is empty or too long. */
export function idempotencyKey(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const trimmed = header.trim();
  const quoted = /^"((?:[^"\\]|\\.)*)"$/.exec(trimmed);
  const key = quoted === null ? trimmed : (quoted[1] as string).replaceAll(/\\(.)/g, '$1');
  if (key.length === 0 || key.length > idempotencyKeyCharactersMax) {
    const detail = `1 to ${idempotencyKeyCharactersMax} characters`;
    throw new Refusal('VALIDATION_FAILED', {
      status: 400,
      params: { fields: 'Idempotency-Key' },
      errors: () => [{ field: 'Idempotency-Key', detail }],
    });
  }
  return key;
}

/** The best of `supported` for an `Accept-Language` value; undefined when it names none of them. */
export function negotiateLanguage(header: string | undefined, supported: readonly string[]): string | undefined {
  if (header === undefined || header.length > 500) return undefined;
  let best: string | undefined;
  let bestQuality = 0;
  for (const part of header.split(',')) {
    const [range = '', ...parameters] = part.split(';');
    const weight = parameters.map((parameter) => /^\s*q\s*=\s*([\d.]+)\s*$/i.exec(parameter)?.[1]).find(Boolean);
    const quality = weight === undefined ? 1 : Number(weight);
    // `*` is no wish for a language of ours: whoever knows the caller better decides.
    const primary = range.trim().toLowerCase().split('-', 1)[0] as string;
    if (quality > bestQuality && supported.includes(primary)) {
      best = primary;
      bestQuality = quality;
    }
  }
  return best;
}
