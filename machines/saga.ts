/**
 * The saga: one statechart for every operation that needs several actors to agree. It asks all of them at once; when
 * each has approved, the operation is COMPLETED and they settle it; when one rejects, or time is up, it is ERROR and
 * they undo it. It ends once, and goes on answering: a repeated command gets the first one's answer, an approval that
 * comes after an ERROR is told to undo.
 */

import { setup } from 'xstate';
import { type Answer, type Approval, type Approvals, type ParticipantKey, serviceOf } from './dialogue.ts';
import type { Command, Participant, SagaDefinition } from './saga-definition.ts';
import type { MessageDto, Rejection, RoomDto, SagaName, StartAnswer, StartEvent, UserDto } from './vocabulary.ts';

/** An actor that takes part in an operation. */
export interface Party {
  readonly key: ParticipantKey;
  readonly id: string;
}

export interface SagaContext {
  /** The saga's own id. */
  readonly operationId: string;
  readonly responsibleUserId: string;
  /** Of the command that started it; tells a repeat from another command. */
  readonly fingerprint: string;
  readonly parties: readonly Party[];
  /** What it works on; null before it starts, and again when it has ended. */
  readonly open: { readonly command: Command; readonly approvals: Approvals } | null;
  readonly result: UserDto | RoomDto | MessageDto | null;
  readonly error: Rejection | null;
}

export type SagaEvent = StartEvent | Answer | { readonly type: 'OPERATION_TIMEOUT' };

/** What a party is told, in an event named by the emitted type. */
export interface Told extends Party {
  readonly payload: unknown;
}

interface Emission<TType extends string> {
  readonly type: TType;
  readonly operationId: string;
  readonly responsibleUserId: string;
}

export type SagaEmitted =
  /** To whoever sent the command. */
  | ({ readonly type: `${SagaName}_STARTED` } & StartAnswer)
  | (Emission<`${SagaName}_INITIATED`> & { readonly told: readonly Told[] })
  /** Settles the parties, and is the outcome for the requester. */
  | (Emission<`${SagaName}_COMPLETED`> & {
      readonly told: readonly Told[];
      readonly approvals: Approvals;
      readonly result: UserDto | RoomDto | MessageDto;
    })
  /** Undoes the parties. */
  | (Emission<`${SagaName}_REJECTED`> & { readonly told: readonly Told[] })
  /** The outcome for the requester. */
  | (Emission<`${SagaName}_ERROR`> & { readonly error: Rejection });

type AnyParticipant = Participant<SagaName, ParticipantKey>;

function isAnswer(event: SagaEvent): event is Answer {
  return event.type.endsWith('_APPROVED') || event.type.endsWith('_REJECTED');
}

function isApproved(event: SagaEvent): event is Extract<Answer, { readonly payload: Approval }> {
  return event.type.endsWith('_APPROVED');
}

function isStart(event: SagaEvent): event is StartEvent {
  return event.type.endsWith('_START');
}

/** The party an answer comes from; undefined when it is about another operation or from nobody who was asked. */
function partyOf(context: SagaContext, event: SagaEvent): Party | undefined {
  if (!isAnswer(event) || event.operationId !== context.operationId) return undefined;
  return context.parties.find(({ key }) => serviceOf[key] === event.responsibleService);
}

/** The approvals so far and this one. A party counts once, whatever it repeats. */
function approvalsWith(context: SagaContext, event: SagaEvent): Approvals {
  const approvals = context.open?.approvals ?? {};
  const party = partyOf(context, event);
  if (party === undefined || !isApproved(event) || approvals[party.key] !== undefined) return approvals;
  return { [party.key]: event.payload, ...approvals };
}

function errorOf(event: SagaEvent): Rejection {
  return isAnswer(event) && 'error' in event.payload ? event.payload.error : { code: 'OPERATION_TIMEOUT', params: {} };
}

function toldTo({ key, id }: Party, payload: unknown): Told {
  return { key, id, payload };
}

function participantsOf(definition: SagaDefinition): readonly AnyParticipant[] {
  return definition.participants as readonly AnyParticipant[];
}

function setupOf(definition: SagaDefinition) {
  return setup({
    types: {} as {
      readonly context: SagaContext;
      readonly events: SagaEvent;
      readonly emitted: SagaEmitted;
      readonly input: { readonly id: string };
    },
    delays: { operationTimeout: definition.timeoutMs },
  });
}

type SagaSetup = ReturnType<typeof setupOf>;

function beginning(saga: SagaSetup, definition: SagaDefinition) {
  const participants = participantsOf(definition);
  return saga.enqueueActions(({ context: { operationId }, event, enqueue }) => {
    if (!isStart(event)) return;
    const { responsibleUserId } = event;
    const { fingerprint, ...payload } = event.payload;
    const command: Command = { operationId, responsibleUserId, payload };
    const parties = participants.map((participant) => ({ key: participant.key, id: participant.id(command) }));
    const told = participants.map((participant, i) => toldTo(parties[i]!, participant.asked(command)));
    enqueue.assign({ responsibleUserId, fingerprint, parties, open: { command, approvals: {} } });
    enqueue.raise({ type: 'OPERATION_TIMEOUT' }, { id: 'operationTimeout', delay: 'operationTimeout' });
    enqueue.emit({ type: `${definition.name}_STARTED`, operationId, fingerprint, repeated: false });
    enqueue.emit({ type: `${definition.name}_INITIATED`, operationId, responsibleUserId, told });
  });
}

function completion(saga: SagaSetup, definition: SagaDefinition) {
  const participants = participantsOf(definition);
  return saga.enqueueActions(({ context, event, enqueue }) => {
    const { operationId, responsibleUserId, open, parties } = context;
    const approvals = approvalsWith(context, event);
    const result = approvals[participants[0]!.key]?.dto;
    if (open === null || result === undefined) throw new Error(`${definition.name} would complete without a result.`);
    const told = participants.map((participant, i) =>
      toldTo(parties[i]!, participant.settled(open.command, approvals)),
    );
    enqueue.cancel('operationTimeout');
    enqueue.assign({ open: null, result });
    enqueue.emit({ type: `${definition.name}_COMPLETED`, operationId, responsibleUserId, told, approvals, result });
  });
}

function failure(saga: SagaSetup, { name }: SagaDefinition) {
  return saga.enqueueActions(({ context: { operationId, responsibleUserId, parties }, event, enqueue }) => {
    const error = errorOf(event);
    const told = parties.map((party) => toldTo(party, { error }));
    if (event.type !== 'OPERATION_TIMEOUT') enqueue.cancel('operationTimeout');
    enqueue.assign({ open: null, error });
    enqueue.emit({ type: `${name}_REJECTED`, operationId, responsibleUserId, told });
    enqueue.emit({ type: `${name}_ERROR`, operationId, responsibleUserId, error });
  });
}

function lateUndo(saga: SagaSetup, { name }: SagaDefinition) {
  return saga.enqueueActions(({ context, event, enqueue }) => {
    const { operationId, responsibleUserId, error } = context;
    const party = partyOf(context, event);
    if (party === undefined) return;
    enqueue.emit({
      type: `${name}_REJECTED`,
      operationId,
      responsibleUserId,
      told: [toldTo(party, { error })],
    });
  });
}

function repeatedAnswer(saga: SagaSetup, { name }: SagaDefinition) {
  return saga.emit(({ context: { operationId, fingerprint } }) => ({
    type: `${name}_STARTED` as const,
    operationId,
    fingerprint,
    repeated: true,
  }));
}

function vocabularyOf(definition: SagaDefinition) {
  const saga = setupOf(definition);
  return saga.extend({
    actions: {
      begin: beginning(saga, definition),
      complete: completion(saga, definition),
      fail: failure(saga, definition),
      undoLate: lateUndo(saga, definition),
      answerAgain: repeatedAnswer(saga, definition),
      count: saga.assign(({ context, event }) => ({
        open: context.open && { ...context.open, approvals: approvalsWith(context, event) },
      })),
    },
    guards: {
      isOurs: ({ context, event }) => isStart(event) && event.operationId === context.operationId,
      isAnswer: ({ context, event }) => partyOf(context, event) !== undefined,
      isNewApproval: ({ context, event }) => approvalsWith(context, event) !== context.open?.approvals,
      isLastApproval: ({ context, event }) => {
        const approvals = approvalsWith(context, event);
        return approvals !== context.open?.approvals && Object.keys(approvals).length === context.parties.length;
      },
    },
  });
}

export function sagaMachine(definition: SagaDefinition) {
  const { name } = definition;
  const repeatedStart = { guard: 'isOurs', actions: 'answerAgain' } as const;
  const asking = {
    [`${name}_START`]: repeatedStart,
    [`${name}_APPROVED`]: [
      { guard: 'isLastApproval', target: 'COMPLETED', actions: 'complete' },
      { guard: 'isNewApproval', target: 'IN_APPROVING', actions: 'count' },
    ],
    [`${name}_REJECTED`]: { guard: 'isAnswer', target: 'ERROR', actions: 'fail' },
    OPERATION_TIMEOUT: { target: 'ERROR', actions: 'fail' },
  } as const;

  return vocabularyOf(definition).createMachine({
    id: name,
    // Part of what snapshots are stamped with: to be raised when a rule changes.
    version: '1',
    context: ({ input }) => ({
      operationId: input.id,
      responsibleUserId: '',
      fingerprint: '',
      parties: [],
      open: null,
      result: null,
      error: null,
    }),
    initial: 'READY',
    states: {
      READY: {
        description: 'Not started.',
        on: { [`${name}_START`]: { guard: 'isOurs', target: 'INITIATED', actions: 'begin' } },
      },
      INITIATED: { description: 'Every participant is asked.', on: asking },
      IN_APPROVING: { description: 'Some have approved.', on: asking },
      COMPLETED: {
        description: 'All have approved and settle. It ends here; repeated approvals change nothing.',
        on: { [`${name}_START`]: repeatedStart },
      },
      ERROR: {
        description: 'One rejected, or time was up. It ends here; who approves late is told to undo.',
        on: {
          [`${name}_START`]: repeatedStart,
          [`${name}_APPROVED`]: { guard: 'isAnswer', actions: 'undoLate' },
        },
      },
    },
  });
}
