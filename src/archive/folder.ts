/**
 * Objects as files in a folder. A file is written beside its place, synced, and renamed into it, and then the folder is
 * synced: after a crash an object is there as a whole or not at all. What a crash left half-written ends in `.partial`
 * and is never listed. Several processes, also on several machines with a shared file system, may use one folder.
 *
 * The folder is made by the first `put`; reading one that is not there finds nothing.
 */

import { link, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { messageOf, TroupeError } from '../errors.ts';
import { type Ids, systemIds } from '../ids.ts';
import type { ObjectStore } from './objects.ts';

const partial = '.partial';

export class FolderObjects implements ObjectStore {
  readonly description: string;
  readonly #folder: string;
  readonly #ids: Ids;

  constructor(folder: string, ids: Ids = systemIds) {
    this.#folder = folder;
    this.#ids = ids;
    this.description = `file:${folder}`;
  }

  put(name: string, bytes: Uint8Array): Promise<void> {
    return this.#do(`write ${name}`, async () => {
      await this.#place(name, bytes, rename);
    });
  }

  create(name: string, bytes: Uint8Array): Promise<boolean> {
    return this.#do(`write ${name}`, async () => {
      try {
        // A link, unlike a rename, does not replace what is there.
        await this.#place(name, bytes, link);
        return true;
      } catch (error) {
        if (codeOf(error) === 'EEXIST') return false;
        throw error;
      }
    });
  }

  get(name: string): Promise<Uint8Array | undefined> {
    return this.#do(`read ${name}`, () => orAbsent(readFile(join(this.#folder, name))));
  }

  list(prefix: string): Promise<readonly string[]> {
    return this.#do(`list ${prefix}`, async () => {
      const files = await orAbsent(readdir(join(this.#folder, prefix), { withFileTypes: true }));
      const names = (files ?? []).filter((file) => file.isFile() && !file.name.endsWith(partial));
      return names.map((file) => prefix + file.name).sort();
    });
  }

  size(name: string): Promise<number | undefined> {
    return this.#do(`read ${name}`, async () => (await orAbsent(stat(join(this.#folder, name))))?.size);
  }

  /** Writes the bytes to a file of their own, durably, and gives it its name by `move`. */
  async #place(name: string, bytes: Uint8Array, move: (from: string, to: string) => Promise<void>): Promise<void> {
    const path = join(this.#folder, name);
    const folder = dirname(path);
    const made = await mkdir(folder, { recursive: true });
    const written = `${path}.${this.#ids.nonce()}${partial}`;
    try {
      const file = await open(written, 'wx');
      try {
        await file.writeFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      await move(written, path);
    } finally {
      await rm(written, { force: true });
    }
    await syncFolder(folder);
    // A folder that was just made is an entry of its parent, which could be lost as well.
    if (made !== undefined)
      for (let at = folder; at.length >= made.length; at = dirname(at)) await syncFolder(dirname(at));
  }

  async #do<T>(what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const message = `The archive ${this.description} cannot ${what}: ${messageOf(error)}`;
      throw new TroupeError('ARCHIVE_UNAVAILABLE', message, {}, error);
    }
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function orAbsent<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
