/**
 * Opens a journal by its URL: `lmdb:<folder>`, `redis://…` (or `redis+sentinel://…`, `redis+cluster://…`, and `rediss` for
 * TLS) or `memory:`. It guarantees that a URL it does
 * not understand, or a durability the store of that URL does not have, is refused with a sentence before anything is
 * opened or created. An adapter is loaded only when it is asked for, so that a missing native module harms nobody else.
 *
 * It deliberately knows no defaults of an application, and reads no environment.
 */

import { TroupeError } from '../errors.ts';
import type { Journal } from './journal.ts';
import { isRedisUrl } from './redis/endpoint.ts';

/** LMDB: what a commit waits for. Redis: what the server's `appendfsync` must at least be, or where else a commit must be. */
export type Durability = 'process' | 'disk' | 'everysec' | 'always' | 'replica' | 'replica-disk';

export type JournalLocation =
  | { readonly kind: 'lmdb'; readonly path: string }
  | { readonly kind: 'redis'; readonly url: string }
  | { readonly kind: 'memory' };

export interface OpenJournalOptions {
  /** A new store gets this many (default 64); an existing one must have as many. Left out, the store decides. */
  readonly shards?: number;
  /** LMDB: default `disk`. Redis: nothing is required of the server when it is left out. */
  readonly durability?: Durability;
  /** Redis with the durability `replica` or `replica-disk`: how many replicas a commit waits for. Default 1. */
  readonly replicas?: number;
  /** LMDB: reads beside the process that writes the store, and takes no lock. Redis needs no such thing. */
  readonly readOnly?: boolean;
  /** LMDB: how long to wait for another writer to go. */
  readonly lockWaitMs?: number;
  /** Deadline of each call to the store. */
  readonly deadlineMs?: number;
  /** Told about what harms nobody yet, or was survived. Default: nobody. */
  readonly warn?: (message: string, params: Readonly<Record<string, unknown>>) => void;
}

const durabilities = {
  lmdb: ['process', 'disk'],
  redis: ['everysec', 'always', 'replica', 'replica-disk'],
  memory: [],
} as const satisfies Record<JournalLocation['kind'], readonly Durability[]>;

/** What `DURABILITY` may be for a kind of journal. */
export function durabilitiesOf(kind: JournalLocation['kind']): readonly Durability[] {
  return durabilities[kind];
}

/** Takes a journal's URL apart. Throws `CONFIG_INVALID` when it is none. */
export function parseJournalUrl(url: string): JournalLocation {
  if (url === 'memory:') return { kind: 'memory' };
  if (url.startsWith('lmdb:') && url.length > 'lmdb:'.length) return { kind: 'lmdb', path: url.slice('lmdb:'.length) };
  if (isRedisUrl(url)) return { kind: 'redis', url };
  throw new TroupeError(
    'CONFIG_INVALID',
    `"${withoutPassword(url)}" is not a journal; one looks like lmdb:./data or redis://127.0.0.1:6379.`,
  );
}

/** The URL as people may see it. */
export function withoutPassword(url: string): string {
  return url.replace(/^([^:]*:\/\/[^:@/]*:|[^:]*:).*@/, '$1***@');
}

/**
 * Opens the journal behind `url`. Rejects with `CONFIG_INVALID` (the URL or the options), `JOURNAL_LOCKED` (another
 * process writes it), `JOURNAL_INCOMPATIBLE` (another layout, another number of shards, less durable than required) or
 * `JOURNAL_UNAVAILABLE`.
 */
export async function openJournal(url: string, options: OpenJournalOptions = {}): Promise<Journal> {
  const location = parseJournalUrl(url);
  const { shards, durability, replicas, readOnly, lockWaitMs, deadlineMs, warn } = options;
  if (durability !== undefined && !durabilitiesOf(location.kind).includes(durability)) {
    throw new TroupeError(
      'CONFIG_INVALID',
      `A journal in ${location.kind} cannot be opened with the durability "${durability}".`,
    );
  }
  switch (location.kind) {
    case 'lmdb': {
      const { openLmdbJournal } = await import('./lmdb.ts');
      return openLmdbJournal({
        path: location.path,
        durability: durability === 'process' ? 'process' : 'disk',
        ...(shards === undefined ? {} : { shards }),
        ...(readOnly === undefined ? {} : { readOnly }),
        ...(lockWaitMs === undefined ? {} : { lockWaitMs }),
        ...(deadlineMs === undefined ? {} : { deadlineMs }),
      });
    }
    case 'redis': {
      const { openRedisJournal } = await import('./redis.ts');
      return openRedisJournal({
        url: location.url,
        ...(shards === undefined ? {} : { shards }),
        ...(durability === undefined || durability === 'process' || durability === 'disk' ? {} : { durability }),
        ...(replicas === undefined ? {} : { replicas }),
        ...(deadlineMs === undefined ? {} : { deadlineMs }),
        ...(warn === undefined ? {} : { warn }),
      });
    }
    case 'memory': {
      const { openMemoryJournal } = await import('./memory.ts');
      return openMemoryJournal({ shards: shards ?? 64 });
    }
  }
}
