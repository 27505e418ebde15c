/**
 * The chat's contract between its actors, its views and its API: the domain's vocabulary, the rows of the views, and
 * what the topics carry. Times are epoch milliseconds; ids are canonical UUIDs.
 */

import './words.ts';
import type {
  Language,
  MessageDto,
  OperationState,
  Rejection,
  RoomDto,
  SagaName,
  UserDto,
} from '../machines/vocabulary.ts';

export {
  type Language,
  languages,
  type MessageDto,
  type OperationState,
  type Rejection,
  type RejectionCode,
  type RoomDto,
  type SagaName,
  type StartAnswer,
  type StartEvent,
  type StartPayloads,
  sagaNames,
  type TranslationDto,
  type UserDto,
  type UserType,
} from '../machines/vocabulary.ts';

/**
 * How far a user has read in a room. Positions count the room's messages from 1; `unread` are those after `readPosition`,
 * all of them by others, since who writes has read up to there.
 */
export interface Unread {
  readonly roomId: string;
  readonly readPosition: number;
  readonly lastPosition: number;
  readonly unread: number;
}

/** A message for a translator; `missing` are the translator's languages that it has no text in. */
export type UntranslatedDto = MessageDto & { readonly missing: readonly Language[] };

/** The rows of the views. Each lives on the shard of the id named first in its key. */
export interface Rows {
  /** Key: operationId. After the retention, a COMPLETED one has no `result` any more. */
  readonly operations: {
    readonly type: SagaName;
    readonly state: OperationState;
    readonly responsibleUserId: string;
    readonly result?: UserDto | RoomDto | MessageDto;
    readonly error?: Rejection;
  };
  /** Key: userId. With the email: whoever hands it out removes it for others. Settled users only. */
  readonly users: UserDto;
  /** Key: `userId/roomId`. */
  readonly memberships: { readonly roomId: string };
  /** Key: roomId. `written`: somebody wrote in it; until then it is listed for its creator only. */
  readonly rooms: { readonly room: RoomDto; readonly written: boolean };
  /** Key: messageId; lives on its room's shard, which is its own. */
  readonly messages: Omit<MessageDto, 'id'>;
  /** The message's id. Key: `roomId/position`: the order in the room from 1, in 10 digits. */
  readonly 'room-messages': string;
  /** Up to which position a member has read; no row is 0. Key: `roomId/userId`. */
  readonly 'read-positions': number;
  /** Languages that a message has no text in; no row when it has all. Key: `roomId/time/messageId` (queueKey in views.ts). */
  readonly untranslated: readonly Language[];
}

/** Publications of `user:{id}`. `ROOM_JOINED` is for gateways, not for clients: follow that room's topic from here on. */
export type UserNews =
  | { readonly type: 'CURRENT_USER_UPDATED'; readonly data: UserDto }
  | { readonly type: 'USER_UPDATED'; readonly data: UserDto }
  | { readonly type: 'ROOM_UPDATED'; readonly data: RoomDto }
  /** `newcomer`: added to a room by others, so that the room's people and its last page of messages follow. */
  | { readonly type: 'ROOM_JOINED'; readonly data: { readonly roomId: string; readonly newcomer: boolean } }
  /** The user has fewer unread messages in a room than before: by reading, or by writing behind them. */
  | { readonly type: 'READ_POSITION_UPDATED'; readonly data: Unread }
  | {
      readonly type: `${SagaName}_COMPLETED`;
      readonly operationId: string;
      readonly data: UserDto | RoomDto | MessageDto;
    }
  | { readonly type: `${SagaName}_ERROR`; readonly operationId: string; readonly data: Rejection };

/** Publications of `room:{id}`. */
export type RoomNews =
  /** `created`: a new message; members other than its sender also get the room and the sender. */
  | { readonly type: 'MESSAGE_UPDATED'; readonly data: MessageDto; readonly created?: true }
  /** A member was added; `newcomer` is new to the others. Without email. */
  | { readonly type: 'ROOM_UPDATED'; readonly data: RoomDto; readonly newcomer: UserDto };
