/**
 * One node's cluster store, wrapped, that fails on request: calls reject, messages are lost or late, subscriptions are
 * interrupted, the process dies. What it lets through, it lets through unchanged, and late messages keep their order.
 */

import type { Address } from '../../src/actor/address.ts';
import type { Clock } from '../../src/clock.ts';
import type {
  Channel,
  ChannelListener,
  ClusterStore,
  ClusterView,
  InboxRecord,
  NodeInfo,
  ShardStatus,
} from '../../src/cluster/cluster-store.ts';
import { TroupeError } from '../../src/errors.ts';

export type ClusterCall = keyof ClusterStore;

/** What becomes of a message: nothing special, lost, or later by that many ms. */
export type Fate = undefined | 'lost' | { readonly lateMs: number };

interface Listening {
  readonly channel: Channel;
  readonly listener: ChannelListener;
  /** Messages wait for those before them. */
  queue: Promise<void>;
  queued: number;
}

export class FaultyClusterStore implements ClusterStore {
  /** How often each call was made. */
  readonly calls = new Map<ClusterCall, number>();
  /** Whether a call rejects; it does nothing then. `shard` where there is one. */
  onCall: (call: ClusterCall, shard: number | undefined) => Error | undefined = () => undefined;
  /** Whether a call is done and rejects nevertheless, as one whose answer got lost. */
  onAnswer: (call: ClusterCall, shard: number | undefined) => Error | undefined = () => undefined;
  /** What becomes of a message that this node publishes. */
  onPublish: (channel: Channel, payload: Uint8Array) => 'lost' | undefined = () => undefined;
  /** What becomes of a message that reaches this node, the store's own (empty) ones included. */
  onMessage: (channel: Channel, payload: Uint8Array) => Fate = () => undefined;
  readonly #inner: ClusterStore;
  readonly #clock: Clock;
  readonly #listenings = new Set<Listening>();
  #isInterrupted: (channel: Channel) => boolean = () => false;
  #isDead = false;
  #gate: { readonly opened: Promise<void>; readonly open: () => void } | undefined;

  constructor(inner: ClusterStore, clock: Clock) {
    this.#inner = inner;
    this.#clock = clock;
  }

  /**
   * The subscriptions of this node break, or those to some channels: messages are lost until the returned function is
   * called, which tells `active`.
   */
  interrupt(isMeant: (channel: Channel) => boolean = () => true): () => void {
    this.#isInterrupted = isMeant;
    return () => {
      this.#isInterrupted = () => false;
      for (const listening of this.#listenings) {
        if (!isMeant(listening.channel)) continue;
        this.#clock.soon(() => {
          if (!this.#isDead && this.#listenings.has(listening)) listening.listener.active();
        });
      }
    };
  }

  /** From here on messages to this node wait. Gives what lets them go on, in order. */
  hold(): () => void {
    if (this.#gate === undefined) {
      let open = (): void => undefined;
      const opened = new Promise<void>((resolve) => {
        open = resolve;
      });
      this.#gate = { opened, open };
    }
    const { open } = this.#gate;
    return () => {
      this.#gate = undefined;
      open();
    };
  }

  /** The process dies: it reaches nobody, and nobody reaches it. */
  crash(): void {
    this.#isDead = true;
  }

  beat(node: NodeInfo, ttlMs: number): Promise<ClusterView | false> {
    return this.#call('beat', undefined, () => this.#inner.beat(node, ttlMs));
  }

  view(): Promise<ClusterView> {
    return this.#call('view', undefined, () => this.#inner.view());
  }

  leave(id: string, nonce: string): Promise<void> {
    return this.#call('leave', undefined, () => this.#inner.leave(id, nonce));
  }

  drain(id: string, isDraining: boolean): Promise<boolean> {
    return this.#call('drain', undefined, () => this.#inner.drain(id, isDraining));
  }

  pin(shard: number, node: string | undefined): Promise<void> {
    return this.#call('pin', shard, () => this.#inner.pin(shard, node));
  }

  statuses(shards: readonly number[]): Promise<readonly ShardStatus[]> {
    return this.#call('statuses', undefined, () => this.#inner.statuses(shards));
  }

  send(shard: number, payload: Uint8Array, max: number, actor?: Address): Promise<'sent' | 'full'> {
    return this.#call('send', shard, () => this.#inner.send(shard, payload, max, actor));
  }

  readInbox(shard: number, after: number, limit: number): Promise<readonly InboxRecord[]> {
    return this.#call('readInbox', shard, () => this.#inner.readInbox(shard, after, limit));
  }

  publish(channel: Channel, payload: Uint8Array, lost?: () => void): void {
    this.#count('publish');
    if (this.#isDead) return;
    if (this.onPublish(channel, payload) === 'lost') return lost?.();
    this.#inner.publish(channel, payload, lost);
  }

  listen(channel: Channel, listener: ChannelListener): () => void {
    this.#count('listen');
    const listening: Listening = { channel, listener, queue: Promise.resolve(), queued: 0 };
    this.#listenings.add(listening);
    const stop = this.#inner.listen(channel, {
      message: (payload) => this.#arrived(listening, payload),
      active: () => {
        if (!this.#isDead && !this.#isInterrupted(channel)) listener.active();
      },
    });
    return () => {
      this.#listenings.delete(listening);
      stop();
    };
  }

  #arrived(listening: Listening, payload: Uint8Array): void {
    if (this.#isDead || this.#isInterrupted(listening.channel)) return;
    const fate = this.onMessage(listening.channel, payload);
    if (fate === 'lost') return;
    const give = (): void => {
      if (!this.#isDead && this.#listenings.has(listening)) listening.listener.message(payload);
    };
    if (fate === undefined && this.#gate === undefined && listening.queued === 0) return give();
    const late = fate === undefined ? undefined : this.#after(fate.lateMs);
    const before = listening.queue;
    const gate = this.#gate?.opened;
    listening.queued += 1;
    listening.queue = (async () => {
      await before;
      await Promise.all([late, gate]);
      listening.queued -= 1;
      give();
    })();
  }

  #after(ms: number): Promise<void> {
    return new Promise((resolve) => this.#clock.after(ms, resolve));
  }

  async #call<T>(call: ClusterCall, shard: number | undefined, work: () => Promise<T>): Promise<T> {
    this.#count(call);
    const refusal = this.#isDead ? dead() : this.onCall(call, shard);
    if (refusal !== undefined) throw refusal;
    const answer = await work();
    const loss = this.#isDead ? dead() : this.onAnswer(call, shard);
    if (loss !== undefined) throw loss;
    return answer;
  }

  #count(call: ClusterCall): void {
    this.calls.set(call, (this.calls.get(call) ?? 0) + 1);
  }
}

function dead(): TroupeError {
  return new TroupeError('STOPPED', 'The process is dead.', { sent: false });
}

/** What `send` rejects with: nothing has happened, or nobody knows. */
export function unreachableStore(sent: boolean): TroupeError {
  return new TroupeError('JOURNAL_UNAVAILABLE', 'unreachable on purpose', { sent });
}
