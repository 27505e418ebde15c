/** What differs between two contexts, as a bounded list of changed paths in the order of the later context's fields. */

export type Change =
  | { readonly kind: 'added'; readonly path: string; readonly after: unknown }
  | { readonly kind: 'removed'; readonly path: string; readonly before: unknown }
  | { readonly kind: 'changed'; readonly path: string; readonly before: unknown; readonly after: unknown };

export interface Difference {
  readonly changes: readonly Change[];
  /** Whether there are more changes than are listed. */
  readonly isCut: boolean;
}

export const changesMax = 200;
/** Deeper than this a value is compared as a whole. */
const depthMax = 12;

type Fields = Readonly<Record<string, unknown>>;

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSame(before: unknown, after: unknown): boolean {
  return before === after || JSON.stringify(before) === JSON.stringify(after);
}

function fieldPath(path: string, field: string): string {
  if (!/^[A-Za-z_$][\w$]*$/.test(field)) return `${path}[${JSON.stringify(field)}]`;
  return path === '' ? field : `${path}.${field}`;
}

function* fieldChanges(path: string, before: Fields, after: Fields, depth: number): Generator<Change> {
  for (const field of Object.keys(before)) {
    if (!(field in after)) yield { kind: 'removed', path: fieldPath(path, field), before: before[field] };
  }
  for (const [field, value] of Object.entries(after)) {
    const at = fieldPath(path, field);
    if (field in before) yield* changesBetween(at, before[field], value, depth + 1);
    else yield { kind: 'added', path: at, after: value };
  }
}

/**
 * What both lists begin and end with has not changed: an item that was added to, or left, the middle is one change. The
 * index is that of the list the item is in.
 */
function* listChanges(
  path: string,
  before: readonly unknown[],
  after: readonly unknown[],
  depth: number,
): Generator<Change> {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && isSame(before[start], after[start])) start += 1;
  let end = 0;
  while (end < shorter - start && isSame(before[before.length - 1 - end], after[after.length - 1 - end])) end += 1;
  const gone = before.length - end - start;
  const come = after.length - end - start;
  for (let i = 0; i < Math.max(gone, come); i += 1) {
    const at = `${path}[${start + i}]`;
    if (i >= come) yield { kind: 'removed', path: at, before: before[start + i] };
    else if (i >= gone) yield { kind: 'added', path: at, after: after[start + i] };
    else yield* changesBetween(at, before[start + i], after[start + i], depth + 1);
  }
}

function* changesBetween(path: string, before: unknown, after: unknown, depth: number): Generator<Change> {
  if (isSame(before, after)) return;
  const isDeep = depth < depthMax;
  if (isDeep && isFields(before) && isFields(after)) yield* fieldChanges(path, before, after, depth);
  else if (isDeep && Array.isArray(before) && Array.isArray(after)) yield* listChanges(path, before, after, depth);
  else yield { kind: 'changed', path, before, after };
}

/** The changes from one context to the next; a context that was not there before counts as empty. */
export function differenceOf(before: unknown, after: unknown, limit: number = changesMax): Difference {
  const changes: Change[] = [];
  for (const change of changesBetween('', before ?? {}, after ?? {}, 0)) {
    if (changes.length === limit) return { changes, isCut: true };
    changes.push(change);
  }
  return { changes, isCut: false };
}
