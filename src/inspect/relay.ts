/**
 * The inspection between nodes. A node at which somebody watches says so to all (again and again, so that one that comes
 * later knows, and one that has died is forgotten); the owners of the shards then send it what they see. Nothing is sent
 * while nobody watches.
 *
 * It guarantees that what waits to be sent is bounded, that a node is sent no more than a bound of steps a second, and that
 * the receiver is told how many steps were left out. The channels may lose messages: those that this process knows of are counted
 * as left out, others are not.
 */

import type { Address } from '../actor/address.ts';
import type { Clock } from '../clock.ts';
import type { ClusterStore } from '../cluster/cluster-store.ts';
import { messagesIn } from '../cluster/messages.ts';
import { RateLimiter } from '../gateway/token-bucket.ts';
import { encode } from '../journal/codec.ts';
import type { Log } from '../log.ts';
import { type Choice, chooses } from './choice.ts';
import type { InspectionLimits } from './inspection-limits.ts';
import type { Seen, Sighting } from './sighting.ts';

/** To all nodes. Kinds are only ever added, and an unknown one is ignored. */
type Wish =
  /** That node watches these; none: nothing any more. */
  | readonly ['watch', node: string, choices: readonly Choice[], n: number]
  /** That node has come: who watches? */
  | readonly ['who', node: string];

/** To one node. */
type Shown =
  | readonly ['seen', sightings: readonly Sighting[], skipped: number]
  /** That node has heard what is watched, up to the wish with this number. */
  | readonly ['heard', node: string, n: number];

interface Wanting {
  choices: readonly Choice[];
  /** Monotonic ms. */
  expiresAt: number;
  sightings: Sighting[];
  characters: number;
  skipped: number;
  isDue: boolean;
}

export interface RelayOptions {
  readonly node: string;
  readonly store: ClusterStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: InspectionLimits;
  /** Whether anything is wanted elsewhere may have changed. */
  wanted(): void;
  /** A shard of another node has made a step. */
  heard(sighting: Sighting): void;
  /** So many steps of other nodes are not shown. */
  skipped(steps: number): void;
}

const nodesMax = 256;
/** Wishes that a node has not heard again for so many times are forgotten. */
const forgottenAfter = 3;

export class Relay {
  readonly #options: RelayOptions;
  readonly #rate: RateLimiter;
  readonly #wanting = new Map<string, Wanting>();
  readonly #unlisten: () => void;
  #choices: readonly Choice[] = [];
  /** Rises with every change of the choices. */
  #n = 0;
  /** Up to which wish other nodes have heard, and who waits for that. */
  readonly #heard = new Map<string, number>();
  readonly #hearing = new Set<() => void>();
  #unlistenShown: (() => void) | undefined;
  #cancelAgain: (() => void) | undefined;

  constructor(options: RelayOptions) {
    const { store, clock, limits, node } = options;
    this.#options = options;
    this.#rate = new RateLimiter({ burst: limits.relayedPerSecond, perSecond: limits.relayedPerSecond }, clock);
    this.#unlisten = store.listen(
      { kind: 'watch' },
      {
        message: (payload) => this.#heardWishes(payload),
        // What was said meanwhile is said again, and whoever watches says it at once.
        active: () => this.#say(['who', node]),
      },
    );
  }

  /** Whether any other node watches anything. */
  get isWanted(): boolean {
    return this.#wanting.size > 0;
  }

  /** What is watched at this node, from here on. */
  want(choices: readonly Choice[]): void {
    const wasWanting = this.#choices.length > 0;
    this.#choices = choices;
    this.#n++;
    const isWanting = choices.length > 0;
    if (!wasWanting && !isWanting) return;
    if (!wasWanting) this.#listen();
    if (isWanting) return this.#sayAgain();
    this.#cancelAgain?.();
    this.#unlistenShown?.();
    this.#unlistenShown = undefined;
    this.#heard.clear();
    this.#sayChoices();
  }

  /** Resolves when all nodes that are there have heard what is watched here, or when that takes too long. Does not reject. */
  async isHeard(): Promise<void> {
    const { store, node, clock, limits } = this.#options;
    const n = this.#n;
    let others: readonly string[] | undefined;
    await new Promise<void>((resolve) => {
      const check = (): void => {
        if (others?.every((id) => (this.#heard.get(id) ?? 0) >= n) === true) done();
      };
      const cancel = clock.after(limits.heardMs, () => done(), { keepAlive: true });
      const done = (): void => {
        cancel();
        this.#hearing.delete(check);
        resolve();
      };
      this.#hearing.add(check);
      store.view().then(({ nodes }) => {
        others = nodes.map(({ id }) => id).filter((id) => id !== node);
        check();
      }, done);
    });
  }

  wants(actor: Address, operation: string | undefined): boolean {
    for (const { choices } of this.#wanting.values()) {
      if (choices.some((choice) => chooses(choice, actor, operation))) return true;
    }
    return false;
  }

  /** Sends a step of a shard of this node to the nodes that want it. */
  offer(seen: Seen): void {
    for (const [node, wanting] of this.#wanting) {
      if (wanting.choices.some((choice) => chooses(choice, seen.actor, seen.operation))) this.#add(node, wanting, seen);
    }
  }

  stop(): void {
    this.want([]);
    this.#unlisten();
    this.#wanting.clear();
  }

  #listen(): void {
    const { store, node } = this.#options;
    const message = (payload: Uint8Array): void => this.#heardShown(payload);
    this.#unlistenShown = store.listen({ kind: 'watcher', node }, { message, active: () => this.#sayChoices() });
  }

  /** Says what is watched, now and every `wishMs`. */
  #sayAgain(): void {
    const { clock, limits } = this.#options;
    this.#cancelAgain?.();
    this.#sayChoices();
    this.#cancelAgain = clock.after(limits.wishMs, () => this.#sayAgain());
  }

  #sayChoices(): void {
    this.#say(['watch', this.#options.node, this.#choices, this.#n]);
  }

  #say(wish: Wish): void {
    this.#options.store.publish({ kind: 'watch' }, encode([wish]));
  }

  #heardWishes(payload: Uint8Array): void {
    for (const wish of messagesIn<Wish>(payload, this.#options.log)) {
      if (wish[1] === this.#options.node) continue;
      if (wish[0] === 'who' && this.#choices.length > 0) this.#sayChoices();
      else if (wish[0] === 'watch') this.#note(wish[1], wish[2], wish[3]);
    }
  }

  #note(node: string, choices: readonly Choice[], n: number): void {
    const { store, clock, limits, wanted } = this.#options;
    if (choices.length === 0) this.#wanting.delete(node);
    else {
      const ms = limits.wishMs * forgottenAfter;
      const expiresAt = clock.monotonic() + ms;
      const known = this.#wanting.get(node);
      if (known !== undefined) Object.assign(known, { choices, expiresAt });
      else if (this.#wanting.size < nodesMax) {
        this.#wanting.set(node, { choices, expiresAt, sightings: [], characters: 0, skipped: 0, isDue: false });
        this.#forgetLater(node, ms);
      }
    }
    wanted();
    const heard: Shown = ['heard', this.#options.node, n];
    if (choices.length > 0) store.publish({ kind: 'watcher', node }, encode([heard]));
  }

  #forgetLater(node: string, ms: number): void {
    const { clock, wanted } = this.#options;
    clock.after(ms, () => {
      const wanting = this.#wanting.get(node);
      if (wanting === undefined) return;
      const left = wanting.expiresAt - clock.monotonic();
      if (left > 0) return this.#forgetLater(node, left);
      this.#wanting.delete(node);
      wanted();
    });
  }

  #add(node: string, wanting: Wanting, seen: Seen): void {
    const { clock, limits } = this.#options;
    const { sightings, characters } = wanting;
    const isFull = sightings.length >= limits.relayedMax || characters >= limits.relayedCharactersMax;
    if (isFull || this.#rate.take(node) > 0) wanting.skipped++;
    else {
      const sighting = seen.sighting();
      sightings.push(sighting);
      wanting.characters += sighting.event.length + sighting.state.length + sighting.note.length;
    }
    if (wanting.isDue) return;
    wanting.isDue = true;
    clock.soon(() => this.#send(node, wanting));
  }

  #send(node: string, wanting: Wanting): void {
    const { sightings, skipped } = wanting;
    Object.assign(wanting, { sightings: [], characters: 0, skipped: 0, isDue: false });
    const shown: Shown = ['seen', sightings, skipped];
    this.#options.store.publish({ kind: 'watcher', node }, encode([shown]), () => {
      wanting.skipped += sightings.length + skipped;
    });
  }

  #heardShown(payload: Uint8Array): void {
    for (const shown of messagesIn<Shown>(payload, this.#options.log)) {
      if (shown[0] === 'heard') {
        this.#heard.set(shown[1], shown[2]);
        for (const check of this.#hearing) check();
      } else if (shown[0] === 'seen') {
        const [, sightings, skipped] = shown;
        for (const sighting of sightings) this.#options.heard(sighting);
        if (skipped > 0) this.#options.skipped(skipped);
      }
    }
  }
}
