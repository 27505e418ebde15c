/** The chat on a store of its own, one or more nodes, with people in it and operators who look at it. */

import { createWebSocketReceiver, type StatelyInspectionEvent } from '@statelyai/inspect';
import type { ChatServerOptions } from '../../actors/server.ts';
import { systemClock } from '../../src/clock.ts';
import { signToken } from '../../src/gateway/tokens.ts';
import { openJournal } from '../../src/journal/open.ts';
import { poll } from '../e2e/deadline.ts';
import { createStore, type StoreKind } from '../e2e/stores.ts';
import { type Chat, chat, type Person, secret } from '../gateway/chat.ts';

/** What is shown, with what @statelyai/inspect does not know. */
export type Shown = StatelyInspectionEvent & {
  readonly event?: { readonly type: string } & Readonly<Record<string, unknown>>;
  readonly snapshot?: {
    readonly value?: unknown;
    readonly status?: string;
    readonly context?: Record<string, unknown>;
  };
  readonly definition?: string;
  readonly sourceId?: string;
  readonly _troupe?: Readonly<Record<string, unknown>>;
};

export interface Watching {
  readonly shown: readonly Shown[];
  /** The first one that matches, shown or still to be. */
  until(what: string, matches: (shown: Shown) => boolean): Promise<Shown>;
}

export interface Answer<T> {
  readonly status: number;
  readonly body: T;
  /** The path of the next page. */
  readonly next: string | undefined;
}

/** What no operator may see of the people of `inhabitedChat`. */
export const secrets = /ann@example\.com|bob@example\.com|a most private word|"ann"|"bob"/;

export interface InspectedChat {
  readonly nodes: readonly Chat[];
  readonly adminToken: string;
  /** Through `createWebSocketReceiver`; resolves when it has been shown something. */
  watch(query?: string, node?: number): Watching;
  ask<T>(
    path: string,
    options?: { readonly node?: number; readonly token?: string; readonly body?: unknown },
  ): Promise<Answer<T>>;
  stop(): Promise<void>;
}

export interface InhabitedChat {
  readonly chat: InspectedChat;
  /** At the first node. */
  readonly ann: Person;
  /** At the last one. */
  readonly bob: Person;
  readonly roomId: string;
}

/** A room of two people with five messages. */
export async function inhabitedChat(kind: StoreKind, nodes: number): Promise<InhabitedChat> {
  const inspected = await inspectedChat(kind, nodes);
  try {
    const ann = await inspected.nodes[0]!.register('ann');
    const bob = await inspected.nodes.at(-1)!.register('bob');
    const roomId = await ann.room(bob);
    for (let n = 0; n < 5; n++) await ann.message(roomId, 'a most private word');
    return { chat: inspected, ann, bob, roomId };
  } catch (error) {
    await inspected.stop();
    throw error;
  }
}

export async function inspectedChat(
  kind: StoreKind,
  nodes = 1,
  options: Partial<ChatServerOptions> = {},
): Promise<InspectedChat> {
  const store = await createStore(kind);
  const chats: Chat[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(chats.map(({ server }) => server.stop()));
    await store.remove();
  };
  try {
    for (let n = 0; n < nodes; n++) {
      const journal = await openJournal(store.url, { shards: 8 });
      chats.push(await chat({ journal, node: String.fromCharCode('a'.charCodeAt(0) + n), ...options }));
    }
  } catch (error) {
    await stop();
    throw error;
  }
  const adminToken = await signToken(secret, 'op@example.com', systemClock.now(), 3_600, 'admin');
  return {
    nodes: chats,
    adminToken,
    watch: (query = '', node = 0) => watch(chats[node]!.base, query, adminToken),
    async ask<T>(
      path: string,
      { node = 0, token = adminToken, body }: { node?: number; token?: string; body?: unknown } = {},
    ) {
      const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
      const response = await fetch(`${chats[node]!.base}${path}`, {
        ...init,
        headers: { authorization: `Bearer ${token}` },
      });
      const next = /<([^>]+)>; rel="next"/.exec(response.headers.get('link') ?? '')?.[1];
      return { status: response.status, body: (await response.json()) as T, next };
    },
    stop,
  };
}

export function watch(base: string, query: string, token: string): Watching {
  const shown: Shown[] = [];
  const server = `${base.replace('http', 'ws')}/inspect/ws?access_token=${token}${query === '' ? '' : `&${query}`}`;
  createWebSocketReceiver({ server }).subscribe((event) => shown.push(event as Shown));
  return {
    shown,
    until: (what, matches) =>
      poll(
        async () => shown.find(matches),
        `${what} among ${shown.length}: ${shown.slice(-5).map((one) => JSON.stringify(one).slice(0, 200))}`,
      ),
  };
}
