import { describe, expect, test } from 'vitest';
import { differenceOf } from '../../../web/inspector/context-diff.ts';

describe('differences of contexts', () => {
  test('names added, removed and changed paths', () => {
    const before = { room: null, messages: 1, gone: true };
    const after = { room: null, messages: 2, 'odd name': { a: 1 } };

    const { changes, isCut } = differenceOf(before, after);

    expect(changes).toEqual([
      { kind: 'removed', path: 'gone', before: true },
      { kind: 'changed', path: 'messages', before: 1, after: 2 },
      { kind: 'added', path: '["odd name"]', after: { a: 1 } },
    ]);
    expect(isCut).toBe(false);
  });

  test('an item that leaves a list is one change', () => {
    const held = (id: string) => ({ operationId: id, change: { kind: 'message' } });

    const { changes } = differenceOf({ pending: ['a', 'b', 'c'].map(held) }, { pending: ['a', 'c'].map(held) });

    expect(changes).toEqual([{ kind: 'removed', path: 'pending[1]', before: held('b') }]);
  });

  test('an item that comes first is one change', () => {
    expect(differenceOf({ list: [2, 3] }, { list: [1, 2, 3] }).changes).toEqual([
      { kind: 'added', path: 'list[0]', after: 1 },
    ]);
  });

  test('equal contexts differ in nothing', () => {
    expect(differenceOf({ a: [{ b: 1 }] }, { a: [{ b: 1 }] })).toEqual({ changes: [], isCut: false });
    expect(differenceOf(undefined, {})).toEqual({ changes: [], isCut: false });
  });

  test('a field that becomes a list changed as a whole', () => {
    expect(differenceOf({ a: { b: 1 } }, { a: [1] }).changes).toEqual([
      { kind: 'changed', path: 'a', before: { b: 1 }, after: [1] },
    ]);
  });

  test('the list of changes is bounded and says so', () => {
    const many = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`f${i}`, i]));

    expect(differenceOf({}, many, 10)).toMatchObject({ isCut: true, changes: { length: 10 } });
    expect(differenceOf({}, many, 50)).toMatchObject({ isCut: false, changes: { length: 50 } });
  });

  test('deep contexts are compared without end of the stack', () => {
    const nest = (depth: number, leaf: number): unknown => (depth === 0 ? leaf : { in: nest(depth - 1, leaf) });

    const { changes } = differenceOf(nest(500, 1), nest(500, 2));

    expect(changes).toHaveLength(1);
  });
});
