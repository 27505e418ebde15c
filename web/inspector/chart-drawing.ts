/**
 * The drawing of a machine: its graph, laid out by ELK in a worker, as SVG. All of this, and the worker, is loaded when the
 * first chart opens. A machine is drawn once.
 */

import ElkApi, { type ElkNode } from 'elkjs/lib/elk-api.js';
import elkWorkerUrl from 'elkjs/lib/elk-worker.min.js?url';
import type { StateValue } from '../../src/inspect/answers.ts';
import { activeStates, type Chart, chartOf } from '../../src/inspect/chart/chart.ts';
import type { ElkGraph } from '../../src/inspect/chart/layout.ts';
import { layoutOf } from '../../src/inspect/chart/layout.ts';
import { chartStyle } from '../../src/inspect/chart/style.ts';
import { svgOf } from '../../src/inspect/chart/svg.ts';
import type { Box } from './viewport.ts';

export interface Drawing {
  readonly svg: string;
  readonly width: number;
  readonly height: number;
  /** Ids of the states a value lights, outer ones first. */
  readonly active: (value: StateValue) => readonly string[];
  /** Where a state is. */
  readonly place: (id: string) => Box | undefined;
}

let elk: InstanceType<typeof ElkApi> | undefined;

function layouter(graph: ElkGraph): Promise<ElkGraph> {
  elk ??= new ElkApi({ workerFactory: () => new Worker(elkWorkerUrl) });
  return elk.layout(graph as ElkNode) as Promise<ElkGraph>;
}

function adoptStyle(): void {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(chartStyle);
  document.adoptedStyleSheets.push(sheet);
}

async function draw(definition: object): Promise<Drawing> {
  const chart: Chart = chartOf(definition as Parameters<typeof chartOf>[0]);
  const layout = await layoutOf(chart, layouter);
  const { width, height, states } = layout;
  const places = new Map(states.map((placed) => [placed.state.id, placed]));
  return {
    svg: svgOf(layout, { standalone: false }),
    width,
    height,
    active: (value) => activeStates(chart, value),
    place: (id) => places.get(id),
  };
}

const drawings = new WeakMap<object, Promise<Drawing>>();
let isStyled = false;

export function drawingOf(definition: object): Promise<Drawing> {
  if (!isStyled) adoptStyle();
  isStyled = true;
  let drawing = drawings.get(definition);
  if (drawing === undefined) {
    drawing = draw(definition);
    drawings.set(definition, drawing);
  }
  return drawing;
}
