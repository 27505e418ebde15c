/**
 * What a shard does when a commit did not simply succeed: take the shard again (which fences every commit that is still
 * under way), and decide from the head what became of each turn. Done ones are let out, the others run again; where
 * somebody else has written since, nobody can tell any more, and commands are answered so.
 */

import type { HostedMachine } from '../actor/logic.ts';
import { type Clock, sleep } from '../clock.ts';
import { type ErrorCode, messageOf, TroupeError } from '../errors.ts';
import type { AcquireOutcome, Head, Journal, Lease, Owner } from '../journal/journal.ts';
import type { Limits } from '../limits.ts';
import type { Log } from '../log.ts';
import type { Projections } from '../projection/projections.ts';
import { rebuildShard } from '../projection/rebuild.ts';
import type { Command, Delivery } from './delivery.ts';
import type { Flight } from './pipeline.ts';
import type { Turn } from './turn.ts';

export interface AcquireOptions {
  readonly journal: Journal;
  readonly shard: number;
  readonly owner: Owner;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly log: Log;
}

export interface Acquired {
  readonly lease: Lease;
  readonly head: Head;
  /** Monotonic ms at which it was asked for: its time to live counts from then. */
  readonly askedAt: number;
}

/** Pauses between attempts: doubling from the first to the last. */
const pauseMsMin = 20;
const pauseMsMax = 1_000;

/**
 * Acquires the shard, however long that takes. After `storeAttemptsMax` attempts, and at each one after that, `onDelay`
 * is called, so that nobody waits for ever; it answers whether to go on. Undefined: it did not.
 */
export async function acquireLease(options: AcquireOptions, onDelay: () => boolean): Promise<Acquired | undefined> {
  const { journal, shard, owner, clock, limits, log } = options;
  for (let attempt = 1, wait = pauseMsMin; ; attempt++, wait = Math.min(wait * 2, pauseMsMax)) {
    const askedAt = clock.monotonic();
    let outcome: AcquireOutcome | Error;
    try {
      outcome = await journal.acquire(shard, owner, limits.leaseMs);
    } catch (error) {
      outcome = error instanceof Error ? error : new Error(messageOf(error));
    }
    if (!(outcome instanceof Error) && outcome.kind === 'acquired') return { ...outcome, askedAt };
    const reason =
      outcome instanceof Error ? outcome.message : `held by ${outcome.by} for ${outcome.expiresInMs} ms more`;
    if (outcome instanceof TroupeError && outcome.code === 'STOPPED') return undefined;
    if (attempt === limits.storeAttemptsMax) log.warn({ shard }, `shard ${shard} is not to be had yet: ${reason}`);
    if (attempt >= limits.storeAttemptsMax && !onDelay()) return undefined;
    await sleep(clock, outcome instanceof Error ? wait : Math.max(1, Math.min(outcome.expiresInMs, wait)));
  }
}

export interface OutdatedOptions {
  readonly journal: Journal;
  readonly lease: Lease;
  readonly head: Head;
  readonly limits: Limits;
  readonly log: Log;
  readonly hosted: ReadonlyMap<string, HostedMachine>;
  readonly projections: Projections;
}

/** Rebuilds the views of projections that are new or changed. Gives where the shard stands afterwards. */
export async function rebuildOutdated(options: OutdatedOptions): Promise<Head> {
  const { journal, lease, head, limits, log, hosted, projections } = options;
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

export interface Fates {
  /** Their commits are in the journal. */
  readonly done: readonly { readonly turn: Turn; readonly offsets: readonly number[] }[];
  /** Their commits are not, and never will be. */
  readonly discarded: readonly Turn[];
  /** Taken by turns of which nobody can tell any more. */
  readonly lost: readonly Delivery[];
}

/** Judges the flights of a shard by the head that its new epoch was acquired with. */
export async function fatesOf(journal: Journal, shard: number, head: Head, flights: readonly Flight[]): Promise<Fates> {
  const committed = flights.filter((flight) => flight.commit !== undefined);
  const last = committed.findIndex(({ commit }) => commit!.number === head.commits && commit!.id === head.commitId);
  const first = committed[0]?.commit?.number;
  const isForeign = last < 0 && first !== undefined && head.commits >= first;
  if (isForeign) return { done: [], discarded: [], lost: flights.flatMap(({ turn }) => turn.taken) };
  const border = last < 0 ? 0 : flights.indexOf(committed[last]!) + 1;
  const done = flights.slice(0, border).map(({ turn }) => turn);
  const offsets = await offsetsOf(journal, shard, done);
  return {
    done: done.map((turn, index) => ({ turn, offsets: offsets[index]! })),
    discarded: flights.slice(border).map(({ turn }) => turn),
    lost: [],
  };
}

/** The offsets of the publications of these turns: the last ones of their topics, since nobody else has written. */
async function offsetsOf(journal: Journal, shard: number, turns: readonly Turn[]): Promise<number[][]> {
  const next = new Map<string, number>();
  for (const { topic } of turns.flatMap(({ publications }) => publications)) {
    if (!next.has(topic)) next.set(topic, (await journal.readTopic(shard, topic, Number.MAX_SAFE_INTEGER, 1)).head);
  }
  const reversed = [...turns].reverse().map(({ publications }) =>
    [...publications]
      .reverse()
      .map(({ topic }) => {
        const offset = next.get(topic)!;
        next.set(topic, offset - 1);
        return offset;
      })
      .reverse(),
  );
  return reversed.reverse();
}

/**
 * What of `deliveries` runs again. Parcels and timers do not: their senders and the journal have them. Commands and reads
 * that were tried `attemptsMax` times already are answered with `code`.
 */
export function requeue(deliveries: readonly Delivery[], attemptsMax: number, code: ErrorCode): Delivery[] {
  const again: Delivery[] = [];
  for (const delivery of deliveries) {
    if (delivery.kind !== 'command' && delivery.kind !== 'read' && delivery.kind !== 'barrier') continue;
    delivery.attempts++;
    if (delivery.attempts <= attemptsMax) again.push(delivery);
    else delivery.waiting.reject(refusal(code, delivery.kind));
  }
  return again;
}

function refusal(code: ErrorCode, kind: Command['kind'] | 'read' | 'barrier'): TroupeError {
  if (code === 'STOPPED') return new TroupeError(code, 'This node is stopping; try another one, or again later.');
  const fate =
    kind === 'command' ? ' Whether the command was carried out is not known; look before you repeat it.' : '';
  return new TroupeError(code, `The journal cannot be reached.${fate}`);
}
