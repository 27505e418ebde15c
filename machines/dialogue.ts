/**
 * What a saga and its participants say to each other: `<SAGA>_INITIATED` asks, `<SAGA>_APPROVED` and `<SAGA>_REJECTED`
 * answer, `<SAGA>_COMPLETED` settles and `<SAGA>_REJECTED` undoes. A participant is told what it needs and no more, so
 * that a message's content is not journaled by actors that only count it.
 */

import type { MessageDto, Rejection, RoomDto, SagaName, StartPayloads, UserDto } from './vocabulary.ts';

export type ParticipantKey = 'user' | 'room' | 'message';

export const serviceOf = {
  user: 'USER_SERVICE',
  room: 'ROOM_SERVICE',
  message: 'MESSAGE_SERVICE',
} as const satisfies Record<ParticipantKey, string>;

export type ParticipantService = (typeof serviceOf)[ParticipantKey];
export type Service = ParticipantService | 'SAGA_SERVICE';

export type Nothing = Readonly<Record<string, never>>;
export type At = { readonly at: number };

interface Exchange<TAsked, TSettled> {
  /** Payload of `<SAGA>_INITIATED`. */
  readonly asked: TAsked;
  /** Payload of `<SAGA>_COMPLETED`. */
  readonly settled: TSettled;
}

/** Per saga and participant: what it is asked, and what it learns when the operation completes. */
export interface Dialogues {
  readonly USER_CREATE: { readonly user: Exchange<StartPayloads['USER_CREATE'] & At, Nothing> };
  readonly ROOM_CREATE: {
    readonly room: Exchange<{ readonly companionUserId: string } & At, Nothing>;
    readonly user: Exchange<Nothing, { readonly roomId: string }>;
  };
  readonly ROOM_ADD_MEMBER: {
    readonly room: Exchange<{ readonly memberId: string } & At, { readonly newcomer: UserDto }>;
    /** `joined` is false when the user was a member already. */
    readonly user: Exchange<Nothing, { readonly roomId: string; readonly joined: boolean }>;
  };
  readonly MESSAGE_CREATE: {
    readonly message: Exchange<Omit<StartPayloads['MESSAGE_CREATE'], 'messageId'> & At, Nothing>;
    readonly room: Exchange<Nothing, { readonly messageId: string }>;
  };
  readonly MESSAGE_UPDATE: {
    readonly message: Exchange<Omit<StartPayloads['MESSAGE_UPDATE'], 'messageId'>, Nothing>;
    readonly user: Exchange<Nothing, Nothing>;
  };
  readonly MESSAGE_READ: {
    readonly message: Exchange<Pick<StartPayloads['MESSAGE_READ'], 'roomId'>, Nothing>;
    readonly room: Exchange<Nothing, Pick<StartPayloads['MESSAGE_READ'], 'position'>>;
    readonly user: Exchange<Nothing, Nothing>;
  };
  readonly MESSAGE_TRANSLATE: {
    readonly message: Exchange<Omit<StartPayloads['MESSAGE_TRANSLATE'], 'messageId'>, Nothing>;
    readonly room: Exchange<Nothing, Nothing>;
    readonly user: Exchange<Pick<StartPayloads['MESSAGE_TRANSLATE'], 'language'>, Nothing>;
  };
}

/** The sagas that a kind of actor takes part in. */
export type SagaOf<P extends ParticipantKey> = {
  [S in SagaName]: P extends keyof Dialogues[S] ? S : never;
}[SagaName];

export type AskedOf<S extends SagaName, P> =
  Dialogues[S] extends Record<P & string, Exchange<infer TAsked, unknown>> ? TAsked : never;
export type SettledOf<S extends SagaName, P> =
  Dialogues[S] extends Record<P & string, Exchange<unknown, infer TSettled>> ? TSettled : never;

interface SagaEvent<TType extends string, TService extends Service, TPayload> {
  readonly type: TType;
  readonly operationId: string;
  readonly responsibleService: TService;
  readonly responsibleUserId: string;
  readonly payload: TPayload;
}

/** A saga asks a participant. */
export type Initiated<P extends ParticipantKey> = {
  [S in SagaOf<P>]: SagaEvent<`${S}_INITIATED`, 'SAGA_SERVICE', AskedOf<S, P>>;
}[SagaOf<P>];

/** A saga tells a participant that the operation is done: what it held for it is now so. */
export type Completed<P extends ParticipantKey> = {
  [S in SagaOf<P>]: SagaEvent<`${S}_COMPLETED`, 'SAGA_SERVICE', SettledOf<S, P>>;
}[SagaOf<P>];

/** A saga tells a participant that the operation never happened. */
export type Undone<P extends ParticipantKey> = {
  [S in SagaOf<P>]: SagaEvent<`${S}_REJECTED`, 'SAGA_SERVICE', { readonly error: Rejection }>;
}[SagaOf<P>];

interface DtoOf {
  readonly user: UserDto;
  readonly room: RoomDto;
  readonly message: MessageDto;
}

export interface Approval<P extends ParticipantKey = ParticipantKey> {
  /** What the participant will be once the operation is done; left out where nobody needs it. */
  readonly dto?: DtoOf[P];
  /** The operation changes nothing here: it was so before. */
  readonly unchanged?: true;
}

export type Approvals = { readonly [P in ParticipantKey]?: Approval<P> };

/** A participant answers its saga. */
export type Answer<P extends ParticipantKey = ParticipantKey> =
  | {
      [K in P]: SagaEvent<`${SagaOf<K>}_APPROVED`, (typeof serviceOf)[K], Approval<K>>;
    }[P]
  | {
      [K in P]: SagaEvent<`${SagaOf<K>}_REJECTED`, (typeof serviceOf)[K], { readonly error: Rejection }>;
    }[P];
