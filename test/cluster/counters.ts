/**
 * Clients of counter nodes: each adds to and reads random counters through random nodes, one call after the other, and
 * never repeats one, so that every add counts at most once. All of them record one history.
 */

import { randomUUID } from 'node:crypto';
import { Random } from '../crash/random.ts';
import { poll } from '../e2e/deadline.ts';
import { request } from '../e2e/http-client.ts';
import {
  type CounterInput,
  checkLinearizable,
  counterModel,
  explain,
  HistoryRecorder,
  type Operation,
} from './linearizability.ts';
import type { Door } from './load.ts';

export interface CounterClientsOptions {
  /** The nodes that clients try, at any moment. */
  readonly doors: () => readonly Door[];
  readonly seed: number;
  readonly keys?: number;
  readonly clients?: number;
  readonly callsMax?: number;
}

export type Call = 'add' | 'ask' | 'look';
const calls: readonly Call[] = ['add', 'ask', 'look'];

interface Answer {
  readonly sum?: number;
  readonly code?: string;
  readonly message?: string;
}

/** A client gives a call up after this; what becomes of it is unknown then. */
const answerMs = 20_000;
/** Between two calls of a client: histories are to be long in events, not in work. */
const pauseMs = 4;
const servedMs = 60_000;

export class CounterClients {
  readonly keys: readonly string[];
  readonly #options: Required<CounterClientsOptions>;
  readonly #recorder = new HistoryRecorder<CounterInput, number>();
  /** How often each code was given instead of a sum. */
  readonly refusals = new Map<string, number>();
  #isOver = false;
  #calls = 0;
  #lanes: Promise<unknown> = Promise.resolve();

  constructor(options: CounterClientsOptions) {
    this.#options = { keys: 12, clients: 9, callsMax: 60_000, ...options };
    this.keys = Array.from({ length: this.#options.keys }, () => randomUUID());
  }

  start(): void {
    const { clients, seed } = this.#options;
    const lanes = Array.from({ length: clients }, (_, index) =>
      this.#lane(`client-${index}`, new Random(seed + index)),
    );
    this.#lanes = Promise.all(lanes);
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#lanes;
  }

  /** Resolves when every counter was added to once more through some of these nodes. */
  async served(doors: () => readonly Door[] = this.#options.doors): Promise<void> {
    const random = new Random(this.#options.seed + this.#calls);
    const one = (key: string) => async (): Promise<number | undefined> => {
      const all = doors();
      return all.length === 0 ? undefined : this.call('server', random.pick(all), key, 'add');
    };
    const all = this.keys.map((key) => poll(one(key), `Nobody serves ${key}`, servedMs));
    await Promise.all(all).catch((error: Error) => {
      throw new Error(`${error.message}; ${this.summary}`);
    });
  }

  /** Reads every counter in both ways through one node, all at once: no write of its own makes it look at the store. */
  probe(door: Door): Promise<readonly (number | undefined)[]> {
    const ways = ['ask', 'look'] as const;
    return Promise.all(
      this.keys.flatMap((key) => ways.map((call) => this.call(`probe of ${door.id}`, door, key, call))),
    );
  }

  /** The sum, or undefined when nothing is known. */
  async call(client: string, door: Door, key: string, call: Call): Promise<number | undefined> {
    const pending = this.#recorder.invoke(client, key, call === 'add' ? { kind: 'add', by: 1 } : { kind: 'read' });
    const url = `${door.url}/counters/${key}${call === 'look' ? '?look' : ''}`;
    let body: Answer;
    try {
      ({ body } = await request<Answer>(url, call === 'add' ? 'POST' : 'GET', {}, undefined, answerMs));
    } catch (error) {
      body = { code: error instanceof Error ? error.name : 'unknown' };
    }
    const { sum, code = 'none' } = body;
    if (sum === undefined) {
      this.refusals.set(code, (this.refusals.get(code) ?? 0) + 1);
      return undefined;
    }
    pending.returns(sum);
    return sum;
  }

  get history(): readonly Operation<CounterInput, number>[] {
    return this.#recorder.operations;
  }

  get summary(): string {
    const { history } = this;
    const unknown = history.filter(({ input, returned }) => input.kind === 'add' && returned === undefined).length;
    const refusals = [...this.refusals].map(([code, count]) => `${code} ${count}`).join(', ');
    return `SEED=${this.#options.seed}: ${history.length} calls, ${unknown} unknown adds (${refusals})`;
  }

  /** What is wrong with the history; 'linearizable after … states' if nothing is. */
  verdict(): string {
    return explain(checkLinearizable(counterModel, this.history));
  }

  async #lane(client: string, random: Random): Promise<void> {
    while (!this.#isOver && this.#calls < this.#options.callsMax) {
      this.#calls += 1;
      const doors = this.#options.doors();
      if (doors.length > 0) {
        const call = random.chance(0.5) ? 'add' : random.pick(calls);
        await this.call(client, random.pick(doors), random.pick(this.keys), call);
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}
