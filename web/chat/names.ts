/** What people and rooms are called. A room without a name is called after its people. */

import type { RoomDto, UserDto } from '../../machines/vocabulary.ts';
import { useChat } from './chat-context.ts';
import type { ChatState, RoomState } from './chat-state.ts';
import { type ChatTexts, useTexts } from './texts.ts';

/** Letters written from right to left, and characters that change the direction. */
const turning = /[\u0590-\u08ff\u200e\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufefc]/u;
const isolate = '\u2068';
const endOfIsolate = '\u2069';

/** A name that turns the direction of writing keeps that to itself, whatever sentence it stands in. */
export function nameOf(user: UserDto | undefined, texts: ChatTexts): string {
  const name = user?.username ?? texts.someone;
  return turning.test(name) ? `${isolate}${name}${endOfIsolate}` : name;
}

/** The members of a room without oneself. */
export function othersOf({ members }: RoomDto, ownId: string | undefined): readonly string[] {
  return members.filter((userId) => userId !== ownId);
}

export function titleOf(room: RoomDto, { people, userId }: ChatState, texts: ChatTexts): string {
  if (room.name !== undefined) return room.name;
  const names = othersOf(room, userId).map((id) => nameOf(people[id], texts));
  return names.length === 0 ? texts.rooms.alone : names.join(', ');
}

export function onlineIn({ present }: RoomState): ReadonlySet<string> {
  return new Set(Object.values(present));
}

/** A room that nobody has written in is its creator's only. */
function isListed({ room, messages, positions }: RoomState, ownId: string | undefined): boolean {
  return room.createdBy === ownId || messages.length > 0 || positions.last > 0;
}

/** The rooms that are listed by what was written last, the newest first. */
export function roomsInOrder({ rooms, userId }: ChatState): readonly RoomState[] {
  const at = ({ room, messages }: RoomState): number => messages.at(-1)?.dateCreated ?? room.dateCreated;
  return Object.values(rooms)
    .filter((state) => isListed(state, userId))
    .toSorted((a, b) => at(b) - at(a));
}

export function usePersonName(userId: string): string {
  const texts = useTexts();
  return nameOf(
    useChat(({ people }) => people[userId]),
    texts,
  );
}
