/**
 * The drawing of a chart in its panel: what of it is seen, and what is lit. The SVG is put in once; states and transitions
 * are lit by classes, so that the style can let them pass from one to the other.
 */

import type { Drawing } from './chart-drawing.ts';
import {
  type Box,
  between,
  centred,
  contains,
  first,
  panned,
  reshaped,
  type Size,
  viewBoxOf,
  whole,
  zoomed,
} from './viewport.ts';

const glideMs = 260;
/** How long a transition flows after it was taken. */
const flowMs = 900;

export interface Lit {
  readonly active: readonly string[];
  readonly taken: readonly string[];
  readonly refused: readonly string[];
}

function isStill(): boolean {
  return matchMedia('(prefers-reduced-motion: reduce)').matches;
}

export class ChartCanvas {
  readonly #panel: HTMLElement;
  readonly #svg: SVGSVGElement;
  readonly #drawing: Drawing;
  #size: Size;
  #box: Box;
  #frame = 0;
  #flowing: ReturnType<typeof setTimeout> | undefined;
  #wasLit = false;

  /** Fills the panel. */
  constructor(panel: HTMLElement, drawing: Drawing) {
    this.#panel = panel;
    this.#drawing = drawing;
    panel.innerHTML = drawing.svg;
    this.#svg = panel.querySelector('svg') as SVGSVGElement;
    this.#svg.removeAttribute('width');
    this.#svg.removeAttribute('height');
    this.#size = this.#measured();
    this.#box = whole(drawing, this.#size);
    this.#show(this.#box);
  }

  /** Lights what is given and nothing else. What was taken just now flows for a moment. */
  light({ active, taken, refused }: Lit, isMoving: boolean): void {
    const mark = (name: string, attribute: string, ids: readonly string[]): void => {
      const wanted = new Set(ids);
      for (const element of this.#svg.querySelectorAll(`[${attribute}]`)) {
        element.classList.toggle(name, wanted.has(element.getAttribute(attribute) ?? ''));
      }
    };
    mark('is-active', 'data-state-id', active);
    mark('is-taken', 'data-edge-id', taken);
    mark('is-refused', 'data-edge-id', refused);
    mark('is-flowing', 'data-edge-id', isMoving && !isStill() ? taken : []);
    clearTimeout(this.#flowing);
    this.#flowing = setTimeout(() => mark('is-flowing', 'data-edge-id', []), flowMs);
    this.#follow(active.at(-1));
  }

  zoom(factor: number, atX?: number, atY?: number): void {
    this.#show(zoomed(this.#box, this.#size, factor, atX, atY));
  }

  pan(byX: number, byY: number): void {
    this.#show(panned(this.#box, this.#drawing, byX, byY));
  }

  whole(): void {
    this.#glide(whole(this.#drawing, this.#size));
  }

  /** The panel has another size. */
  resize(): void {
    const size = this.#measured();
    if (size.width === this.#size.width && size.height === this.#size.height) return;
    const box = reshaped(this.#box, this.#size, size);
    this.#size = size;
    this.#show(box);
  }

  close(): void {
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#flowing);
    this.#panel.replaceChildren();
  }

  #measured(): Size {
    return { width: Math.max(1, this.#panel.clientWidth), height: Math.max(1, this.#panel.clientHeight) };
  }

  /** Brings a state into sight that is not. */
  #follow(id: string | undefined): void {
    const place = id === undefined ? undefined : this.#drawing.place(id);
    if (!this.#wasLit) {
      this.#wasLit = place !== undefined;
      this.#show(first(this.#drawing, this.#size, place));
    } else if (place !== undefined && !contains(this.#box, place)) {
      this.#glide(centred(this.#box, this.#drawing, place));
    }
  }

  #show(box: Box): void {
    cancelAnimationFrame(this.#frame);
    this.#box = box;
    this.#svg.setAttribute('viewBox', viewBoxOf(box));
  }

  #glide(to: Box): void {
    if (isStill()) return this.#show(to);
    const from = this.#box;
    const start = performance.now();
    const step = (now: number): void => {
      const share = Math.min(1, Math.max(0, now - start) / glideMs);
      this.#show(between(from, to, 1 - (1 - share) ** 3));
      if (share < 1) this.#frame = requestAnimationFrame(step);
    };
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(step);
  }
}
