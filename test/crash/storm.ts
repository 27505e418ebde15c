/**
 * The crash test: clients run random sagas while the server, and on Redis its store, is killed at random moments and
 * started again. It gives what was found in the end; nothing found is what is wanted.
 */

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import type { MessageDto } from '../../actors/contract.ts';
import { createUser, write } from '../e2e/commands.ts';
import { poll } from '../e2e/deadline.ts';
import { createStore, type Store, type StoreKind } from '../e2e/stores.ts';
import { freePort, TroupeServer } from '../e2e/troupe-server.ts';
import { auditOperations, auditRooms } from './audit.ts';
import { CrashClient, signIn } from './crash-client.ts';
import { type Account, Ledger } from './ledger.ts';
import { Random } from './random.ts';
import { World } from './world.ts';

export interface StormOptions {
  readonly kind: StoreKind;
  readonly seed: number;
  /** kill -9 of the server. */
  readonly kills: number;
  /** kill -9 of Redis. */
  readonly storeKills: number;
  /** Stops killing after this, whatever is left. */
  readonly seconds?: number;
  readonly clients?: number;
  /** Told about the progress. */
  readonly say?: (line: string) => void;
}

export interface Verification {
  readonly code: number;
  readonly output: string;
}

export interface Report {
  readonly summary: string;
  readonly kills: number;
  readonly storeKills: number;
  readonly operations: number;
  readonly completed: number;
  readonly errors: number;
  /** Empty when everything is as it was promised. */
  readonly violations: readonly string[];
  /** Clients that got no news over their socket in the end. */
  readonly deaf: readonly string[];
  /** `troupe verify`, beside the running server and after its stop. */
  readonly verifications: readonly Verification[];
  /** Of the last server, on SIGTERM. */
  readonly exitCode: number | null;
}

const bin = join(import.meta.dirname, '../../actors/cli/troupe.js');
const acknowledgementsMs = 10_000;
const recoveryMs = 60_000;
const leaseMs = '1000';

class Storm {
  readonly ledger = new Ledger();
  readonly world = new World();
  readonly clients: CrashClient[] = [];
  readonly #options: StormOptions;
  readonly #store: Store;
  readonly #port: number;
  readonly #random: Random;
  readonly #byEmail = new Map<string, CrashClient>();
  #server: TroupeServer;
  #over = false;
  #late = 0;
  kills = 0;
  storeKills = 0;
  hangs = 0;

  constructor(options: StormOptions, store: Store, port: number) {
    this.#options = options;
    this.#store = store;
    this.#port = port;
    this.#random = new Random(options.seed);
    this.#server = this.#launch();
  }

  get clientOf(): (email: string) => CrashClient {
    return (email) => {
      const client = this.#byEmail.get(email);
      if (client === undefined) throw new Error(`Nobody is ${email}.`);
      return client;
    };
  }

  get #url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Signs in and registers everyone; the server is killed from the next step on. */
  async gather(): Promise<void> {
    const { clients = 8, seed } = this.#options;
    await this.#server.ready();
    const join = async (index: number): Promise<void> => {
      const account = await signIn(this.#url, `crash-${index}@example.com`);
      await this.#register(account, new Random(seed + index + 1));
    };
    await Promise.all(Array.from({ length: clients }, (_, index) => join(index)));
  }

  /** Runs until every kill has been made and everyone has their answers. */
  async rage(): Promise<void> {
    const lanes = this.clients.map((client, index) => this.#lane(client, new Random(this.#options.seed - index - 1)));
    try {
      await this.#killAll();
    } finally {
      this.#over = true;
    }
    await Promise.all(lanes);
  }

  async audit(): Promise<void> {
    await auditOperations(this);
    await auditRooms(this);
  }

  /** Clients whose socket gets no news of a room they are in. */
  async deaf(): Promise<readonly string[]> {
    const listen = async (client: CrashClient): Promise<readonly string[]> => {
      const { account } = client;
      const [room] = this.world.roomsOf(account.id);
      if (room === undefined) return [];
      const socket = await poll(
        () => client.socket().catch(() => undefined),
        `${account.email} cannot connect`,
        recoveryMs,
      );
      const content = `are you there, ${account.email}?`;
      const command = write(room.id, content);
      await client.perform(this.ledger.open({ who: account, command, mayFailWith: [], mustFail: false }));
      const heard = socket.news<MessageDto>('MESSAGE_UPDATED', (message) => message.content === content);
      return heard.then(
        () => [],
        (error: Error) => [`${account.email}: ${error.message}`],
      );
    };
    return (await Promise.all(this.clients.map(listen))).flat();
  }

  verify(): Promise<Verification> {
    const env = { PATH: process.env.PATH ?? '', JOURNAL: this.#store.url };
    return new Promise((resolve) => {
      execFile(process.execPath, [bin, 'verify'], { env }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code ?? 1), output: `${stdout}${stderr}` });
      });
    });
  }

  stop(): Promise<number | null> {
    for (const client of this.clients) client.close();
    return this.#server.stop();
  }

  async remove(): Promise<void> {
    this.#over = true;
    for (const client of this.clients) client.close();
    await this.#server.kill();
    await this.#store.remove();
  }

  async #register(account: Account, random: Random): Promise<void> {
    const client = new CrashClient(account, { url: this.#url, ledger: this.ledger }, random);
    this.#byEmail.set(account.email, client);
    const translationLanguages = ['ITALIAN', 'UKRAINIAN'] as const;
    const command = createUser({ type: 'TRANSLATOR', primaryLanguage: 'ENGLISH', translationLanguages });
    const entry = this.ledger.open({ who: account, command, mayFailWith: [], mustFail: false });
    await client.perform(entry);
    await client.settle(entry);
    this.world.learn(entry);
    if (!account.email.startsWith('late-')) this.clients.push(client);
  }

  /** One client's life: one saga after the other. Now and then it brings somebody new. */
  async #lane(client: CrashClient, random: Random): Promise<void> {
    while (!this.#over) {
      if (random.chance(0.02)) {
        this.#late += 1;
        const account = await signIn(this.#url, `late-${this.#late}@example.com`);
        await this.#register(account, random);
        continue;
      }
      const entry = this.ledger.open(this.world.next(client.account, random));
      await client.perform(entry);
      this.world.learn(entry);
      // News must reach a socket whether or not it is used for commands.
      await client.socket().catch(() => undefined);
    }
  }

  async #killAll(): Promise<void> {
    const { kills, storeKills, seconds = Number.POSITIVE_INFINITY, say = () => undefined } = this.#options;
    const end = performance.now() + seconds * 1000;
    while (performance.now() < end && (this.kills < kills || this.storeKills < storeKills)) {
      await this.#live();
      if (this.#random.chance(0.15)) await this.#hang();
      const storeToo = this.storeKills < storeKills && this.#random.chance(storeKills / (kills + storeKills));
      if (storeToo || this.kills >= kills) await this.#killStore();
      else await this.#killServer();
      const { acknowledged, entries } = this.ledger;
      say(
        `${this.#options.kind}: ${this.kills} kills, ${this.storeKills} of the store, ${acknowledged}/${entries.length}`,
      );
    }
    await this.#acknowledged(1, recoveryMs);
  }

  /** Lets the clients get on for a random while. */
  async #live(): Promise<void> {
    await this.#acknowledged(1 + this.#random.below(120), acknowledgementsMs);
    await this.#pause(50);
  }

  async #acknowledged(count: number, ms: number): Promise<void> {
    const target = this.ledger.acknowledged + count;
    const enough = async () => (this.ledger.acknowledged >= target ? true : undefined);
    await poll(enough, 'The clients do not get on', ms).catch((error: Error) => {
      if (!this.#server.isRunning) throw new Error(this.#server.fate);
      if (ms >= recoveryMs) this.ledger.violation(undefined, `${error.message}. ${this.#server.fate}`);
    });
  }

  async #killServer(): Promise<void> {
    await this.#kill();
    // Some are killed before they are ready.
    while (this.kills < this.#options.kills && this.#random.chance(0.2)) {
      this.#server = this.#launch();
      await this.#pause(1_500);
      await this.#kill();
    }
    this.#server = this.#launch();
    await this.#server.ready();
  }

  async #kill(): Promise<void> {
    if (!this.#server.isRunning) throw new Error(this.#server.fate);
    await this.#server.kill();
    this.kills += 1;
  }

  /** With or without the server; one that runs has to go on by itself. */
  async #killStore(): Promise<void> {
    const { redis } = this.#store;
    if (redis === undefined) throw new Error('Only Redis is a store of its own.');
    const serverToo = this.kills < this.#options.kills && this.#random.chance(0.3);
    await Promise.all([redis.kill(), serverToo ? this.#kill() : undefined]);
    this.storeKills += 1;
    await this.#pause(300);
    await redis.restart();
    if (serverToo) {
      this.#server = this.#launch();
      await this.#server.ready();
    }
    await this.#acknowledged(1, recoveryMs);
  }

  /** The server or its store stands still for longer than a lease lives, and goes on. */
  async #hang(): Promise<void> {
    const { redis } = this.#store;
    const frozen = redis !== undefined && this.#random.chance(0.6) ? redis : this.#server;
    frozen.pause();
    await this.#pause(2_500);
    frozen.resume();
    this.hangs += 1;
    await this.#acknowledged(1, recoveryMs);
  }

  #launch(): TroupeServer {
    const environment = { LEASE_MS: leaseMs };
    return TroupeServer.launch({ journal: this.#store.url, port: this.#port, environment });
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, this.#random.below(ms)));
  }
}

function reportOf(
  storm: Storm,
  options: StormOptions,
  startedAt: number,
): Omit<Report, 'deaf' | 'verifications' | 'exitCode'> {
  const { ledger, kills, storeKills, hangs } = storm;
  const [completed, errors, operations] = [ledger.count('COMPLETED'), ledger.count('ERROR'), ledger.entries.length];
  const store = options.kind === 'redis' ? `, ${storeKills} of Redis` : '';
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  const summary =
    `${options.kind} (SEED=${options.seed}): ${kills} kills${store}, ${hangs} hangs, ${operations} operations, ` +
    `${completed} completed, ${errors} errors, ${ledger.retries} retries, ${seconds} s`;
  return { summary, kills, storeKills, operations, completed, errors, violations: ledger.violations };
}

/** Runs a storm on a store of its own, and leaves nothing behind. */
export async function runStorm(options: StormOptions): Promise<Report> {
  const startedAt = performance.now();
  const store = await createStore(options.kind, { everyWrite: true });
  const storm = new Storm(options, store, await freePort());
  try {
    await storm.gather();
    await storm.rage();
    const deaf = await storm.deaf();
    await storm.audit();
    const beside = await storm.verify();
    const exitCode = await storm.stop();
    const verifications = [beside, await storm.verify()];
    return { ...reportOf(storm, options, startedAt), deaf, verifications, exitCode };
  } finally {
    await storm.remove();
  }
}
