/** Read positions and the translators' queue on the real runtime: their rows, their news, and their making from a journal. */

import { describe, expect, test } from 'vitest';
import { unreadPositionOf } from '../../actors/api-positions.ts';
import { chatActors, chatProjections } from '../../actors/chat.ts';
import type { Rows } from '../../actors/contract.ts';
import { queueKey } from '../../actors/views.ts';
import { openSystem, shardOf } from '../../src/index.ts';
import { ChatStage, idOf, message, type Name, near } from './chat-stage.ts';

const roomId = idOf('room');
const views = ['read-positions', 'untranslated'] as const;

async function write(chat: ChatStage, by: Name): Promise<string> {
  const messageId = near('room');
  await chat.run('MESSAGE_CREATE', by, message(messageId), near('room'));
  return messageId;
}

/** Up to where somebody has read. */
function positionOf(chat: ChatStage, name: Name): Promise<number | undefined> {
  return chat.row('read-positions', roomId, `${roomId}/${idOf(name)}`);
}

/** Of somebody's read position, in order. */
async function newsOf(chat: ChatStage, name: Name): Promise<readonly unknown[]> {
  const news = await chat.chatter(`user:${idOf(name)}`);
  return news.flatMap(({ type, data }) => (type === 'READ_POSITION_UPDATED' ? [data] : []));
}

async function queued(chat: ChatStage): Promise<readonly { readonly key: string; readonly value: unknown }[]> {
  return chat.system.range<Rows['untranslated']>('untranslated', roomId, { prefix: `${roomId}/`, limit: 100 });
}

describe.each([1, 8])('on %i shards', (shards) => {
  test('reading moves a position and is news', async () => {
    const chat = await ChatStage.open(shards);
    await chat.settle();
    const second = await write(chat, 'alice');
    await write(chat, 'alice');
    const reading = { roomId, messageId: second, userId: idOf('bob'), dateCreated: 0 };
    const position = await unreadPositionOf(chat.system, reading);

    await chat.run('MESSAGE_READ', 'bob', { messageId: second, roomId, position: position! }, near('room'));

    expect(position).toBe(2);
    expect(await positionOf(chat, 'bob')).toBe(2);
    expect(await newsOf(chat, 'bob')).toEqual([{ roomId, readPosition: 2, lastPosition: 3, unread: 1 }]);
    expect(await newsOf(chat, 'alice')).toEqual([]);
    expect(await chat.differences()).toEqual([]);
  });

  test('an operation that failed has moved nothing', async () => {
    const chat = await ChatStage.open(shards);
    await chat.settle();

    const read = await chat.run('MESSAGE_READ', 'bob', { messageId: near('room'), roomId, position: 1 }, near('room'));

    expect(read.outcome).toBe('MESSAGE_NOT_FOUND');
    expect(await positionOf(chat, 'bob')).toBeUndefined();
    expect(await newsOf(chat, 'bob')).toEqual([]);
  });

  test('reading what was read before is no news', async () => {
    const chat = await ChatStage.open(shards);
    const first = await chat.settle();
    const second = await write(chat, 'alice');
    await chat.run('MESSAGE_READ', 'bob', { messageId: second, roomId, position: 2 }, near('room'));

    await chat.run('MESSAGE_READ', 'bob', { messageId: first, roomId, position: 1 }, near('room'));

    expect(await positionOf(chat, 'bob')).toBe(2);
    expect(await newsOf(chat, 'bob')).toHaveLength(1);
  });

  test('whoever writes has read, which is news once', async () => {
    const chat = await ChatStage.open(shards);
    await chat.settle();

    await write(chat, 'bob');
    await write(chat, 'bob');

    expect([await positionOf(chat, 'alice'), await positionOf(chat, 'bob')]).toEqual([1, 3]);
    expect(await newsOf(chat, 'bob')).toEqual([{ roomId, readPosition: 2, lastPosition: 2, unread: 0 }]);
    expect(await chat.differences()).toEqual([]);
  });

  test('a newcomer has read what was there before', async () => {
    const chat = await ChatStage.open(shards);
    await chat.settle();
    await write(chat, 'alice');

    await chat.run('ROOM_ADD_MEMBER', 'bob', { roomId, memberId: idOf('carol') });
    await write(chat, 'alice');

    expect(await positionOf(chat, 'carol')).toBe(2);
    expect(await newsOf(chat, 'carol')).toEqual([]);
    expect(await chat.differences()).toEqual([]);
  });

  test('a message is queued until it has every language', async () => {
    const chat = await ChatStage.open(shards);
    const messageId = await chat.settle();
    const { dateCreated } = (await chat.row('messages', messageId, messageId)) ?? { dateCreated: 0 };
    const key = queueKey({ roomId, dateCreated, id: messageId });
    const before = await queued(chat);

    const ciao = { messageId, roomId, translation: 'ciao', language: 'ITALIAN' } as const;
    await chat.run('MESSAGE_TRANSLATE', 'bob', ciao, near('room'));

    expect(before).toEqual([{ key, value: ['UKRAINIAN', 'ITALIAN'] }]);
    expect(await queued(chat)).toEqual([{ key, value: ['UKRAINIAN'] }]);
    await chat.run('USER_CREATE', 'dave', {
      userId: idOf('dave'),
      email: 'dave@example.com',
      type: 'TRANSLATOR',
      primaryLanguage: 'ENGLISH',
      translationLanguages: ['UKRAINIAN'],
    });
    await chat.run('ROOM_ADD_MEMBER', 'bob', { roomId, memberId: idOf('dave') });
    const hello = { ...ciao, translation: 'привіт', language: 'UKRAINIAN' } as const;
    expect((await chat.run('MESSAGE_TRANSLATE', 'dave', hello, near('room'))).outcome).toBe('COMPLETED');
    expect(await queued(chat)).toEqual([]);
    expect(await chat.differences()).toEqual([]);
  });
});

/** Every row of the views, by view and key. */
function rowsOf(chat: ChatStage): Readonly<Record<string, Uint8Array>> {
  const { views: stored } = chat.store.shards[shardOf(roomId, 8)]!;
  return Object.fromEntries(
    views.flatMap((view) => [...(stored.get(view) ?? [])].map(([key, payload]) => [`${view} ${key}`, payload])),
  );
}

/** A room with news of every kind; no read in it names a position, as none did when there were no positions. */
async function old(): Promise<ChatStage> {
  const chat = await ChatStage.open(8);
  await chat.settle();
  await write(chat, 'bob');
  await chat.run('ROOM_ADD_MEMBER', 'bob', { roomId, memberId: idOf('carol') });
  const last = await write(chat, 'alice');
  await chat.run('MESSAGE_READ', 'bob', { messageId: last, roomId }, near('room'));
  const ciao = { messageId: last, roomId, translation: 'ciao', language: 'ITALIAN' } as const;
  await chat.run('MESSAGE_TRANSLATE', 'bob', ciao, near('room'));
  return chat;
}

describe('a store of before there were positions', () => {
  test('gets its rows when it is opened', async () => {
    const chat = await old();
    const live = rowsOf(chat);
    await chat.clock.until(chat.system.stop());
    for (const { views: stored, projections } of chat.store.shards) {
      for (const view of views) stored.delete(view);
      for (const name of ['positions', 'untranslated']) delete (projections as Record<string, string>)[name];
    }
    const parts = { journal: chat.journal(), actors: chatActors, projections: chatProjections };

    const system = await chat.clock.until(openSystem({ ...parts, clock: chat.clock }));
    await chat.clock.settle();

    expect(Object.keys(live)).toHaveLength(3 + 3);
    expect(rowsOf(chat)).toEqual(live);
    expect(await chat.differences()).toEqual([]);
    await chat.clock.until(system.stop());
  });

  test('counts from what members wrote themselves', async () => {
    const chat = await old();

    const [alice, bob, carol] = await Promise.all((['alice', 'bob', 'carol'] as const).map((n) => positionOf(chat, n)));

    expect([alice, bob, carol]).toEqual([3, 2, 2]);
  });
});
