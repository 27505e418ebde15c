/**
 * The memory adapter of the cluster port, for several systems in one process: simulations and tests. What they share is a
 * `MemoryCluster`, which belongs to a `MemoryStore` (journal/memory.ts); a closed journal's store hears and says nothing
 * more. It keeps the whole port, on the clock it is given: messages and `active` come with `clock.soon`, in order.
 *
 * It loses nothing by itself and copies nothing: payloads are handed on as they came. Who wants loss, delay or a store
 * that cannot be reached wraps it (test/cluster/faulty-cluster-store.ts).
 */

import type { Address } from '../actor/address.ts';
import type { Clock } from '../clock.ts';
import { TroupeError } from '../errors.ts';
import { assertEnvelope, assertShard } from '../journal/checks.ts';
import type {
  Channel,
  ChannelListener,
  ClusterStore,
  ClusterView,
  InboxRecord,
  LiveNode,
  NodeInfo,
  ShardStatus,
} from './cluster-store.ts';
import { broughtBytesMax, broughtMax, ringWith } from './ring.ts';

interface MemoryInbox {
  /** Number of the last envelope sent. */
  last: number;
  /** Not handled yet, oldest first. */
  records: readonly { readonly n: number; readonly payload: Uint8Array; readonly actor: Address | undefined }[];
  /** Nobody has read it since it rang. */
  isRung: boolean;
}

interface MemoryListener {
  readonly listener: ChannelListener;
  isActive: boolean;
}

/** What the nodes of a store share beside its shards. */
export interface MemoryCluster {
  readonly nodes: Map<string, { readonly info: NodeInfo; readonly expiresAt: number; isDrained: boolean }>;
  readonly pins: Map<number, string>;
  readonly inboxes: Map<number, MemoryInbox>;
  /** By name of the channel. */
  readonly listeners: Map<string, Set<MemoryListener>>;
}

/** What the journal keeps of a shard, as far as it is looked at here. */
export interface MemoryShardFacts {
  readonly epochNumber: number;
  readonly holder: { readonly node: string; readonly expiresAt: number } | undefined;
  readonly head: { readonly commits: number; readonly seq: number };
  readonly inbox: number;
  readonly actors: { has(actor: Address): boolean };
  readonly rewinds: number;
}

export interface MemoryClusterOptions {
  readonly cluster: MemoryCluster;
  readonly shards: readonly MemoryShardFacts[];
  readonly recordBytesMax: number;
  readonly clock: Clock;
}

export function createMemoryCluster(): MemoryCluster {
  return { nodes: new Map(), pins: new Map(), inboxes: new Map(), listeners: new Map() };
}

/** Takes everything up to `n` out of a shard's inbox: part of a commit. */
export function handleInbox(cluster: MemoryCluster, shard: number, n: number): void {
  if (n === 0) return;
  const inbox = inboxOf(cluster, shard);
  inbox.records = inbox.records.filter((record) => record.n > n);
  // Numbers never seen here are those of a store that lost them; they are not given out again.
  inbox.last = Math.max(inbox.last, n);
}

/** Tells who listens on the shard's channel to look. */
export function ringShard(
  cluster: MemoryCluster,
  shard: number,
  clock: Clock,
  ring: Uint8Array = new Uint8Array(0),
): void {
  deliver(cluster, nameOf({ kind: 'shard', shard }), ring, clock);
}

export class MemoryClusterStore implements ClusterStore {
  readonly #options: MemoryClusterOptions;
  readonly #cluster: MemoryCluster;
  readonly #clock: Clock;
  /** What this store's own listeners were given back: called when it closes. */
  readonly #stops = new Set<() => void>();
  #open = true;

  constructor(options: MemoryClusterOptions) {
    this.#options = options;
    this.#cluster = options.cluster;
    this.#clock = options.clock;
  }

  async beat(node: NodeInfo, ttlMs: number): Promise<ClusterView | false> {
    this.#assertOpen();
    const known = this.#live().get(node.id);
    if (known !== undefined && known.info.nonce !== node.nonce) return false;
    const expiresAt = this.#clock.monotonic() + ttlMs;
    this.#cluster.nodes.set(node.id, { info: node, expiresAt, isDrained: known?.isDrained ?? false });
    return this.#view();
  }

  async view(): Promise<ClusterView> {
    this.#assertOpen();
    return this.#view();
  }

  async leave(id: string, nonce: string): Promise<void> {
    this.#assertOpen();
    if (this.#cluster.nodes.get(id)?.info.nonce === nonce) this.#cluster.nodes.delete(id);
  }

  async drain(id: string, isDraining: boolean): Promise<boolean> {
    this.#assertOpen();
    const node = this.#live().get(id);
    if (node !== undefined) node.isDrained = isDraining;
    return node !== undefined;
  }

  async pin(shard: number, node: string | undefined): Promise<void> {
    this.#assertOpen(shard);
    if (node === undefined) this.#cluster.pins.delete(shard);
    else this.#cluster.pins.set(shard, node);
  }

  async statuses(shards: readonly number[]): Promise<readonly ShardStatus[]> {
    this.#assertOpen(...shards);
    return shards.map((shard) => this.#statusOf(shard));
  }

  async send(shard: number, payload: Uint8Array, max: number, actor?: Address): Promise<'sent' | 'full'> {
    this.#assertOpen(shard);
    assertEnvelope(shard, payload, this.#options.recordBytesMax);
    const inbox = inboxOf(this.#cluster, shard);
    if (inbox.records.length >= max) return 'full';
    inbox.last += 1;
    inbox.records = [...inbox.records, { n: inbox.last, payload, actor }];
    if (inbox.isRung) return 'sent';
    const { inbox: handled, actors } = this.#options.shards[shard] as MemoryShardFacts;
    const isBrought = inbox.last - handled <= broughtMax && payload.length <= broughtBytesMax;
    inbox.isRung = !isBrought;
    const isAbsent = actor !== undefined && !actors.has(actor);
    ringShard(
      this.#cluster,
      shard,
      this.#clock,
      isBrought ? ringWith({ n: inbox.last, payload, isAbsent }) : undefined,
    );
    return 'sent';
  }

  async readInbox(shard: number, after: number, limit: number): Promise<readonly InboxRecord[]> {
    this.#assertOpen(shard);
    const inbox = this.#cluster.inboxes.get(shard);
    if (inbox === undefined) return [];
    inbox.isRung = false;
    // Read from a store that was ahead of this one: those numbers are not given out again.
    inbox.last = Math.max(inbox.last, after);
    const { actors } = this.#options.shards[shard] as MemoryShardFacts;
    return inbox.records
      .filter(({ n }) => n > after)
      .slice(0, Math.max(0, limit))
      .map(({ n, payload, actor }) => ({ n, payload, isAbsent: actor !== undefined && !actors.has(actor) }));
  }

  publish(channel: Channel, payload: Uint8Array): void {
    if (this.#open) deliver(this.#cluster, nameOf(channel), payload, this.#clock);
  }

  listen(channel: Channel, listener: ChannelListener): () => void {
    this.#assertOpen();
    const { listeners } = this.#cluster;
    const name = nameOf(channel);
    const listening: MemoryListener = { listener, isActive: false };
    listeners.set(name, (listeners.get(name) ?? new Set()).add(listening));
    const stop = (): void => {
      this.#stops.delete(stop);
      const those = listeners.get(name);
      those?.delete(listening);
      if (those?.size === 0) listeners.delete(name);
    };
    this.#stops.add(stop);
    this.#clock.soon(() => {
      if (!this.#stops.has(stop)) return;
      listening.isActive = true;
      listener.active();
    });
    return stop;
  }

  /** Nothing is heard, said or done from here on. */
  close(): void {
    this.#open = false;
    for (const stop of [...this.#stops]) stop();
  }

  #assertOpen(...shards: readonly number[]): void {
    if (!this.#open) throw new TroupeError('STOPPED', 'The journal is closed.', { sent: false });
    for (const shard of shards) assertShard(shard, this.#options.shards.length);
  }

  /** The nodes, without those that have not beaten in time. */
  #live(): MemoryCluster['nodes'] {
    const { nodes } = this.#cluster;
    const now = this.#clock.monotonic();
    for (const [id, { expiresAt }] of nodes) if (expiresAt <= now) nodes.delete(id);
    return nodes;
  }

  #statusOf(shard: number): ShardStatus {
    const { epochNumber, holder, head, inbox, rewinds } = this.#options.shards[shard] as MemoryShardFacts;
    return {
      shard,
      epoch: epochNumber,
      node: holder?.node ?? '',
      expiresInMs: Math.max(0, (holder?.expiresAt ?? 0) - this.#clock.monotonic()),
      commits: head.commits,
      seq: head.seq,
      inboxLast: this.#cluster.inboxes.get(shard)?.last ?? 0,
      inboxDone: inbox,
      rewinds,
    };
  }

  #view(): ClusterView {
    const now = this.#clock.monotonic();
    const nodes = [...this.#live().values()].map(
      ({ info, expiresAt, isDrained }): LiveNode => ({
        ...info,
        isDraining: info.isDraining || isDrained,
        expiresInMs: expiresAt - now,
      }),
    );
    nodes.sort((a, b) => (a.id < b.id ? -1 : 1));
    return { nodes, pins: new Map(this.#cluster.pins) };
  }
}

function inboxOf({ inboxes }: MemoryCluster, shard: number): MemoryInbox {
  const inbox = inboxes.get(shard) ?? { last: 0, records: [], isRung: false };
  inboxes.set(shard, inbox);
  return inbox;
}

/** To those who listen by then and were told that they do, each in a step of its own: one that throws harms no other. */
function deliver({ listeners }: MemoryCluster, name: string, payload: Uint8Array, clock: Clock): void {
  clock.soon(() => {
    for (const listening of [...(listeners.get(name) ?? [])]) {
      if (!listening.isActive) continue;
      clock.soon(() => {
        if (listeners.get(name)?.has(listening)) listening.listener.message(payload);
      });
    }
  });
}

function nameOf(channel: Channel): string {
  switch (channel.kind) {
    case 'shard':
      return `shard ${channel.shard}`;
    case 'topic':
      return `topic ${channel.shard} ${channel.topic}`;
    case 'signal':
      return `signal ${channel.shard} ${channel.topic}`;
    case 'node':
      return `node ${channel.node}`;
    case 'everyone':
      return 'everyone';
    case 'watch':
      return 'watch';
    case 'watcher':
      return `watcher ${channel.node}`;
  }
}
