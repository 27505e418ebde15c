/** An event as somebody types it: JSON with a type, or a sentence that says what is wrong with it and where. */

import type { AnyEvent } from '../../src/inspect/answers.ts';

export type Typed = { readonly ok: true; readonly event: AnyEvent } | { readonly ok: false; readonly sentence: string };

export const typedMax = 16_384;

function wrong(sentence: string): Typed {
  return { ok: false, sentence };
}

/** `line 3, column 7`, from the position that engines put into their messages. */
function placeIn(text: string, message: string): string {
  const lineAndColumn = /line (\d+) column (\d+)/.exec(message);
  if (lineAndColumn !== null) return `line ${lineAndColumn[1]}, column ${lineAndColumn[2]}`;
  const position = /position (\d+)/.exec(message);
  const before = text.slice(0, position === null ? text.length : Number(position[1])).split('\n');
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An event, or why the text is none. A bare word stands for an event without fields. */
export function typedEvent(text: string): Typed {
  const trimmed = text.trim();
  if (trimmed === '') return wrong('Type an event, for example {"type": "…"}.');
  if (trimmed.length > typedMax) return wrong(`The event is longer than ${typedMax} characters.`);
  if (/^(?!(?:null|true|false)$)[A-Za-z_][\w.:-]*$/.test(trimmed)) return checked({ type: trimmed });
  try {
    return checked(JSON.parse(trimmed) as unknown);
  } catch (error) {
    const message = error instanceof Error ? error.message : '';
    return wrong(`This is not JSON: look at ${placeIn(trimmed, message)}.`);
  }
}

function checked(value: unknown): Typed {
  if (!isFields(value)) return wrong('An event is a JSON object with a "type".');
  const { type } = value;
  if (typeof type !== 'string' || type === '') return wrong('The event needs a "type", which is a text.');
  if (type.startsWith('xstate.')) return wrong('Events named "xstate.…" are the runtime’s own; nobody may send one.');
  return { ok: true, event: { ...value, type } };
}
