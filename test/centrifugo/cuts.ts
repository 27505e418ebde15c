/**
 * A room in which somebody writes without pause while connections of those who follow it are cut at random, and the
 * server is killed and started again: what every follower has heard of it, by the official client.
 */

import { type ClientOptions, WebSocket } from 'ws';
import { Random } from '../crash/random.ts';
import { createStore, type Store, type StoreKind } from '../e2e/stores.ts';
import { freePort, TroupeServer } from '../e2e/troupe-server.ts';
import { CentrifugoClient, centrifugoUrl, type Publication, type Speech } from './client.ts';

const members = ['ada', 'bea', 'cas'] as const;
const answerMs = 60_000;

/** Sockets of one follower, so that they can be cut under its client. */
function cuttable(urls: () => readonly string[]) {
  const open = new Set<WebSocket>();
  let opened = 0;
  class CutSocket extends WebSocket {
    constructor(_: string, protocols?: string | string[], options?: ClientOptions) {
      const all = urls();
      // Each connection goes to another node than the one before.
      super(centrifugoUrl(all[opened++ % all.length] ?? ''), protocols, options);
      open.add(this);
      this.on('close', () => open.delete(this));
    }
  }
  /** False if there was no connection to cut. */
  const cut = (): boolean => {
    const cuttable = [...open].filter(({ readyState }) => readyState === WebSocket.OPEN);
    for (const socket of cuttable) socket.terminate();
    return cuttable.length > 0;
  };
  return { CutSocket, cut };
}

export interface Tally {
  readonly messages: number;
  readonly cuts: number;
  readonly restarts: number;
  /** Times that a channel was recovered, and that it could not be. */
  readonly recovered: number;
  readonly unrecovered: number;
  readonly repeated: number;
  readonly missed: number;
  readonly isInOrder: boolean;
}

export class CutRoom {
  readonly #store: Store;
  readonly #ports: readonly number[];
  readonly #random: Random;
  readonly #servers: TroupeServer[];
  #kills = 0;
  #calls = 0;
  #tokens: Readonly<Record<string, string>> = {};
  #ids: Readonly<Record<string, string>> = {};
  #roomId = '';

  private constructor(store: Store, ports: readonly number[], servers: TroupeServer[], seed: number) {
    this.#store = store;
    this.#ports = ports;
    this.#servers = servers;
    this.#random = new Random(seed);
  }

  static async open(kind: StoreKind, nodes: number, seed: number): Promise<CutRoom> {
    const store = await createStore(kind, { everyWrite: true });
    const ports = await Promise.all(Array.from({ length: nodes }, freePort));
    const room = new CutRoom(store, ports, [], seed);
    try {
      for (const port of ports) room.#servers.push(await startOn(store, port));
      await room.#prepare();
      return room;
    } catch (error) {
      await room.close();
      throw error;
    }
  }

  get #urls(): readonly string[] {
    return this.#ports.map((port) => `http://127.0.0.1:${port}`);
  }

  /** Writes until there were `cuts` cuts; kills a server `restarts` times meanwhile. */
  async run(cuts: number, restarts: number, speech: Speech): Promise<Tally> {
    const followers = members.map((name) => {
      const { CutSocket, cut } = cuttable(() => this.#urls);
      const [url = ''] = this.#urls;
      return { client: new CentrifugoClient(url, this.#tokens[name] ?? '', { websocket: CutSocket }, speech), cut };
    });
    const channel = `room:${this.#roomId}`;
    const written: string[] = [];
    try {
      await Promise.all(followers.map(({ client }) => client.follow(channel)));
      for (let done = 0; done < cuts; done++) {
        const message = this.#write(`message ${written.length}`);
        if (done % Math.ceil(cuts / (restarts + 1)) === Math.ceil(cuts / (restarts + 1)) - 1) await this.#restart();
        // One of them, at a moment of its own while the message is on its way.
        await this.#cutOne(followers);
        written.push(await message);
        written.push(await this.#write(`message ${written.length}`));
      }
      const last = written.at(-1);
      // On the room's channel: its writer hears of the message on her own, too.
      await Promise.all(
        followers.map(({ client }) => client.hears((one) => one.channel === channel && one.data.data.id === last)),
      );
      const [writer] = followers;
      // Outcomes come to their requester alone, on her own channel.
      const own = `user:${this.#ids.ada}`;
      await writer?.client.hears((one) => one.channel === own && one.data.data.id === last);
      const heard = [
        ...followers.map(({ client }) => tallyOf(client, channel, written)),
        tallyOf(followers[0]?.client as CentrifugoClient, own, written),
      ];
      const sum = (name: 'recovered' | 'unrecovered' | 'repeated' | 'missed') =>
        heard.reduce((total, one) => total + one[name], 0);
      return {
        messages: written.length,
        cuts,
        restarts,
        recovered: sum('recovered'),
        unrecovered: sum('unrecovered'),
        repeated: sum('repeated'),
        missed: sum('missed'),
        isInOrder: heard.every(({ isInOrder }) => isInOrder),
      };
    } finally {
      for (const { client } of followers) client.close();
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.kill()));
    await this.#store.remove();
  }

  /** Cuts a connection that is open, be it established, recovering or still introducing itself. */
  async #cutOne(followers: readonly { cut(): boolean }[]): Promise<void> {
    const until = performance.now() + answerMs;
    do {
      await new Promise((resolve) => setTimeout(resolve, this.#random.below(25)));
      if (this.#random.pick(followers).cut()) return;
    } while (performance.now() < until);
    throw new Error('nobody connects any more');
  }

  async #restart(): Promise<void> {
    const node = this.#kills++ % this.#servers.length;
    await this.#servers[node]?.kill();
    this.#servers[node] = await startOn(this.#store, this.#ports[node] as number);
  }

  async #prepare(): Promise<void> {
    for (const name of members) {
      const { token, userId } = await this.#call('POST', '/dev/tokens', undefined, { email: `${name}@example.com` });
      this.#tokens = { ...this.#tokens, [name]: String(token) };
      this.#ids = { ...this.#ids, [name]: String(userId) };
      const profile = { type: 'REGULAR_USER', username: name, primaryLanguage: 'ENGLISH' };
      await this.#call('POST', '/v1/users/currentUser', name, profile);
    }
    const { result } = await this.#call('POST', '/v1/rooms', 'ada', { companionUserId: this.#ids.bea });
    this.#roomId = String((result as Record<string, unknown>).id);
    await this.#call('PUT', `/v1/rooms/${this.#roomId}/members`, 'ada', { memberId: this.#ids.cas });
  }

  /** The message's id. The key makes it one message, however often it has to be asked for. */
  async #write(content: string): Promise<string> {
    const { result } = await this.#call('POST', '/v1/messages', 'ada', { roomId: this.#roomId, content });
    return String((result as Record<string, unknown>).id);
  }

  /** Repeats the call, under one key, until it is answered with its outcome. */
  async #call(method: string, path: string, by: string | undefined, body: object): Promise<Record<string, unknown>> {
    const headers = {
      'content-type': 'application/json',
      prefer: 'wait=10',
      'idempotency-key': crypto.randomUUID(),
      ...(by === undefined ? {} : { authorization: `Bearer ${this.#tokens[by]}` }),
    };
    const until = performance.now() + answerMs;
    for (;;) {
      const urls = this.#urls;
      const url = `${urls[this.#calls++ % urls.length]}${path}`;
      const answer = await fetch(url, { method, headers, body: JSON.stringify(body) }).catch(() => undefined);
      if (answer?.status === 200) return (await answer.json()) as Record<string, unknown>;
      const said = await answer?.text().catch(() => '');
      if (performance.now() > until)
        throw new Error(`${method} ${path}: ${answer?.status} ${said} ${this.#servers.map(({ fate }) => fate)}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

function startOn(store: Store, port: number): Promise<TroupeServer> {
  return TroupeServer.start({ journal: store.url, port, environment: { LEASE_MS: '1000' } });
}

function tallyOf(client: CentrifugoClient, channel: string, written: readonly string[]) {
  const heard = client.heard
    .filter((one) => one.channel === channel && isNew(one.data))
    .map(({ data }) => data.data.id);
  const resumed = client.subscribed.filter((one) => one.channel === channel && one.wasRecovering);
  return {
    recovered: resumed.filter(({ recovered }) => recovered).length,
    unrecovered: resumed.filter(({ recovered }) => !recovered).length,
    repeated: heard.length - new Set(heard).size,
    missed: written.filter((id) => !heard.includes(id)).length,
    isInOrder: [...new Set(heard)].join() === written.filter((id) => heard.includes(id)).join(),
  };
}

function isNew({ type, data }: Publication): boolean {
  return (type === 'MESSAGE_UPDATED' && data.modified === false) || type === 'MESSAGE_CREATE_COMPLETED';
}
