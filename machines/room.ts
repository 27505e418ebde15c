/**
 * A room: who is in it, how many messages were settled in it, which gives each its position, and how far each member has
 * read. It does not hold its messages.
 */

import { setup } from 'xstate';
import type { Answer, Completed, Initiated, Undone } from './dialogue.ts';
import {
  approve,
  ask,
  type Book,
  emptyBook,
  hold,
  isInitiated,
  isOpen,
  pendingOf,
  type Result,
  type Rules,
  reject,
  settle,
  type Undo,
  undo,
  type Verdict,
  wait,
} from './participant.ts';
import type { RoomDto, UserDto } from './vocabulary.ts';

export type RoomChange =
  | { readonly kind: 'room'; readonly room: RoomDto }
  | { readonly kind: 'member'; readonly memberId: string; readonly at: number }
  | { readonly kind: 'message' };

export interface RoomContext extends Book<'room', RoomChange> {
  readonly id: string;
  /** Null until its creation is settled. */
  readonly room: RoomDto | null;
  /** Settled messages so far: the position of the newest one. */
  readonly messages: number;
  /** Per member, in the order of `room.members`: the position up to which it has read. It only moves forward. */
  readonly readPositions: readonly number[];
}

export type RoomEvent = Initiated<'room'> | Completed<'room'> | Undone<'room'>;

export type RoomEmitted =
  | Answer<'room'>
  | Undo
  | { readonly type: 'ROOM_CREATED'; readonly room: RoomDto }
  | { readonly type: 'ROOM_MEMBER_ADDED'; readonly room: RoomDto; readonly newcomer: UserDto }
  | { readonly type: 'ROOM_MESSAGE_ADDED'; readonly messageId: string; readonly position: number }
  /** A member has fewer unread messages than before. */
  | {
      readonly type: 'READ_POSITION_MOVED';
      readonly userId: string;
      readonly readPosition: number;
      readonly lastPosition: number;
    };

type Asks<TType extends RoomEvent['type']> = Extract<Initiated<'room'>, { readonly type: TType }>;

/** Concurrent operations may settle in another order than they were started in; a room never grows younger. */
function withMember(room: RoomDto, memberId: string, at: number): RoomDto {
  return { ...room, members: [...room.members, memberId], dateUpdated: Math.max(room.dateUpdated, at) };
}

function isJoining({ pending }: RoomContext, userId: string): boolean {
  return pending.some(({ change }) => change.kind === 'member' && change.memberId === userId);
}

function decideCreation(context: RoomContext, request: Asks<'ROOM_CREATE_INITIATED'>): Verdict<'room', RoomChange> {
  const { responsibleUserId: createdBy, payload } = request;
  if (context.room !== null) return reject('ROOM_ALREADY_EXISTS', { roomId: context.id });
  if (payload.companionUserId === createdBy) return reject('COMPANION_IS_SELF', { userId: createdBy });
  if (context.pending.length > 0) return wait;
  const members = [createdBy, payload.companionUserId];
  const room = { id: context.id, createdBy, members, dateCreated: payload.at, dateUpdated: payload.at };
  return hold({ kind: 'room', room }, { dto: room });
}

function decideNewMember(
  context: RoomContext,
  room: RoomDto,
  { payload: { memberId, at } }: Asks<'ROOM_ADD_MEMBER_INITIATED'>,
): Verdict<'room', RoomChange> {
  if (room.members.includes(memberId)) return approve({ dto: room, unchanged: true });
  if (isJoining(context, memberId)) return wait;
  return hold({ kind: 'member', memberId, at }, { dto: withMember(room, memberId, at) });
}

/** Whoever does something in a room has to be in it, for good. */
function decide(context: RoomContext, request: Initiated<'room'>): Verdict<'room', RoomChange> {
  if (request.type === 'ROOM_CREATE_INITIATED') return decideCreation(context, request);

  const { id, room, pending } = context;
  if (room === null) return pending.length > 0 ? wait : reject('ROOM_NOT_FOUND', { roomId: id });
  const userId = request.responsibleUserId;
  if (!room.members.includes(userId)) {
    return isJoining(context, userId) ? wait : reject('NOT_A_MEMBER', { roomId: id, userId });
  }
  switch (request.type) {
    case 'ROOM_ADD_MEMBER_INITIATED':
      return decideNewMember(context, room, request);
    case 'MESSAGE_CREATE_INITIATED':
      return hold({ kind: 'message' }, {});
    case 'MESSAGE_READ_INITIATED':
    case 'MESSAGE_TRANSLATE_INITIATED':
      return approve({});
  }
}

const rules: Rules<'room', RoomChange, RoomContext> = { key: 'room', decide };

/** Up to which position a user has read; 0 for whoever is not in the room. */
export function readPositionOf({ room, readPositions }: RoomContext, userId: string): number {
  return readPositions[room?.members.indexOf(userId) ?? -1] ?? 0;
}

/** With a member's position at `position`; the very same context when it has read as far, or is none. */
function readUpTo(context: RoomContext, userId: string, position: number): RoomContext {
  const member = context.room?.members.indexOf(userId) ?? -1;
  if (position <= (context.readPositions[member] ?? position)) return context;
  return { ...context, readPositions: context.readPositions.with(member, position) };
}

type Step = (context: RoomContext, event: RoomEvent) => Result<RoomContext, RoomEmitted>;

const decideStep: Step = (context, event) =>
  isInitiated<'room'>(event) ? ask(rules, context, event) : { context, emitted: [] };

const undoStep: Step = (context, { operationId }) => undo(rules, context, operationId);

/** Makes a change so. What depends on the order of operations (the members' and the messages') is fixed here. */
function apply(context: RoomContext, change: RoomChange, event: RoomEvent): Result<RoomContext, RoomEmitted> {
  if (change.kind === 'room') {
    const { room } = change;
    const readPositions = room.members.map(() => 0);
    return { context: { ...context, room, readPositions }, emitted: [{ type: 'ROOM_CREATED', room }] };
  }
  if (change.kind === 'message' && event.type === 'MESSAGE_CREATE_COMPLETED') {
    const position = context.messages + 1;
    const { messageId } = event.payload;
    const added = { type: 'ROOM_MESSAGE_ADDED', messageId, position } as const;
    // Who writes has read what was there. It is news only to who had not.
    const { responsibleUserId: userId } = event;
    const hadRead = readPositionOf(context, userId) === context.messages;
    const moved = { type: 'READ_POSITION_MOVED', userId, readPosition: position, lastPosition: position } as const;
    return {
      context: readUpTo({ ...context, messages: position }, userId, position),
      emitted: hadRead ? [added] : [added, moved],
    };
  }
  if (change.kind === 'member' && event.type === 'ROOM_ADD_MEMBER_COMPLETED' && context.room !== null) {
    const room = withMember(context.room, change.memberId, change.at);
    const { newcomer } = event.payload;
    // Nobody is behind with what was said before they came.
    const readPositions = [...context.readPositions, context.messages];
    return { context: { ...context, room, readPositions }, emitted: [{ type: 'ROOM_MEMBER_ADDED', room, newcomer }] };
  }
  throw new Error(`${event.type} settles an operation that was approved as another one.`);
}

const settleStep: Step = (context, event) =>
  settle(rules, context, event.operationId, (rest, change) => apply(rest, change, event));

/**
 * A reader's position needs no holding while its operation is open: nobody can make it impossible, and it is moved when
 * the operation is completed, or never.
 */
const readStep: Step = (context, event) => {
  if (event.type !== 'MESSAGE_READ_COMPLETED') return { context, emitted: [] };
  const { responsibleUserId: userId, payload } = event;
  const { messages: lastPosition } = context;
  const readPosition = Math.min(payload.position ?? 0, lastPosition);
  const moved = readUpTo(context, userId, readPosition);
  if (moved === context) return { context, emitted: [] };
  return { context: moved, emitted: [{ type: 'READ_POSITION_MOVED', userId, readPosition, lastPosition }] };
};

const room = setup({
  types: {} as {
    readonly context: RoomContext;
    readonly events: RoomEvent;
    readonly emitted: RoomEmitted;
    readonly input: { readonly id: string };
  },
});

const act = (step: Step) =>
  room.enqueueActions(({ context, event, enqueue }) => {
    const result = step(context, event);
    if (result.context !== context) enqueue.assign(result.context);
    for (const emitted of result.emitted) enqueue.emit(emitted);
  });

export const roomMachine = room
  .extend({
    actions: { decide: act(decideStep), settle: act(settleStep), undo: act(undoStep), read: act(readStep) },
    guards: {
      approvesCreation: ({ context, event }) => decideStep(context, event).context.pending.length > 0,
      /** Another creation was waiting for this one to fail. */
      goesOnCreating: ({ context, event }) =>
        pendingOf(context, event.operationId) !== undefined && undoStep(context, event).context.pending.length > 0,
      isPending: ({ context, event }) => pendingOf(context, event.operationId) !== undefined,
      isOpen: ({ context, event }) => isOpen(context, event.operationId),
      readsFurther: ({ context, event }) => readStep(context, event).context !== context,
    },
  })
  .createMachine({
    id: 'room',
    // Part of what snapshots are stamped with: to be raised when a rule changes.
    version: '2',
    context: ({ input }) => ({ id: input.id, room: null, messages: 0, readPositions: [], ...emptyBook }),
    initial: 'absent',
    on: {
      ROOM_CREATE_INITIATED: { actions: 'decide' },
      ROOM_ADD_MEMBER_INITIATED: { actions: 'decide' },
      MESSAGE_CREATE_INITIATED: { actions: 'decide' },
      MESSAGE_READ_INITIATED: { actions: 'decide' },
      MESSAGE_TRANSLATE_INITIATED: { actions: 'decide' },
      ROOM_CREATE_REJECTED: { guard: 'isOpen', actions: 'undo' },
      ROOM_ADD_MEMBER_REJECTED: { guard: 'isOpen', actions: 'undo' },
      MESSAGE_CREATE_REJECTED: { guard: 'isOpen', actions: 'undo' },
      MESSAGE_READ_REJECTED: { guard: 'isOpen', actions: 'undo' },
      MESSAGE_TRANSLATE_REJECTED: { guard: 'isOpen', actions: 'undo' },
    },
    states: {
      absent: {
        description: 'No room by this id. Whatever rests on it is rejected.',
        on: {
          ROOM_CREATE_INITIATED: [
            { guard: 'approvesCreation', target: 'creating', actions: 'decide' },
            { actions: 'decide' },
          ],
        },
      },
      creating: {
        description: 'A creation is approved and may still be undone. Whatever rests on it waits.',
        on: {
          ROOM_CREATE_COMPLETED: { guard: 'isPending', target: 'open', actions: 'settle' },
          ROOM_CREATE_REJECTED: [
            { guard: 'goesOnCreating', actions: 'undo' },
            { guard: 'isPending', target: 'absent', actions: 'undo' },
            { guard: 'isOpen', actions: 'undo' },
          ],
        },
      },
      open: {
        description: 'Settled. Members add members, write, read and translate; who is being added waits.',
        on: {
          ROOM_ADD_MEMBER_COMPLETED: { guard: 'isPending', actions: 'settle' },
          MESSAGE_CREATE_COMPLETED: { guard: 'isPending', actions: 'settle' },
          MESSAGE_READ_COMPLETED: { guard: 'readsFurther', actions: 'read' },
        },
      },
    },
  });
