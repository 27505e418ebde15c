/**
 * What this node asks of shards of other nodes: a request goes into the shard's inbox, and its answer comes back on this
 * node's channel after the commit that holds what it caused.
 *
 * It guarantees that every question settles by its deadline, and that a command is put into an inbox at most once: one
 * whose sending failed in a way that nobody can judge is waited for like any other. What may be repeated (reads change
 * nothing, and some actors know their commands again) is asked again when the shard has a new owner, and when this node could not hear
 * for a while. Questions that wait are bounded (`questionsMax`).
 */

import type { Address } from '../actor/address.ts';
import { Alarm } from '../alarm.ts';
import type { Clock } from '../clock.ts';
import { TroupeError } from '../errors.ts';
import type { Ids } from '../ids.ts';
import { encode } from '../journal/codec.ts';
import type { Limits } from '../limits.ts';
import type { Observer } from '../observer.ts';
import type { ClusterStore } from './cluster-store.ts';
import { errorOf, type NodeMessage, packedRequest, type Question, type Request } from './messages.ts';

interface Pending {
  readonly shard: number;
  /** On the monotonic clock. */
  readonly deadline: number;
  readonly payload: Uint8Array;
  readonly isRepeatable: boolean;
  settle(end: 'answered' | 'timeout' | 'full' | 'failed', result: { value: unknown } | Error): void;
  late(): void;
}

export interface QuestionsOptions {
  readonly store: ClusterStore;
  readonly node: string;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly limits: Limits;
  readonly observer: Observer;
}

export class Questions {
  readonly #options: QuestionsOptions;
  readonly #pending = new Map<string, Pending>();
  readonly #alarm: Alarm;

  constructor(options: QuestionsOptions) {
    this.#options = options;
    this.#alarm = new Alarm(options.clock, () => this.#timeOut(), { keepAlive: true });
  }

  /** Questions without an answer. */
  get size(): number {
    return this.#pending.size;
  }

  /** Rejects with what the shard's owner rejects with, MAILBOX_FULL (nothing happened), JOURNAL_UNAVAILABLE or ASK_TIMEOUT. */
  ask(shard: number, request: Request, deadlineMs: number): Promise<unknown> {
    const { node, clock, ids, limits, observer } = this.#options;
    if (this.#pending.size >= limits.questionsMax) {
      const message = `This node waits for ${limits.questionsMax} answers of other nodes; try again later.`;
      return Promise.reject(new TroupeError('MAILBOX_FULL', message));
    }
    const id = ids.nonce();
    let payload: Uint8Array;
    try {
      const question: Question = { id, node, request: packedRequest(request) };
      payload = encode(question);
    } catch (error) {
      return Promise.reject(new TroupeError('EVENT_REFUSED', 'The event cannot be encoded.', {}, error));
    }
    return new Promise((resolve, reject) => {
      const askedAt = clock.monotonic();
      const settle: Pending['settle'] = (end, result) => {
        if (!this.#pending.delete(id)) return;
        if (this.#pending.size === 0) this.#alarm.cancel();
        observer.remoteAsk(clock.monotonic() - askedAt, end);
        if (result instanceof Error) reject(result);
        else resolve(result.value);
      };
      const pending = {
        shard,
        deadline: askedAt + deadlineMs,
        late: () => settle('timeout', lateError(shard, request, deadlineMs)),
        payload,
        isRepeatable: request.kind !== 'command' || request.isRepeatable === true,
        settle,
      };
      this.#pending.set(id, pending);
      this.#alarm.by(pending.deadline);
      // An actor that does not exist, as far as this node knows. A later copy may find that the first one has made it.
      this.#send(pending, request.kind === 'command' && request.fresh !== undefined ? request.envelope.to : undefined);
    });
  }

  /** An answer has come; one that nobody waits for any more is ignored. */
  answered(message: Extract<NodeMessage, readonly ['answer' | 'refusal', ...unknown[]]>): void {
    const pending = this.#pending.get(message[1]);
    if (pending === undefined) return;
    if (message[0] === 'answer') return pending.settle('answered', { value: message[2] });
    const error = errorOf(message);
    if (error.code === 'SHARD_LOST' && pending.isRepeatable) return this.#send(pending);
    pending.settle('answered', error);
  }

  /** The shard has a new owner: what was read of the old one may never be answered. */
  took(shard: number): void {
    for (const pending of this.#pending.values()) {
      if (pending.shard === shard && pending.isRepeatable) this.#send(pending);
    }
  }

  /** Answers may have been said and not heard. */
  again(): void {
    for (const pending of this.#pending.values()) if (pending.isRepeatable) this.#send(pending);
  }

  /** Nobody will be there to hear an answer. */
  stop(): void {
    this.giveUp(new TroupeError('STOPPED', 'This node is stopping; try another one, or again later.'));
  }

  /** No answer can be expected. */
  giveUp(error: TroupeError): void {
    for (const pending of [...this.#pending.values()]) pending.settle('failed', error);
  }

  #timeOut(): void {
    const now = this.#options.clock.monotonic();
    for (const pending of [...this.#pending.values()]) {
      if (pending.deadline > now) this.#alarm.by(pending.deadline);
      else pending.late();
    }
  }

  #send(pending: Pending, actor?: Address): void {
    const { store, limits } = this.#options;
    store.send(pending.shard, pending.payload, limits.inboxMax, actor).then(
      (outcome) => {
        if (outcome !== 'full') return;
        const message = `The inbox of shard ${pending.shard} has ${limits.inboxMax} envelopes waiting; try again later.`;
        pending.settle('full', new TroupeError('MAILBOX_FULL', message));
      },
      (error: unknown) => {
        // If it may have been sent, its answer may still come.
        if (error instanceof TroupeError && error.params.sent !== false && error.code === 'JOURNAL_UNAVAILABLE') return;
        pending.settle('failed', error instanceof Error ? error : new Error(String(error)));
      },
    );
  }
}

function lateError(shard: number, request: Request, deadlineMs: number): TroupeError {
  const what =
    request.kind === 'command'
      ? `The answer of ${request.envelope.to} to ${request.envelope.event.type}`
      : `The answer of shard ${shard}`;
  return new TroupeError('ASK_TIMEOUT', `${what} took longer than ${deadlineMs} ms.`, { shard });
}
