/**
 * What stands in the box of a state and on the label of an edge, line by line, and how large that makes them. Whoever
 * places boxes and whoever draws them read the same lines, so that what is drawn fits.
 */

import type { ChartEdge, ChartState } from './chart.ts';
import { textWidth, wrapped } from './text-width.ts';

export type PartKind = 'event' | 'guard' | 'action' | 'word';

export interface Part {
  readonly text: string;
  readonly kind: PartKind;
}

/** One line of a box or a label. */
export interface Line {
  readonly parts: readonly Part[];
  /** The transition that it is; undefined for what a state does on entry and exit. */
  readonly edge: string | undefined;
}

export interface StateBox {
  readonly description: readonly string[];
  readonly lines: readonly Line[];
  /** Of all that, with its margins: what lies below it belongs to the inner states. */
  readonly headHeight: number;
  readonly minWidth: number;
}

export interface LabelBox {
  readonly lines: readonly Line[];
  readonly width: number;
  readonly height: number;
}

export const sizes = {
  title: 15,
  text: 12,
  lineHeight: 17,
  /** Inside of a state's box. */
  paddingX: 14,
  paddingY: 11,
  titleHeight: 18,
  /** Around the line between a title and what follows it. */
  gap: 7,
  labelX: 9,
  labelY: 5,
  minWidth: 96,
  descriptionWidth: 230,
} as const;

function lineWidth({ parts }: Line): number {
  return parts.reduce((sum, { text, kind }) => sum + textWidth(text, sizes.text, kind === 'event'), 0);
}

function joined(names: readonly string[]): string {
  return names.join(', ');
}

function transitionLine({ id, label, guard, actions }: ChartEdge): Line {
  const parts: Part[] = [{ text: label, kind: 'event' }];
  if (guard !== undefined) parts.push({ text: ` [${guard}]`, kind: 'guard' });
  if (actions.length > 0) parts.push({ text: ` / ${joined(actions)}`, kind: 'action' });
  return { parts, edge: id };
}

function wordLine(word: string, names: readonly string[]): readonly Line[] {
  if (names.length === 0) return [];
  return [
    {
      parts: [
        { text: word, kind: 'word' },
        { text: ` / ${joined(names)}`, kind: 'action' },
      ],
      edge: undefined,
    },
  ];
}

export function titleOf(state: ChartState, chartTitle: string): string {
  return state.parent === undefined ? chartTitle : state.key;
}

/** `inner` are the transitions of the state that stay where they are. */
export function stateBox(state: ChartState, title: string, inner: readonly ChartEdge[]): StateBox {
  const lines = [...wordLine('entry', state.entry), ...wordLine('exit', state.exit), ...inner.map(transitionLine)];
  const widest = Math.max(textWidth(title, sizes.title, true), ...lines.map(lineWidth), 0);
  const room = Math.max(widest, sizes.descriptionWidth);
  const description = state.description === undefined ? [] : wrapped(state.description, sizes.text, room);
  const width = Math.max(widest, ...description.map((line) => textWidth(line, sizes.text)));
  const below = (count: number): number => (count === 0 ? 0 : count * sizes.lineHeight + sizes.gap);
  return {
    description,
    lines,
    headHeight: 2 * sizes.paddingY + sizes.titleHeight + below(description.length) + below(lines.length),
    minWidth: Math.max(sizes.minWidth, Math.ceil(width) + 2 * sizes.paddingX),
  };
}

/** The label of an edge: one line for each of what it says. */
export function labelBox({ id, label, guard, actions }: ChartEdge): LabelBox {
  const lines: Line[] = [{ parts: [{ text: label, kind: 'event' }], edge: id }];
  if (guard !== undefined) lines.push({ parts: [{ text: `[${guard}]`, kind: 'guard' }], edge: id });
  if (actions.length > 0) lines.push({ parts: [{ text: `/ ${joined(actions)}`, kind: 'action' }], edge: id });
  return {
    lines,
    width: Math.ceil(Math.max(...lines.map(lineWidth))) + 2 * sizes.labelX,
    height: lines.length * sizes.lineHeight + 2 * sizes.labelY - 3,
  };
}
