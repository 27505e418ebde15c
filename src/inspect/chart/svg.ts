/**
 * A laid out chart as SVG text. States have `data-state-id` and transitions `data-edge-id`, so that whoever shows it lights
 * them by a class (`is-active`, `is-taken`, `is-refused`, `is-flowing`; style.ts) without laying it out again. An outer
 * state has two such elements, its frame below what is inside of it and its texts above. It has no
 * script, no reference to anything outside of it, and no `style` attributes.
 */

import { type Line, sizes } from './boxes.ts';
import type { Layout, PlacedEdge, PlacedInitial, PlacedState, Point } from './layout.ts';
import { arrowHead, roundedPath } from './path.ts';
import { chartStyle } from './style.ts';

export interface SvgOptions {
  /** Ids of the states to light: what `activeStates` gives. */
  readonly active?: readonly string[];
  /** Ids of the transitions to light. */
  readonly taken?: readonly string[];
  /** Default `auto`: what whoever looks prefers. */
  readonly theme?: 'light' | 'dark' | 'auto';
  /** With its style inside; default true. A page that has adopted `chartStyle` says false. */
  readonly standalone?: boolean;
}

interface Lit {
  readonly active: ReadonlySet<string>;
  readonly taken: ReadonlySet<string>;
}

export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function n(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function textAt(x: number, y: number, kind: string, content: string): string {
  return `<text class="${kind}" x="${n(x)}" y="${n(y)}">${content}</text>`;
}

function lineText({ parts }: Line, x: number, y: number): string {
  const spans = parts.map(({ text, kind }) => `<tspan class="${kind}">${escaped(text)}</tspan>`).join('');
  return `<text x="${n(x)}" y="${n(y)}" xml:space="preserve">${spans}</text>`;
}

/** A transition that stays in its state, as a line of the state's box. */
function innerLine(line: Line, { x, width }: PlacedState, y: number, lit: Lit): string {
  const text = lineText(line, x + sizes.paddingX, y);
  if (line.edge === undefined) return text;
  const plate = `<rect class="plate" x="${n(x + 6)}" y="${n(y - 13)}" width="${n(width - 12)}" height="${sizes.lineHeight}" rx="4"/>`;
  const taken = lit.taken.has(line.edge) ? ' is-taken' : '';
  return `<g class="inner${taken}" data-edge-id="${escaped(line.edge)}">${plate}${text}</g>`;
}

function boxOf(placed: PlacedState, lit: Lit): string {
  const { x, y, width, title, box } = placed;
  const { paddingX, paddingY, titleHeight, lineHeight, gap } = sizes;
  const parts = [textAt(x + paddingX, y + paddingY + 14, 'title', escaped(title))];
  let top = y + paddingY + titleHeight;
  if (box.description.length > 0) {
    top += gap;
    for (const line of box.description) {
      parts.push(textAt(x + paddingX, top + 11, 'description', escaped(line)));
      top += lineHeight;
    }
  }
  if (box.lines.length > 0) {
    parts.push(`<path class="rule" d="M${n(x + 2)} ${n(top + gap / 2)}h${n(width - 4)}"/>`);
    top += gap;
    for (const line of box.lines) {
      parts.push(innerLine(line, placed, top + 14, lit));
      top += lineHeight;
    }
  }
  return parts.join('');
}

function groupOf({ state }: PlacedState, parallel: ReadonlySet<string>, lit: Lit): string {
  const classes = ['state', `is-${state.kind}`];
  if (state.children.length > 0) classes.push('is-outer');
  if (parallel.has(state.parent ?? '')) classes.push('is-region');
  if (lit.active.has(state.id)) classes.push('is-active');
  return `<g class="${classes.join(' ')}" data-state-id="${escaped(state.id)}">`;
}

function frameOf({ state, x, y, width, height }: PlacedState): string {
  const radius = state.children.length > 0 ? 12 : 9;
  const frame = (inset: number, name: string): string =>
    `<rect class="${name}" x="${n(x + inset)}" y="${n(y + inset)}" width="${n(width - 2 * inset)}" height="${n(height - 2 * inset)}" rx="${radius - inset / 2}"/>`;
  return state.kind === 'final' ? `${frame(0, 'frame')}${frame(4, 'inner-frame')}` : frame(0, 'frame');
}

function historySvg({ x, y, width, height }: PlacedState): string {
  const centre = { x: x + width / 2, y: y + height / 2 };
  const circle = `<circle class="frame" cx="${n(centre.x)}" cy="${n(centre.y)}" r="${n(width / 2)}"/>`;
  return `${circle}<text class="title" x="${n(centre.x)}" y="${n(centre.y + 5)}" text-anchor="middle">H</text>`;
}

function innermostSvg(placed: PlacedState, lit: Lit): string {
  return placed.state.kind === 'history' ? historySvg(placed) : `${frameOf(placed)}${boxOf(placed, lit)}`;
}

function arrow(points: readonly Point[]): string {
  return `<path class="line" d="${roundedPath(points)}"/><path class="head" d="${arrowHead(points)}"/>`;
}

function edgeSvg({ edge, points, label }: PlacedEdge, lit: Lit): string {
  const { x, y, width, height, lines } = label;
  const plate = `<rect class="plate" x="${n(x)}" y="${n(y)}" width="${n(width)}" height="${n(height)}" rx="7"/>`;
  const texts = lines.map((line, i) => lineText(line, x + sizes.labelX, y + sizes.labelY + 11 + i * sizes.lineHeight));
  const ends = `data-source="${escaped(edge.source)}" data-target="${escaped(edge.target ?? '')}"`;
  const taken = lit.taken.has(edge.id) ? ' is-taken' : '';
  return `<g class="edge is-${edge.kind}${taken}" data-edge-id="${escaped(edge.id)}" ${ends}>${arrow(points)}${plate}${texts.join('')}</g>`;
}

function initialSvg({ state, x, y, radius, points }: PlacedInitial): string {
  const dot = `<circle class="dot" cx="${n(x)}" cy="${n(y)}" r="${radius}"/>`;
  return `<g class="initial" data-initial-of="${escaped(state)}">${arrow(points)}${dot}</g>`;
}

/** For those who cannot see it: what it is, its states, and where it is now. */
function description({ chart }: Layout, { active }: Lit): string {
  const leaves = chart.states.filter(({ parent }) => parent !== undefined);
  const now = leaves.filter(({ id, children }) => active.has(id) && children.length === 0).map(({ key }) => key);
  const where = now.length === 0 ? '' : ` It is in ${now.join(' and ')}.`;
  const states = leaves.map(({ key }) => key).join(', ');
  return `${leaves.length} states (${states}) and ${chart.edges.length} transitions.${where}`;
}

export function svgOf(layout: Layout, options: SvgOptions = {}): string {
  const { active = [], taken = [], theme = 'auto', standalone = true } = options;
  const { chart, width, height, states, edges, initials } = layout;
  const lit = { active: new Set(active), taken: new Set(taken) };
  const parallel = new Set(chart.states.filter(({ kind }) => kind === 'parallel').map(({ id }) => id));
  const group = (placed: PlacedState, content: string): string => `${groupOf(placed, parallel, lit)}${content}</g>`;
  const outer = states.filter(({ state }) => state.children.length > 0);
  const innermost = states.filter(({ state }) => state.children.length === 0);
  const themed = theme === 'auto' ? '' : ` is-${theme}`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" class="troupe-chart${themed}" role="img" viewBox="0 0 ${n(width)} ${n(height)}" width="${n(width)}" height="${n(height)}">`,
    `<title>Statechart of ${escaped(chart.title)}</title><desc>${escaped(description(layout, lit))}</desc>`,
    standalone ? `<style>${chartStyle}</style>` : '',
    `<rect class="ground" width="${n(width)}" height="${n(height)}"/>`,
    // What an outer state says comes after the edges that lead into it, so that none is drawn over its text.
    ...outer.map((placed) => group(placed, frameOf(placed))),
    ...initials.map(initialSvg),
    ...edges.map((edge) => edgeSvg(edge, lit)),
    ...outer.map((placed) => group(placed, boxOf(placed, lit))),
    ...innermost.map((placed) => group(placed, innermostSvg(placed, lit))),
    '</svg>',
  ].join('\n');
}
