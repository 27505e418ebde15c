/** Panning and zooming a chart: by dragging, pinching, the wheel with Control (a plain one scrolls the page), and by keys. */

import type { ChartCanvas } from './chart-canvas.ts';

const keyPan = 0.12;
const keyZoom = 1.25;

interface Point {
  readonly x: number;
  readonly y: number;
}

function spreadOf([a, b]: readonly Point[]): number {
  return a === undefined || b === undefined ? 0 : Math.hypot(a.x - b.x, a.y - b.y);
}

function middleOf(points: readonly Point[]): Point {
  const sum = points.reduce((all, { x, y }) => ({ x: all.x + x, y: all.y + y }), { x: 0, y: 0 });
  return { x: sum.x / Math.max(1, points.length), y: sum.y / Math.max(1, points.length) };
}

function dragging(panel: HTMLElement, canvas: () => ChartCanvas | undefined, signal: AbortSignal): void {
  const held = new Map<number, Point>();
  panel.addEventListener(
    'pointerdown',
    (event) => {
      if (event.button !== 0) return;
      held.set(event.pointerId, { x: event.clientX, y: event.clientY });
      panel.setPointerCapture(event.pointerId);
      panel.classList.add('is-dragged');
    },
    { signal },
  );
  panel.addEventListener(
    'pointermove',
    (event) => {
      if (!held.has(event.pointerId)) return;
      const before = [...held.values()];
      held.set(event.pointerId, { x: event.clientX, y: event.clientY });
      const after = [...held.values()];
      const { width, height, left, top } = panel.getBoundingClientRect();
      const [from, to] = [middleOf(before), middleOf(after)];
      canvas()?.pan((from.x - to.x) / width, (from.y - to.y) / height);
      const spread = spreadOf(before);
      if (spread > 0) canvas()?.zoom(spreadOf(after) / spread, (to.x - left) / width, (to.y - top) / height);
    },
    { signal },
  );
  const release = ({ pointerId }: PointerEvent): void => {
    held.delete(pointerId);
    if (held.size === 0) panel.classList.remove('is-dragged');
  };
  panel.addEventListener('pointerup', release, { signal });
  panel.addEventListener('pointercancel', release, { signal });
}

/** Until `signal` is aborted. */
export function listenToGestures(panel: HTMLElement, canvas: () => ChartCanvas | undefined, signal: AbortSignal): void {
  dragging(panel, canvas, signal);
  panel.addEventListener(
    'wheel',
    (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      const { width, height, left, top } = panel.getBoundingClientRect();
      const [atX, atY] = [(event.clientX - left) / width, (event.clientY - top) / height];
      canvas()?.zoom(Math.exp(-event.deltaY / 300), atX, atY);
    },
    { signal, passive: false },
  );
  const keys: Readonly<Record<string, (chart: ChartCanvas) => void>> = {
    ArrowLeft: (chart) => chart.pan(-keyPan, 0),
    ArrowRight: (chart) => chart.pan(keyPan, 0),
    ArrowUp: (chart) => chart.pan(0, -keyPan),
    ArrowDown: (chart) => chart.pan(0, keyPan),
    '+': (chart) => chart.zoom(keyZoom),
    '=': (chart) => chart.zoom(keyZoom),
    '-': (chart) => chart.zoom(1 / keyZoom),
    '0': (chart) => chart.whole(),
  };
  panel.addEventListener(
    'keydown',
    (event) => {
      const [act, chart] = [keys[event.key], canvas()];
      if (act === undefined || chart === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      act(chart);
    },
    { signal },
  );
}
