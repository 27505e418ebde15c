/** The statecharts: everything that a machine has is drawn, where it can be read. */

import { describe, expect, test } from 'vitest';
import type { AnyStateMachine } from 'xstate';
import { chatActors } from '../../actors/chat.ts';
import { activeStates, type Chart, chartOf } from '../../src/inspect/chart/chart.ts';
import { definitionOf } from '../../src/inspect/chart/definition.ts';
import { edgesLeadingBack, type Layout, layoutOf, type Rectangle } from '../../src/inspect/chart/layout.ts';
import { mermaidOf } from '../../src/inspect/chart/mermaid.ts';
import { svgOf } from '../../src/inspect/chart/svg.ts';
import { elkLayout } from '../../src/inspect/elk.ts';
import { lonely, ring, zoo } from './zoo.ts';

const machines: readonly (readonly [string, AnyStateMachine])[] = [
  ...chatActors.map(({ type, machine }) => [type, machine] as const),
  ['zoo', zoo],
  ['ring', ring],
  ['lonely', lonely],
];

function nodesOf(node: AnyStateMachine['root']): readonly AnyStateMachine['root'][] {
  return [node, ...Object.values(node.states).flatMap((child) => nodesOf(child as AnyStateMachine['root']))];
}

/** As a browser makes it: of JSON. */
function sentChart(machine: AnyStateMachine): Chart {
  return chartOf(JSON.parse(JSON.stringify(definitionOf(machine))));
}

function overlap(a: Rectangle, b: Rectangle): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

function isInside(inner: Rectangle, outer: Rectangle): boolean {
  return (
    inner.x >= outer.x &&
    inner.y >= outer.y &&
    inner.x + inner.width <= outer.x + outer.width &&
    inner.y + inner.height <= outer.y + outer.height
  );
}

/** Pairs of names of rectangles that overlap. */
function overlaps(rectangles: readonly (readonly [string, Rectangle])[]): readonly string[] {
  return rectangles.flatMap(([a, first], i) =>
    rectangles.slice(i + 1).flatMap(([b, second]) => (overlap(first, second) ? [`${a} and ${b}`] : [])),
  );
}

function innermost({ states }: Layout): readonly (readonly [string, Rectangle])[] {
  return states.filter(({ state }) => state.children.length === 0).map((placed) => [placed.state.id, placed] as const);
}

/** What stands at the ends of attributes of this name. */
function attributes(svg: string, name: string): ReadonlySet<string> {
  return new Set([...svg.matchAll(new RegExp(`${name}="([^"]*)"`, 'g'))].map(([, value]) => value!));
}

describe.each(machines)('the chart of %s', (_, machine) => {
  test('has every state and every transition', () => {
    const { states, edges } = sentChart(machine);

    const nodes = nodesOf(machine.root);
    expect(states.map(({ id }) => id).sort()).toEqual(nodes.map(({ id }) => id).sort());
    const transitions = nodes.flatMap((node) => [...node.transitions.values()].flat().concat(node.always ?? []));
    expect(edges).toHaveLength(transitions.reduce((sum, { target }) => sum + (target?.length ?? 1), 0));
    expect(new Set(edges.map(({ id }) => id)).size).toBe(edges.length);
  });

  test('is the same from JSON and from the machine', () => {
    expect(sentChart(machine)).toEqual(chartOf(definitionOf(machine)));
  });

  test('is drawn whole', async () => {
    const chart = sentChart(machine);
    const svg = svgOf(await layoutOf(chart, elkLayout));

    expect(attributes(svg, 'data-state-id')).toEqual(new Set(chart.states.map(({ id }) => id)));
    expect(attributes(svg, 'data-edge-id')).toEqual(new Set(chart.edges.map(({ id }) => id)));
    expect(svg).not.toMatch(/undefined|NaN|<script| style=| on\w+=/);
    for (const { label } of chart.edges) expect(svg).toContain(`>${label.replaceAll('&', '&#38;')}<`);
  });

  test('has no boxes over each other', async () => {
    const layout = await layoutOf(sentChart(machine), elkLayout);
    const places = new Map(layout.states.map((placed) => [placed.state.id, placed]));

    for (const { children } of layout.chart.states) {
      expect(overlaps(children.map((id) => [id, places.get(id)!]))).toEqual([]);
    }
    const labels = layout.edges.map(({ edge, label }) => [edge.id, label] as const);
    expect(overlaps([...innermost(layout), ...labels])).toEqual([]);
    for (const placed of layout.states) {
      const parent = places.get(placed.state.parent ?? '');
      if (parent === undefined) continue;
      expect(isInside(placed, parent)).toBe(true);
      // The texts of the outer state are above it.
      expect(placed.y).toBeGreaterThanOrEqual(parent.y + parent.box.headHeight);
    }
  });

  test('leads no edge through the box of another state', async () => {
    const layout = await layoutOf(sentChart(machine), elkLayout);
    const through = layout.edges.flatMap(({ edge, points }) =>
      points.slice(1).flatMap((to, i) => {
        const from = points[i]!;
        const segment = {
          x: Math.min(from.x, to.x),
          y: Math.min(from.y, to.y),
          width: Math.abs(from.x - to.x),
          height: Math.abs(from.y - to.y),
        };
        const others = innermost(layout).filter(([id]) => id !== edge.source && id !== edge.target);
        return others.filter(([, box]) => overlap(segment, box)).map(([id]) => `${edge.id} through ${id}`);
      }),
    );

    expect(through).toEqual([]);
  });

  test('leads each edge from its source to its target', async () => {
    const { states, edges, initials } = await layoutOf(sentChart(machine), elkLayout);
    const places = new Map(states.map((placed) => [placed.state.id, placed]));
    const isAtBorder = (point: { x: number; y: number } | undefined, { x, y, width, height }: Rectangle): boolean => {
      if (point === undefined) return false;
      const [dx, dy] = [
        Math.min(Math.abs(point.x - x), Math.abs(point.x - x - width)),
        Math.min(Math.abs(point.y - y), Math.abs(point.y - y - height)),
      ];
      return (
        Math.min(dx, dy) < 1.5 &&
        isInside({ ...point, width: 0, height: 0 }, { x: x - 1, y: y - 1, width: width + 2, height: height + 2 })
      );
    };

    for (const { edge, points } of edges) {
      expect([edge.id, isAtBorder(points[0], places.get(edge.source)!)]).toEqual([edge.id, true]);
      expect([edge.id, isAtBorder(points.at(-1), places.get(edge.target!)!)]).toEqual([edge.id, true]);
    }
    for (const { state, points } of initials) {
      expect(isAtBorder(points.at(-1), places.get(places.get(state)!.state.initial!)!)).toBe(true);
    }
  });
});

describe('a chart', () => {
  test('begins on top', async () => {
    for (const machine of [zoo, ring]) {
      const { states } = await layoutOf(sentChart(machine), elkLayout);
      const root = states[0]!;
      const tops = states.filter(({ state }) => state.parent === root.state.id);
      const first = tops.find(({ state }) => state.id === root.state.initial)!;
      expect(first.y).toBe(Math.min(...tops.map(({ y }) => y)));
    }
  });

  test('says what leads back', () => {
    const back = edgesLeadingBack(sentChart(zoo));

    expect(back.has('zoo.open:0:0')).toBe(true);
    expect(back.has('zoo.closed:0:0')).toBe(false);
  });

  test('names guards, delays and what is always so', () => {
    const { edges, states } = sentChart(zoo);
    const says = edges.map(({ label, guard, actions }) => [label, guard, actions.join()]);

    expect(says).toContainEqual(['OPEN', 'hungry && !tired', 'feed,greet']);
    expect(says).toContainEqual(['after nap (5 s)', undefined, '']);
    expect(says).toContainEqual(['after meal', undefined, '']);
    expect(says).toContainEqual(['always', 'tired', '']);
    expect(says).toContainEqual(['done', undefined, '']);
    expect(says).toContainEqual(['any other event', undefined, 'greet']);
    expect(states.find(({ key }) => key === 'closed')).toMatchObject({ entry: ['lock'], exit: ['unlock', 'greet'] });
    expect(states.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(['parallel', 'final', 'history', 'compound']),
    );
  });

  test('lights nested and parallel states', async () => {
    const chart = sentChart(zoo);
    const active = activeStates(chart, { open: { lions: 'awake', seals: { eating: 'second' } } });

    expect(active).toEqual([
      'zoo',
      'zoo.open',
      'zoo.open.lions',
      'zoo.open.lions.awake',
      'zoo.open.seals',
      'zoo.open.seals.eating',
      'zoo.open.seals.eating.second',
    ]);
    const svg = svgOf(await layoutOf(chart, elkLayout), { active, taken: ['zoo.open.lions.awake:0:0'] });
    const lit = [...svg.matchAll(/<g class="[^"]*is-active[^"]*" data-state-id="([^"]*)"/g)].map(([, id]) => id);
    expect(new Set(lit)).toEqual(new Set(active));
    expect(svg).toMatch(/<g class="edge is-event is-taken" data-edge-id="zoo\.open\.lions\.awake:0:0"/);
    expect(svg).toContain('It is in awake and second.');
  });

  test('has no markup of the machine in it', async () => {
    const svg = svgOf(await layoutOf(sentChart(zoo), elkLayout), { theme: 'dark' });

    expect(svg).toContain('&#60;yet&#62;');
    expect(svg).not.toContain('<yet>');
    expect(svg).toMatch(/^<svg [^>]*class="troupe-chart is-dark" role="img"/);
    expect(svg).toContain('<title>Statechart of zoo</title>');
  });

  test('without its style has no style', async () => {
    expect(svgOf(await layoutOf(sentChart(zoo), elkLayout), { standalone: false })).not.toContain('<style');
  });

  test('as Mermaid names every state and transition', () => {
    for (const [, machine] of machines) {
      const chart = sentChart(machine);
      const text = mermaidOf(chart);

      expect(text).toMatch(/^stateDiagram-v2\n/);
      for (const { key, parent } of chart.states) if (parent !== undefined) expect(text).toContain(key);
      for (const { label } of chart.edges) expect(text).toContain(label);
      expect(text.split('\n').filter((line) => line.includes('note right of')).length).toBe(
        new Set([...text.matchAll(/note right of (\w+)/g)].map(([, name]) => name)).size,
      );
    }
    expect(mermaidOf(sentChart(zoo))).toContain('closed --> open: OPEN [hungry && !tired] / feed, greet');
  });
});
