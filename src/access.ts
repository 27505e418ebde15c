/**
 * The public face of an open system (actor-system.ts), on top of its shards: references to actors, reads of views and
 * topics. It decides nothing; each call becomes a delivery in a mailbox or a read of the journal.
 */

import { type Address, addressOf, isUuid, parseAddress, shardOf } from './actor/address.ts';
import type { ActorDefinition, SnapshotOf } from './actor/definition.ts';
import type { AnyEvent, Envelope } from './actor/envelope.ts';
import { type HostedMachine, isForeignEvent } from './actor/logic.ts';
import type { ActorRef, ActorState, ActorSystem, HistoryEntry, SendOptions } from './actor-system.ts';
import type { Clock } from './clock.ts';
import type { Cluster } from './cluster/cluster.ts';
import type { Request } from './cluster/messages.ts';
import { cutOffError } from './cluster/reach.ts';
import { TroupeError } from './errors.ts';
import type { Ids } from './ids.ts';
import { decode } from './journal/codec.ts';
import type { Journal, RangeOptions } from './journal/journal.ts';
import type { Limits } from './limits.ts';
import { rehydrate } from './shard/cell.ts';
import type { Barrier, Command, Read, ReadState, Waiting } from './shard/delivery.ts';
import type { Shard } from './shard/shard.ts';
import type { Hub, Listener } from './topic/hub.ts';
import type { Signals } from './topic/signals.ts';
import { type TopicHistory, topicShard } from './topic/topic.ts';

export interface AccessOptions {
  readonly journal: Journal;
  readonly shards: readonly Shard[];
  readonly hosted: ReadonlyMap<string, HostedMachine>;
  readonly hub: Hub;
  readonly signals: Signals;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly limits: Limits;
  /** Where there are other nodes: those who own what is not owned here. */
  readonly cluster?: Cluster;
  readonly stop: () => Promise<void>;
}

/** What a shard of another node gives for a state. */
type FarState = { readonly version: number; readonly state: Uint8Array } | null;

interface KeyedRow<T> {
  readonly key: string;
  readonly value: T;
}

/** Entries read at once by `history`. */
const historyPage = 1_000;

/** Settles as `promise` does, or rejects with ASK_TIMEOUT after `ms`. */
function within<T>(promise: Promise<T>, ms: number, clock: Clock, what: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(ms, () => reject(new TroupeError('ASK_TIMEOUT', `${what} took longer than ${ms} ms.`)), {
      keepAlive: true,
    });
    promise.then(resolve, reject).finally(cancel);
  });
}

export class Access implements ActorSystem {
  readonly journal: Journal;
  readonly shards: number;
  readonly signals: Signals;
  readonly #options: AccessOptions;

  constructor(options: AccessOptions) {
    this.#options = options;
    this.journal = options.journal;
    this.shards = options.shards.length;
    this.signals = options.signals;
  }

  actor<TDefinition extends ActorDefinition>(definition: TDefinition, id: string): ActorRef<TDefinition> {
    const { hosted, limits, clock } = this.#options;
    if (hosted.get(definition.type)?.definition !== definition) {
      throw new TroupeError(
        'ACTOR_TYPE_UNKNOWN',
        `The system was opened without the definition of "${definition.type}".`,
      );
    }
    if (!isUuid(id)) throw new TroupeError('ADDRESS_INVALID', `"${id}" is not a UUID in lower case.`, { id });
    const address = addressOf(definition.type, id);
    const shard = this.#shardFor(definition.shardKey(id));
    return {
      address,
      tell: async (event, options) => {
        await this.#command(shard, address, event, options, false);
      },
      ask: (event, options) => {
        const answer = this.#command(shard, address, event, options, true);
        return within(answer, options?.deadlineMs ?? limits.askMs, clock, `The answer of ${address} to ${event.type}`);
      },
      snapshot: () =>
        this.#read(shard, address, hosted.get(definition.type)!) as Promise<
          ActorState<SnapshotOf<TDefinition>> | undefined
        >,
      history: () => this.#history(shard.shard, address),
    };
  }

  mint(near?: string): string {
    const id = this.#options.ids.mint(near);
    const shard = this.#shardFor(id);
    if (shard.isOpen) shard.minted(id);
    else this.#options.cluster?.fresh.minted(id);
    return id;
  }

  now(): number {
    return this.#options.clock.now();
  }

  subscribe(topic: string, listener: Listener): () => void {
    topicShard(topic, this.shards);
    return this.#options.hub.subscribe(topic, listener);
  }

  listening(topic: string): Promise<void> | undefined {
    return this.#options.hub.listening(topic);
  }

  async readTopic(
    topic: string,
    position: { readonly offset: number; readonly epoch?: string; readonly limit?: number },
  ): Promise<TopicHistory> {
    const { limits } = this.#options;
    const limit = Math.min(position.limit ?? limits.topicHistoryMax, limits.topicHistoryMax);
    const page = await this.journal.readTopic(topicShard(topic, this.shards), topic, position.offset, limit);
    const isSameEpoch = position.epoch === undefined || position.epoch === page.epoch;
    return {
      epoch: page.epoch,
      head: page.head,
      recovered: isSameEpoch && position.offset >= page.oldest - 1 && position.offset <= page.head,
      publications: page.publications.map(({ offset, payload }) => ({ topic, offset, data: decode(payload) })),
    };
  }

  async rows<T>(view: string, near: string, keys: readonly string[]): Promise<readonly (T | undefined)[]> {
    const rows = await this.journal.readRows(this.#shardFor(near).shard, view, keys);
    return rows.map((row) => (row === undefined ? undefined : decode<T>(row)));
  }

  range<T>(view: string, near: string, options: RangeOptions): Promise<readonly KeyedRow<T>[]> {
    return this.#range(this.#shardFor(near).shard, view, options);
  }

  async rangeOfAll<T>(view: string, options: RangeOptions): Promise<readonly KeyedRow<T>[]> {
    const pages = await Promise.all(this.#options.shards.map(({ shard }) => this.#range<T>(shard, view, options)));
    const direction = options.reverse === true ? -1 : 1;
    return pages
      .flat()
      .sort((a, b) => (a.key < b.key ? -direction : direction))
      .slice(0, options.limit);
  }

  settled(operation: string, near: string, deadlineMs?: number): Promise<void> {
    const { limits, clock } = this.#options;
    const shard = this.#shardFor(near);
    const done = this.#deliver<void>(
      shard,
      { kind: 'settled', operation },
      deadlineMs ?? limits.askMs,
      ({ resolve, reject }) => {
        const lost = (): void => reject(new TroupeError('SHARD_LOST', 'The shard went elsewhere.'));
        const drained = (): void => shard.outbox.whenDrained(operation, resolve, lost);
        return { kind: 'barrier', waiting: { resolve: drained, reject }, attempts: 0 };
      },
    );
    return within(done, deadlineMs ?? limits.askMs, clock, `Settling operation ${operation}`);
  }

  ready(): boolean {
    const { cluster, shards } = this.#options;
    return cluster === undefined ? shards.every((shard) => shard.isOpen) : cluster.node.isReady;
  }

  stop(): Promise<void> {
    return this.#options.stop();
  }

  #shardFor(id: string): Shard {
    if (!isUuid(id)) throw new TroupeError('ADDRESS_INVALID', `"${id}" is not a UUID in lower case.`, { id });
    return this.#options.shards[shardOf(id, this.shards)]!;
  }

  #command(
    shard: Shard,
    to: Address,
    event: AnyEvent,
    options: (SendOptions & { readonly deadlineMs?: number }) | undefined,
    wantsReply: boolean,
  ): Promise<unknown> {
    if (!isForeignEvent(event)) {
      const message = `"${event?.type}" is not taken from outside a machine; an event has a type that does not begin with "xstate.".`;
      return Promise.reject(new TroupeError('EVENT_REFUSED', message));
    }
    const envelope: Envelope = {
      id: this.#options.ids.nonce(),
      to,
      from: undefined,
      event,
      operation: options?.operation,
      trace: options?.trace,
    };
    const deadlineMs = options?.deadlineMs ?? this.#options.limits.askMs;
    const isRepeatable = options?.isRepeatable === true;
    const fresh = this.#options.cluster?.fresh.take(to, event) ?? [];
    const hint = fresh.length === 0 ? undefined : { fresh };
    const request: Request = { kind: 'command', envelope, wantsReply, isRepeatable, ...hint };
    return this.#deliver<unknown>(shard, request, deadlineMs, (waiting) => ({
      kind: 'command',
      envelope,
      payload: undefined,
      wantsReply,
      waiting,
      inbox: undefined,
      attempts: 0,
    }));
  }

  #read(shard: Shard, address: Address, hosted: HostedMachine): Promise<ReadState | undefined> {
    const { askMs } = this.#options.limits;
    return this.#deliver<ReadState | undefined>(
      shard,
      { kind: 'read', address },
      askMs,
      (waiting) => ({ kind: 'read', address, waiting, attempts: 0 }),
      (answer) => this.#revived(shard, address, hosted, answer as FarState),
    );
  }

  /**
   * Into the mailbox of a shard that is owned here, else into the inbox of the one that is not; the same for a delivery
   * that its shard gave back untouched because it is going elsewhere.
   */
  #deliver<T>(
    shard: Shard,
    request: Request,
    deadlineMs: number,
    deliveryOf: (waiting: Waiting<T>) => Command | Read | Barrier,
    answerOf: (answer: unknown) => T | Promise<T> = (answer) => answer as T,
  ): Promise<T> {
    const { cluster } = this.#options;
    return new Promise((resolve, reject) => {
      const refuse = (error: Error): void => {
        const code = error instanceof TroupeError ? error.code : undefined;
        const mayRepeat = request.kind !== 'command' || request.isRepeatable === true;
        const isUnknown = cluster !== undefined && mayRepeat && code === 'JOURNAL_UNAVAILABLE';
        if (code !== 'SHARD_LOST' && !isUnknown) reject(error);
        else if (cluster === undefined) reject(new TroupeError('STOPPED', 'This node is stopping.'));
        else cluster.ask(shard.shard, request, deadlineMs).then((answer) => resolve(answerOf(answer)), reject);
      };
      // A shard that is still here knows by its lease what it may do.
      if (cluster?.node.isCutOff === true && !shard.isHere) return reject(cutOffError());
      // The usual case among several nodes, and no error is made to say so.
      if (cluster !== undefined && !shard.isWanted && shard.failure === undefined) {
        cluster.ask(shard.shard, request, deadlineMs).then((answer) => resolve(answerOf(answer)), reject);
        return;
      }
      const refused = shard.offer(deliveryOf({ resolve, reject: refuse }));
      if (refused !== undefined) refuse(refused);
    });
  }

  /** The state that another node has sent; from the journal when that node's version of the machine is another one. */
  async #revived(shard: Shard, address: Address, hosted: HostedMachine, far: FarState): Promise<ReadState | undefined> {
    if (far === null) return undefined;
    const state = hosted.restore(far.state);
    if (state !== undefined) return { version: far.version, state };
    const [record] = await this.journal.readActors(shard.shard, [address]);
    return rehydrate(this.journal, shard.shard, hosted, address, record);
  }

  async #history(shard: number, address: Address): Promise<readonly HistoryEntry[]> {
    parseAddress(address);
    const history: HistoryEntry[] = [];
    for (let after = 0; ; ) {
      const page = await this.journal.readEntries(shard, after, historyPage);
      for (const entry of page) {
        if (entry instanceof Error) throw entry;
        after = entry.seq;
        if (entry.actor !== address) continue;
        const { seq, version, emitted, from, operation, at, payload } = entry;
        history.push({ seq, version, event: decode<AnyEvent>(payload), emitted, from, operation, at });
      }
      if (page.length < historyPage) return history;
    }
  }

  async #range<T>(shard: number, view: string, options: RangeOptions): Promise<KeyedRow<T>[]> {
    const rows = await this.journal.readRange(shard, view, options);
    return rows.map(({ key, payload }) => ({ key, value: decode<T>(payload) }));
  }
}
