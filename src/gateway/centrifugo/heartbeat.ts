/**
 * Pings of the server and the client's answers to them: a client that does not answer in time is taken for gone. The first
 * ping comes after half of the pause or more, by chance, so that clients that connected at once are not pinged at once.
 */

import type { Clock } from '../../clock.ts';

export interface HeartbeatOptions {
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly chance: number;
  readonly pingMs: number;
  /** How long an answer may take; less than `pingMs`. */
  readonly pongMs: number;
  ping(): void;
  gone(): void;
}

export class Heartbeat {
  readonly #options: HeartbeatOptions;
  #hasPonged = false;
  #cancel: () => void;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    const { clock, pingMs, chance } = options;
    this.#cancel = clock.after(pingMs * (0.5 + chance / 2), () => this.#ping());
  }

  pong(): void {
    this.#hasPonged = true;
  }

  stop(): void {
    this.#cancel();
  }

  #ping(): void {
    const { clock, pongMs, ping } = this.#options;
    this.#hasPonged = false;
    ping();
    this.#cancel = clock.after(pongMs, () => this.#look());
  }

  #look(): void {
    const { clock, pingMs, pongMs, gone } = this.#options;
    if (this.#hasPonged) this.#cancel = clock.after(pingMs - pongMs, () => this.#ping());
    else gone();
  }
}
