/**
 * The nodes that are there, and those that were and are gone: a node that dies leaves the list, and an operator who looks
 * has to see that. It knows what the page has seen since it was opened, and keeps a bounded number of those that left, for
 * as long as that is news.
 */

import type { NodeRow } from '../../src/inspect/answers.ts';

export const goneMax = 12;
export const goneMs = 15 * 60_000;

export interface GoneNode {
  readonly node: NodeRow;
  /** Wall-clock ms at which it was missed. */
  readonly at: number;
}

export interface RollCall {
  readonly present: readonly NodeRow[];
  /** Those that left last come first. */
  readonly gone: readonly GoneNode[];
}

/** The roll call after another look at the nodes. */
export function calledAgain(before: RollCall | undefined, nodes: readonly NodeRow[], at: number): RollCall {
  const isThere = ({ id }: NodeRow): boolean => nodes.some((node) => node.id === id);
  const left = (before?.present ?? []).filter((node) => !isThere(node)).map((node) => ({ node, at }));
  const missed = (before?.gone ?? []).filter(({ node, at: since }) => !isThere(node) && at - since < goneMs);
  return { present: nodes, gone: [...left, ...missed].slice(0, goneMax) };
}
