/**
 * A system: all shards of one journal in one process, the loop that runs them, and the in-process transport between
 * them. `openSystem` is the runtime's entry; actor-system.ts says what it gives.
 *
 * Shards that have work are run together, in one round: their commits are handed to the journal at the same time, so
 * that an adapter can write them as one transaction or one pipeline.
 */

import { Access } from './access.ts';
import type { ActorDefinition } from './actor/definition.ts';
import { register } from './actor/registration.ts';
import type { ActorSystem } from './actor-system.ts';
import { type Clock, sleep, systemClock } from './clock.ts';
import { Cluster, type ClusterOptions } from './cluster/cluster.ts';
import type { Membership } from './cluster/node.ts';
import { messageOf, TroupeError } from './errors.ts';
import { type Ids, systemIds } from './ids.ts';
import type { Journal, Owner } from './journal/journal.ts';
import { defaultLimits, type Limits } from './limits.ts';
import { type Log, silentLog } from './log.ts';
import { type Observer, silentObserver } from './observer.ts';
import type { Projection } from './projection/projection.ts';
import { Projections } from './projection/projections.ts';
import { Compaction } from './shard/compaction.ts';
import { Shard } from './shard/shard.ts';
import type { Transport } from './shard/transport.ts';
import { Hub } from './topic/hub.ts';
import { LocalSignals } from './topic/signals.ts';
import { type Inspected, silentWitness, type Witness } from './witness.ts';

export interface SystemOptions {
  readonly journal: Journal;
  readonly actors: readonly ActorDefinition[];
  readonly projections?: readonly Projection[];
  readonly limits?: Partial<Limits>;
  readonly log?: Log;
  readonly clock?: Clock;
  readonly ids?: Ids;
  /** Wraps the in-process transport between shards, to lose, repeat or delay what it carries. */
  readonly transport?: (inner: Transport) => Transport;
  /** Name of this node, for leases and lists. Default: a fresh one. */
  readonly node?: string;
  /**
   * Given: this is one of several nodes on the journal, which must have `Journal.cluster`; it owns what placement gives it.
   * Left out: it owns every shard.
   */
  readonly cluster?: Membership;
  /** Told what happens, for metrics. Default: nobody. */
  readonly observer?: Observer;
  /** Shown each step while somebody watches (inspect/). Default: nobody. */
  readonly witness?: Witness;
}

/** Between looks for idle cells, for parcels that got lost and for acknowledged ones to remove. */
const sweepMs = 1_000;
/** Parcels that were waiting before a restart are handled before timers fire, if that takes no longer than this. */
const recoveredMsMax = 5_000;
/** A stop does not wait longer than this for the work at hand. */
const stopMsMax = 10_000;

/** Runs the shards that asked for it, all in one round. */
class Rounds {
  readonly #clock: Clock;
  #asked = new Set<Shard>();
  #isDue = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  readonly schedule = (shard: Shard): void => {
    this.#asked.add(shard);
    if (this.#isDue) return;
    this.#isDue = true;
    this.#clock.soon(() => this.#round());
  };

  #round(): void {
    const shards = this.#asked;
    this.#asked = new Set();
    this.#isDue = false;
    for (const shard of shards) shard.pump();
  }
}

/** Parcels between shards of one process: the durable outbox is behind it, so a lost one is only late. */
function inProcess(shards: readonly Shard[]): Transport {
  return {
    deliver: (to, from, n, parcel) => shards[to]?.arrive(from, n, parcel),
    acknowledge: (sender, receiver, n) => shards[sender]?.outbox.acknowledge(receiver, n),
    resend: (sender, receiver, n) => shards[sender]?.outbox.resend(receiver, n),
  };
}

/** Calls `work` every `ms` until cancelled. */
function every(clock: Clock, ms: number, work: () => void): () => void {
  let cancel: () => void;
  const again = (): void => {
    cancel = clock.after(ms, () => {
      work();
      again();
    });
  };
  again();
  return () => cancel();
}

/** Until no parcel that was waiting before is unacknowledged, so that answers are not beaten by a timeout. */
async function parcelsHandled(shards: readonly Shard[], clock: Clock): Promise<void> {
  const until = clock.monotonic() + recoveredMsMax;
  while (shards.some((shard) => shard.outbox.size > 0) && clock.monotonic() < until) await sleep(clock, 2);
}

/**
 * Opens every shard of the journal and runs the given actors on them. Reads no actor: each is rehydrated by its first
 * envelope. Rejects with MACHINE_REFUSED when a machine cannot be persisted, with CONFIG_INVALID when it is to be one of
 * several nodes on a journal for one, and with NODE_TAKEN when another process has its name.
 */
export async function openSystem(options: SystemOptions): Promise<ActorSystem> {
  const { journal, log = silentLog, clock = systemClock, ids = systemIds, observer = silentObserver } = options;
  const { witness = silentWitness } = options;
  const limits: Limits = { ...defaultLimits, ...options.limits };
  const hosted = register(options.actors);
  const projections = new Projections(options.projections ?? []);
  const hub = new Hub(log);
  const rounds = new Rounds(clock);
  const owner: Owner = { node: options.node ?? ids.nonce(), nonce: ids.nonce() };
  const shards: Shard[] = [];
  const parts = { journal, owner, clock, ids, limits, log, hosted, projections, hub, observer, witness };
  const cluster = clusterOf(options, { ...parts, shards });
  const transport = (options.transport ?? ((inner) => inner))(cluster?.transport ?? inProcess(shards));
  for (let shard = 0; shard < journal.shards; shard++) {
    const schedule = (): void => rounds.schedule(shards[shard]!);
    const shared = { ...parts, shard, shards: journal.shards, transport, schedule };
    shards.push(new Shard({ ...shared, ...cluster?.optionsFor(shard) }));
  }
  // From the beginning on: shards that open late, behind a lease that has to expire, must not cost the others theirs.
  const cancelRenewals = every(clock, limits.leaseMs / 3, () => {
    for (const shard of shards) {
      shard.renew().catch((error) => log.warn({ shard: shard.shard }, `a lease was not renewed: ${messageOf(error)}`));
    }
  });
  try {
    if (cluster === undefined) await openAll(shards, clock, log);
    else await cluster.node.join();
  } catch (error) {
    cancelRenewals();
    throw error;
  }
  observer.watch(() => shards.map((shard) => shard.standing));
  witness.opened(inspectedOf(parts, shards));
  const compaction = new Compaction({ ...parts, shards });
  const cancelSweeps = every(clock, sweepMs, () => {
    compaction.sweep();
    for (const shard of shards) {
      shard.passivate();
      shard.outbox.retry();
      // The ring that said so may have been lost.
      if (cluster !== undefined && shard.isOpen) shard.inbox.ring();
      shard.tidy();
    }
  });

  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    cancelSweeps();
    const compacted = compaction.stop();
    const idle = cluster === undefined ? Promise.all(shards.map((shard) => shard.stop())) : cluster.node.drain();
    await new Promise<void>((resolve, reject) => {
      const cancel = clock.after(stopMsMax, resolve, { keepAlive: true });
      Promise.all([idle, compacted])
        .then(() => resolve(), reject)
        .finally(cancel);
    });
    cancelRenewals();
    witness.closed();
    await cluster?.leave();
    await journal.close();
  };
  return new Access({
    journal,
    shards,
    hosted,
    hub,
    signals: cluster?.signals ?? new LocalSignals(owner.nonce, clock, log),
    clock,
    ids,
    limits,
    ...(cluster === undefined ? undefined : { cluster }),
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
  });
}

/** The system as its witness sees it. */
function inspectedOf(
  { owner, ...parts }: Pick<ClusterOptions, 'owner' | 'journal' | 'hosted' | 'clock' | 'ids' | 'log'>,
  shards: readonly Shard[],
): Inspected {
  const { journal, hosted, clock, ids, log } = parts;
  return {
    node: owner.node,
    journal,
    hosted,
    clock,
    ids,
    log,
    standings: () => shards.map(({ standing }) => standing),
    isResident: (shard, actor) => (shards[shard]?.isHere === true ? shards[shard].cells.has(actor) : undefined),
  };
}

function clusterOf(
  { cluster: membership, journal }: SystemOptions,
  parts: Omit<ClusterOptions, 'store' | 'membership'>,
): Cluster | undefined {
  if (membership === undefined) return undefined;
  const { cluster: store } = journal;
  if (store !== undefined) return new Cluster({ ...parts, store, membership });
  const message = `A journal in ${journal.kind} is for one process; several nodes need one in redis.`;
  throw new TroupeError('CONFIG_INVALID', message);
}

async function openAll(shards: readonly Shard[], clock: Clock, log: Log): Promise<void> {
  const opened = await Promise.allSettled(shards.map((shard) => shard.open()));
  for (const [shard, result] of opened.entries()) {
    if (result.status === 'rejected') log.error({ shard }, `shard ${shard} stays closed: ${messageOf(result.reason)}`);
  }
  await parcelsHandled(shards, clock);
  for (const shard of shards) shard.startTimers();
}
