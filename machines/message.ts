/**
 * A message: its content, who read it, and its translations. It is bound to one room; asked about another, it does not
 * exist. Edits and reads do not wait for each other: each is made when it settles, on what is there then.
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
import type { MessageDto, TranslationDto } from './vocabulary.ts';

export type MessageChange =
  | { readonly kind: 'message'; readonly message: MessageDto }
  | { readonly kind: 'content'; readonly content: string }
  | { readonly kind: 'read'; readonly userId: string }
  | { readonly kind: 'translation'; readonly translation: TranslationDto };

export interface MessageContext extends Book<'message', MessageChange> {
  readonly id: string;
  /** Null until its creation is settled. */
  readonly message: MessageDto | null;
}

export type MessageEvent = Initiated<'message'> | Completed<'message'> | Undone<'message'>;

interface Changed<TType extends string> {
  readonly type: TType;
  readonly message: MessageDto;
}

export type MessageEmitted =
  | Answer<'message'>
  | Undo
  | Changed<'MESSAGE_CREATED'>
  | Changed<'MESSAGE_UPDATED'>
  | Changed<'MESSAGE_READ'>
  | Changed<'MESSAGE_TRANSLATED'>;

type Asks<TType extends MessageEvent['type']> = Extract<Initiated<'message'>, { readonly type: TType }>;

const domainEvents = {
  message: 'MESSAGE_CREATED',
  content: 'MESSAGE_UPDATED',
  read: 'MESSAGE_READ',
  translation: 'MESSAGE_TRANSLATED',
} as const satisfies Record<MessageChange['kind'], MessageEmitted['type']>;

/** The message with a change made; the very same message when the change is none (a second read). */
function changed(message: MessageDto, change: MessageChange): MessageDto {
  switch (change.kind) {
    case 'message':
      return change.message;
    case 'content':
      return { ...message, content: change.content, modified: true };
    case 'read':
      return message.read.includes(change.userId) ? message : { ...message, read: [...message.read, change.userId] };
    case 'translation':
      return { ...message, translations: [...message.translations, change.translation] };
  }
}

function decideCreation(
  { id, message, pending }: MessageContext,
  { responsibleUserId: senderId, payload }: Asks<'MESSAGE_CREATE_INITIATED'>,
): Verdict<'message', MessageChange> {
  if (message !== null) return reject('MESSAGE_ALREADY_EXISTS', { messageId: id });
  if (pending.length > 0) return wait;
  const { roomId, content, language: originalLanguage, at: dateCreated } = payload;
  const dto = {
    id,
    roomId,
    senderId,
    content,
    read: [],
    originalLanguage,
    translations: [],
    modified: false,
    dateCreated,
  };
  return hold({ kind: 'message', message: dto }, { dto });
}

function decideTranslation(
  { id, pending }: MessageContext,
  message: MessageDto,
  { responsibleUserId: translatorId, payload }: Asks<'MESSAGE_TRANSLATE_INITIATED'>,
): Verdict<'message', MessageChange> {
  const { translation, language } = payload;
  if (language === message.originalLanguage) return reject('LANGUAGE_IS_ORIGINAL', { language });
  if (message.translations.some((other) => other.language === language)) {
    return reject('ALREADY_TRANSLATED', { messageId: id, language });
  }
  if (pending.some(({ change }) => change.kind === 'translation' && change.translation.language === language))
    return wait;
  return held(message, {
    kind: 'translation',
    translation: { translatorId, translation, language, isModified: false },
  });
}

/** Shown with its own change only: what else is pending may still be undone. */
function held(message: MessageDto, change: MessageChange): Verdict<'message', MessageChange> {
  const dto = changed(message, change);
  return dto === message ? approve({ dto }) : hold(change, { dto });
}

function decide(context: MessageContext, request: Initiated<'message'>): Verdict<'message', MessageChange> {
  if (request.type === 'MESSAGE_CREATE_INITIATED') return decideCreation(context, request);

  const { id, message, pending } = context;
  if (message === null) return pending.length > 0 ? wait : reject('MESSAGE_NOT_FOUND', { messageId: id });
  if (request.payload.roomId !== message.roomId) return reject('MESSAGE_NOT_FOUND', { messageId: id });
  const userId = request.responsibleUserId;
  switch (request.type) {
    case 'MESSAGE_UPDATE_INITIATED':
      if (message.senderId !== userId) return reject('NOT_THE_SENDER', { messageId: id });
      return held(message, { kind: 'content', content: request.payload.content });
    case 'MESSAGE_READ_INITIATED':
      return held(message, { kind: 'read', userId });
    case 'MESSAGE_TRANSLATE_INITIATED':
      return decideTranslation(context, message, request);
  }
}

const rules: Rules<'message', MessageChange, MessageContext> = { key: 'message', decide };

type Step = (context: MessageContext, event: MessageEvent) => Result<MessageContext, MessageEmitted>;

const decideStep: Step = (context, event) =>
  isInitiated<'message'>(event) ? ask(rules, context, event) : { context, emitted: [] };

const undoStep: Step = (context, { operationId }) => undo(rules, context, operationId);

function apply(context: MessageContext, change: MessageChange): Result<MessageContext, MessageEmitted> {
  const before = change.kind === 'message' ? change.message : context.message;
  if (before === null) return { context, emitted: [] };
  const message = changed(before, change);
  if (message === context.message) return { context, emitted: [] };
  return { context: { ...context, message }, emitted: [{ type: domainEvents[change.kind], message }] };
}

const settleStep: Step = (context, { operationId }) => settle(rules, context, operationId, apply);

const message = setup({
  types: {} as {
    readonly context: MessageContext;
    readonly events: MessageEvent;
    readonly emitted: MessageEmitted;
    readonly input: { readonly id: string };
  },
});

const act = (step: Step) =>
  message.enqueueActions(({ context, event, enqueue }) => {
    const result = step(context, event);
    if (result.context !== context) enqueue.assign(result.context);
    for (const emitted of result.emitted) enqueue.emit(emitted);
  });

export const messageMachine = message
  .extend({
    actions: { decide: act(decideStep), settle: act(settleStep), undo: act(undoStep) },
    guards: {
      approvesCreation: ({ context, event }) => decideStep(context, event).context.pending.length > 0,
      /** Another creation was waiting for this one to fail. */
      goesOnCreating: ({ context, event }) =>
        pendingOf(context, event.operationId) !== undefined && undoStep(context, event).context.pending.length > 0,
      isPending: ({ context, event }) => pendingOf(context, event.operationId) !== undefined,
      isOpen: ({ context, event }) => isOpen(context, event.operationId),
    },
  })
  .createMachine({
    id: 'message',
    // Part of what snapshots are stamped with: to be raised when a rule changes.
    version: '1',
    context: ({ input }) => ({ id: input.id, message: null, ...emptyBook }),
    initial: 'absent',
    on: {
      MESSAGE_CREATE_INITIATED: { actions: 'decide' },
      MESSAGE_UPDATE_INITIATED: { actions: 'decide' },
      MESSAGE_READ_INITIATED: { actions: 'decide' },
      MESSAGE_TRANSLATE_INITIATED: { actions: 'decide' },
      MESSAGE_CREATE_REJECTED: { guard: 'isOpen', actions: 'undo' },
      MESSAGE_UPDATE_REJECTED: { guard: 'isOpen', actions: 'undo' },
      MESSAGE_READ_REJECTED: { guard: 'isOpen', actions: 'undo' },
      MESSAGE_TRANSLATE_REJECTED: { guard: 'isOpen', actions: 'undo' },
    },
    states: {
      absent: {
        description: 'No message by this id. Whatever rests on it is rejected.',
        on: {
          MESSAGE_CREATE_INITIATED: [
            { guard: 'approvesCreation', target: 'creating', actions: 'decide' },
            { actions: 'decide' },
          ],
        },
      },
      creating: {
        description: 'A creation is approved and may still be undone. Whatever rests on it waits.',
        on: {
          MESSAGE_CREATE_COMPLETED: { guard: 'isPending', target: 'sent', actions: 'settle' },
          MESSAGE_CREATE_REJECTED: [
            { guard: 'goesOnCreating', actions: 'undo' },
            { guard: 'isPending', target: 'absent', actions: 'undo' },
            { guard: 'isOpen', actions: 'undo' },
          ],
        },
      },
      sent: {
        description: 'Settled. Its sender edits it, members read and translate it.',
        on: {
          MESSAGE_UPDATE_COMPLETED: { guard: 'isPending', actions: 'settle' },
          MESSAGE_READ_COMPLETED: { guard: 'isPending', actions: 'settle' },
          MESSAGE_TRANSLATE_COMPLETED: { guard: 'isPending', actions: 'settle' },
        },
      },
    },
  });
