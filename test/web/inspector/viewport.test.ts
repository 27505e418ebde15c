import { describe, expect, test } from 'vitest';
import {
  between,
  centred,
  contains,
  first,
  panned,
  reshaped,
  viewBoxOf,
  whole,
  zoomed,
} from '../../../web/inspector/viewport.ts';

const panel = { width: 800, height: 400 };
const drawing = { width: 1_600, height: 400 };

describe('viewport', () => {
  test('the whole drawing is in the middle of its panel', () => {
    expect(whole(drawing, panel)).toEqual({ x: 0, y: -200, width: 1_600, height: 800 });
  });

  test('a small drawing is not blown up', () => {
    const box = whole({ width: 100, height: 100 }, panel);

    expect(panel.width / box.width).toBeCloseTo(1.15);
    expect(box.x + box.width / 2).toBeCloseTo(50);
  });

  test('a large drawing begins where it can be read', () => {
    const focus = { x: 1_400, y: 300, width: 100, height: 50 };
    const box = first(drawing, panel, focus);

    expect(panel.width / box.width).toBeCloseTo(0.62);
    expect(contains(box, focus)).toBe(true);
    expect(first({ width: 700, height: 300 }, panel, focus)).toEqual(whole({ width: 700, height: 300 }, panel));
  });

  test('zooming keeps the point under the pointer', () => {
    const box = { x: 0, y: 0, width: 800, height: 400 };
    const near = zoomed(box, panel, 2, 0.25, 1);

    expect(near).toEqual({ x: 100, y: 200, width: 400, height: 200 });
    expect(zoomed(near, panel, 0.5, 0.25, 1)).toEqual(box);
  });

  test('zooming has two ends', () => {
    const box = whole(drawing, panel);

    expect(panel.width / zoomed(box, panel, 1_000).width).toBeCloseTo(3);
    expect(panel.width / zoomed(box, panel, 0.001).width).toBeCloseTo(0.2);
  });

  test('the drawing cannot be lost', () => {
    const box = { x: 0, y: 0, width: 800, height: 400 };

    expect(panned(box, drawing, 9, 9)).toMatchObject({ x: 1_200, y: 200 });
    expect(panned(box, drawing, -9, 0)).toMatchObject({ x: -400, y: 0 });
  });

  test('a state is brought into the middle within the drawing', () => {
    const box = { x: 0, y: 0, width: 800, height: 400 };

    expect(centred(box, drawing, { x: 1_000, y: 10, width: 100, height: 20 })).toMatchObject({ x: 650, y: 0 });
    expect(centred(box, drawing, { x: 1_590, y: 10, width: 10, height: 20 })).toMatchObject({ x: 800, y: 0 });
  });

  test('a panel of another shape sees the same middle', () => {
    const box = reshaped({ x: 0, y: 0, width: 800, height: 400 }, panel, { width: 400, height: 600 });

    expect(box).toEqual({ x: 200, y: -100, width: 400, height: 600 });
  });

  test('a glide passes between two boxes', () => {
    const from = { x: 0, y: 0, width: 10, height: 10 };
    const to = { x: 10, y: 20, width: 20, height: 30 };

    expect(between(from, to, 0.5)).toEqual({ x: 5, y: 10, width: 15, height: 20 });
    expect(between(from, to, 1)).toEqual(to);
  });

  test('a box is written as a viewBox', () => {
    expect(viewBoxOf({ x: 1.234_56, y: 0, width: 10, height: 5 })).toBe('1.23 0 10 5');
  });
});
