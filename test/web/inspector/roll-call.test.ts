import { expect, test } from 'vitest';
import type { NodeRow } from '../../../src/inspect/answers.ts';
import { calledAgain, goneMax, goneMs } from '../../../web/inspector/roll-call.ts';

function node(id: string): NodeRow {
  return { id, role: 'all', isDraining: false, expiresInMs: 1_000, about: '' };
}

test('a node that leaves is gone, until it is back', () => {
  const first = calledAgain(undefined, [node('a'), node('b')], 1);
  const second = calledAgain(first, [node('a')], 2);
  const third = calledAgain(second, [node('a')], 3);
  const fourth = calledAgain(third, [node('a'), node('b')], 4);

  expect(first.gone).toEqual([]);
  expect(second).toEqual({ present: [node('a')], gone: [{ node: node('b'), at: 2 }] });
  expect(third.gone).toEqual(second.gone);
  expect(fourth).toEqual({ present: [node('a'), node('b')], gone: [] });
});

test('nodes that left long ago are forgotten, and the oldest of many', () => {
  const ids = Array.from({ length: goneMax + 3 }, (_, i) => `n${i}`);
  let roll = calledAgain(undefined, ids.map(node), 0);
  for (const [i] of ids.entries()) roll = calledAgain(roll, ids.slice(i + 1).map(node), i + 1);

  expect(roll.gone).toHaveLength(goneMax);
  expect(roll.gone[0]).toMatchObject({ node: { id: ids.at(-1) }, at: ids.length });
  expect(calledAgain(roll, [], ids.length + goneMs).gone).toEqual([]);
  expect(calledAgain(roll, [], ids.length + goneMs - 1).gone).toHaveLength(1);
});
