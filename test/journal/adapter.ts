/**
 * What the conformance suite asks of an adapter: a factory of empty stores, and a manifest of what can be done to them
 * from outside the port. A capability that is left out skips the tests that need it; nothing else does.
 */

import { onTestFinished, test } from 'vitest';
import type { Address } from '../../src/actor/address.ts';
import type { JournalBounds } from '../../src/journal/bounds.ts';
import type { Journal } from '../../src/journal/journal.ts';

/** Options of one opening. What is left out is the store's own (shards) or the adapter's default. */
export interface OpenOptions extends Partial<JournalBounds> {
  readonly shards?: number;
}

/** One record of a store. */
export type DamageTarget =
  | { readonly kind: 'entry'; readonly shard: number; readonly seq: number }
  | { readonly kind: 'index'; readonly shard: number; readonly actor: Address }
  | { readonly kind: 'snapshot'; readonly shard: number; readonly actor: Address }
  | { readonly kind: 'timer'; readonly shard: number; readonly actor: Address; readonly id: string }
  | { readonly kind: 'outbox'; readonly shard: number; readonly to: number; readonly n: number }
  | { readonly kind: 'publication'; readonly shard: number; readonly topic: string; readonly offset: number }
  | { readonly kind: 'row'; readonly shard: number; readonly view: string; readonly key: string };

/** One store, empty at first, that belongs to one test. */
export interface TestStore {
  /** Opens a journal on the store. At most one is open at a time unless the adapter is `shared`. */
  open(options: OpenOptions): Promise<Journal>;
  /** Flips a byte of a stored record from outside the port. Called while no journal is open unless the adapter is `shared`. */
  damage?(target: DamageTarget): Promise<void>;
  /** Deletes an actor's snapshot from outside the port, its index kept. Called as `damage` is. */
  loseSnapshot?(shard: number, actor: Address): Promise<void>;
  /** Remembers a shard as it is; what it resolves with puts it back, as a failover to a replica that lags does. */
  remember?(shard: number): Promise<() => Promise<void>>;
  /** Makes the store hang for every write of an open journal; resolves with what lets it go on. */
  stall?(): Promise<() => Promise<void>>;
  /** Removes everything. Called after all journals were closed. */
  dispose(): Promise<void>;
}

export interface JournalAdapter {
  /** The `kind` its journals name. */
  readonly kind: string;
  /** Data outlives `close`: a second `open` of the store finds it. */
  readonly persistent: boolean;
  /** Several journals may be open on one store at once. */
  readonly shared: boolean;
  /** The kinds of record `damage` can hit. */
  readonly damages: readonly DamageTarget['kind'][];
  /** `loseSnapshot` and `stall` are there. */
  readonly losesSnapshots: boolean;
  readonly stalls: boolean;
  /** `remember` is there: the store can go backwards under a running process. */
  readonly rewinds?: boolean;
  create(): Promise<TestStore>;
}

/** A store for the running test: its journals are closed and it is disposed of afterwards. */
export interface FreshStore extends Omit<TestStore, 'dispose'> {
  /** Opens with 4 shards unless told otherwise. */
  open(options?: OpenOptions): Promise<Journal>;
  /** Closes `journal` and opens the store again. */
  reopen(journal: Journal, options?: OpenOptions): Promise<Journal>;
}

export async function freshStore(adapter: JournalAdapter): Promise<FreshStore> {
  const store = await adapter.create();
  const journals: Journal[] = [];
  onTestFinished(async () => {
    for (const journal of journals) await journal.close();
    await store.dispose();
  });
  const open = async (options: OpenOptions = {}): Promise<Journal> => {
    const journal = await store.open({ shards: 4, ...options });
    journals.push(journal);
    return journal;
  };
  return {
    ...store,
    open,
    reopen: async (journal, options) => {
      await journal.close();
      return open(options);
    },
  };
}

/** Runs `probe` until it gives something, at most 10 s unless told otherwise. */
export async function eventually<T>(probe: () => Promise<T | undefined>, ms = 20_000): Promise<T> {
  const end = performance.now() + ms;
  for (;;) {
    const found = await probe();
    if (found !== undefined) return found;
    if (performance.now() > end) throw new Error(`It did not happen within ${ms} ms.`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Registers a test where the adapter has what it needs; elsewhere there is none, and so nothing that is skipped. */
export function testWhere(holds: boolean): (title: string, body: () => Promise<void>) => void {
  return (title, body) => {
    if (holds) test(title, body);
  };
}
