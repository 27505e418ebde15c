/** Operations of a small world: few users, rooms and messages, so that random ones get in each other's way. */

import fc from 'fast-check';
import type { Language, SagaName, StartEvent, StartPayloads } from '../../machines/vocabulary.ts';

/** One operation: what a START carries, with a readable id. */
export type Operation = {
  [S in SagaName]: {
    readonly saga: S;
    readonly id: string;
    readonly by: string;
    readonly at: number;
    readonly payload: StartPayloads[S];
  };
}[SagaName];

/** An operation that has no id and time yet. */
export type Draft = {
  [S in SagaName]: { readonly saga: S; readonly by: string; readonly payload: StartPayloads[S] };
}[SagaName];

export function numbered(drafts: readonly Draft[]): Operation[] {
  return drafts.map((draft, i) => ({ ...draft, id: `${draft.saga}#${i}`, at: i + 1 }) as Operation);
}

export function startOf({ saga, id, by, at, payload }: Operation): StartEvent {
  return {
    type: `${saga}_START`,
    operationId: id,
    responsibleService: 'SAGA_SERVICE',
    responsibleUserId: by,
    payload: { ...payload, at, fingerprint: id },
  } as StartEvent;
}

const users = ['alice', 'bob', 'carol', 'dave'];
const rooms = ['r1', 'r2'];
const messages = ['m1', 'm2', 'm3'];
const languages: Language[] = ['ENGLISH', 'UKRAINIAN', 'ITALIAN'];

/** Alice, Bob and Carol are translators of different languages; Dave is none. */
export function userCreate(userId: string, by = userId): Draft {
  const i = users.indexOf(userId);
  const primaryLanguage = languages[i % 3] as Language;
  const translationLanguages = [languages[(i + 1) % 3] as Language];
  const profile = { userId, email: `${userId}@example.com`, primaryLanguage };
  return {
    saga: 'USER_CREATE',
    by,
    payload: i < 3 ? { ...profile, type: 'TRANSLATOR', translationLanguages } : { ...profile, type: 'REGULAR_USER' },
  };
}

export function roomCreate(roomId: string, by: string, companionUserId: string): Draft {
  return { saga: 'ROOM_CREATE', by, payload: { roomId, companionUserId } };
}

export function messageCreate(messageId: string, roomId: string, by: string, content = 'hello'): Draft {
  return { saga: 'MESSAGE_CREATE', by, payload: { messageId, roomId, content, language: 'ENGLISH' } };
}

/** What makes a random operation likely to find something; itself part of what is interleaved. */
export const firstDrafts: readonly Draft[] = [
  userCreate('alice'),
  userCreate('bob'),
  userCreate('carol'),
  roomCreate('r1', 'alice', 'bob'),
  messageCreate('m1', 'r1', 'alice'),
];

const user = fc.constantFrom(...users);
// What is likely to be possible comes often: only operations that go on for a while can get in each other's way.
const member = fc.constantFrom('alice', 'alice', 'bob', 'bob', 'carol', 'dave');
const room = fc.constantFrom('r1', 'r1', 'r1', 'r1', ...rooms);
const message = fc.constantFrom('m1', 'm1', 'm1', ...messages);
const language = fc.constantFrom('UKRAINIAN', 'ITALIAN', ...languages);
const text = fc.constantFrom('one', 'two', 'three');

function random<S extends SagaName>(
  saga: S,
  by: fc.Arbitrary<string>,
  payload: fc.Arbitrary<StartPayloads[S]>,
): fc.Arbitrary<Draft> {
  return fc.record({ saga: fc.constant(saga), by, payload }) as unknown as fc.Arbitrary<Draft>;
}

const target = { messageId: message, roomId: room };
const read = fc.record(
  { ...target, position: fc.integer({ min: 1, max: 4 }) },
  { requiredKeys: ['messageId', 'roomId'] },
);

const drafts: fc.WeightedArbitrary<Draft>[] = [
  { weight: 1, arbitrary: fc.tuple(user, user).map(([id, by]) => userCreate(id, by === 'dave' ? by : id)) },
  { weight: 1, arbitrary: fc.tuple(room, user, user).map((ids) => roomCreate(...ids)) },
  { weight: 3, arbitrary: random('ROOM_ADD_MEMBER', member, fc.record({ roomId: room, memberId: user })) },
  { weight: 2, arbitrary: fc.tuple(message, room, member, text).map((parts) => messageCreate(...parts)) },
  { weight: 3, arbitrary: random('MESSAGE_UPDATE', member, fc.record({ ...target, content: text })) },
  { weight: 4, arbitrary: random('MESSAGE_READ', member, read) },
  { weight: 4, arbitrary: random('MESSAGE_TRANSLATE', member, fc.record({ ...target, translation: text, language })) },
];

export function draftsArbitrary(max: number): fc.Arbitrary<Draft[]> {
  return fc.array(fc.oneof(...drafts), { maxLength: max, size: 'max' }).map((others) => [...firstDrafts, ...others]);
}
