/**
 * The durable timers of one shard, as they stand after the newest turn. Due times are absolute and were written by the
 * commit that armed them, so neither a restart nor a takeover postpones one. A timer has a generation (the `seq` of the
 * entry that armed it): a firing that was already queued when its timer was cancelled or armed again finds another
 * generation and is dropped.
 */

import type { Clock } from '../clock.ts';
import type { TimerKey, TimerRecord } from '../journal/journal.ts';
import type { Firing } from './delivery.ts';

/** Firings handed over at once; more wait for the next round, so that a flood of due timers cannot hold the loop. */
const firingsMax = 1_000;

function keyOf(key: TimerKey): string {
  return `${key.actor} ${key.id}`;
}

export class Timers {
  readonly #clock: Clock;
  readonly #fire: (firing: Firing) => void;
  readonly #live = new Map<string, TimerRecord>();
  /** A binary heap by due time; entries whose timer is gone are skipped when they surface. */
  #heap: TimerRecord[] = [];
  #cancel: (() => void) | undefined;
  #armedFor = Number.POSITIVE_INFINITY;
  #running = false;

  constructor(clock: Clock, fire: (firing: Firing) => void) {
    this.#clock = clock;
    this.#fire = fire;
  }

  get size(): number {
    return this.#live.size;
  }

  /** Entries of the heap, those of timers that are gone included. */
  get heapSize(): number {
    return this.#heap.length;
  }

  load(records: readonly TimerRecord[]): void {
    this.stop();
    this.#live.clear();
    this.#heap = [];
    for (const record of records) this.set(record);
  }

  /** Lets due timers fire from here on. */
  start(): void {
    this.#running = true;
    this.#arm();
  }

  stop(): void {
    this.#running = false;
    this.#cancel?.();
    this.#cancel = undefined;
    this.#armedFor = Number.POSITIVE_INFINITY;
  }

  get(key: TimerKey): TimerRecord | undefined {
    return this.#live.get(keyOf(key));
  }

  set(record: TimerRecord): void {
    this.#live.set(keyOf(record), record);
    this.#push(record);
    // A heap of mostly cancelled timers is rebuilt from the live ones: memory follows open work.
    if (this.#heap.length > 64 && this.#heap.length > this.#live.size * 4) {
      this.#heap = [];
      for (const live of this.#live.values()) this.#push(live);
    }
    if (this.#running && record.dueAt < this.#armedFor) this.#arm();
  }

  /** Whether there was one. */
  clear(key: TimerKey): boolean {
    return this.#live.delete(keyOf(key));
  }

  #isLive(record: TimerRecord): boolean {
    return this.#live.get(keyOf(record)) === record;
  }

  #arm(): void {
    while (this.#heap[0] !== undefined && !this.#isLive(this.#heap[0])) this.#pop();
    const next = this.#heap[0];
    this.#cancel?.();
    this.#cancel = undefined;
    this.#armedFor = next?.dueAt ?? Number.POSITIVE_INFINITY;
    if (next === undefined || !this.#running) return;
    this.#cancel = this.#clock.after(Math.max(0, next.dueAt - this.#clock.now()), () => this.#due());
  }

  #due(): void {
    this.#cancel = undefined;
    const now = this.#clock.now();
    for (let fired = 0; fired < firingsMax; ) {
      const next = this.#heap[0];
      if (next === undefined || next.dueAt > now) break;
      this.#pop();
      if (!this.#isLive(next)) continue;
      fired++;
      this.#fire({ kind: 'timer', key: { actor: next.actor, id: next.id }, generation: next.generation });
    }
    this.#arm();
  }

  #push(record: TimerRecord): void {
    const heap = this.#heap;
    let at = heap.push(record) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (heap[parent]!.dueAt <= record.dueAt) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = record;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      if (child + 1 < heap.length && heap[child + 1]!.dueAt < heap[child]!.dueAt) child++;
      if (heap[child]!.dueAt >= last.dueAt) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}
