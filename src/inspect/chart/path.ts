/** The lines of a chart as SVG path data: orthogonal ones with rounded corners, and the head at their end. */

import type { Point } from './layout.ts';

const cornerRadius = 8;
const headLength = 8;
const headWidth = 7;

function n(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function distance(a: Point, b: Point): number {
  return Math.hypot(b.x - a.x, b.y - a.y);
}

/** The point `length` away from `from` in the direction of `to`. */
function towards(from: Point, to: Point, length: number): Point {
  const whole = distance(from, to);
  if (whole === 0) return from;
  return { x: from.x + ((to.x - from.x) * length) / whole, y: from.y + ((to.y - from.y) * length) / whole };
}

/** Ends where the head begins, so that a thick line does not show behind its tip. */
export function roundedPath(points: readonly Point[]): string {
  const [start, ...others] = points;
  const last = others.at(-1);
  if (start === undefined || last === undefined) return '';
  const before = others.at(-2) ?? start;
  const all = [start, ...others.slice(0, -1), towards(last, before, Math.min(headLength - 1, distance(last, before)))];
  const parts = [`M${n(start.x)} ${n(start.y)}`];
  for (let i = 1; i < all.length - 1; i++) {
    const [from, corner, to] = [all[i - 1]!, all[i]!, all[i + 1]!];
    const radius = Math.min(cornerRadius, distance(from, corner) / 2, distance(corner, to) / 2);
    const [enter, leave] = [towards(corner, from, radius), towards(corner, to, radius)];
    parts.push(`L${n(enter.x)} ${n(enter.y)}Q${n(corner.x)} ${n(corner.y)} ${n(leave.x)} ${n(leave.y)}`);
  }
  const end = all.at(-1)!;
  parts.push(`L${n(end.x)} ${n(end.y)}`);
  return parts.join('');
}

/** A triangle whose tip is the last point. */
export function arrowHead(points: readonly Point[]): string {
  const tip = points.at(-1);
  const before = points.at(-2);
  if (tip === undefined || before === undefined) return '';
  const base = towards(tip, before, headLength);
  const length = distance(tip, base) || 1;
  const across = {
    x: ((base.y - tip.y) / length) * (headWidth / 2),
    y: ((tip.x - base.x) / length) * (headWidth / 2),
  };
  return `M${n(tip.x)} ${n(tip.y)}L${n(base.x + across.x)} ${n(base.y + across.y)}L${n(base.x - across.x)} ${n(base.y - across.y)}Z`;
}
