/**
 * The part every participant of a saga plays, on plain data. Asked, it approves and holds the change for that operation,
 * rejects, or lets the operation wait behind the pending change it depends on. Nothing held is visible to anybody until
 * its saga completes; undone, it has never been. Both lists are bounded; an operation that finds no room is rejected
 * with OPERATION_PENDING, which may be tried again.
 */

import { type Answer, type Approval, type Initiated, type ParticipantKey, type SagaOf, serviceOf } from './dialogue.ts';
import type { Rejection, RejectionCode } from './vocabulary.ts';

export const pendingMax = 1_024;
export const waitingMax = 64;

/** A change that was approved and is not settled yet. */
export interface Held<TChange> {
  readonly operationId: string;
  readonly change: TChange;
}

/** The open operations of an actor, in the order they were asked. */
export interface Book<P extends ParticipantKey, TChange> {
  readonly pending: readonly Held<TChange>[];
  readonly waiting: readonly Initiated<P>[];
}

export const emptyBook = { pending: [], waiting: [] } as const;

/** What an actor says to a request, given what is settled and what is pending. */
export type Verdict<P extends ParticipantKey, TChange> =
  | { readonly kind: 'approve'; readonly approval: Approval<P>; readonly hold?: TChange }
  | { readonly kind: 'reject'; readonly error: Rejection }
  | { readonly kind: 'wait' };

/** The rules of an actor. Pure; it sees neither the waiting ones nor the request's own change. */
export interface Rules<P extends ParticipantKey, TChange, C extends Book<P, TChange>> {
  readonly key: P;
  readonly decide: (context: C, request: Initiated<P>) => Verdict<P, TChange>;
}

/** The context after a request or an end, and what the actor says. */
export interface Result<C, TEmitted> {
  readonly context: C;
  readonly emitted: readonly TEmitted[];
}

export function approve<P extends ParticipantKey>(approval: Approval<P>): Verdict<P, never> {
  return { kind: 'approve', approval };
}

export function hold<P extends ParticipantKey, TChange>(change: TChange, approval: Approval<P>): Verdict<P, TChange> {
  return { kind: 'approve', approval, hold: change };
}

export function reject(
  code: RejectionCode,
  params: Readonly<Record<string, string | number>> = {},
): Verdict<never, never> {
  return { kind: 'reject', error: { code, params } };
}

export const wait: Verdict<never, never> = { kind: 'wait' };

function answerTo<P extends ParticipantKey>(
  key: P,
  request: Initiated<P>,
  says: { readonly approval: Approval<P> } | { readonly error: Rejection },
): Answer<P> {
  const saga = request.type.slice(0, -'_INITIATED'.length) as SagaOf<P>;
  const { operationId, responsibleUserId } = request;
  const responsibleService = serviceOf[key];
  // One cast, because TypeScript cannot follow that saga, participant and payload belong together.
  return (
    'approval' in says
      ? { type: `${saga}_APPROVED`, operationId, responsibleService, responsibleUserId, payload: says.approval }
      : { type: `${saga}_REJECTED`, operationId, responsibleService, responsibleUserId, payload: { error: says.error } }
  ) as Answer<P>;
}

/** One request met with the rules; undefined when it has to wait. */
function meet<P extends ParticipantKey, TChange, C extends Book<P, TChange>>(
  rules: Rules<P, TChange, C>,
  context: C,
  request: Initiated<P>,
): Result<C, Answer<P>> | undefined {
  const verdict = rules.decide(context, request);
  if (verdict.kind === 'wait') return undefined;
  if (verdict.kind === 'reject') return { context, emitted: [answerTo(rules.key, request, verdict)] };

  const answer = answerTo(rules.key, request, verdict);
  if (verdict.hold === undefined) return { context, emitted: [answer] };
  if (context.pending.length >= pendingMax) return undefined;
  const held = { operationId: request.operationId, change: verdict.hold };
  return { context: { ...context, pending: [...context.pending, held] }, emitted: [answer] };
}

/**
 * A saga asks. The same question again changes nothing and is approved again: what was approved stays possible while it
 * is held, so that the answer need not be kept.
 */
export function ask<P extends ParticipantKey, TChange, C extends Book<P, TChange>>(
  rules: Rules<P, TChange, C>,
  context: C,
  request: Initiated<P>,
): Result<C, Answer<P>> {
  if (pendingOf(context, request.operationId) !== undefined) {
    return { context, emitted: meet(rules, drop<P, TChange, C>(context, request.operationId), request)?.emitted ?? [] };
  }
  if (isWaiting(context, request.operationId)) return { context, emitted: [] };

  const met = meet(rules, context, request);
  if (met !== undefined) return met;
  if (context.waiting.length < waitingMax) {
    return { context: { ...context, waiting: [...context.waiting, request] }, emitted: [] };
  }
  const error = { code: 'OPERATION_PENDING' satisfies RejectionCode, params: {} };
  return { context, emitted: [answerTo(rules.key, request, { error })] };
}

/**
 * The waiting ones are asked again, in the order they came. Once is enough: an approval only adds to what is pending, so
 * it never lets an earlier one go on.
 */
export function askWaiting<P extends ParticipantKey, TChange, C extends Book<P, TChange>>(
  rules: Rules<P, TChange, C>,
  context: C,
): Result<C, Answer<P>> {
  if (context.waiting.length === 0) return { context, emitted: [] };
  let next = context;
  const emitted: Answer<P>[] = [];
  const waiting: Initiated<P>[] = [];
  for (const request of context.waiting) {
    const met = meet(rules, next, request);
    if (met === undefined) {
      waiting.push(request);
    } else {
      next = met.context;
      emitted.push(...met.emitted);
    }
  }
  return { context: { ...next, waiting }, emitted };
}

/** The context without an operation, whether it was pending or waiting. */
export function drop<P extends ParticipantKey, TChange, C extends Book<P, TChange>>(
  context: C,
  operationId: string,
): C {
  return {
    ...context,
    pending: context.pending.filter((held) => held.operationId !== operationId),
    waiting: context.waiting.filter((request) => request.operationId !== operationId),
  };
}

/** Settles an operation: `apply` makes the change it held so, and the waiting ones go on. */
export function settle<P extends ParticipantKey, TChange, C extends Book<P, TChange>, TEmitted>(
  rules: Rules<P, TChange, C>,
  context: C,
  operationId: string,
  apply: (context: C, change: TChange) => Result<C, TEmitted>,
): Result<C, TEmitted | Answer<P>> {
  const held = pendingOf(context, operationId);
  if (held === undefined) return { context, emitted: [] };
  const applied = apply(drop<P, TChange, C>(context, operationId), held.change);
  const next = askWaiting(rules, applied.context);
  return { context: next.context, emitted: [...applied.emitted, ...next.emitted] };
}

/** Undoes an operation: says UNDO if something was held for it, and lets the waiting ones go on. */
export function undo<P extends ParticipantKey, TChange, C extends Book<P, TChange>>(
  rules: Rules<P, TChange, C>,
  context: C,
  operationId: string,
): Result<C, Answer<P> | Undo> {
  const wasPending = pendingOf(context, operationId) !== undefined;
  const dropped = drop<P, TChange, C>(context, operationId);
  if (!wasPending) return { context: dropped, emitted: [] };
  const next = askWaiting(rules, dropped);
  return { context: next.context, emitted: [{ type: 'UNDO', operationId }, ...next.emitted] };
}

/** A pending change was dropped; it was never visible. */
export interface Undo {
  readonly type: 'UNDO';
  readonly operationId: string;
}

export function pendingOf<P extends ParticipantKey, TChange>(
  book: Book<P, TChange>,
  operationId: string,
): Held<TChange> | undefined {
  return book.pending.find((held) => held.operationId === operationId);
}

export function isWaiting<P extends ParticipantKey>(book: Book<P, unknown>, operationId: string): boolean {
  return book.waiting.some((request) => request.operationId === operationId);
}

/** Whether the operation is open here; an end of any other is of no concern. */
export function isOpen<P extends ParticipantKey>(book: Book<P, unknown>, operationId: string): boolean {
  return pendingOf(book, operationId) !== undefined || isWaiting(book, operationId);
}

export function isInitiated<P extends ParticipantKey>(event: { readonly type: string }): event is Initiated<P> {
  return event.type.endsWith('_INITIATED');
}
