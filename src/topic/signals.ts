/**
 * Signals: what is said to whoever listens at the moment, on any node, and kept nowhere: who is typing, who is there. They
 * may get lost, and come in the order in which one process said them. A topic names whom a signal is for, and needs to
 * exist no more than that.
 *
 * `LocalSignals` is for one process; `cluster/signals.ts` carries them between nodes.
 */

import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { Log } from '../log.ts';

export interface SignalListener {
  /** `from` is the process that said it. What it said itself comes as well. */
  signal(data: unknown, from: string): void;
  /** From here on signals of others arrive. Called after `listen`, and again after every interruption. */
  active(): void;
}

export interface Signals {
  /** This process, as others know it; another one after a restart. */
  readonly self: string;
  send(topic: string, data: unknown): void;
  /** Calls the listener until the returned function is called. */
  listen(topic: string, listener: SignalListener): () => void;
  /** The processes that may be listening, this one included. */
  present(): ReadonlySet<string>;
  /** Calls `changed` whenever a process has come or gone, until the returned function is called. */
  watch(changed: () => void): () => void;
}

export class LocalSignals implements Signals {
  readonly self: string;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #topics = new Map<string, Set<SignalListener>>();

  constructor(self: string, clock: Clock, log: Log) {
    this.self = self;
    this.#clock = clock;
    this.#log = log;
  }

  send(topic: string, data: unknown): void {
    this.#clock.soon(() => this.hear(topic, data, this.self));
  }

  listen(topic: string, listener: SignalListener): () => void {
    let listeners = this.#topics.get(topic);
    if (listeners === undefined) {
      listeners = new Set();
      this.#topics.set(topic, listeners);
    }
    listeners.add(listener);
    this.#clock.soon(() => {
      if (this.#topics.get(topic)?.has(listener) === true) listener.active();
    });
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#topics.get(topic) === listeners) this.#topics.delete(topic);
    };
  }

  present(): ReadonlySet<string> {
    return new Set([this.self]);
  }

  watch(): () => void {
    return () => undefined;
  }

  /** Hands a signal to those who listen here. */
  hear(topic: string, data: unknown, from: string): void {
    for (const listener of [...(this.#topics.get(topic) ?? [])]) {
      try {
        listener.signal(data, from);
      } catch (error) {
        this.#log.error({ topic }, `a listener of ${topic} failed: ${messageOf(error)}`);
      }
    }
  }
}
