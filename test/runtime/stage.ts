/**
 * A stage for runtime tests: a store that survives its systems, on simulated time. `open` starts a system on it as a
 * process would, `crash` drops one as `kill -9` does, and the store can be compared with the fold of its journal.
 */

import { type Address, parseAddress } from '../../src/actor/address.ts';
import type { ActorDefinition } from '../../src/actor/definition.ts';
import { HostedMachine } from '../../src/actor/logic.ts';
import type { ActorSystem } from '../../src/actor-system.ts';
import type { Ids } from '../../src/ids.ts';
import { decode } from '../../src/journal/codec.ts';
import { createMemoryStore, type MemoryStore, openMemoryJournal } from '../../src/journal/memory.ts';
import { verifyJournal } from '../../src/journal/verify.ts';
import type { Log } from '../../src/log.ts';
import { openSystem, type SystemOptions } from '../../src/system.ts';
import { FaultyJournal } from './faulty-journal.ts';
import { randomFrom } from './faulty-transport.ts';
import { notebook } from './notebook.ts';
import { SimulatedClock } from './simulated-clock.ts';

export interface Opened {
  readonly system: ActorSystem;
  readonly journal: FaultyJournal;
  /** What was logged as a warning or an error. */
  readonly complaints: readonly string[];
}

export interface OpenOptions extends Partial<SystemOptions> {
  /** Called with the journal before the system has it. */
  readonly prepare?: (journal: FaultyJournal) => void;
}

export interface StageOptions {
  /** Default 4. */
  readonly shards?: number;
  readonly seed?: number;
  readonly topicHistoryMax?: number;
}

export class Stage {
  readonly clock = new SimulatedClock();
  readonly store: MemoryStore;
  readonly ids: Ids;
  readonly #topicHistoryMax: number | undefined;
  #nonces = 0;

  constructor({ shards = 4, seed = 1, topicHistoryMax }: StageOptions = {}) {
    this.store = createMemoryStore(shards, 'store');
    this.#topicHistoryMax = topicHistoryMax;
    const random = randomFrom(seed);
    this.ids = {
      mint: () => {
        throw new Error('tests name their ids');
      },
      nonce: () => `nonce-${++this.#nonces}`,
      random,
    };
  }

  /** A journal on the store, as a process has one. */
  journal(): FaultyJournal {
    const bounds = this.#topicHistoryMax === undefined ? {} : { topicHistoryMax: this.#topicHistoryMax };
    return new FaultyJournal(openMemoryJournal({ store: this.store, clock: this.clock, ...bounds }), this.clock);
  }

  /** Starts a system and lets the time pass that this takes: with a crashed one before it, until its leases have expired. */
  open(options: OpenOptions = {}): Promise<Opened> {
    return this.clock.until(this.start(options));
  }

  /** Starts a system; the test lets time pass. */
  async start({ prepare, ...options }: OpenOptions = {}): Promise<Opened> {
    const journal = this.journal();
    prepare?.(journal);
    const complaints: string[] = [];
    const complain = (_: object, message: string): void => {
      complaints.push(message);
    };
    const log: Log = { debug: () => undefined, info: () => undefined, warn: complain, error: complain };
    const { clock, ids } = this;
    const system = await openSystem({ journal, actors: [notebook], clock, ids, log, ...options });
    return { system, journal, complaints };
  }

  /** The state of an actor by its journal alone: every event folded, from the first one. */
  folded(definition: ActorDefinition, address: Address): unknown {
    const hosted = new HostedMachine(definition);
    const entries = this.store.shards.flatMap((shard) => shard.entries).filter(({ actor }) => actor === address);
    const events = entries.map(({ payload }) => decode<{ type: string }>(payload));
    return hosted.plain(hosted.fold(parseAddress(address).id, undefined, events));
  }

  /** What `troupe verify` finds wrong with the store. */
  async differences(definitions: readonly ActorDefinition[] = [notebook]): Promise<readonly unknown[]> {
    const journal = openMemoryJournal({ store: this.store, clock: this.clock });
    const findings = await verifyJournal({ journal, definitions, projections: [] });
    return findings.differences;
  }
}

/** The keys a notebook has noted, read through the system. */
export async function notesOf(system: ActorSystem, id: string): Promise<readonly string[]> {
  const state = await system.actor(notebook, id).snapshot();
  return state?.state.context.notes ?? [];
}

/** How a promise ended, or that it has not. */
export type Fate =
  | { readonly kind: 'resolved'; readonly value: unknown }
  | { readonly kind: 'rejected'; readonly code: string }
  | { readonly kind: 'pending' };

/** Watches a promise, so that a rejection is never unhandled and its fate can be asked at any time. */
export function watch(promise: Promise<unknown>): () => Fate {
  let fate: Fate = { kind: 'pending' };
  promise.then(
    (value) => {
      fate = { kind: 'resolved', value };
    },
    (error: unknown) => {
      const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
      fate = { kind: 'rejected', code };
    },
  );
  return () => fate;
}
