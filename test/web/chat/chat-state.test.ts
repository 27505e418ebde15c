/** The page's state, fed with news in every order that they may come in. */

import { expect, test } from 'vitest';
import type { MessageDto, RoomDto, UserDto } from '../../../machines/vocabulary.ts';
import { unreadIn } from '../../../web/chat/chat-state.ts';
import { type ChatStore, createChatStore, keptMax } from '../../../web/chat/chat-store.ts';
import { daysOf, receiptsOf } from '../../../web/chat/message-list.ts';

const me: UserDto = {
  id: 'me',
  email: 'me@example.com',
  primaryLanguage: 'ENGLISH',
  type: 'REGULAR_USER',
  dateCreated: 0,
  dateUpdated: 0,
};
const room: RoomDto = { id: 'room', createdBy: 'me', members: ['me', 'you'], dateCreated: 0, dateUpdated: 0 };

function message(id: string, dateCreated: number, fields: Partial<MessageDto> = {}): MessageDto {
  return {
    id,
    roomId: 'room',
    senderId: 'you',
    content: id,
    read: [],
    originalLanguage: 'ENGLISH',
    translations: [],
    modified: false,
    dateCreated,
    ...fields,
  };
}

/** A chat with one room whose channel stands at 10, with five messages, all read; of them the last is known. */
function begun(): ChatStore {
  const store = createChatStore();
  store.send({ type: 'me', user: me });
  const positions = [{ roomId: 'room', readPosition: 5, lastPosition: 5 }];
  const overview = {
    rooms: [room],
    people: [],
    lastMessages: [message('five', 5)],
    unread: { positions, offsets: { room: 10 } },
  };
  store.send({ type: 'overview', overview });
  return store;
}

/** With the room's page read. */
function opened(): ChatStore {
  const store = begun();
  const page = ['three', 'four', 'five'].map((id, i) => message(id, i + 3, { read: ['me'] }));
  store.send({ type: 'newestPage', roomId: 'room', messages: page, older: 'before three' });
  return store;
}

function hear(store: ChatStore, data: MessageDto, offset: number): void {
  store.send({ type: 'news', news: { type: 'MESSAGE_UPDATED', data }, source: { roomId: 'room', offset }, now: 0 });
}

function readTo(store: ChatStore, readPosition: number, lastPosition: number): void {
  const data = { roomId: 'room', readPosition, lastPosition };
  store.send({ type: 'news', news: { type: 'READ_POSITION_UPDATED', data }, source: undefined, now: 0 });
}

function shown(store: ChatStore): readonly string[] {
  return store.getSnapshot().context.rooms.room?.messages.map(({ id }) => id) ?? [];
}

function unread(store: ChatStore): number {
  const state = store.getSnapshot().context.rooms.room;
  return state === undefined ? 0 : unreadIn(state);
}

test('a message that was begun earlier and settled later comes last', () => {
  const store = opened();

  hear(store, message('seven', 9), 11);
  hear(store, message('eight', 8), 12);

  expect(shown(store)).toEqual(['three', 'four', 'five', 'seven', 'eight']);
});

test('an outcome that comes before the room’s news waits for its place', () => {
  const store = opened();
  const mine = message('mine', 7, { senderId: 'me' });

  store.send({ type: 'outcome', message: mine, isCreated: true });
  expect(shown(store)).toEqual(['three', 'four', 'five', 'mine']);
  hear(store, message('theirs', 8), 11);
  hear(store, mine, 12);
  hear(store, message('later', 9), 13);

  expect(shown(store)).toEqual(['three', 'four', 'five', 'theirs', 'mine', 'later']);
  expect(unread(store)).toBe(1);
});

test('an outcome that comes late takes nothing back', () => {
  const store = opened();
  hear(store, message('five', 5, { content: 'changed', modified: true, read: ['me'] }), 11);

  store.send({ type: 'outcome', message: message('five', 5, { read: ['me', 'you'] }), isCreated: false });

  const last = store.getSnapshot().context.rooms.room?.messages.at(-1);
  expect(last).toMatchObject({ content: 'changed', modified: true, read: ['me', 'you'] });
});

test('changes of messages before the list stay out of it', () => {
  const store = opened();

  hear(store, message('one', 1, { read: ['you'] }), 11);
  hear(store, message('two', 20, { modified: true }), 12);

  expect(shown(store)).toEqual(['three', 'four', 'five']);
  expect(unread(store)).toBe(0);
});

test('a page that is late for a list begun anew is dropped', () => {
  const store = opened();

  store.send({ type: 'roomForgotten', roomId: 'room' });
  store.send({ type: 'olderPage', roomId: 'room', before: 'before three', messages: [message('two', 2)], older: 'x' });
  store.send({ type: 'newestPage', roomId: 'room', messages: [message('nine', 9)], older: 'before nine' });

  expect(shown(store)).toEqual(['nine']);
  expect(store.getSnapshot().context.rooms.room?.older).toBe('before nine');
});

test.each([
  ['before', true],
  ['after', false],
] as const)('a position that comes %s its message counts alike', (_, isFirst) => {
  const store = opened();
  const news = [() => hear(store, message('six', 6), 11), () => readTo(store, 6, 6)];

  for (const tell of isFirst ? news.toReversed() : news) tell();
  expect(unread(store)).toBe(0);
  hear(store, message('seven', 7), 12);
  readTo(store, 6, 6);
  readTo(store, 3, 7);

  expect(unread(store)).toBe(1);
});

test('what the first count included is not counted again', () => {
  const store = begun();

  hear(store, message('five', 5), 10);
  hear(store, message('six', 6), 11);
  hear(store, message('seven', 7, { senderId: 'me' }), 12);
  hear(store, message('eight', 8), 13);

  expect(unread(store)).toBe(1);
  expect(shown(store)).toEqual(['eight']);
});

test('a long list of a room that is left becomes short', () => {
  const store = opened();
  for (let i = 0; i < keptMax; i++) hear(store, message(`more ${i}`, 100 + i), 11 + i);

  store.send({ type: 'roomLeft', roomId: 'room' });

  expect(shown(store)).toEqual([`more ${keptMax - 1}`]);
  expect(store.getSnapshot().context.rooms.room).toMatchObject({ loaded: 'part', older: undefined });
});

test('receipts name who has read up to a message, once', () => {
  const messages = [
    message('a', 1, { senderId: 'me', read: ['you', 'they'] }),
    message('b', 2, { senderId: 'you', read: ['me'] }),
    message('c', 3, { senderId: 'me', read: ['they'] }),
  ];

  expect([...receiptsOf(messages, 'me')]).toEqual([['c', ['they']]]);
});

test('one who writes several in a row is named once', () => {
  const minute = 60_000;
  const noon = new Date(2026, 0, 2, 12).getTime();
  const messages = [
    message('a', noon),
    message('b', noon + minute),
    message('c', noon + 2 * minute, { senderId: 'me' }),
    message('d', noon + 3 * minute),
    message('e', noon + 20 * minute),
    // Written the day before, settled after the others.
    message('f', noon - 24 * 60 * minute),
  ];

  const days = daysOf(messages);

  expect(days).toHaveLength(1);
  expect(days[0]?.lines.map(({ isFirst }) => isFirst)).toEqual([true, false, true, true, true, false]);
  expect(days[0]?.lines.map(({ isLast }) => isLast)).toEqual([false, true, true, true, false, true]);
});
