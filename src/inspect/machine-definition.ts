/**
 * A machine's config as JSON, for whoever draws it: functions by their names (chart/definition.ts). Made once
 * per machine, since it never changes.
 */

import type { HostedMachine } from '../actor/logic.ts';
import { definitionOf } from './chart/definition.ts';

const texts = new WeakMap<HostedMachine, string>();

/** The JSON text of the config. */
export function definitionText(hosted: HostedMachine): string {
  let text = texts.get(hosted);
  if (text === undefined) {
    text = JSON.stringify(definitionOf(hosted.definition.machine));
    texts.set(hosted, text);
  }
  return text;
}
