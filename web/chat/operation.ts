/**
 * The life of an operation as the page sees it: waiting for a connection, sent, accepted (the server's saga runs), and
 * then either completed, which ends it here, or failed with a problem. It keeps its idempotency key through every
 * repetition whose predecessor may have arrived; only an operation that is known to have ended in an error, and has
 * therefore changed nothing, is tried again under a new one.
 */

import type { SagaName } from '../../machines/vocabulary.ts';
import type { Problem } from '../shared/problem.ts';

export interface CommandData {
  readonly USER_CREATE: {
    readonly type: 'REGULAR_USER' | 'TRANSLATOR';
    readonly username: string;
    readonly primaryLanguage: string;
    readonly translationLanguages?: readonly string[];
  };
  readonly ROOM_CREATE: { readonly companionUserId: string };
  readonly ROOM_ADD_MEMBER: { readonly roomId: string; readonly memberId: string };
  readonly MESSAGE_CREATE: { readonly roomId: string; readonly content: string };
  readonly MESSAGE_UPDATE: { readonly messageId: string; readonly content: string };
  readonly MESSAGE_READ: { readonly messageId: string };
  readonly MESSAGE_TRANSLATE: { readonly messageId: string; readonly translation: string; readonly language: string };
}

export type Request = { [K in SagaName]: { readonly command: K; readonly data: CommandData[K] } }[SagaName];

export type Operation = Request & {
  /** Its idempotency key. */
  readonly key: string;
  readonly at: number;
  readonly state: 'waiting' | 'sent' | 'accepted' | 'failed';
  readonly operationId: string | undefined;
  readonly problem: Problem | undefined;
  /** Whether the server has ended it: it changed nothing, and will not. */
  readonly isOver: boolean;
  /** Of a MESSAGE_CREATE: the message that it became, when that was heard of before the outcome. */
  readonly messageId: string | undefined;
};

/** More at once are refused by the page: they would be a program's. */
export const operationsMax = 200;

export function newOperation(request: Request, key: string, at: number): Operation {
  return {
    ...request,
    key,
    at,
    state: 'waiting',
    operationId: undefined,
    problem: undefined,
    isOver: false,
    messageId: undefined,
  };
}

export type Progress =
  | { readonly kind: 'sent' }
  | { readonly kind: 'accepted'; readonly operationId: string }
  /** Nobody knows whether it arrived. */
  | { readonly kind: 'interrupted' }
  | { readonly kind: 'failed'; readonly problem: Problem; readonly isOver: boolean };

export function advanced(operation: Operation, progress: Progress): Operation {
  switch (progress.kind) {
    case 'sent':
      return { ...operation, state: 'sent' };
    case 'accepted':
      return { ...operation, state: 'accepted', operationId: progress.operationId };
    case 'interrupted':
      return operation.state === 'sent' ? { ...operation, state: 'waiting' } : operation;
    case 'failed':
      return {
        ...operation,
        state: 'failed',
        problem: progress.problem,
        isOver: progress.isOver,
        messageId: undefined,
      };
  }
}

/** As it is tried again. */
export function retried(operation: Operation, freshKey: string): Operation {
  const again = newOperation(operation, operation.isOver ? freshKey : operation.key, operation.at);
  return { ...again, operationId: operation.isOver ? undefined : operation.operationId };
}

/** What must not overtake each other: messages of a room, changes of a message. */
export function laneOf({ command, data, key }: Operation): string {
  if ('roomId' in data && command === 'MESSAGE_CREATE') return `messages of ${data.roomId}`;
  if ('messageId' in data) return `${command} ${data.messageId}`;
  return key;
}

/** Those that may be sent: the first waiting one of each lane in which nothing is under way. */
export function sendable(operations: readonly Operation[]): readonly Operation[] {
  const taken = new Set<string>();
  const found: Operation[] = [];
  for (const operation of operations) {
    if (operation.state === 'failed') continue;
    const lane = laneOf(operation);
    if (operation.state === 'waiting' && !taken.has(lane)) found.push(operation);
    taken.add(lane);
  }
  return found;
}

/** Messages on their way in a room that are not shown as messages yet. */
export function sendingIn(operations: readonly Operation[], roomId: string): readonly Operation[] {
  return operations.filter(
    (operation) =>
      operation.command === 'MESSAGE_CREATE' && operation.data.roomId === roomId && operation.messageId === undefined,
  );
}

/** The change of a message that is on its way or has failed. */
export function changeOf<K extends 'MESSAGE_UPDATE' | 'MESSAGE_TRANSLATE'>(
  operations: readonly Operation[],
  command: K,
  messageId: string,
): Extract<Operation, { readonly command: K }> | undefined {
  return operations.findLast(
    (operation): operation is Extract<Operation, { readonly command: K }> =>
      operation.command === command && operation.data.messageId === messageId,
  );
}
