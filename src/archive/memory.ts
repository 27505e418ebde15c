/** Objects in memory, for tests: what outlives an archive is the map it is given. It is as durable as the process. */

import type { ObjectStore } from './objects.ts';

export class MemoryObjects implements ObjectStore {
  readonly description = 'memory';
  readonly #objects: Map<string, Uint8Array>;

  constructor(objects: Map<string, Uint8Array> = new Map()) {
    this.#objects = objects;
  }

  async put(name: string, bytes: Uint8Array): Promise<void> {
    this.#objects.set(name, new Uint8Array(bytes));
  }

  async create(name: string, bytes: Uint8Array): Promise<boolean> {
    if (this.#objects.has(name)) return false;
    this.#objects.set(name, new Uint8Array(bytes));
    return true;
  }

  async get(name: string): Promise<Uint8Array | undefined> {
    return this.#objects.get(name);
  }

  async list(prefix: string): Promise<readonly string[]> {
    return [...this.#objects.keys()].filter((name) => name.startsWith(prefix)).sort();
  }

  async size(name: string): Promise<number | undefined> {
    return this.#objects.get(name)?.length;
  }
}
