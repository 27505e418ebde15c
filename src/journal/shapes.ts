/**
 * Makes the objects of decoded payloads. Objects with the same keys in the same order get one constructor, which is an
 * object literal: V8 then gives them the shape that the objects had which were encoded, and code that sees both kinds
 * (whatever handles commands of this node and of others) stays as fast as with one. Filling an empty object key by key makes a
 * shape of its own, besides being slower.
 *
 * Only keys that are plain names, and only so many lists of them, get a constructor; what has other keys, such as ids, is filled
 * key by key.
 */

/** A list of keys, as a position in the tree of all lists that were seen. */
export interface Keys {
  readonly list: readonly string[];
  readonly next: Map<string, Keys>;
  uses: number;
  make: Make | undefined;
}

type Make = (values: readonly unknown[], from: number) => Record<string, unknown>;

const keysMax = 32;
const listsMax = 4_096;
/** Objects that are filled key by key before a constructor is worth its making. */
const usesBefore = 8;
/** What is written into source text: nothing else than such a name can be. */
const plainName = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;

let lists = 0;

function keysOf(list: readonly string[]): Keys {
  return { list, next: new Map(), uses: 0, make: undefined };
}

export const noKeys: Keys = keysOf([]);

/** The list with one key more; undefined when it has no constructor. */
export function withKey(keys: Keys, key: string): Keys | undefined {
  const known = keys.next.get(key);
  if (known !== undefined) return known;
  if (lists >= listsMax || keys.list.length >= keysMax || !plainName.test(key) || key === '__proto__') return undefined;
  const longer = keysOf([...keys.list, key]);
  keys.next.set(key, longer);
  lists++;
  return longer;
}

/** The object with these keys; its values begin at `from`. */
export function objectOf(keys: Keys, values: readonly unknown[], from: number): Record<string, unknown> {
  if (keys.make !== undefined) return keys.make(values, from);
  if (++keys.uses > usesBefore) keys.make = makerOf(keys.list);
  return filled(keys.list, values, from);
}

/** The same without a constructor. */
export function filled(list: readonly string[], values: readonly unknown[], from: number): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (let i = 0; i < list.length; i++) fields[list[i] as string] = values[from + i];
  return fields;
}

function makerOf(list: readonly string[]): Make {
  const fields = list.map((name, i) => `${name}: values[from + ${i}]`);
  return new Function('values', 'from', `return { ${fields.join(', ')} };`) as Make;
}
