/**
 * The official client, unmodified, in JSON or in Protobuf, and what came of it: every publication, outcome and change of
 * state, in order.
 */

import {
  Centrifuge,
  type Options,
  type PublicationContext,
  type Subscription,
  type SubscriptionOptions,
} from 'centrifuge';
import { Centrifuge as CentrifugeProtobuf } from 'centrifuge/build/protobuf';
import { WebSocket } from 'ws';
import type { Person } from '../gateway/chat.ts';

const deadlineMs = 20_000;

export interface Publication {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly operationId?: string;
}

export interface Heard {
  readonly channel: string;
  readonly offset: number | undefined;
  readonly data: Publication;
}

/** Waits until `look` finds something; what it waits for is said by whoever calls `changed`. */
export class Bell {
  #waiting: (() => void)[] = [];

  ring(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  async until<T>(look: () => T | undefined, what: () => string): Promise<T> {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.ring();
    }, deadlineMs);
    try {
      for (;;) {
        const found = look();
        if (found !== undefined) return found;
        if (isLate) throw new Error(what());
        await new Promise<void>((resolve) => this.#waiting.push(resolve));
      }
    } finally {
      clearTimeout(timer);
    }
  }
}

export function centrifugoUrl(base: string): string {
  return `${base.replace('http', 'ws')}/connection/websocket`;
}

export type Speech = 'json' | 'protobuf';

/** The two classes are one, declared twice. */
const classes: Readonly<Record<Speech, typeof Centrifuge>> = {
  json: Centrifuge,
  protobuf: CentrifugeProtobuf as unknown as typeof Centrifuge,
};

export interface Recovered {
  readonly channel: string;
  readonly wasRecovering: boolean;
  readonly recovered: boolean;
}

export class CentrifugoClient {
  readonly client: Centrifuge;
  readonly heard: Heard[] = [];
  readonly subscribed: Recovered[] = [];
  readonly states: { readonly state: string; readonly code?: number; readonly reason?: string }[] = [];
  readonly bell = new Bell();
  readonly #speech: Speech;

  constructor(base: string, token: string, options: Partial<Options> = {}, speech: Speech = 'json') {
    this.#speech = speech;
    this.client = new classes[speech](centrifugoUrl(base), {
      websocket: WebSocket,
      token,
      minReconnectDelay: 20,
      maxReconnectDelay: 500,
      ...options,
    });
    this.client.on('publication', (context) => this.#hear(context));
    this.client.on('subscribed', (context) => this.#subscribed(context));
    for (const state of ['connecting', 'disconnected'] as const) {
      this.client.on(state, ({ code, reason }) => this.#changed({ state, code, reason }));
    }
    this.client.on('connected', () => this.#changed({ state: 'connected' }));
    this.client.on('error', () => undefined);
    this.client.connect();
  }

  static async open(
    person: Person,
    base: string,
    options: Partial<Options> = {},
    speech: Speech = 'json',
  ): Promise<CentrifugoClient> {
    const client = new CentrifugoClient(base, person.token, options, speech);
    await client.client.ready(deadlineMs);
    return client;
  }

  async follow(channel: string, options: Partial<SubscriptionOptions> = {}): Promise<Subscription> {
    const subscription = this.subscription(channel, options);
    await subscription.ready(deadlineMs);
    return subscription;
  }

  subscription(channel: string, options: Partial<SubscriptionOptions> = {}): Subscription {
    const subscription = this.client.newSubscription(channel, options);
    subscription.on('publication', (context) => this.#hear(context));
    subscription.on('subscribed', (context) => this.#subscribed(context));
    subscription.on('error', () => undefined);
    subscription.subscribe();
    return subscription;
  }

  async rpc<T = Record<string, unknown>>(method: string, data: unknown = {}): Promise<T> {
    return this.decoded((await this.client.rpc(method, this.encoded(data))).data) as T;
  }

  /** Data as the client takes it: in Protobuf it is bytes, which hold JSON here. */
  encoded(data: unknown): unknown {
    return this.#speech === 'json' ? data : new TextEncoder().encode(JSON.stringify(data));
  }

  decoded(data: unknown): unknown {
    return this.#speech === 'json' ? data : JSON.parse(new TextDecoder().decode(data as Uint8Array));
  }

  /** The first publication that matches, come or still to come. */
  hears(matches: (heard: Heard) => boolean): Promise<Heard> {
    const last = (): string => JSON.stringify(this.heard.slice(-10)).slice(0, 2_000);
    return this.bell.until(
      () => this.heard.find(matches),
      () => `not heard, among ${this.heard.length}: ${last()}`,
    );
  }

  ofType(type: string): Promise<Heard> {
    return this.hears(({ data }) => data.type === type);
  }

  reaches(state: string, code?: number): Promise<unknown> {
    return this.bell.until(
      () => this.states.find((one) => one.state === state && (code === undefined || one.code === code)),
      () => `never ${state} ${code}: ${JSON.stringify(this.states)}`,
    );
  }

  close(): void {
    this.client.disconnect();
  }

  #hear({ channel, offset, data }: PublicationContext): void {
    // A number of Protobuf may be an object that only says what it is.
    const position = offset === undefined ? undefined : Number(offset);
    this.heard.push({ channel, offset: position, data: this.decoded(data) as Publication });
    this.bell.ring();
  }

  #subscribed(context: Recovered): void {
    const { channel, wasRecovering, recovered } = context;
    this.subscribed.push({ channel, wasRecovering, recovered });
    this.bell.ring();
  }

  #changed(state: CentrifugoClient['states'][number]): void {
    this.states.push(state);
    this.bell.ring();
  }
}
