/** Opens the store for a command, and keeps the development secret in it. */

import { randomBytes } from 'node:crypto';
import {
  type ClusterStore,
  type Journal,
  type OpenJournalOptions,
  openJournal,
  sleep,
  systemClock,
  TroupeError,
  withArchive,
  withoutPassword,
} from '../../src/index.ts';
import { isShared, type StoreConfig } from '../config.ts';
import { UsageError } from './terminal.ts';

/** How long a start or a writing command waits for the previous owner of the store, or of the port, to go. */
export const patienceMs = 10_000;
const retryMs = 100;

const devSecretKey = 'dev-secret';

function optionsOf(config: StoreConfig) {
  return {
    ...(config.shards === undefined ? {} : { shards: config.shards }),
    ...(config.durability === undefined ? {} : { durability: config.durability }),
    ...(config.replicas === undefined ? {} : { replicas: config.replicas }),
  };
}

/** Opens the store and its archive as their writer; waits for the one that has it. */
export async function openForWriting(
  config: StoreConfig,
  options: Pick<OpenJournalOptions, 'lockWaitMs' | 'warn' | 'deadlineMs'> = {},
): Promise<Journal> {
  const journal = await openJournal(config.journal, { ...optionsOf(config), lockWaitMs: patienceMs, ...options });
  return withArchive(journal, config.archive);
}

/** Opens the store beside whoever writes it, gives it to `use`, and closes it. */
export async function reading<T>(config: StoreConfig, use: (journal: Journal) => Promise<T>): Promise<T> {
  const opened = await openJournal(config.journal, { ...optionsOf(config), readOnly: true });
  const journal = await withArchive(opened, config.archive);
  try {
    return await use(journal);
  } finally {
    await journal.close();
  }
}

/** Opens a store that several nodes use, beside them. Throws a `UsageError` for a journal of one process. */
export function withCluster<T>(
  config: StoreConfig,
  use: (cluster: ClusterStore, journal: Journal) => Promise<T>,
): Promise<T> {
  const refuse = (): never => {
    throw new UsageError(
      `${withoutPassword(config.journal)} is a journal for one process, which owns all of its shards. There are nodes on one that several can use, like --journal redis://host:6379.`,
    );
  };
  if (!isShared(config.journal)) refuse();
  return reading(config, async (journal) => (journal.cluster === undefined ? refuse() : use(journal.cluster, journal)));
}

/** The secret of the development mode: made once, kept with the store. */
export function initDevSecret(journal: Journal): Promise<string> {
  return journal.initMeta(devSecretKey, randomBytes(32).toString('base64url'));
}

/**
 * The development secret for a command that runs before, beside or after the server. Makes it when nobody has the store
 * open; while a server is starting, waits for the one it makes. Undefined: the running server uses none.
 */
export async function findDevSecret(config: StoreConfig, waitMs: number = patienceMs): Promise<string | undefined> {
  const deadline = systemClock.monotonic() + waitMs;
  for (;;) {
    const found = (await madeSecret(config)) ?? (await keptSecret(config));
    if (found !== undefined || systemClock.monotonic() >= deadline) return found;
    await sleep(systemClock, retryMs);
  }
}

/** Undefined when somebody else writes the store. */
async function madeSecret(config: StoreConfig): Promise<string | undefined> {
  try {
    const journal = await openForWriting(config, { lockWaitMs: 0 });
    try {
      return await initDevSecret(journal);
    } finally {
      await journal.close();
    }
  } catch (error) {
    if (error instanceof TroupeError && error.code === 'JOURNAL_LOCKED') return undefined;
    throw error;
  }
}

/** Undefined when there is none, or when the store is just being made. */
async function keptSecret(config: StoreConfig): Promise<string | undefined> {
  try {
    return await reading(config, (journal) => journal.readMeta(devSecretKey));
  } catch (error) {
    if (error instanceof TroupeError && error.code === 'JOURNAL_UNAVAILABLE') return undefined;
    throw error;
  }
}
