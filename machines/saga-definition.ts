/**
 * What one saga is made of: who must approve, what each is asked, and what each learns when all have. Plain data, run by
 * the one saga machine (saga.ts).
 */

import type { Approval, Approvals, AskedOf, Dialogues, ParticipantKey, SettledOf } from './dialogue.ts';
import type { SagaName, StartPayloads } from './vocabulary.ts';

/** The command a saga works on. */
export interface Command<S extends SagaName = SagaName> {
  readonly operationId: string;
  readonly responsibleUserId: string;
  readonly payload: StartPayloads[S] & { readonly at: number };
}

// Methods, so that a definition of one saga is usable where that of any is asked for.
export interface Participant<S extends SagaName, P extends ParticipantKey> {
  readonly key: P;
  id(command: Command<S>): string;
  /** Payload of `<SAGA>_INITIATED`. */
  asked(command: Command<S>): AskedOf<S, P>;
  /** Payload of `<SAGA>_COMPLETED`. */
  settled(command: Command<S>, approvals: Approvals): SettledOf<S, P>;
}

export type ParticipantOf<S extends SagaName> = S extends SagaName
  ? { [P in keyof Dialogues[S] & ParticipantKey]: Participant<S, P> }[keyof Dialogues[S] & ParticipantKey]
  : never;

export interface SagaDefinition<S extends SagaName = SagaName> {
  readonly name: S;
  /** Not settled by then, it rejects itself. */
  readonly timeoutMs: number;
  /** The main one first: its DTO is the result of the operation. */
  readonly participants: readonly ParticipantOf<S>[];
}

export function defineSaga<S extends SagaName>(
  definition: Omit<SagaDefinition<S>, 'timeoutMs'> & { readonly timeoutMs?: number },
): SagaDefinition<S> {
  return { timeoutMs: 5_000, ...definition };
}

export const nothing = (): Record<string, never> => ({});

/** What a participant approved with. A saga completes only when all have, so a missing DTO is a broken definition: throws. */
export function dtoOf<P extends ParticipantKey>(approvals: Approvals, key: P): NonNullable<Approval<P>['dto']> {
  const dto = approvals[key]?.dto as Approval<P>['dto'];
  if (dto === undefined || dto === null) throw new Error(`The ${key} approved without saying what it will be.`);
  return dto;
}
