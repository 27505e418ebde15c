/**
 * How a shard is taken, for the first time or again: acquire its lease (which fences every commit of an earlier one),
 * mend what the store has lost (mend.ts), judge by the head what became of turns that were under way, rebuild views that are out of date, and read the open work
 * and the inbox. It changes nothing of the shard; what it gives is taken over in one step.
 *
 * It goes on for as long as its caller is patient, and leaves no lease behind when it is not wanted any more.
 */

import type { HostedMachine } from '../actor/logic.ts';
import type { Clock } from '../clock.ts';
import { messageOf, TroupeError } from '../errors.ts';
import type { Head, Journal, Known, Lease, Owner, Rewind, ShardState } from '../journal/journal.ts';
import type { Limits } from '../limits.ts';
import type { Log } from '../log.ts';
import type { Observer } from '../observer.ts';
import type { Projections } from '../projection/projections.ts';
import { rebuildShard } from '../projection/rebuild.ts';
import type { Delivery } from './delivery.ts';
import type { Inbox } from './inbox.ts';
import { mend } from './mend.ts';
import type { Flight } from './pipeline.ts';
import { type Fates, fatesOf } from './recovery.ts';
import type { Tail } from './tail.ts';

export interface TakeOptions {
  readonly journal: Journal;
  readonly shard: number;
  readonly owner: Owner;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly log: Log;
  readonly hosted: ReadonlyMap<string, HostedMachine>;
  readonly projections: Projections;
  readonly inbox: Inbox;
  readonly observer: Observer;
  readonly tail: Tail;
  /** Where others have seen the shard stand. */
  readonly known?: () => Known | undefined;
}

/** What the caller says meanwhile. */
export interface Patience {
  pause(ms: number): Promise<void>;
  /** Somebody else was found to hold it: whether to wait for it. */
  held(): boolean;
  /** An attempt has failed, or something else has taken its time; `attempts` counts the failures in a row. */
  isGoingOn(attempts: number): boolean;
  /** It is ours, and its inbox is read next. */
  acquired(): void;
}

export interface Taken {
  readonly lease: Lease;
  readonly head: Head;
  /** Monotonic ms at which the lease was asked for: its time to live counts from then. */
  readonly askedAt: number;
  readonly state: ShardState;
  readonly fates: Fates;
  /** What waits in the inbox. */
  readonly waiting: readonly Delivery[];
}

type Acquired = Pick<Taken, 'lease' | 'head' | 'askedAt'> & { readonly lost: Rewind | undefined };

/** Pauses between attempts at acquiring: doubling from the first to the last. */
const pauseMsMin = 20;
const pauseMsMax = 1_000;
/** Between attempts at reading a shard that was acquired. */
const readPauseMs = 50;

/** Rejects when the shard's journal is damaged; nothing else ends it but `patience`. Undefined: it is not wanted any more. */
export async function takeShard(
  options: TakeOptions,
  flights: readonly Flight[],
  patience: Patience,
): Promise<Taken | undefined> {
  const { shard, log } = options;
  for (let attempts = 1; ; attempts++) {
    const acquired = await acquire(options, patience);
    if (acquired === undefined) return undefined;
    try {
      const taken = await read(options, acquired, flights, patience);
      if (taken !== undefined && patience.isGoingOn(0)) return taken;
      await options.journal.release(acquired.lease);
      return undefined;
    } catch (error) {
      log.warn({ shard }, `shard ${shard} could not be read: ${messageOf(error)}`);
      if (error instanceof TroupeError && error.code === 'JOURNAL_DAMAGED') throw error;
      if (!patience.isGoingOn(attempts)) return undefined;
      await patience.pause(readPauseMs * Math.min(attempts, 10));
    }
  }
}

async function acquire(options: TakeOptions, patience: Patience): Promise<Acquired | undefined> {
  const { journal, shard, owner, clock, limits, log, tail, known } = options;
  for (let attempt = 1, wait = pauseMsMin; ; attempt++, wait = Math.min(wait * 2, pauseMsMax)) {
    const askedAt = clock.monotonic();
    const outcome = await journal.acquire(shard, owner, limits.leaseMs, known?.()).catch(failureOf);
    if (outcome.kind === 'acquired') {
      const { lease, head, lost } = outcome;
      tail.acquired(lease.epoch, lost?.before);
      return { lease, head, askedAt, lost };
    }
    if (outcome.kind === 'failed' && outcome.isClosed) return undefined;
    const isHeld = outcome.kind === 'held';
    if (isHeld && !patience.held()) return undefined;
    const reason = isHeld ? `held by ${outcome.by} for ${outcome.expiresInMs} ms more` : outcome.message;
    if (attempt === limits.storeAttemptsMax) log.warn({ shard }, `shard ${shard} is not to be had yet: ${reason}`);
    if (!patience.isGoingOn(attempt)) return undefined;
    await patience.pause(isHeld ? Math.max(1, Math.min(outcome.expiresInMs, wait)) : wait);
  }
}

interface Failure {
  readonly kind: 'failed';
  readonly message: string;
  readonly isClosed: boolean;
}

function failureOf(error: unknown): Failure {
  const isClosed = error instanceof TroupeError && error.code === 'STOPPED';
  return { kind: 'failed', message: messageOf(error), isClosed };
}

async function read(
  options: TakeOptions,
  { lease, head: found, askedAt: acquiredAt, lost }: Acquired,
  flights: readonly Flight[],
  patience: Patience,
): Promise<Taken | undefined> {
  const { journal, shard, inbox, clock, limits } = options;
  const mended = lost === undefined ? found : await mend(options, lease, found, lost);
  const fates = await fatesOf(journal, shard, mended, flights);
  const head = await rebuildOutdated(options, lease, mended);
  const state = await journal.readShard(shard);
  if (!patience.isGoingOn(0)) return undefined;
  patience.acquired();
  const waiting = await inbox.restart(state.inbox);
  let askedAt = acquiredAt;
  if (clock.monotonic() - askedAt > limits.leaseMs / 3) {
    askedAt = clock.monotonic();
    if (!(await journal.renew(lease, limits.leaseMs))) throw new Error('its lease was lost while it was read');
  }
  return { lease, head, askedAt, state, fates, waiting };
}

/** Rebuilds the views of projections that are new or changed. Gives where the shard stands afterwards. */
async function rebuildOutdated(options: TakeOptions, lease: Lease, head: Head): Promise<Head> {
  const { journal, limits, log, hosted, projections } = options;
  if (head.commits === 0 || projections.all.length === 0) return head;
  const { shard } = lease;
  const stored = (await journal.readShard(shard)).projections;
  const outdated = projections.all.filter(({ name, version }) => stored[name] !== version);
  if (outdated.length === 0) return head;
  log.info({ shard }, `shard ${shard} rebuilds ${outdated.map(({ name }) => name).join(', ')} from its journal`);
  const rebuilt = await rebuildShard({
    journal,
    lease,
    head,
    hosts: hosted,
    projections: outdated,
    afterPage: async () => {
      await journal.renew(lease, limits.leaseMs);
    },
  });
  return rebuilt.head;
}
