/**
 * The archive on objects. A segment is one object whose name says its shard and range, so that a listing is all that has
 * to be known; `archive` is one that says whose store this is. A segment that was read stays in memory for the next
 * read, since who reads entries reads on; the bound is a handful of segments.
 *
 * It asks for nothing but objects.ts: several nodes may append at once, and nobody coordinates them.
 */

import { messageOf, TroupeError } from '../errors.ts';
import { decode, encode } from '../journal/codec.ts';
import type { JournalEntry } from '../journal/entry.ts';
import type { Archive, Segment } from './archive.ts';
import type { ObjectStore } from './objects.ts';
import { decodeSegment, encodeSegment } from './segment.ts';

const labelName = 'archive';
const labelVersion = 1;
/** Segments kept in memory after they were read. */
const keptMax = 4;

interface Label {
  readonly format: number;
  readonly store: string;
}

/** Digits that hold every `seq`, so that names sort as numbers do. */
const seqDigits = 16;
const namePattern = /^shard-(\d{5})\/(\d{16})-(\d{16})\.segment$/;

function nameOf(shard: number, first: number, last: number): string {
  const [from, to] = [first, last].map((seq) => String(seq).padStart(seqDigits, '0'));
  return `${folderOf(shard)}${from}-${to}.segment`;
}

function folderOf(shard: number): string {
  return `shard-${String(shard).padStart(5, '0')}/`;
}

/** What a name says; undefined when it is no segment's. */
function segmentOf(name: string): Segment | undefined {
  const [, shard, first, last] = namePattern.exec(name) ?? [];
  return shard === undefined ? undefined : { shard: Number(shard), first: Number(first), last: Number(last), name };
}

export class ObjectArchive implements Archive {
  readonly description: string;
  readonly store: string;
  readonly #objects: ObjectStore;
  /** By name; the one used last is the last. */
  readonly #kept = new Map<string, Promise<readonly JournalEntry[]>>();

  private constructor(objects: ObjectStore, store: string) {
    this.#objects = objects;
    this.store = store;
    this.description = objects.description;
  }

  /**
   * Opens the archive of the store `store`. One that is empty becomes that store's with the first `append`. Rejects with
   * ARCHIVE_INCOMPATIBLE when it is another store's, or of a newer program.
   */
  static async open(objects: ObjectStore, store: string): Promise<ObjectArchive> {
    const archive = new ObjectArchive(objects, store);
    await archive.#assertOurs();
    return archive;
  }

  async append(shard: number, entries: readonly JournalEntry[]): Promise<Segment> {
    const [first, last] = [entries[0]?.seq ?? 0, entries.at(-1)?.seq ?? 0];
    const name = nameOf(shard, first, last);
    const bytes = await encodeSegment(this.store, shard, entries);
    await this.#claim();
    await this.#objects.put(name, bytes);
    this.#kept.delete(name);
    return { shard, first, last, name };
  }

  async segments(shard: number): Promise<readonly Segment[]> {
    const names = await this.#objects.list(folderOf(shard));
    return names.map(segmentOf).filter((segment) => segment !== undefined);
  }

  readSegment(segment: Segment): Promise<readonly JournalEntry[]> {
    const { name } = segment;
    const known = this.#kept.get(name);
    const entries = known ?? this.#read(segment);
    this.#kept.delete(name);
    this.#kept.set(name, entries);
    // One that could not be read may be there the next time.
    if (known === undefined) entries.catch(() => this.#kept.delete(name));
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= keptMax) break;
      this.#kept.delete(oldest);
    }
    return entries;
  }

  async sizeOf({ name }: Segment): Promise<number> {
    return (await this.#objects.size(name)) ?? 0;
  }

  async close(): Promise<void> {
    this.#kept.clear();
  }

  async #read({ shard, first, last, name }: Segment): Promise<readonly JournalEntry[]> {
    const bytes = await this.#objects.get(name);
    if (bytes === undefined) {
      throw new TroupeError('ARCHIVE_DAMAGED', `Segment ${name} is missing from ${this.description}.`, {
        segment: name,
      });
    }
    return decodeSegment(name, bytes, { store: this.store, shard, first, last });
  }

  /** Writes the label if there is none, and makes sure that the one that is there is ours. */
  async #claim(): Promise<void> {
    const label: Label = { format: labelVersion, store: this.store };
    if (await this.#objects.create(labelName, encode(label))) return;
    await this.#assertOurs();
  }

  async #assertOurs(): Promise<void> {
    const bytes = await this.#objects.get(labelName);
    if (bytes === undefined) return;
    const { format, store } = this.#labelOf(bytes);
    if (format === labelVersion && store === this.store) return;
    const is = store === this.store ? `has the format ${format}` : `belongs to the store ${store}`;
    const ours = store === this.store ? `format ${labelVersion} is read here` : `the journal is ${this.store}`;
    throw new TroupeError(
      'ARCHIVE_INCOMPATIBLE',
      `The archive ${this.description} ${is}; ${ours}. Name the archive that was made with this journal.`,
      { stored: store, expected: this.store, format },
    );
  }

  #labelOf(bytes: Uint8Array): Label {
    try {
      const label = decode<Partial<Label> | null>(bytes);
      if (typeof label?.format === 'number' && typeof label.store === 'string') return label as Label;
    } catch (error) {
      throw this.#labelDamaged(messageOf(error));
    }
    throw this.#labelDamaged('it is no label');
  }

  #labelDamaged(why: string): TroupeError {
    const message = `The object "${labelName}" of ${this.description}, which names its store, is damaged: ${why}.`;
    return new TroupeError('ARCHIVE_DAMAGED', message);
  }
}
