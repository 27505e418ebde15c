/** What differs between two contexts, one line for each place, as `troupe history --at` prints it. */

export interface Difference {
  /** `room.members[1]`. */
  readonly path: string;
  /** Undefined where there was nothing, and where there is nothing any more. */
  readonly before: unknown;
  readonly after: unknown;
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !(value instanceof Uint8Array);
}

function isSame(a: unknown, b: unknown): boolean {
  return a === b || (isPlain(a) && isPlain(b) && JSON.stringify(a) === JSON.stringify(b));
}

export function differences(before: unknown, after: unknown, path = ''): readonly Difference[] {
  if (isSame(before, after)) return [];
  if (!isPlain(before) || !isPlain(after) || Array.isArray(before) !== Array.isArray(after)) {
    return [{ path, before, after }];
  }
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const below = (key: string): string => {
    if (Array.isArray(before)) return `${path}[${key}]`;
    return path === '' ? key : `${path}.${key}`;
  };
  return keys.flatMap((key) => differences(before[key], after[key], below(key)));
}

/** `+ path: value`, `- path: value`, or `~ path: before → after`. */
export function differenceLine({ path, before, after }: Difference): string {
  const name = path === '' ? 'context' : path;
  if (before === undefined) return `+ ${name}: ${JSON.stringify(after)}`;
  if (after === undefined) return `- ${name}: ${JSON.stringify(before)}`;
  return `~ ${name}: ${JSON.stringify(before)} → ${JSON.stringify(after)}`;
}
