/**
 * The seven sagas as actors, one type each. A saga tells its parties what it emitted; the outcome for the requester is
 * the last thing that leaves it.
 */

import { type SagaContext, type SagaEmitted, sagaMachine } from '../machines/saga.ts';
import { dtoOf } from '../machines/saga-definition.ts';
import { sagaDefinitions } from '../machines/sagas/catalogue.ts';
import type { RoomJoined } from '../machines/user.ts';
import { addressOf, defineActor, type Effect, type PlainSnapshot, reply, tell } from '../src/index.ts';
import { type SagaName, type StartAnswer, sagaNames } from './contract.ts';
import { outcomeNews } from './news.ts';
import { personal } from './personal.ts';

type Emitted<TPhase extends string> = Extract<SagaEmitted, { readonly type: `${SagaName}_${TPhase}` }>;

/** An ended saga is asked again by repeated commands only: it soon leaves the memory to others. */
const passivateAfterMs = 1_000;

function started({ operationId, fingerprint, repeated }: Emitted<'STARTED'>): Effect {
  return reply({ operationId, fingerprint, repeated } satisfies StartAnswer);
}

function tellParties(emitted: Emitted<'INITIATED' | 'COMPLETED' | 'REJECTED'>): Effect[] {
  const { type, operationId, responsibleUserId, told } = emitted;
  const responsibleService = 'SAGA_SERVICE';
  return told.map(({ key, id, payload }) =>
    tell(addressOf(key, id), {
      type,
      operationId,
      responsibleService,
      responsibleUserId,
      payload,
    } as { readonly type: string }),
  );
}

/** The creator of a room is no party to its saga, and joins it all the same. */
function tellCreator(emitted: Emitted<'COMPLETED'>): Effect[] {
  if (emitted.type !== 'ROOM_CREATE_COMPLETED') return [];
  const { operationId, responsibleUserId, approvals } = emitted;
  const room = dtoOf(approvals, 'room');
  const joined: RoomJoined = {
    type: 'ROOM_JOINED',
    operationId,
    payload: { roomId: room.id, room, companion: dtoOf(approvals, 'user') },
  };
  return [tell(addressOf('user', responsibleUserId), joined)];
}

function completed(emitted: Emitted<'COMPLETED'>): Effect[] {
  const { type, operationId, responsibleUserId, result } = emitted;
  const outcome = outcomeNews(responsibleUserId, { type, operationId, data: result });
  return [...tellParties(emitted), ...tellCreator(emitted), outcome];
}

function failed({ type, operationId, responsibleUserId, error }: Emitted<'ERROR'>): Effect {
  return outcomeNews(responsibleUserId, { type, operationId, data: error });
}

/**
 * After the retention an operation is its outcome: a repeated command is answered as before, and who approves a failed one
 * late is told to undo. A completed one has lost its result (the user, room or message is what it became) and its
 * parties, who have nothing to ask any more.
 */
function outcomeOf(snapshot: PlainSnapshot): PlainSnapshot {
  const context = snapshot.context as unknown as SagaContext;
  const parties = context.error === null ? [] : context.parties;
  return { ...snapshot, context: { ...context, parties, result: null } };
}

function sagaActor(name: SagaName) {
  return defineActor({
    type: name,
    machine: sagaMachine(sagaDefinitions[name]),
    personal,
    retire: { when: ({ value }) => value === 'COMPLETED' || value === 'ERROR', reduce: outcomeOf },
    passivateAfterMs,
    effects: {
      [`${name}_STARTED`]: started,
      [`${name}_INITIATED`]: tellParties,
      [`${name}_COMPLETED`]: completed,
      [`${name}_REJECTED`]: tellParties,
      [`${name}_ERROR`]: failed,
    },
  });
}

export type SagaActor = ReturnType<typeof sagaActor>;

export const sagas = Object.fromEntries(sagaNames.map((name) => [name, sagaActor(name)])) as Readonly<
  Record<SagaName, SagaActor>
>;
