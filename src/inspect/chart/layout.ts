/**
 * Places and sizes for a chart, by the layered algorithm of ELK. The layouter itself is handed in, so that a browser runs
 * it in a worker and nothing here depends on where it runs. All coordinates given are absolute, in px.
 */

import { type LabelBox, labelBox, type StateBox, stateBox, titleOf } from './boxes.ts';
import type { Chart, ChartEdge, ChartState } from './chart.ts';

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Rectangle extends Point {
  readonly width: number;
  readonly height: number;
}

export interface PlacedState extends Rectangle {
  readonly state: ChartState;
  readonly title: string;
  readonly box: StateBox;
  /** How deep inside of others; 0 for the machine. */
  readonly depth: number;
}

export interface PlacedEdge {
  readonly edge: ChartEdge;
  readonly points: readonly Point[];
  readonly label: Rectangle & LabelBox;
}

/** The dot from which a state's first inner state is entered. */
export interface PlacedInitial extends Point {
  readonly state: string;
  readonly radius: number;
  readonly points: readonly Point[];
}

export interface Layout {
  readonly chart: Chart;
  readonly width: number;
  readonly height: number;
  /** Outer states before inner ones. */
  readonly states: readonly PlacedState[];
  /** Those with a target; the others stand in the boxes of their states. */
  readonly edges: readonly PlacedEdge[];
  readonly initials: readonly PlacedInitial[];
}

/** The part of ELK's JSON format that is used here. */
export interface ElkShape {
  id: string;
  x?: number;
  y?: number;
  width?: number;
  height?: number;
  layoutOptions?: Record<string, string>;
}

export interface ElkGraph extends ElkShape {
  children?: ElkGraph[];
  edges?: ElkEdge[];
}

export interface ElkEdge extends ElkShape {
  sources: string[];
  targets: string[];
  labels?: (ElkShape & { text: string })[];
  /** The node whose coordinates the edge's are relative to. */
  container?: string;
  sections?: { startPoint: Point; endPoint: Point; bendPoints?: Point[] }[];
}

/** ELK's `layout`. */
export type Layouter = (graph: ElkGraph) => Promise<ElkGraph>;

const dotRadius = 5;
const margin = 16;
const rootId = ':chart';

const rootOptions = {
  'elk.algorithm': 'layered',
  'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
  'elk.padding': `[top=${margin},left=${margin},bottom=${margin},right=${margin}]`,
  'elk.json.edgeCoords': 'CONTAINER',
};

/** Of every level: each lays out its own. */
const levelOptions = {
  'elk.direction': 'DOWN',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
  'elk.spacing.nodeNode': '28',
  'elk.spacing.edgeNode': '18',
  'elk.spacing.edgeEdge': '14',
  'elk.spacing.edgeLabel': '6',
  'elk.spacing.labelLabel': '6',
  'elk.spacing.nodeSelfLoop': '20',
  'elk.layered.spacing.nodeNodeBetweenLayers': '30',
  'elk.layered.spacing.edgeNodeBetweenLayers': '16',
  'elk.layered.spacing.edgeEdgeBetweenLayers': '14',
};

interface Sized {
  readonly state: ChartState;
  readonly title: string;
  readonly box: StateBox;
}

function initialId(state: string): string {
  return `${state}:initial`;
}

function sizedStates({ states, edges, title }: Chart): ReadonlyMap<string, Sized> {
  return new Map(
    states.map((state) => {
      const inner = edges.filter(({ source, target }) => source === state.id && target === undefined);
      const name = titleOf(state, title);
      return [state.id, { state, title: name, box: stateBox(state, name, inner) }];
    }),
  );
}

function graphOf(id: string, sized: ReadonlyMap<string, Sized>): ElkGraph {
  const { state, box } = sized.get(id)!;
  const { headHeight, minWidth } = box;
  if (state.kind === 'history') return { id, width: 30, height: 30 };
  if (state.children.length === 0) return { id, width: minWidth, height: headHeight };
  const children = state.children.map((child) => graphOf(child, sized));
  const dot = {
    id: initialId(id),
    width: 2 * dotRadius,
    height: 2 * dotRadius,
    layoutOptions: { 'elk.layered.layering.layerConstraint': 'FIRST' },
  };
  return {
    id,
    children: state.initial === undefined ? children : [dot, ...children],
    layoutOptions: {
      ...levelOptions,
      'elk.padding': `[top=${headHeight + margin},left=${margin + 6},bottom=${margin + 6},right=${margin + 6}]`,
      'elk.nodeSize.constraints': 'MINIMUM_SIZE',
      'elk.nodeSize.minimum': `(${minWidth},${headHeight})`,
    },
  };
}

/**
 * The edges that lead back, to a state that comes before in the machine's own order. ELK is given them the other way round,
 * so that what begins is on top and there is no cycle that it would break elsewhere.
 */
export function edgesLeadingBack({ states, edges }: Chart): ReadonlySet<string> {
  const byId = new Map(states.map((state) => [state.id, state]));
  const pathOf = (id: string): readonly string[] => {
    const parent = byId.get(id)?.parent;
    return parent === undefined ? [id] : [...pathOf(parent), id];
  };
  const rankOf = (id: string): number => {
    const parent = byId.get(byId.get(id)?.parent ?? '');
    return parent?.initial === id ? -1 : (parent?.children.indexOf(id) ?? 0);
  };
  const leadsBack = (source: readonly string[], target: readonly string[]): boolean => {
    const fork = source.findIndex((id, i) => id !== target[i]);
    const [from, to] = [source[fork], target[fork]];
    return from !== undefined && to !== undefined && rankOf(to) < rankOf(from);
  };
  const back = edges.filter(({ source, target }) => target !== undefined && leadsBack(pathOf(source), pathOf(target)));
  return new Set(back.map(({ id }) => id));
}

/** ELK fails on a property that is there and undefined: nothing of that kind may be in here. */
function elkGraphOf(chart: Chart, sized: ReadonlyMap<string, Sized>, back: ReadonlySet<string>): ElkGraph {
  const edges = chart.edges.flatMap((edge): ElkEdge[] => {
    if (edge.target === undefined) return [];
    const { width, height } = labelBox(edge);
    const label = {
      id: `${edge.id}:label`,
      text: edge.label,
      width,
      height,
      layoutOptions: { 'elk.edgeLabels.inline': 'true', 'elk.edgeLabels.placement': 'CENTER' },
    };
    const [from, to] = back.has(edge.id) ? [edge.target, edge.source] : [edge.source, edge.target];
    return [{ id: edge.id, sources: [from], targets: [to], labels: [label] }];
  });
  const entries = chart.states.flatMap(({ id, initial }): ElkEdge[] =>
    initial === undefined ? [] : [{ id: `${initialId(id)}:edge`, sources: [initialId(id)], targets: [initial] }],
  );
  const root = chart.states[0]?.id ?? '';
  return {
    id: rootId,
    layoutOptions: { ...rootOptions, ...levelOptions },
    children: [graphOf(root, sized)],
    edges: [...entries, ...edges],
  };
}

function absolutePlaces(graph: ElkGraph): ReadonlyMap<string, Rectangle> {
  const places = new Map<string, Rectangle>();
  const visit = ({ id, x = 0, y = 0, width = 0, height = 0, children = [] }: ElkGraph, outer: Point): void => {
    const place = { x: outer.x + x, y: outer.y + y, width, height };
    places.set(id, place);
    for (const child of children) visit(child, place);
  };
  visit(graph, { x: 0, y: 0 });
  return places;
}

function pathOf({ sections = [], container }: ElkEdge, places: ReadonlyMap<string, Rectangle>): readonly Point[] {
  const { x, y } = places.get(container ?? rootId) ?? { x: 0, y: 0 };
  return sections
    .flatMap(({ startPoint, bendPoints = [], endPoint }) => [startPoint, ...bendPoints, endPoint])
    .map((point) => ({ x: x + point.x, y: y + point.y }));
}

function labelPlace({ labels, container }: ElkEdge, places: ReadonlyMap<string, Rectangle>): Point {
  const outer = places.get(container ?? rootId) ?? { x: 0, y: 0 };
  const { x = 0, y = 0 } = labels?.[0] ?? {};
  return { x: outer.x + x, y: outer.y + y };
}

/** Rejects with what the layouter rejects with. */
export async function layoutOf(chart: Chart, layouter: Layouter): Promise<Layout> {
  const sized = sizedStates(chart);
  const back = edgesLeadingBack(chart);
  const graph = await layouter(elkGraphOf(chart, sized, back));
  const places = absolutePlaces(graph);
  const laid = new Map((graph.edges ?? []).map((edge) => [edge.id, edge]));
  const depths = new Map<string, number>();
  for (const { id, parent } of chart.states) depths.set(id, parent === undefined ? 0 : depths.get(parent)! + 1);
  const states = chart.states.map(({ id }) => ({ ...sized.get(id)!, ...places.get(id)!, depth: depths.get(id)! }));
  const edges = chart.edges.flatMap((edge): PlacedEdge[] => {
    const found = laid.get(edge.id);
    if (found === undefined) return [];
    const path = pathOf(found, places);
    const points = back.has(edge.id) ? path.toReversed() : path;
    return [{ edge, points, label: { ...labelPlace(found, places), ...labelBox(edge) } }];
  });
  const initials = chart.states.flatMap(({ id, initial }): PlacedInitial[] => {
    if (initial === undefined) return [];
    const { x, y } = places.get(initialId(id))!;
    const points = pathOf(laid.get(`${initialId(id)}:edge`)!, places);
    return [{ state: id, x: x + dotRadius, y: y + dotRadius, radius: dotRadius, points }];
  });
  return { chart, width: graph.width ?? 0, height: graph.height ?? 0, states, edges, initials };
}
