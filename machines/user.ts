/**
 * A user: who it is, which languages it knows, and that it exists. It does not know its rooms; it only says when it
 * joins one.
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
import type { Language, RoomDto, UserDto } from './vocabulary.ts';

export interface UserContext extends Book<'user', UserDto> {
  readonly id: string;
  /** With the email. Null until its creation is settled. */
  readonly user: UserDto | null;
}

/** The saga of a room tells its creator, who is no participant of it. */
export interface RoomJoined {
  readonly type: 'ROOM_JOINED';
  readonly operationId: string;
  readonly payload: { readonly roomId: string; readonly room: RoomDto; readonly companion: UserDto };
}

export type UserEvent = Initiated<'user'> | Completed<'user'> | Undone<'user'> | RoomJoined;

export type UserEmitted =
  | Answer<'user'>
  | Undo
  | { readonly type: 'USER_CREATED'; readonly user: UserDto }
  | {
      readonly type: 'USER_JOINED_ROOM';
      readonly roomId: string;
      /** Added by others to a room that was there before. */
      readonly newcomer: boolean;
      /** For the creator of the room only. */
      readonly founded?: { readonly room: RoomDto; readonly companion: UserDto };
    };

/** What anybody but the user itself may see of it. */
export function withoutEmail({ email: _, ...others }: UserDto): UserDto {
  return others;
}

type Creation = Extract<Initiated<'user'>, { readonly type: 'USER_CREATE_INITIATED' }>;

/** A translator knows its primary language too, and at least two different ones. */
function translationLanguages({ type, primaryLanguage, translationLanguages = [] }: Creation['payload']): Language[] {
  return type === 'TRANSLATOR' ? [...new Set([primaryLanguage, ...translationLanguages])] : [];
}

function created(id: string, { payload }: Creation): UserDto {
  const languages = translationLanguages(payload);
  return {
    id,
    ...(payload.username === undefined ? {} : { username: payload.username }),
    email: payload.email,
    primaryLanguage: payload.primaryLanguage,
    ...(languages.length === 0 ? {} : { translationLanguages: languages }),
    type: payload.type,
    dateCreated: payload.at,
    dateUpdated: payload.at,
  };
}

function decideCreation({ id, user, pending }: UserContext, request: Creation): Verdict<'user', UserDto> {
  if (request.payload.userId !== request.responsibleUserId) return reject('NOT_OWN_USER', { userId: id });
  if (user !== null) return reject('USER_ALREADY_EXISTS', { userId: id });
  if (request.payload.type === 'TRANSLATOR' && translationLanguages(request.payload).length < 2) {
    return reject('LANGUAGES_INVALID', { language: request.payload.primaryLanguage });
  }
  if (pending.length > 0) return wait;
  const dto = created(id, request);
  return hold(dto, { dto });
}

function decide(context: UserContext, request: Initiated<'user'>): Verdict<'user', UserDto> {
  if (request.type === 'USER_CREATE_INITIATED') return decideCreation(context, request);

  const { id, user, pending } = context;
  if (user === null) return pending.length > 0 ? wait : reject('USER_NOT_FOUND', { userId: id });
  switch (request.type) {
    case 'ROOM_CREATE_INITIATED':
    case 'ROOM_ADD_MEMBER_INITIATED':
      return approve({ dto: withoutEmail(user) });
    case 'MESSAGE_UPDATE_INITIATED':
    case 'MESSAGE_READ_INITIATED':
      return approve({});
    case 'MESSAGE_TRANSLATE_INITIATED': {
      const { language } = request.payload;
      if (user.type !== 'TRANSLATOR') return reject('NOT_A_TRANSLATOR', { userId: id });
      return user.translationLanguages?.includes(language) ? approve({}) : reject('LANGUAGE_NOT_KNOWN', { language });
    }
  }
}

const rules: Rules<'user', UserDto, UserContext> = { key: 'user', decide };

type Step = (context: UserContext, event: UserEvent) => Result<UserContext, UserEmitted>;

const decideStep: Step = (context, event) =>
  isInitiated<'user'>(event) ? ask(rules, context, event) : { context, emitted: [] };

const settleStep: Step = (context, { operationId }) =>
  settle(rules, context, operationId, (rest, user) => ({
    context: { ...rest, user },
    emitted: [{ type: 'USER_CREATED', user }],
  }));

const undoStep: Step = (context, { operationId }) => undo(rules, context, operationId);

const joinStep: Step = (context, event) => {
  switch (event.type) {
    case 'ROOM_JOINED': {
      const { roomId, ...founded } = event.payload;
      return { context, emitted: [{ type: 'USER_JOINED_ROOM', roomId, newcomer: false, founded }] };
    }
    case 'ROOM_CREATE_COMPLETED':
      return { context, emitted: [{ type: 'USER_JOINED_ROOM', roomId: event.payload.roomId, newcomer: false }] };
    case 'ROOM_ADD_MEMBER_COMPLETED':
      return { context, emitted: [{ type: 'USER_JOINED_ROOM', roomId: event.payload.roomId, newcomer: true }] };
    default:
      return { context, emitted: [] };
  }
};

const user = setup({
  types: {} as {
    readonly context: UserContext;
    readonly events: UserEvent;
    readonly emitted: UserEmitted;
    readonly input: { readonly id: string };
  },
});

const act = (step: Step) =>
  user.enqueueActions(({ context, event, enqueue }) => {
    const result = step(context, event);
    if (result.context !== context) enqueue.assign(result.context);
    for (const emitted of result.emitted) enqueue.emit(emitted);
  });

export const userMachine = user
  .extend({
    actions: { decide: act(decideStep), settle: act(settleStep), undo: act(undoStep), join: act(joinStep) },
    guards: {
      approvesCreation: ({ context, event }) => decideStep(context, event).context.pending.length > 0,
      /** Another creation was waiting for this one to fail. */
      goesOnCreating: ({ context, event }) =>
        pendingOf(context, event.operationId) !== undefined && undoStep(context, event).context.pending.length > 0,
      isPending: ({ context, event }) => pendingOf(context, event.operationId) !== undefined,
      isOpen: ({ context, event }) => isOpen(context, event.operationId),
      isNew: ({ event }) => event.type === 'ROOM_ADD_MEMBER_COMPLETED' && event.payload.joined,
    },
  })
  .createMachine({
    id: 'user',
    // Part of what snapshots are stamped with: to be raised when a rule changes.
    version: '1',
    context: ({ input }) => ({ id: input.id, user: null, ...emptyBook }),
    initial: 'absent',
    on: {
      USER_CREATE_INITIATED: { actions: 'decide' },
      ROOM_CREATE_INITIATED: { actions: 'decide' },
      ROOM_ADD_MEMBER_INITIATED: { actions: 'decide' },
      MESSAGE_UPDATE_INITIATED: { actions: 'decide' },
      MESSAGE_READ_INITIATED: { actions: 'decide' },
      MESSAGE_TRANSLATE_INITIATED: { actions: 'decide' },
      USER_CREATE_REJECTED: { guard: 'isOpen', actions: 'undo' },
      ROOM_CREATE_REJECTED: { guard: 'isOpen', actions: 'undo' },
      ROOM_ADD_MEMBER_REJECTED: { guard: 'isOpen', actions: 'undo' },
      MESSAGE_UPDATE_REJECTED: { guard: 'isOpen', actions: 'undo' },
      MESSAGE_READ_REJECTED: { guard: 'isOpen', actions: 'undo' },
      MESSAGE_TRANSLATE_REJECTED: { guard: 'isOpen', actions: 'undo' },
    },
    states: {
      absent: {
        description: 'Nobody by this id. Whatever rests on it is rejected.',
        on: {
          USER_CREATE_INITIATED: [
            { guard: 'approvesCreation', target: 'creating', actions: 'decide' },
            { actions: 'decide' },
          ],
        },
      },
      creating: {
        description: 'A creation is approved and may still be undone. Whatever rests on it waits.',
        on: {
          USER_CREATE_COMPLETED: { guard: 'isPending', target: 'existing', actions: 'settle' },
          USER_CREATE_REJECTED: [
            { guard: 'goesOnCreating', actions: 'undo' },
            { guard: 'isPending', target: 'absent', actions: 'undo' },
            { guard: 'isOpen', actions: 'undo' },
          ],
        },
      },
      existing: {
        description: 'Settled. Answers at once; says when it joins a room.',
        on: {
          ROOM_JOINED: { actions: 'join' },
          ROOM_CREATE_COMPLETED: { actions: 'join' },
          ROOM_ADD_MEMBER_COMPLETED: { guard: 'isNew', actions: 'join' },
        },
      },
    },
  });
