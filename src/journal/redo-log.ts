/**
 * The redo log of an LMDB store: files to which the writes of each group of commits are appended before anything else is
 * done with them. That append, in the order of the groups, is what a commit waits for; LMDB itself is brought up to date
 * behind it (memtable.ts). A group that is whole in the log survives a crash of the process, and one that was synced a
 * crash of the machine.
 *
 * Groups are numbered from 1 without gaps, and LMDB keeps the number of the last one applied: after a crash exactly the
 * later ones are applied again. A group that is torn (its checksum is wrong) ends the log: neither it nor anything behind
 * it was answered as durable. Each owner of the store writes files of its own, so that two can never mix.
 *
 * Layout of a group: length and crc32 of what follows (4 bytes each), its number (6), then per write: table (1, plus 128
 * for a removal), lengths of key (2) and value (4), key, value. All big-endian.
 */

import {
  closeSync,
  fdatasync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

export type TableName = 'journal' | 'state' | 'store';

/** One record to put, or to remove when it has no value. */
export interface Write {
  readonly table: TableName;
  readonly key: Buffer;
  readonly value: Buffer | undefined;
}

export interface Group {
  readonly number: number;
  readonly writes: readonly Write[];
}

/** Their place is their number in the file: never reorder. */
const tableNames: readonly TableName[] = ['journal', 'state', 'store'];
const removal = 0x80;
const headerBytes = 14;
const writeBytes = 7;
/** A file is closed at this size, and removed once LMDB has what is in it. */
const fileBytesMax = 32 * 1024 * 1024;
/** A file of which LMDB has everything is emptied from this size on. */
const keptBytesMax = 1024 * 1024;

export class RedoLog {
  readonly #folder: string;
  readonly #owner: number;
  /** Closed files that LMDB does not have yet, with the number of their last group. */
  #closed: { readonly path: string; readonly last: number }[] = [];
  #path = '';
  #file = -1;
  #size = 0;
  #files = 0;
  #last: number;
  /** Why it takes nothing any more: what is in the file is not known. */
  #broken: unknown;

  /** A log of `owner`, whose first group will be `last + 1`. */
  constructor(folder: string, owner: number, last: number) {
    this.#folder = folder;
    this.#owner = owner;
    this.#last = last;
    this.#next();
  }

  /** Number of the last group. */
  get last(): number {
    return this.#last;
  }

  /** Appends the next group; it is then safe from a crash of this process. Throws, and leaves no half a group, when the disk is full. */
  append(writes: readonly Write[]): number {
    if (this.#broken !== undefined) throw this.#broken;
    if (this.#size > fileBytesMax) this.#next();
    const bytes = encodeGroup(this.#last + 1, writes);
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#file, bytes, at, bytes.length - at, this.#size + at);
    } catch (error) {
      this.#broken = error;
      ftruncateSync(this.#file, this.#size);
      this.#broken = undefined;
      throw error;
    }
    this.#size += bytes.length;
    this.#last += 1;
    return this.#last;
  }

  /** Makes what was appended safe from a crash of the machine. */
  sync(): Promise<void> {
    return new Promise((resolve, reject) => {
      fdatasync(this.#file, (error) => {
        if (error === null) return resolve();
        // A system may drop what it could not write: a later sync that succeeds proves nothing.
        this.#broken = error;
        reject(error);
      });
    });
  }

  /** Removes what LMDB has, up to group `applied`: whole files, or all of the open one. Not while an append waits for its sync. */
  trim(applied: number): void {
    for (const { path, last } of this.#closed) if (last <= applied) rmSync(path, { force: true });
    this.#closed = this.#closed.filter(({ last }) => last > applied);
    if (applied < this.#last || this.#size < keptBytesMax || this.#broken !== undefined) return;
    ftruncateSync(this.#file, 0);
    this.#size = 0;
  }

  /** Closes the log; removes it when LMDB has everything. */
  close(applied: number): void {
    this.trim(applied);
    closeSync(this.#file);
    if (applied >= this.#last) rmSync(this.#path, { force: true });
  }

  #next(): void {
    if (this.#file >= 0) {
      closeSync(this.#file);
      this.#closed.push({ path: this.#path, last: this.#last });
    }
    this.#files += 1;
    this.#path = join(this.#folder, `redo-${padded(this.#owner)}-${padded(this.#files)}.log`);
    this.#file = openSync(this.#path, 'wx');
    this.#size = 0;
    syncFolder(this.#folder);
  }
}

/** The groups after `applied` that are whole, in order, from all files of a folder. */
export function readRedoLog(folder: string, applied: number): Group[] {
  const groups: Group[] = [];
  for (const path of redoFiles(folder)) {
    const bytes = readFileSync(path);
    for (let at = 0; ; ) {
      const group = decodeGroup(bytes, at);
      if (group === undefined) break;
      at += 8 + bytes.readUInt32BE(at);
      const place = group.number - applied - 1;
      if (place < 0 || place > groups.length) continue;
      // A later owner went on from what it had read; what an earlier one appended afterwards was never answered.
      groups.length = place;
      groups.push(group);
    }
  }
  return groups;
}

/** Removes all files of a log. */
/** Whether a folder has files of a log: after a crash, or beside a running writer. */
export function hasRedoLog(folder: string): boolean {
  return redoFiles(folder).length > 0;
}

export function removeRedoLog(folder: string): void {
  for (const path of redoFiles(folder)) rmSync(path, { force: true });
  syncFolder(folder);
}

function redoFiles(folder: string): string[] {
  const names = readdirSync(folder).filter((name) => /^redo-\d+-\d+\.log$/.test(name));
  return names.sort().map((name) => join(folder, name));
}

/** So that a file's name is as safe as its content. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function padded(number: number): string {
  return String(number).padStart(10, '0');
}

function encodeGroup(number: number, writes: readonly Write[]): Buffer {
  let length = headerBytes;
  for (const { key, value } of writes) length += writeBytes + key.length + (value?.length ?? 0);
  const bytes = Buffer.allocUnsafe(length);
  bytes.writeUInt32BE(length - 8, 0);
  bytes.writeUIntBE(number, 8, 6);
  let at = headerBytes;
  for (const { table, key, value } of writes) {
    bytes[at] = tableNames.indexOf(table) | (value === undefined ? removal : 0);
    bytes.writeUInt16BE(key.length, at + 1);
    bytes.writeUInt32BE(value?.length ?? 0, at + 3);
    bytes.set(key, at + writeBytes);
    at += writeBytes + key.length;
    if (value === undefined) continue;
    bytes.set(value, at);
    at += value.length;
  }
  bytes.writeUInt32BE(crc32(bytes.subarray(8)), 4);
  return bytes;
}

/** The group at `at`; undefined at the end, or where it is torn. */
function decodeGroup(bytes: Buffer, at: number): Group | undefined {
  if (at + headerBytes > bytes.length) return undefined;
  const end = at + 8 + bytes.readUInt32BE(at);
  if (end > bytes.length || crc32(bytes.subarray(at + 8, end)) !== bytes.readUInt32BE(at + 4)) return undefined;
  const writes: Write[] = [];
  for (let next = at + headerBytes; next < end; ) {
    const tag = bytes[next] as number;
    const key = next + writeBytes;
    const value = key + bytes.readUInt16BE(next + 1);
    next = value + bytes.readUInt32BE(next + 3);
    const table = tableNames[tag & ~removal] as TableName;
    writes.push({
      table,
      key: bytes.subarray(key, value),
      value: tag & removal ? undefined : bytes.subarray(value, next),
    });
  }
  return { number: bytes.readUIntBE(at + 8, 6), writes };
}
