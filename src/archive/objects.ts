/**
 * What an archive needs of storage: objects that are written whole, read whole and listed by prefix. Names are ASCII
 * words separated by slashes. No append, no rename, no locks: a folder has it, and so has every object store.
 *
 * A `put` that was interrupted leaves the object absent or, in a store that cannot do better, torn; whoever reads it
 * checks. Two puts of one name at once leave either of the two.
 *
 * Adapters: folder.ts, memory.ts. Errors are ARCHIVE_UNAVAILABLE.
 */

export interface ObjectStore {
  /** For people: where it is. */
  readonly description: string;
  /** Writes an object, in place of one of that name; durable when it resolves. */
  put(name: string, bytes: Uint8Array): Promise<void>;
  /** Writes an object if there is none of that name; false when there was one. */
  create(name: string, bytes: Uint8Array): Promise<boolean>;
  get(name: string): Promise<Uint8Array | undefined>;
  /** Names that begin with `prefix`, which ends with a slash or is empty, in their order. */
  list(prefix: string): Promise<readonly string[]>;
  size(name: string): Promise<number | undefined>;
}
