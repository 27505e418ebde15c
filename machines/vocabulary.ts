/**
 * The chat's words: its sagas, DTOs, commands and the codes an operation may be rejected with. Times are epoch
 * milliseconds; ids are canonical UUIDs.
 */

export const sagaNames = [
  'USER_CREATE',
  'ROOM_CREATE',
  'ROOM_ADD_MEMBER',
  'MESSAGE_CREATE',
  'MESSAGE_UPDATE',
  'MESSAGE_READ',
  'MESSAGE_TRANSLATE',
] as const;
export type SagaName = (typeof sagaNames)[number];

export type UserType = 'REGULAR_USER' | 'TRANSLATOR';
export const languages = ['ENGLISH', 'UKRAINIAN', 'ITALIAN'] as const;
export type Language = (typeof languages)[number];

export interface UserDto {
  readonly id: string;
  readonly username?: string;
  /** Present for its owner only. */
  readonly email?: string;
  readonly avatar?: string;
  readonly primaryLanguage: Language;
  readonly translationLanguages?: readonly Language[];
  readonly type: UserType;
  readonly dateCreated: number;
  readonly dateUpdated: number;
}

export interface RoomDto {
  readonly id: string;
  readonly name?: string;
  readonly createdBy: string;
  /** User ids, the creator first, then in the order they joined. */
  readonly members: readonly string[];
  readonly dateCreated: number;
  readonly dateUpdated: number;
}

export interface TranslationDto {
  readonly translatorId: string;
  readonly translation: string;
  readonly language: Language;
  readonly isModified: boolean;
}

export interface MessageDto {
  readonly id: string;
  readonly roomId: string;
  readonly senderId: string;
  readonly content: string;
  /** Ids of the users who read it, in order. */
  readonly read: readonly string[];
  readonly originalLanguage: Language;
  readonly translations: readonly TranslationDto[];
  readonly modified: boolean;
  readonly dateCreated: number;
}

/** Why an operation was rejected: a stable code (texts.ts has the sentences) and what fills them in. */
export interface Rejection {
  readonly code: string;
  readonly params?: Readonly<Record<string, string | number>>;
}

export type OperationState = 'READY' | 'INITIATED' | 'IN_APPROVING' | 'COMPLETED' | 'ERROR';

/**
 * The command that starts each saga. The API mints the ids (`roomId` of a new room on the operation's shard, `messageId`
 * and MESSAGE_* operations on the room's shard) and gives the time.
 */
export interface StartPayloads {
  readonly USER_CREATE: {
    readonly userId: string;
    readonly email: string;
    readonly type: UserType;
    readonly username?: string;
    readonly primaryLanguage: Language;
    readonly translationLanguages?: readonly Language[];
  };
  readonly ROOM_CREATE: { readonly roomId: string; readonly companionUserId: string };
  readonly ROOM_ADD_MEMBER: { readonly roomId: string; readonly memberId: string };
  readonly MESSAGE_CREATE: {
    readonly messageId: string;
    readonly roomId: string;
    readonly content: string;
    readonly language: Language;
  };
  /** `roomId`: looked up by the API in the `messages` view; the message's own id when it is unknown (the message then rejects). */
  readonly MESSAGE_UPDATE: { readonly messageId: string; readonly roomId: string; readonly content: string };
  /** `position`: of the message in its room, looked up by the API as well; without it no read position moves. */
  readonly MESSAGE_READ: { readonly messageId: string; readonly roomId: string; readonly position?: number };
  readonly MESSAGE_TRANSLATE: {
    readonly messageId: string;
    readonly roomId: string;
    readonly translation: string;
    readonly language: Language;
  };
}

/** Sent to the actor `<SAGA>/<operationId>`; it replies with `StartAnswer` to whoever asks. */
export type StartEvent = {
  [K in SagaName]: {
    readonly type: `${K}_START`;
    readonly operationId: string;
    readonly responsibleService: 'SAGA_SERVICE';
    readonly responsibleUserId: string;
    readonly payload: StartPayloads[K] & { readonly at: number; readonly fingerprint: string };
  };
}[SagaName];

/** `repeated`: the saga had been started before, with this fingerprint. */
export interface StartAnswer {
  readonly operationId: string;
  readonly fingerprint: string;
  readonly repeated: boolean;
}

/** Codes a saga may end with. `retryable` ones are OPERATION_PENDING and OPERATION_TIMEOUT. */
export type RejectionCode =
  | 'USER_ALREADY_EXISTS'
  | 'USER_NOT_FOUND'
  | 'NOT_OWN_USER'
  | 'LANGUAGES_INVALID'
  | 'ROOM_ALREADY_EXISTS'
  | 'ROOM_NOT_FOUND'
  | 'COMPANION_IS_SELF'
  | 'NOT_A_MEMBER'
  | 'MESSAGE_ALREADY_EXISTS'
  | 'MESSAGE_NOT_FOUND'
  | 'NOT_THE_SENDER'
  | 'NOT_A_TRANSLATOR'
  | 'LANGUAGE_NOT_KNOWN'
  | 'LANGUAGE_IS_ORIGINAL'
  | 'ALREADY_TRANSLATED'
  | 'OPERATION_PENDING'
  | 'OPERATION_TIMEOUT';
