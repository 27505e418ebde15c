/**
 * Carries operations out: sends what may be sent while there is a connection, listens for the outcomes, and looks up
 * those whose outcome may have been missed. An operation that was sent and not answered is sent again under its key, so
 * that it happens once. What has not ended is kept with the tab and outlives a reload.
 */

import type { OperationState } from '../../machines/vocabulary.ts';
import type { Problem } from '../shared/problem.ts';
import type { ChatStore } from './chat-store.ts';
import { type Operation, operationsMax, type Request, sendable } from './operation.ts';
import { CallInterrupted, CallRefused, type Wire } from './wire.ts';

/** How an operation ended. */
export type Outcome =
  | { readonly kind: 'completed'; readonly data: unknown }
  | { readonly kind: 'failed'; readonly problem: Problem };

interface OperationView {
  readonly state: OperationState;
  readonly result?: unknown;
  readonly error?: Problem;
}

const storageKey = 'troupe.outbox';
/** Outcomes that came before the answer to their command. */
const earlyMax = 50;
/** An outcome that has not come by then is looked up. */
const lookUpMs = 8_000;

const outcomeType = /^([A-Z_]+)_(COMPLETED|ERROR)$/;

export interface OutboxEvents {
  completed(operation: Operation, data: unknown): void;
  failed(operation: Operation, problem: Problem): void;
}

export class Outbox {
  readonly #store: ChatStore;
  readonly #wire: Wire;
  readonly #events: OutboxEvents;
  readonly #owner: string;
  readonly #waiters = new Map<string, (outcome: Outcome) => void>();
  readonly #early = new Map<string, Outcome>();
  readonly #timer: number;
  #kept: readonly Operation[] = [];

  constructor(store: ChatStore, wire: Wire, owner: string, events: OutboxEvents) {
    this.#store = store;
    this.#wire = wire;
    this.#owner = owner;
    this.#events = events;
    this.#restore();
    store.subscribe(() => this.#keep());
    this.#timer = window.setInterval(() => void this.#lookUp(lookUpMs), lookUpMs);
  }

  close(): void {
    window.clearInterval(this.#timer);
  }

  /** Begins an operation. Its key, by which it is found; undefined when too many are under way. */
  begin(request: Request, onEnd?: (outcome: Outcome) => void): string | undefined {
    if (this.#operations.length >= operationsMax) return undefined;
    const key = crypto.randomUUID();
    if (onEnd !== undefined) this.#waiters.set(key, onEnd);
    this.#store.send({ type: 'asked', request, key, at: Date.now() });
    this.pump();
    return key;
  }

  retry(key: string): void {
    const freshKey = crypto.randomUUID();
    const operation = this.#operations.find((one) => one.key === key);
    if (operation === undefined) return;
    this.#store.send({ type: 'again', key, freshKey });
    const waiter = this.#waiters.get(key);
    if (operation.isOver && waiter !== undefined) {
      this.#waiters.delete(key);
      this.#waiters.set(freshKey, waiter);
    }
    this.pump();
  }

  /** Takes back what has failed. */
  discard(key: string): void {
    this.#waiters.delete(key);
    this.#store.send({ type: 'settled', key });
  }

  /** Sends what may be sent. */
  pump(): void {
    if (!this.#wire.isConnected) return;
    for (const operation of sendable(this.#operations)) void this.#send(operation);
  }

  /** The connection is back: what it may have swallowed is sent again or looked up. */
  resume(): void {
    for (const { key, state } of this.#operations) {
      if (state === 'sent') this.#store.send({ type: 'progress', key, progress: { kind: 'interrupted' } });
    }
    this.pump();
    void this.#lookUp(0);
  }

  /** Whether it was an outcome. */
  hear(news: unknown): boolean {
    const { type = '', operationId, data } = news as { type?: string; operationId?: string; data?: unknown };
    const match = outcomeType.exec(type);
    if (match === null || operationId === undefined) return false;
    const outcome: Outcome =
      match[2] === 'COMPLETED' ? { kind: 'completed', data } : { kind: 'failed', problem: data as Problem };
    const operation = this.#operations.find((one) => one.operationId === operationId);
    if (operation === undefined) this.#keepEarly(operationId, outcome);
    else this.#end(operation, outcome, true);
    return true;
  }

  get #operations(): readonly Operation[] {
    return this.#store.getSnapshot().context.operations;
  }

  async #send(operation: Operation): Promise<void> {
    const { key, command, data } = operation;
    this.#store.send({ type: 'progress', key, progress: { kind: 'sent' } });
    try {
      const operationId = await this.#wire.command(command, data, key);
      this.#store.send({ type: 'progress', key, progress: { kind: 'accepted', operationId } });
      const early = this.#early.get(operationId);
      this.#early.delete(operationId);
      const accepted = this.#operations.find((one) => one.key === key);
      if (early !== undefined && accepted !== undefined) this.#end(accepted, early, true);
    } catch (error) {
      if (error instanceof CallRefused) {
        this.#end(operation, { kind: 'failed', problem: error.problem }, false);
      } else if (error instanceof CallInterrupted) {
        this.#store.send({ type: 'progress', key, progress: { kind: 'interrupted' } });
        // Not at once: the connection may hang without being closed, and its end calls `resume`.
        window.setTimeout(() => this.pump(), 1_000);
      } else throw error;
    }
  }

  #end(operation: Operation, outcome: Outcome, isOver: boolean): void {
    const { key } = operation;
    const waiter = this.#waiters.get(key);
    if (outcome.kind === 'completed') {
      this.#events.completed(operation, outcome.data);
      this.#store.send({ type: 'settled', key });
      this.#waiters.delete(key);
    } else {
      this.#store.send({ type: 'progress', key, progress: { kind: 'failed', problem: outcome.problem, isOver } });
      this.#events.failed(operation, outcome.problem);
    }
    waiter?.(outcome);
    this.pump();
  }

  #keepEarly(operationId: string, outcome: Outcome): void {
    this.#early.set(operationId, outcome);
    const oldest = this.#early.keys().next().value;
    if (this.#early.size > earlyMax && oldest !== undefined) this.#early.delete(oldest);
  }

  /** Asks for the state of operations that were accepted at least `afterMs` ago. */
  async #lookUp(afterMs: number): Promise<void> {
    if (!this.#wire.isConnected) return;
    const before = Date.now() - afterMs;
    const open = this.#operations.filter(({ state, at }) => state === 'accepted' && at <= before);
    for (const { key, operationId } of open) {
      const found = await this.#wire.query<OperationView>('OPERATION', { operationId }).catch(() => undefined);
      const operation = this.#operations.find((one) => one.key === key && one.state === 'accepted');
      if (found === undefined || operation === undefined) continue;
      const { state, result, error } = found.data;
      if (state === 'COMPLETED') this.#end(operation, { kind: 'completed', data: result }, true);
      else if (state === 'ERROR' && error !== undefined) this.#end(operation, { kind: 'failed', problem: error }, true);
    }
  }

  #keep(): void {
    if (this.#operations === this.#kept) return;
    this.#kept = this.#operations;
    const kept = JSON.stringify({ owner: this.#owner, operations: this.#operations });
    try {
      sessionStorage.setItem(storageKey, kept);
    } catch {
      // Full: what is under way is then not kept over a reload.
    }
  }

  #restore(): void {
    const kept = sessionStorage.getItem(storageKey);
    if (kept === null) return;
    const { owner, operations } = JSON.parse(kept) as { owner: string; operations: readonly Operation[] };
    if (owner !== this.#owner) return;
    const restored = operations.map((one): Operation => (one.state === 'sent' ? { ...one, state: 'waiting' } : one));
    this.#store.send({ type: 'restored', operations: restored });
  }
}
