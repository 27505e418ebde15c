/**
 * The code in an event that says no: whatever application it is of, `code` is what a refusal is called by. The first one
 * counts, the nearest to the top.
 */

import type { AnyEvent } from '../../src/inspect/answers.ts';

const depthMax = 4;
const fieldsMax = 200;

/** A code is one word: a sentence, or a programme, is none. */
const form = /^[A-Za-z][\w.-]{0,63}$/;

export function codeOf(event: AnyEvent): string | undefined {
  let level: readonly unknown[] = [event];
  let seen = 0;
  for (let depth = 0; depth < depthMax && level.length > 0; depth += 1) {
    const below: unknown[] = [];
    for (const value of level) {
      if (typeof value !== 'object' || value === null) continue;
      for (const [name, part] of Object.entries(value)) {
        if (name === 'code' && typeof part === 'string' && form.test(part)) return part;
        seen += 1;
        if (seen > fieldsMax) return undefined;
        below.push(part);
      }
    }
    level = below;
  }
  return undefined;
}
