/**
 * A client that does not give up: whatever gets no answer is repeated with the same idempotency key, over HTTP or a
 * socket, until its outcome is known. Its socket is opened again whenever it was lost.
 */

import { poll } from '../e2e/deadline.ts';
import { type Answer, type Operation, type Problem, request } from '../e2e/http-client.ts';
import { SocketClient } from '../e2e/socket-client.ts';
import { type Account, completed, type Entry, failed, type Ledger } from './ledger.ts';
import type { Random } from './random.ts';

/** Answers that say: the same again, later. */
export const transientCodes: ReadonlySet<string> = new Set([
  'ASK_TIMEOUT',
  'JOURNAL_UNAVAILABLE',
  'MAILBOX_FULL',
  'OUTBOX_FULL',
  'OVERLOADED',
  'RATE_LIMITED',
  'SERVER_RESTARTING',
  'SHARD_LOST',
  'STOPPED',
]);
const retryPauseMs = 100;
/** A command that is not answered for as long as this never is. */
const patienceMs = 90_000;

/** Nothing is known of the attempt; it is to be made again. */
class Unanswered extends Error {}

export interface ClientContext {
  readonly url: string;
  readonly ledger: Ledger;
}

export async function signIn(url: string, email: string): Promise<Account> {
  const look = async (): Promise<Account | undefined> => {
    try {
      const { status, body } = await request<{ token: string; userId: string }>(
        `${url}/dev/tokens`,
        'POST',
        {},
        { email },
      );
      return status === 200 ? { email, id: body.userId, token: body.token } : undefined;
    } catch {
      return undefined;
    }
  };
  return poll(look, `${email} cannot sign in`, patienceMs);
}

export class CrashClient {
  readonly account: Account;
  readonly #url: string;
  readonly #ledger: Ledger;
  readonly #random: Random;
  #socket: Promise<SocketClient> | undefined;
  #closed = false;

  constructor(account: Account, { url, ledger }: ClientContext, random: Random) {
    this.account = account;
    this.#url = url;
    this.#ledger = ledger;
    this.#random = random;
  }

  /** Resolves when the outcome is known, or, for some, when the operation is. */
  async perform(entry: Entry): Promise<void> {
    const end = performance.now() + patienceMs;
    for (let isFirst = true; performance.now() < end; isFirst = false) {
      try {
        await this.#attempt(entry, isFirst);
        return;
      } catch (error) {
        if (!(error instanceof Unanswered)) throw error;
        this.#ledger.retries += 1;
      }
      await new Promise((resolve) => setTimeout(resolve, retryPauseMs));
    }
    this.#ledger.violation(entry, 'was not answered');
  }

  /** The operation, when there is an answer. */
  async operation(operationId: string): Promise<Answer<Operation<{ readonly id: string }> & Partial<Problem>>> {
    return this.get(`/v1/operations/${operationId}`);
  }

  /** A read, repeated until it is answered. */
  async get<T>(path: string): Promise<Answer<T>> {
    const look = async (): Promise<Answer<T> | undefined> => {
      try {
        const answer = await this.#call<T & Partial<Problem>>('GET', path, {});
        return transientCodes.has(answer.body.code ?? '') ? undefined : answer;
      } catch {
        return undefined;
      }
    };
    return poll(look, `GET ${path} is not answered`, patienceMs);
  }

  /** An open socket; a lost one is replaced. */
  socket(): Promise<SocketClient> {
    this.#socket ??= this.#open();
    return this.#socket;
  }

  close(): void {
    this.#closed = true;
    this.#socket?.then(
      (socket) => socket.close(),
      () => undefined,
    );
  }

  async #open(): Promise<SocketClient> {
    try {
      const url = `${this.#url.replace('http', 'ws')}/ws/chat/${this.account.id}?access_token=${this.account.token}`;
      const socket = await SocketClient.open(url);
      void socket.closed.then(() => {
        this.#socket = undefined;
      });
      if (this.#closed) socket.close();
      await socket.ping();
      return socket;
    } catch {
      this.#socket = undefined;
      throw new Unanswered();
    }
  }

  async #attempt(entry: Entry, isFirst: boolean): Promise<void> {
    const way = this.#random.below(5);
    if (way < 2) return this.#bySocket(entry, isFirst);
    return this.#byHttp(entry, way < 4);
  }

  async #byHttp(entry: Entry, waits: boolean): Promise<void> {
    const { method, path, body } = entry.command.request;
    const headers = { 'idempotency-key': entry.key, ...(waits ? { prefer: 'wait=20' } : {}) };
    const answer = await this.#call<Operation<{ readonly id: string }> & Problem>(method, path, headers, body).catch(
      () => {
        throw new Unanswered();
      },
    );
    this.#look(entry, answer.status < 300 ? undefined : answer.body, waits);
    const { operationId, result } = answer.body;
    this.#ledger.identified(entry, operationId);
    if (answer.status === 200) this.#ledger.ended(entry, completed(result));
    else if (answer.status !== 202) this.#ledger.ended(entry, failed(answer.body));
    // Half of what is only accepted is left alone: it has to end all the same.
    else if (waits || this.#random.chance(0.5)) await this.#untilEnded(entry, operationId);
  }

  async #bySocket(entry: Entry, isFirst: boolean): Promise<void> {
    const socket = await this.socket();
    const reply = await socket.command(entry.command, entry.key).catch(() => {
      throw new Unanswered();
    });
    this.#look(entry, reply.error, false);
    const { operationId } = reply.data as { readonly operationId: string };
    this.#ledger.identified(entry, operationId);
    // The outcome of a repeated one may have come to an earlier socket.
    if (!isFirst) return this.#untilEnded(entry, operationId);
    const outcome = await socket.outcome(operationId).catch((error: Error) => {
      if (!error.message.startsWith('The socket closed')) this.#ledger.violation(entry, error.message);
      throw new Unanswered();
    });
    const isError = outcome.type?.endsWith('_ERROR') === true;
    const data = outcome.data as { readonly id: string } & Problem;
    this.#ledger.ended(entry, isError ? failed(data) : completed(data));
  }

  /** Throws for an answer that is none. A problem that is not the operation's own (`mayBeIts`) is a violation. */
  #look(entry: Entry, problem: Problem | undefined, mayBeIts: boolean): void {
    if (problem === undefined) return;
    if (transientCodes.has(problem.code)) throw new Unanswered();
    const isRefused = problem.code === 'IDEMPOTENCY_KEY_REUSED' || problem.code === 'INTERNAL';
    if (mayBeIts && problem.operationId !== undefined && !isRefused) return;
    this.#ledger.violation(entry, `was refused: ${JSON.stringify(problem)}`);
    throw new Unanswered();
  }

  async #untilEnded(entry: Entry, operationId: string): Promise<void> {
    const look = async (): Promise<true | undefined> => {
      const { status, body } = await this.operation(operationId);
      if (status !== 200) {
        this.#ledger.violation(entry, `was accepted, and is not there: ${status} ${JSON.stringify(body)}`);
        return true;
      }
      if (body.state === 'COMPLETED') this.#ledger.ended(entry, completed(body.result));
      else if (body.state === 'ERROR') this.#ledger.ended(entry, failed(body.error));
      else return undefined;
      return true;
    };
    await poll(look, `${entry.key} does not end`, patienceMs).catch((error: Error) =>
      this.#ledger.violation(entry, error.message),
    );
  }

  /** Rejects when the connection is lost. */
  #call<T>(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>>,
    body?: unknown,
  ): Promise<Answer<T>> {
    return request<T>(
      `${this.#url}${path}`,
      method,
      { authorization: `Bearer ${this.account.token}`, ...headers },
      body,
    );
  }

  /** Looks again at an operation that was answered 202 once. */
  async settle(entry: Entry): Promise<void> {
    if (entry.operationId === undefined) this.#ledger.violation(entry, 'has no operation');
    else await this.#untilEnded(entry, entry.operationId);
  }
}
