/**
 * The wire to a Redis Cluster: one connection per primary that is used, and one lane per slot (lane.ts), so that calls of
 * one slot keep their order when the slot moves. A primary that dies takes the calls that were sent to it along
 * (`ConnectionLost`); what was not sent waits for whoever the cluster puts in its place, until its deadline.
 *
 * What is said in one turn of the event loop on channels of one primary leaves as one call (publisher.ts). A message of it whose
 * slot has moved comes back, and its lane sends it on as it does with calls: as a command of its own, which the server tells where to go.
 *
 * A channel is subscribed to at the primary of its slot, and follows it. Since a server does not always say that it has
 * lost a slot, the map is also read every `pollMs` while somebody listens.
 *
 * It deliberately reads nothing from replicas: they may be behind what was answered.
 */

import type { Clock } from '../../clock.ts';
import { type Confirmation, GivenBack, NotSent, RedisConnection, type Reply } from './connection.ts';
import type { ClusterAccess, Endpoint } from './endpoint.ts';
import { Lane, type LaneCall, type Route } from './lane.ts';
import { NotPublished, type Published, Publisher } from './publisher.ts';
import { commandOf } from './resp.ts';
import { hostPortOf, redirectOf, slotOf } from './slots.ts';
import { SubscriberConnection } from './subscriber.ts';
import { Subscriptions } from './subscriptions.ts';
import { Topology } from './topology.ts';
import type { SendOptions, Wire, WireListener } from './wire.ts';

export interface ClusterWireOptions {
  readonly name: string;
  readonly access: ClusterAccess;
  readonly deadlineMs: number;
  readonly clock: Clock;
  readonly confirmation?: Confirmation | undefined;
}

/** A primary's connection for calls. */
interface Link {
  readonly connection: RedisConnection;
  readonly publisher: Publisher;
}

const pingBytes = commandOf('PING').done();
/** Between readings of the map while somebody listens. */
const pollMs = 5_000;
/** Until a channel that was refused is asked for again. */
const askAgainMs = 100;

export class ClusterWire implements Wire {
  readonly name: string;
  readonly #options: ClusterWireOptions;
  readonly #topology: Topology;
  readonly #links = new Map<string, Link>();
  readonly #lanes = new Map<number, Lane>();
  readonly #route: Route;
  readonly #subscriptions: Subscriptions;
  readonly #subscribers = new Map<string, SubscriberConnection>();
  /** Where each channel is subscribed to. */
  readonly #places = new Map<string, string>();
  readonly #closing: Promise<void>[] = [];
  #cancelPoll: (() => void) | undefined;
  #unsettled = 0;
  #onSettled: (() => void) | undefined;
  #closed = false;

  constructor(options: ClusterWireOptions) {
    this.name = options.name;
    this.#options = options;
    const { access, clock } = options;
    const onChange = (): void => this.#rearrange();
    this.#topology = new Topology({ access, clock, onChange, isDoubtful: () => this.#isDoubtful() });
    this.#route = {
      send: (call) => this.#dispatch(call),
      verdict: (call, error) => this.#verdict(call, error),
    };
    this.#subscriptions = new Subscriptions({
      open: (channel) => this.#open(channel),
      end: (channel) => this.#leave(channel),
    });
    this.#topology.refresh();
  }

  send(key: string, bytes: Buffer, { isReplicated = false }: SendOptions = {}): Promise<Reply> {
    return new Promise((resolve, reject) => this.#enqueue(slotOf(key), bytes, isReplicated, resolve, reject));
  }

  async sendToAll(bytes: Buffer): Promise<readonly Reply[]> {
    // A call with a key waits for the map; so does this one.
    if (this.#topology.primaries().length === 0) await this.send('', pingBytes);
    return Promise.all(this.#topology.primaries().map((node) => this.#linkTo(node).connection.send(bytes)));
  }

  publish(channel: string, payload: Uint8Array, told: Published): void {
    // Not within the lane, which is not done by then.
    const settle = (error?: Error): void => queueMicrotask(() => told(error));
    this.#enqueue(slotOf(channel), { channel, payload }, false, () => settle(), settle);
  }

  listen(channel: string, listener: WireListener): () => void {
    this.#poll();
    return this.#subscriptions.listen(channel, listener);
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const subscriber of this.#subscribers.values()) subscriber.close();
    this.#cancelPoll?.();
    if (this.#unsettled > 0) {
      await new Promise<void>((resolve) => {
        this.#onSettled = resolve;
      });
    }
    this.#topology.close();
    await Promise.all([...this.#closing, ...[...this.#links.values()].map(({ connection }) => connection.close())]);
  }

  #enqueue(
    slot: number,
    what: LaneCall['what'],
    isReplicated: boolean,
    resolve: LaneCall['resolve'],
    reject: LaneCall['reject'],
  ): void {
    if (this.#closed) return reject(new NotSent('The journal is closed.'));
    let lane = this.#lanes.get(slot);
    if (lane === undefined) {
      lane = new Lane(slot, this.#route, this.#options.clock);
      this.#lanes.set(slot, lane);
    }
    this.#unsettled += 1;
    lane.send({
      what,
      isReplicated,
      deadline: this.#options.clock.monotonic() + this.#options.deadlineMs,
      resolve: (reply) => {
        this.#settled();
        resolve(reply);
      },
      reject: (error) => {
        this.#settled();
        reject(error);
      },
    });
  }

  #settled(): void {
    this.#unsettled -= 1;
    if (this.#unsettled === 0) this.#onSettled?.();
  }

  #dispatch(call: LaneCall): Promise<Reply> {
    const node = call.askedOf ?? this.#topology.ownerOf(call.slot);
    if (node === undefined) {
      return Promise.reject(new GivenBack(`No server is known to have slot ${call.slot} (${this.#topology.trouble}).`));
    }
    call.sentTo = node;
    const { what, deadline, isReplicated } = call;
    const { connection, publisher } = this.#linkTo(node);
    const isAsking = call.askedOf !== undefined;
    if (what instanceof Uint8Array) return connection.send(what, { deadline, isReplicated, isAsking });
    if (call.repeats > 0) return publisher.publishAlone(what, { deadline, isAsking });
    return new Promise((resolve, reject) => {
      const told: Published = (error) => (error === undefined ? resolve(null) : reject(error));
      publisher.publish(what.channel, what.payload, told, deadline);
    });
  }

  /** What an error means for a call; an ASK is for one attempt only. */
  #verdict(call: LaneCall, error: Error): ReturnType<Route['verdict']> {
    call.askedOf = undefined;
    // It goes out again alone, and the server says where to.
    if (error instanceof NotPublished) return 'at once';
    if (error instanceof GivenBack) {
      this.#topology.refresh();
      return this.#topology.ownerOf(call.slot) === undefined ? 'later' : 'at once';
    }
    const redirect = error.name === 'ReplyError' ? redirectOf(error.message, call.sentTo) : undefined;
    if (redirect === undefined) return 'final';
    if (redirect.kind === 'ask') {
      call.askedOf = redirect.node;
      return 'at once';
    }
    if (redirect.kind === 'moved') this.#topology.moved(redirect.slot, redirect.node);
    this.#topology.refresh();
    return redirect.kind === 'moved' ? 'at once' : 'later';
  }

  #endpointOf(node: string): Endpoint {
    return { options: { ...this.#options.access.credentials, ...hostPortOf(node) } };
  }

  #linkTo(node: string): Link {
    let link = this.#links.get(node);
    if (link === undefined) {
      const { deadlineMs, clock, confirmation } = this.#options;
      const onLost = (): void => this.#topology.refresh();
      const endpoint = this.#endpointOf(node);
      const options = { endpoint, deadlineMs, clock, confirmation, onLost, isLeftAsReplica: false };
      const connection = new RedisConnection(options);
      link = { connection, publisher: new Publisher(connection, 'tell each') };
      this.#links.set(node, link);
    }
    return link;
  }

  /** The map may be wrong while a connection that it asks for does not come up. */
  #isDoubtful(): boolean {
    const primaries = this.#topology.primaries();
    if (primaries.length === 0) return true;
    for (const { connection } of this.#links.values()) if (!connection.isReady) return true;
    for (const channel of this.#subscriptions.channels) {
      if (this.#topology.ownerOf(slotOf(channel)) === undefined) return true;
    }
    return false;
  }

  /** The map has changed: calls that were not sent yet, and channels, go where their slots are. */
  #rearrange(): void {
    const primaries = new Set(this.#topology.primaries());
    for (const [node, { connection }] of [...this.#links]) {
      // What waits for a connection that is there goes out at once, and comes back if it is the wrong one.
      if (primaries.has(node) && connection.isReady) continue;
      connection.giveBack();
      if (primaries.has(node)) continue;
      this.#links.delete(node);
      this.#retire(connection);
    }
    for (const channel of this.#subscriptions.channels) this.#place(channel);
    for (const [node, subscriber] of [...this.#subscribers]) {
      if (primaries.has(node)) continue;
      this.#subscribers.delete(node);
      subscriber.close();
    }
  }

  #retire(connection: RedisConnection): void {
    const closed = connection.close().then(() => {
      this.#closing.splice(this.#closing.indexOf(closed), 1);
    });
    this.#closing.push(closed);
  }

  #open(channel: string): void {
    this.#place(channel);
    if (!this.#places.has(channel)) this.#topology.refresh();
  }

  #place(channel: string): void {
    const owner = this.#topology.ownerOf(slotOf(channel));
    const place = this.#places.get(channel);
    if (owner === place || this.#closed) return;
    if (place !== undefined) {
      this.#leave(channel);
      this.#subscriptions.interrupted(channel);
    }
    if (owner === undefined) return;
    this.#places.set(channel, owner);
    this.#subscriberTo(owner).add(channel);
  }

  #leave(channel: string): void {
    const place = this.#places.get(channel);
    this.#places.delete(channel);
    if (place !== undefined) this.#subscribers.get(place)?.remove(channel);
  }

  #refused(channel: string, node: string): void {
    if (this.#places.get(channel) !== node) return;
    this.#leave(channel);
    this.#topology.refresh();
    this.#options.clock.after(askAgainMs, () => {
      if (!this.#closed && this.#subscriptions.has(channel)) this.#place(channel);
    });
  }

  #subscriberTo(node: string): SubscriberConnection {
    let subscriber = this.#subscribers.get(node);
    if (subscriber === undefined) {
      const { deadlineMs, clock } = this.#options;
      subscriber = new SubscriberConnection(this.#endpointOf(node), deadlineMs, clock, {
        message: (channel, payload) => this.#subscriptions.message(channel, payload),
        subscribed: (channel) => this.#subscriptions.activated(channel),
        interrupted: (channel) => this.#subscriptions.interrupted(channel),
        refused: (channel) => this.#refused(channel, node),
        lost: () => this.#topology.refresh(),
      });
      this.#subscribers.set(node, subscriber);
    }
    return subscriber;
  }

  #poll(): void {
    this.#cancelPoll ??= this.#options.clock.after(pollMs, () => {
      this.#cancelPoll = undefined;
      if (this.#closed || this.#subscriptions.size === 0) return;
      this.#topology.refresh();
      this.#poll();
    });
  }
}
