/**
 * People who use the chat through any node that is there, and keep a ledger of what they were told. Each command is made
 * on one node and, when that one gives no answer or one that may be repeated, once more on another one with the same
 * idempotency key. What got no answer then either is `unanswered`; `audit` asks for it until it is known, and then looks
 * at everything. Choices follow from the seed, as far as the machine's timing lets them.
 */

import { signIn, transientCodes } from '../crash/crash-client.ts';
import { type Account, completed, type Entry, failed, Ledger } from '../crash/ledger.ts';
import { Random } from '../crash/random.ts';
import { World } from '../crash/world.ts';
import { createUser } from '../e2e/commands.ts';
import { poll } from '../e2e/deadline.ts';
import { type Answer, type Operation, type Problem, request } from '../e2e/http-client.ts';

/** As much of a node as a client needs. */
export interface Door {
  readonly id: string;
  readonly url: string;
}

export interface LoadOptions {
  /** The nodes that people try, at any moment. */
  readonly doors: () => readonly Door[];
  readonly seed: number;
  readonly people?: number;
  /** Everybody stops after so many commands of all of them together. */
  readonly commandsMax?: number;
  /** An attempt is given up after this; longer than `Prefer: wait` says. */
  readonly attemptMs?: number;
  /** Operations are retired while people work. Default: no. */
  readonly retires?: boolean;
  /** Something that is asked for again and again must be answered within this. */
  readonly patienceMs?: number;
}

interface Context {
  readonly options: Required<LoadOptions>;
  readonly ledger: Ledger;
}

type Reply = Answer<Operation<{ readonly id: string }> & Problem>;

const waitSeconds = 5;
/** Somebody who got no answer twice does the next thing after this. */
const discouragedMs = 200;

/** An answer that says: the same again, later. */
function isTransient({ status, body }: Answer<Partial<Problem>>): boolean {
  const isOutcome = body?.operationId !== undefined && !transientCodes.has(body?.code ?? '');
  return status >= 400 && !isOutcome && (body?.retryable === true || transientCodes.has(body?.code ?? ''));
}

/** One person, whose calls go to a node picked anew each time. */
export class RoamingClient {
  readonly account: Account;
  readonly #random: Random;
  readonly #context: Context;

  constructor(account: Account, random: Random, context: Context) {
    this.account = account;
    this.#random = random;
    this.#context = context;
  }

  /** An attempt, and one more elsewhere; true when the outcome or at least the operation is known. */
  async perform(entry: Entry): Promise<boolean> {
    const first = await this.#door();
    if (await this.#attempt(entry, first)) return true;
    this.#context.ledger.retries += 1;
    return this.#attempt(entry, await this.#door(first));
  }

  /** Repeats an entry until it is answered. */
  async insist(entry: Entry): Promise<void> {
    const look = async (): Promise<true | undefined> => ((await this.perform(entry)) ? true : undefined);
    await this.#until(entry, look, 'is not answered');
  }

  async get<T>(path: string): Promise<Answer<T>> {
    const look = async (): Promise<Answer<T> | undefined> => this.tryGet(await this.#door(), path);
    return poll(look, `GET ${path} is not answered`, this.#context.options.patienceMs);
  }

  /** A read through one node, repeated until it is answered. */
  getThrough<T>(door: Door, path: string): Promise<Answer<T>> {
    const what = `GET ${path} is not answered by ${door.id}`;
    return poll(() => this.tryGet<T>(door, path), what, this.#context.options.patienceMs);
  }

  async tryGet<T>(door: Door, path: string): Promise<Answer<T> | undefined> {
    try {
      const answer = await this.#call<T & Partial<Problem>>(door, 'GET', path, {});
      return isTransient(answer) ? undefined : answer;
    } catch {
      return undefined;
    }
  }

  async settle(entry: Entry): Promise<void> {
    const { operationId } = entry;
    const { ledger } = this.#context;
    if (operationId === undefined) return ledger.violation(entry, 'has no operation');
    const look = async (): Promise<true | undefined> => {
      const { status, body } = await this.get<Reply['body']>(`/v1/operations/${operationId}`);
      if (status !== 200) {
        ledger.violation(entry, `was accepted, and is not there: ${status} ${JSON.stringify(body)}`);
        return true;
      }
      if (body.state === 'COMPLETED') ledger.ended(entry, completed(body.result));
      else if (body.state === 'ERROR') ledger.ended(entry, failed(body.error));
      else return undefined;
      return true;
    };
    await this.#until(entry, look, 'does not end');
  }

  async #until(entry: Entry, look: () => Promise<true | undefined>, what: string): Promise<void> {
    const { options, ledger } = this.#context;
    await poll(look, what, options.patienceMs).catch((error: Error) => ledger.violation(entry, error.message));
  }

  /** Gives whether there was an answer; it is in the ledger then. */
  async #attempt(entry: Entry, door: Door): Promise<boolean> {
    const { method, path, body } = entry.command.request;
    const headers = { 'idempotency-key': entry.key, prefer: `wait=${waitSeconds}` };
    const { ledger } = this.#context;
    let reply: Reply;
    try {
      reply = await this.#call(door, method, path, headers, body);
    } catch {
      return false;
    }
    if (isTransient(reply)) return false;
    const { operationId } = reply.body;
    // Its own outcome may be a 504: an operation that timed out.
    const isOwnError = reply.status >= 400 && operationId !== undefined && reply.body.code !== 'INTERNAL';
    if ((reply.status >= 300 && !isOwnError) || reply.body.code === 'IDEMPOTENCY_KEY_REUSED') {
      ledger.violation(entry, `was refused by ${door.id}: ${JSON.stringify(reply.body)}`);
      return false;
    }
    ledger.identified(entry, operationId as string);
    if (reply.status === 200) ledger.ended(entry, completed(reply.body.result));
    else if (reply.status === 202) await this.settle(entry);
    else ledger.ended(entry, failed(reply.body));
    return true;
  }

  /** Any node that is there, if possible another one than `not`. */
  async #door(not?: Door): Promise<Door> {
    const { doors, patienceMs } = this.#context.options;
    return poll(
      async () => {
        const all = doors();
        const others = all.filter(({ id }) => id !== not?.id);
        return all.length === 0 ? undefined : this.#random.pick(others.length === 0 ? all : others);
      },
      'There is no node',
      patienceMs,
    );
  }

  /** Rejects when the connection is lost or nothing comes. */
  #call<T>(
    door: Door,
    method: string,
    path: string,
    headers: Readonly<Record<string, string>>,
    body?: unknown,
  ): Promise<Answer<T>> {
    const authorization = `Bearer ${this.account.token}`;
    const { attemptMs } = this.#context.options;
    return request<T>(`${door.url}${path}`, method, { authorization, ...headers }, body, attemptMs);
  }
}

export class Load {
  readonly ledger = new Ledger();
  readonly world = new World();
  readonly clients: RoamingClient[] = [];
  /** Entries without an answer after the second attempt. */
  readonly unanswered: Entry[] = [];
  readonly options: Required<LoadOptions>;
  #isOver = false;
  #lanes: Promise<unknown> = Promise.resolve();
  #commands = 0;

  constructor(options: LoadOptions) {
    const bounds = { retires: false, people: 6, commandsMax: 20_000, attemptMs: 15_000, patienceMs: 60_000 };
    this.options = { ...bounds, ...options };
    this.ledger.retires = this.options.retires;
  }

  /** Signs in and registers everyone. */
  async gather(): Promise<void> {
    const { people, seed } = this.options;
    await Promise.all(Array.from({ length: people }, (_, index) => this.#join(index, new Random(seed + index + 1))));
  }

  /** Everyone does one thing after the other, until `stop`. */
  start(): void {
    const { seed } = this.options;
    const lanes = this.clients.map((client, index) => this.#lane(client, new Random(seed - index - 1)));
    this.#lanes = Promise.all(lanes);
    this.#lanes.catch((error: Error) => this.ledger.violation(undefined, `The load ended: ${error.message}`));
  }

  /** Resolves when so many more outcomes are known. */
  async goesOn(outcomes: number): Promise<void> {
    const target = this.ledger.acknowledged + outcomes;
    const look = async () => (this.ledger.acknowledged >= target ? true : undefined);
    await poll(look, `No ${outcomes} more outcomes (of ${this.ledger.entries.length})`, this.options.patienceMs);
  }

  /** Everyone finishes what is under way. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#lanes;
  }

  clientOf = (email: string): RoamingClient => {
    const client = this.clients.find(({ account }) => account.email === email);
    if (client === undefined) throw new Error(`Nobody is ${email}.`);
    return client;
  };

  get summary(): string {
    const { entries, retries } = this.ledger;
    const [done, errors] = [this.ledger.count('COMPLETED'), this.ledger.count('ERROR')];
    return (
      `SEED=${this.options.seed}: ${entries.length} operations, ${done} completed, ${errors} errors, ` +
      `${retries} retries, ${this.unanswered.length} unanswered at first`
    );
  }

  /** Outcomes that only a disturbance explains. */
  get disturbed(): readonly Entry[] {
    const isExpected = ({ outcome, mayFailWith }: Entry) =>
      outcome?.code === undefined || mayFailWith.includes(outcome.code);
    return this.ledger.entries.filter((entry) => !isExpected(entry));
  }

  async #join(index: number, random: Random): Promise<void> {
    const door = await poll(async () => this.options.doors()[0], 'There is no node');
    const account = await signIn(door.url, `person-${index}@example.com`);
    const client = new RoamingClient(account, random, { options: this.options, ledger: this.ledger });
    const translationLanguages = ['ITALIAN', 'UKRAINIAN'] as const;
    const command = createUser({ type: 'TRANSLATOR', primaryLanguage: 'ENGLISH', translationLanguages });
    const entry = this.ledger.open({ who: account, command, mayFailWith: [], mustFail: false });
    this.clients.push(client);
    await client.insist(entry);
    this.world.learn(entry);
  }

  async #lane(client: RoamingClient, random: Random): Promise<void> {
    while (!this.#isOver && this.#commands < this.options.commandsMax) {
      this.#commands += 1;
      const entry = this.ledger.open(this.world.next(client.account, random));
      if (!(await client.perform(entry))) {
        this.unanswered.push(entry);
        // Else thousands of commands would fail in no time.
        await new Promise((resolve) => setTimeout(resolve, discouragedMs));
      }
      this.world.learn(entry);
    }
  }
}
