/**
 * Who follows a channel, on all nodes. Each process knows its own clients and tells the others by signals: when one comes
 * or goes, when it is asked, and from time to time all of them, so that a lost signal is made up for. What a process that
 * is gone had told is forgotten. Nothing of it is kept anywhere.
 *
 * Whoever asks right after the first client of a channel came here waits for the other processes' answers, `settleMs` at
 * most: a process that is slower than that is heard of by joins.
 */

import type { Clock } from '../../clock.ts';
import type { Signals } from '../../topic/signals.ts';
import type { ClientInfo } from './protocol.ts';

export type PresenceSignal =
  | { readonly kind: 'join'; readonly info: ClientInfo }
  | { readonly kind: 'leave'; readonly client: string }
  | { readonly kind: 'who' }
  | { readonly kind: 'here'; readonly infos: readonly ClientInfo[] };

export interface PresenceOptions {
  readonly topic: string;
  readonly signals: Signals;
  readonly clock: Clock;
  joined(info: ClientInfo): void;
  left(info: ClientInfo): void;
}

interface Elsewhere {
  clients: Map<string, ClientInfo>;
  /** It was on the list of those who are there. */
  wasPresent: boolean;
  /** Monotonic ms. */
  heardAt: number;
}

const settleMs = 250;
/** A process that is on no list and silent for so long is gone. */
const silentMsMax = 90_000;

export class ChannelPresence {
  readonly #options: PresenceOptions;
  readonly #here = new Map<string, ClientInfo>();
  readonly #there = new Map<string, Elsewhere>();
  readonly #unwatch: () => void;
  readonly #cancelSettling: () => void;
  readonly #settled: Promise<void>;
  #settle: () => void = () => undefined;
  #isSettled = false;

  constructor(options: PresenceOptions) {
    this.#options = options;
    const { clock, signals } = options;
    this.#settled = new Promise((resolve) => {
      this.#settle = () => {
        this.#isSettled = true;
        resolve();
      };
    });
    this.#cancelSettling = clock.after(settleMs, () => this.#settle());
    this.#unwatch = signals.watch(() => this.#looked());
    this.#settleIfAll();
  }

  stop(): void {
    this.#unwatch();
    this.#cancelSettling();
    this.#settle();
  }

  enter(info: ClientInfo): void {
    this.#here.set(info.client, info);
    this.#say({ kind: 'join', info });
    this.#options.joined(info);
  }

  leave(client: string): void {
    const info = this.#here.get(client);
    if (info === undefined) return;
    this.#here.delete(client);
    this.#say({ kind: 'leave', client });
    this.#options.left(info);
  }

  async all(): Promise<readonly ClientInfo[]> {
    await this.#settled;
    return [...this.#here.values(), ...[...this.#there.values()].flatMap(({ clients }) => [...clients.values()])];
  }

  /** Others are heard from here on. */
  active(): void {
    this.#say({ kind: 'who' });
    this.announce();
  }

  /** Tells the others who is here, and forgets those who are gone. */
  announce(): void {
    this.#looked();
    this.#say({ kind: 'here', infos: [...this.#here.values()] });
  }

  hear(signal: PresenceSignal, from: string): void {
    if (from === this.#options.signals.self) return;
    if (signal.kind === 'who') {
      this.#say({ kind: 'here', infos: [...this.#here.values()] });
      return;
    }
    const node = this.#nodeOf(from);
    if (signal.kind === 'join') this.#join(node, signal.info, true);
    else if (signal.kind === 'leave') this.#leave(node, signal.client);
    else this.#replace(node, signal.infos);
  }

  #nodeOf(from: string): Elsewhere {
    const { clock, signals } = this.#options;
    const node = this.#there.get(from) ?? { clients: new Map(), wasPresent: signals.present().has(from), heardAt: 0 };
    node.heardAt = clock.monotonic();
    this.#there.set(from, node);
    return node;
  }

  #replace(node: Elsewhere, infos: readonly ClientInfo[]): void {
    const named = new Set(infos.map(({ client }) => client));
    for (const client of [...node.clients.keys()]) if (!named.has(client)) this.#leave(node, client);
    // Who was there before anybody here asked has not just come.
    for (const info of infos) this.#join(node, info, this.#isSettled);
    this.#settleIfAll();
  }

  #join(node: Elsewhere, info: ClientInfo, isNews: boolean): void {
    if (node.clients.has(info.client)) return;
    node.clients.set(info.client, info);
    if (isNews) this.#options.joined(info);
  }

  #leave(node: Elsewhere, client: string): void {
    const info = node.clients.get(client);
    if (info === undefined) return;
    node.clients.delete(client);
    this.#options.left(info);
  }

  /** Forgets processes that are gone. */
  #looked(): void {
    const { signals, clock } = this.#options;
    const present = signals.present();
    for (const [nonce, node] of this.#there) {
      if (present.has(nonce)) {
        node.wasPresent = true;
        continue;
      }
      // One that has just come may be heard before it is on the list.
      if (!node.wasPresent && clock.monotonic() - node.heardAt < silentMsMax) continue;
      this.#there.delete(nonce);
      for (const info of node.clients.values()) this.#options.left(info);
    }
    this.#settleIfAll();
  }

  #settleIfAll(): void {
    if (this.#isSettled) return;
    const { signals } = this.#options;
    if ([...signals.present()].every((nonce) => nonce === signals.self || this.#there.has(nonce))) this.#settle();
  }

  #say(signal: PresenceSignal): void {
    this.#options.signals.send(this.#options.topic, signal);
  }
}
