/**
 * ELK in this process: the layouter that a chart is laid out with in Node. A layout takes tens to hundreds of milliseconds in
 * which nothing else runs, so a server does not use it; a browser has it in a worker of its own.
 */

import { createRequire } from 'node:module';
import type { Layouter } from './chart/layout.ts';

interface Elk {
  layout: Layouter;
}

let elk: Elk | undefined;

/** Loads ELK (1.5 MB) when it is used first. */
export const elkLayout: Layouter = (graph) => {
  if (elk === undefined) {
    const Bundled = createRequire(import.meta.url)('elkjs/lib/elk.bundled.js') as new () => Elk;
    elk = new Bundled();
  }
  return elk.layout(graph);
};
