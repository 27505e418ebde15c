/**
 * Operations as the API sees them: started by a saga's START, remembered by the saga itself. An idempotency key makes the
 * operation's id, so that a repeat finds the same saga on any node and after any restart. An outcome is told only when
 * all of it is committed everywhere, so that whoever hears it sees it in every read.
 */

import { createHash } from 'node:crypto';
import {
  type ActorSystem,
  type Call,
  type Claims,
  type Clock,
  moveNear,
  type Operations,
  type Prepared,
  problemOf,
  Refusal,
} from '../src/index.ts';
import { callerOf } from './api-identity.ts';
import {
  type Rejection,
  type Rows,
  type SagaName,
  type StartAnswer,
  type StartEvent,
  type StartPayloads,
  sagaNames,
  type UserNews,
} from './contract.ts';
import { sagas } from './sagas.ts';
import { chatCatalog } from './texts.ts';
import { operationOf } from './views.ts';

/** An operation's row with its key. */
export type OperationRow = Rows['operations'] & { readonly operationId: string };

export interface Intent<S extends SagaName> {
  readonly saga: S;
  readonly call: Call;
  /** What the caller sent: the same under the same key is a repeat. */
  readonly data: unknown;
  /** Part of the scope of an idempotency key. */
  readonly target: string;
  /** The operation is minted on the shard of this id. */
  readonly near: string | undefined;
  payload(operationId: string): StartPayloads[S];
}

/** A user's news is heard by then, unless the store is slow or away. */
const listeningMsMax = 1_000;

function digest(...parts: readonly string[]): Buffer {
  const hash = createHash('sha256');
  // Lengths first: no two lists of parts give the same bytes.
  for (const part of parts) hash.update(`${Buffer.byteLength(part)}:`).update(part);
  return hash.digest();
}

/** A version 8 UUID (RFC 9562) of the key in its scope. */
function derivedId(userId: string, saga: SagaName, target: string, key: string): string {
  const bytes = digest(userId, saga, target, key).subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

export function isEnded(row: OperationRow): boolean {
  return row.state === 'COMPLETED' || row.state === 'ERROR';
}

export function refusalOfRejection(error: Rejection, operationId: string): Refusal {
  return new Refusal(error.code, { params: error.params, operationId });
}

/** An operation for its user. A completed one shows its result until the retention ends. */
export function shownOperation(row: OperationRow, language: string): object {
  const { operationId, type, state, responsibleUserId, result, error } = row;
  const problem =
    error === undefined ? undefined : problemOf(refusalOfRejection(error, operationId), language, chatCatalog);
  return { operationId, type, state, responsibleUserId, result, error: problem };
}

export class ChatOperations implements Operations {
  readonly #system: ActorSystem;
  readonly #clock: Clock;

  constructor(system: ActorSystem, clock: Clock) {
    this.#system = system;
    this.#clock = clock;
  }

  location(operationId: string): string {
    return `/v1/operations/${operationId}`;
  }

  prepare<S extends SagaName>(intent: Intent<S>): Prepared {
    const { saga, call, near, target, data } = intent;
    const { idempotencyKey: key } = call;
    const userId = callerOf(call.claims);
    let operationId: string;
    // Without a key the id is fresh: nothing can repeat it, and there is nothing to compare.
    let fingerprint = '';
    if (key === undefined) operationId = this.#system.mint(near);
    else {
      const derived = derivedId(userId, saga, target, key);
      operationId = near === undefined ? derived : moveNear(derived, near);
      fingerprint = digest(JSON.stringify(data)).toString('base64url');
    }
    const event = {
      type: `${saga}_START`,
      operationId,
      responsibleService: 'SAGA_SERVICE',
      responsibleUserId: userId,
      payload: { at: this.#system.now(), fingerprint, ...intent.payload(operationId) },
    } as unknown as StartEvent;
    return { operationId, start: () => this.#start(saga, operationId, event, fingerprint) };
  }

  async startAndWait(prepared: Prepared, claims: Claims, waitMs: number): Promise<unknown> {
    const { operationId } = prepared;
    const userId = callerOf(claims);
    // Before the start: the outcome may be published before its answer is seen here.
    const waiter = this.#waitFor(userId, operationId, waitMs);
    try {
      // A store that cannot be listened to must not keep the caller for long: whoever starts regardless may miss the outcome.
      await Promise.race([waiter.listening, waiter.outcome, waiter.late]);
      const { repeated } = await prepared.start();
      const row = repeated ? await this.ended(operationId) : undefined;
      const news = row === undefined ? await waiter.outcome : outcomeOf(row);
      if (news === undefined) return undefined;
      const { type, data } = news;
      if (type.endsWith('_ERROR')) throw refusalOfRejection(data as Rejection, operationId);
      const saga = type.slice(0, -'_COMPLETED'.length);
      return { operationId, type: saga, state: 'COMPLETED', responsibleUserId: userId, result: data };
    } finally {
      waiter.cancel();
    }
  }

  async row(operationId: string): Promise<OperationRow | undefined> {
    const [found] = await this.#system.rows<Rows['operations']>('operations', operationId, [operationId]);
    const row = found ?? (await this.#retired(operationId));
    return row && { operationId, ...row };
  }

  /** What the saga itself says, whichever it was: one of long ago has no row any more. */
  async #retired(operationId: string): Promise<Rows['operations'] | undefined> {
    const asked = sagaNames.map(async (name) => {
      const saga = await this.#system.actor(sagas[name], operationId).snapshot();
      return saga && operationOf(name, saga.state);
    });
    return (await Promise.all(asked)).find((row) => row !== undefined);
  }

  /** The row of an operation that has ended, once everything it caused is committed; else undefined. */
  async ended(operationId: string): Promise<OperationRow | undefined> {
    const row = await this.row(operationId);
    if (row === undefined || !isEnded(row)) return undefined;
    await this.#system.settled(operationId, operationId);
    return row;
  }

  async #start(saga: SagaName, operationId: string, event: StartEvent, fingerprint: string): Promise<StartAnswer> {
    const actor = this.#system.actor(sagas[saga], operationId);
    const answer = (await actor.ask(event as never, { operation: operationId, isRepeatable: true })) as StartAnswer;
    if (answer.repeated && answer.fingerprint !== fingerprint) {
      throw new Refusal('IDEMPOTENCY_KEY_REUSED', { operationId });
    }
    return answer;
  }

  /** The outcome of an operation from now on, or undefined after `ms`. */
  #waitFor(userId: string, operationId: string, ms: number) {
    let cancel = (): void => undefined;
    let isLate = (): void => undefined;
    const late = new Promise<void>((resolve) => {
      isLate = resolve;
    });
    const outcome = new Promise<Outcome | undefined>((resolve) => {
      const unsubscribe = this.#system.subscribe(`user:${userId}`, ({ data }) => {
        const news = data as UserNews;
        if ('operationId' in news && news.operationId === operationId) resolve(news);
      });
      const disarm = this.#clock.after(ms, () => resolve(undefined), { keepAlive: true });
      const disarmLate = this.#clock.after(listeningMsMax, isLate);
      cancel = () => {
        unsubscribe();
        disarm();
        disarmLate();
      };
    });
    return { outcome, cancel, late, listening: this.#system.listening(`user:${userId}`) };
  }
}

type Outcome = Extract<UserNews, { readonly operationId: string }>;

function outcomeOf(row: OperationRow): Outcome {
  const { operationId, type, error, result } = row;
  return (
    error === undefined
      ? { type: `${type}_COMPLETED`, operationId, data: result }
      : { type: `${type}_ERROR`, operationId, data: error }
  ) as Outcome;
}
