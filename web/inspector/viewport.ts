/**
 * The part of a drawing that is seen: arithmetic of panning and zooming in the drawing's own units. A box has the shape of
 * the panel it is seen in.
 */

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Box extends Size {
  readonly x: number;
  readonly y: number;
}

/** Pixels a unit: the drawing is never larger or smaller than this. */
const scaleMax = 3;
const scaleMin = 0.2;
/** At first the whole drawing is seen, unless its text could not be read then; and never blown up. */
const readableScale = 0.62;
const firstScaleMax = 1.15;

function clamped(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, value));
}

function around(x: number, y: number, scale: number, panel: Size): Box {
  const width = panel.width / scale;
  const height = panel.height / scale;
  return { x: x - width / 2, y: y - height / 2, width, height };
}

/** The scale at which all of the drawing is seen. */
function wholeScale(drawing: Size, panel: Size): number {
  return Math.min(panel.width / drawing.width, panel.height / drawing.height);
}

export function whole(drawing: Size, panel: Size): Box {
  const scale = clamped(wholeScale(drawing, panel), scaleMin, firstScaleMax);
  return around(drawing.width / 2, drawing.height / 2, scale, panel);
}

/** The first sight: all of it, or what can be read around `focus`. */
export function first(drawing: Size, panel: Size, focus: Box | undefined): Box {
  const box = whole(drawing, panel);
  if (panel.width / box.width >= readableScale) return box;
  const near = around(0, 0, readableScale, panel);
  return centred({ ...near, x: drawing.width / 2 - near.width / 2, y: 0 }, drawing, focus);
}

/** Closer (`factor` above 1) or farther, with the point at these shares of the box where it is. */
export function zoomed(box: Box, panel: Size, factor: number, atX = 0.5, atY = 0.5): Box {
  const scale = clamped((panel.width / box.width) * factor, scaleMin, scaleMax);
  const width = panel.width / scale;
  const height = panel.height / scale;
  return { x: box.x + (box.width - width) * atX, y: box.y + (box.height - height) * atY, width, height };
}

/** Moved by shares of the box; its middle never leaves the drawing. */
export function panned(box: Box, drawing: Size, byX: number, byY: number): Box {
  return {
    ...box,
    x: clamped(box.x + box.width * byX, -box.width / 2, drawing.width - box.width / 2),
    y: clamped(box.y + box.height * byY, -box.height / 2, drawing.height - box.height / 2),
  };
}

export function contains(box: Box, inner: Box): boolean {
  const fitsAcross = inner.x >= box.x && inner.x + inner.width <= box.x + box.width;
  return fitsAcross && inner.y >= box.y && inner.y + inner.height <= box.y + box.height;
}

/** With `focus` in the middle, as far as the drawing goes. */
export function centred(box: Box, drawing: Size, focus: Box | undefined): Box {
  if (focus === undefined) return box;
  const along = (size: number, at: number, length: number, limit: number): number => {
    const wanted = at + length / 2 - size / 2;
    return size >= limit ? (limit - size) / 2 : clamped(wanted, 0, limit - size);
  };
  return {
    ...box,
    x: along(box.width, focus.x, focus.width, drawing.width),
    y: along(box.height, focus.y, focus.height, drawing.height),
  };
}

/** A panel of another shape sees the same middle at the same scale. */
export function reshaped(box: Box, from: Size, to: Size): Box {
  const scale = from.width / box.width;
  return around(box.x + box.width / 2, box.y + box.height / 2, scale, to);
}

/** A share of the way from one box to another. */
export function between(from: Box, to: Box, share: number): Box {
  const at = (a: number, b: number): number => a + (b - a) * share;
  return {
    x: at(from.x, to.x),
    y: at(from.y, to.y),
    width: at(from.width, to.width),
    height: at(from.height, to.height),
  };
}

export function viewBoxOf({ x, y, width, height }: Box): string {
  return [x, y, width, height].map((number) => Math.round(number * 100) / 100).join(' ');
}
