/** The seven sagas on the real runtime: their outcomes, what they leave in the views, and whom they tell. */

import { describe, expect, test } from 'vitest';
import { sagas, user } from '../../actors/chat.ts';
import type { SagaName, StartPayloads } from '../../actors/contract.ts';
import { ChatStage, idOf, message, type Name, near, profileOf, roomWith } from './chat-stage.ts';

const roomId = idOf('room');

describe.each([1, 8])('on %i shards', (shards) => {
  test('USER_CREATE makes a user who sees its email', async () => {
    const chat = await ChatStage.open(shards);

    const { outcome, data, answer, operationId } = await chat.run('USER_CREATE', 'alice', profileOf('alice'));

    expect(outcome).toBe('COMPLETED');
    expect(data).toMatchObject({ id: idOf('alice'), email: 'alice@example.com', username: 'alice' });
    expect(answer).toEqual({ operationId, fingerprint: `of ${operationId}`, repeated: false });
    expect(await chat.row('users', idOf('alice'), idOf('alice'))).toEqual(data);
    expect(await chat.chatter(`user:${idOf('alice')}`)).toEqual([{ type: 'CURRENT_USER_UPDATED', data }]);
    expect(await chat.row('operations', operationId, operationId)).toEqual({
      type: 'USER_CREATE',
      state: 'COMPLETED',
      responsibleUserId: idOf('alice'),
      result: data,
    });
    expect(await chat.differences()).toEqual([]);
  });

  test('ROOM_CREATE tells its creator, and lists both', async () => {
    const chat = await ChatStage.open(shards);
    await chat.createUsers('alice', 'bob');

    const { outcome, data: room } = await chat.run('ROOM_CREATE', 'alice', roomWith('bob'), near('room'));

    expect(outcome).toBe('COMPLETED');
    expect(room).toMatchObject({ id: roomId, createdBy: idOf('alice'), members: [idOf('alice'), idOf('bob')] });
    expect(await chat.row('rooms', roomId, roomId)).toEqual({ room, written: false });
    for (const name of ['alice', 'bob'] as const) {
      expect(await chat.row('memberships', idOf(name), `${idOf(name)}/${roomId}`)).toEqual({ roomId });
    }
    const joined = { type: 'ROOM_JOINED', data: { roomId, newcomer: false } };
    const { email: _, ...bob } = (await chat.row('users', idOf('bob'), idOf('bob'))) ?? { email: '' };
    expect((await chat.chatter(`user:${idOf('alice')}`)).slice(1)).toEqual([
      joined,
      { type: 'ROOM_UPDATED', data: room },
      { type: 'USER_UPDATED', data: bob },
    ]);
    expect((await chat.chatter(`user:${idOf('bob')}`)).slice(1)).toEqual([joined]);
    expect(await chat.news(`room:${roomId}`)).toEqual([]);
    expect(await chat.differences()).toEqual([]);
  });

  test('ROOM_ADD_MEMBER shows room and newcomer to each other', async () => {
    const chat = await ChatStage.open(shards);
    await chat.settle();

    const { outcome, data: room } = await chat.run('ROOM_ADD_MEMBER', 'bob', { roomId, memberId: idOf('carol') });

    expect(outcome).toBe('COMPLETED');
    expect(room).toMatchObject({ members: [idOf('alice'), idOf('bob'), idOf('carol')] });
    expect(await chat.row('rooms', roomId, roomId)).toEqual({ room, written: true });
    expect(await chat.row('memberships', idOf('carol'), `${idOf('carol')}/${roomId}`)).toEqual({ roomId });
    const { email: _, ...carol } = (await chat.row('users', idOf('carol'), idOf('carol'))) ?? { email: '' };
    expect((await chat.news(`room:${roomId}`)).at(-1)).toEqual({ type: 'ROOM_UPDATED', data: room, newcomer: carol });
    const told = (await chat.chatter(`user:${idOf('carol')}`)).slice(1);
    expect(told).toHaveLength(2);
    expect(told).toContainEqual({ type: 'ROOM_JOINED', data: { roomId, newcomer: true } });
    expect(told).toContainEqual({ type: 'ROOM_UPDATED', data: room });
    expect(await chat.differences()).toEqual([]);
  });

  test('ROOM_ADD_MEMBER of a member completes without news', async () => {
    const chat = await ChatStage.open(shards);
    await chat.settle();
    const before = await chat.chatter(`user:${idOf('bob')}`);

    const { outcome } = await chat.run('ROOM_ADD_MEMBER', 'alice', { roomId, memberId: idOf('bob') });

    expect(outcome).toBe('COMPLETED');
    expect(await chat.chatter(`user:${idOf('bob')}`)).toEqual(before);
    expect((await chat.news(`room:${roomId}`)).map(({ type }) => type)).toEqual(['MESSAGE_UPDATED']);
  });

  test('MESSAGE_CREATE numbers messages and tells the room', async () => {
    const chat = await ChatStage.open(shards);
    const first = await chat.settle();
    const second = near('room');

    const { outcome, data } = await chat.run('MESSAGE_CREATE', 'bob', message(second), near('room'));

    expect(outcome).toBe('COMPLETED');
    expect(data).toMatchObject({ id: second, roomId, senderId: idOf('bob'), content: 'hello', modified: false });
    expect({ id: second, ...(await chat.row('messages', second, second)) }).toEqual(data);
    expect(await chat.system.range('room-messages', roomId, { prefix: `${roomId}/`, limit: 10 })).toEqual([
      { key: `${roomId}/0000000001`, value: first },
      { key: `${roomId}/0000000002`, value: second },
    ]);
    expect((await chat.news(`room:${roomId}`)).at(-1)).toEqual({ type: 'MESSAGE_UPDATED', data, created: true });
    expect((await chat.row('rooms', roomId, roomId))?.written).toBe(true);
    expect(await chat.differences()).toEqual([]);
  });

  test('edits, reads and translations change the one message', async () => {
    const chat = await ChatStage.open(shards);
    const messageId = await chat.settle();
    const target = { messageId, roomId };

    const edited = await chat.run('MESSAGE_UPDATE', 'alice', { ...target, content: 'bye' }, near('room'));
    const read = await chat.run('MESSAGE_READ', 'bob', target, near('room'));
    const translation = { ...target, translation: 'ciao', language: 'ITALIAN' } as const;
    const translated = await chat.run('MESSAGE_TRANSLATE', 'bob', translation, near('room'));

    expect([edited.outcome, read.outcome, translated.outcome]).toEqual(['COMPLETED', 'COMPLETED', 'COMPLETED']);
    expect(translated.data).toMatchObject({
      content: 'bye',
      modified: true,
      read: [idOf('bob')],
      translations: [{ translatorId: idOf('bob'), translation: 'ciao', language: 'ITALIAN', isModified: false }],
    });
    expect({ id: messageId, ...(await chat.row('messages', messageId, messageId)) }).toEqual(translated.data);
    expect((await chat.news(`room:${roomId}`)).slice(1)).toEqual(
      [edited, read, translated].map(({ data }) => ({ type: 'MESSAGE_UPDATED', data })),
    );
    expect(await chat.differences()).toEqual([]);
  });

  test('a second read completes and tells nobody', async () => {
    const chat = await ChatStage.open(shards);
    const messageId = await chat.settle();
    await chat.run('MESSAGE_READ', 'bob', { messageId, roomId }, near('room'));
    const before = await chat.news(`room:${roomId}`);

    const again = await chat.run('MESSAGE_READ', 'bob', { messageId, roomId }, near('room'));

    expect(again).toMatchObject({ outcome: 'COMPLETED', data: { read: [idOf('bob')] } });
    expect(await chat.news(`room:${roomId}`)).toEqual(before);
  });

  test('each rejection ends its operation and changes nothing', async () => {
    const chat = await ChatStage.open(shards);
    const messageId = await chat.settle();
    const target = { messageId, roomId };
    const translation = { ...target, translation: 'x' };
    const known = { ...translation, language: 'ITALIAN' } as const;
    await chat.run('MESSAGE_TRANSLATE', 'bob', known, near('room'));
    const before = await chat.news(`room:${roomId}`);
    const room: Name = 'room';
    type Case = {
      [S in SagaName]: readonly [code: string, saga: S, by: Name, payload: StartPayloads[S], place?: Name];
    }[SagaName];
    const cases: readonly Case[] = [
      ['USER_ALREADY_EXISTS', 'USER_CREATE', 'alice', profileOf('alice')],
      ['NOT_OWN_USER', 'USER_CREATE', 'alice', profileOf('dave')],
      ['LANGUAGES_INVALID', 'USER_CREATE', 'dave', { ...profileOf('dave'), type: 'TRANSLATOR' }],
      ['ROOM_ALREADY_EXISTS', 'ROOM_CREATE', 'bob', roomWith('carol'), room],
      ['COMPANION_IS_SELF', 'ROOM_CREATE', 'alice', { ...roomWith('alice'), roomId: idOf('nowhere') }, 'nowhere'],
      ['USER_NOT_FOUND', 'ROOM_CREATE', 'alice', { ...roomWith('nobody'), roomId: idOf('nowhere') }, 'nowhere'],
      ['NOT_A_MEMBER', 'ROOM_ADD_MEMBER', 'carol', { roomId, memberId: idOf('carol') }],
      ['USER_NOT_FOUND', 'ROOM_ADD_MEMBER', 'alice', { roomId, memberId: idOf('nobody') }],
      ['ROOM_NOT_FOUND', 'ROOM_ADD_MEMBER', 'alice', { roomId: idOf('nowhere'), memberId: idOf('carol') }],
      ['NOT_A_MEMBER', 'MESSAGE_CREATE', 'carol', message(near(room)), room],
      ['ROOM_NOT_FOUND', 'MESSAGE_CREATE', 'alice', message(near('nowhere'), 'nowhere'), 'nowhere'],
      ['MESSAGE_ALREADY_EXISTS', 'MESSAGE_CREATE', 'alice', message(messageId), room],
      ['NOT_THE_SENDER', 'MESSAGE_UPDATE', 'bob', { ...target, content: 'x' }, room],
      ['MESSAGE_NOT_FOUND', 'MESSAGE_UPDATE', 'alice', { messageId: near(room), roomId, content: 'x' }, room],
      ['MESSAGE_NOT_FOUND', 'MESSAGE_READ', 'bob', { messageId: near('nowhere'), roomId: idOf('nowhere') }, 'nowhere'],
      ['NOT_A_MEMBER', 'MESSAGE_READ', 'carol', target, room],
      ['LANGUAGE_IS_ORIGINAL', 'MESSAGE_TRANSLATE', 'bob', { ...translation, language: 'ENGLISH' }, room],
      ['ALREADY_TRANSLATED', 'MESSAGE_TRANSLATE', 'bob', known, room],
      ['LANGUAGE_NOT_KNOWN', 'MESSAGE_TRANSLATE', 'bob', { ...translation, language: 'UKRAINIAN' }, room],
      ['NOT_A_TRANSLATOR', 'MESSAGE_TRANSLATE', 'alice', { ...translation, language: 'UKRAINIAN' }, room],
      ['NOT_A_MEMBER', 'MESSAGE_TRANSLATE', 'carol', { ...translation, language: 'UKRAINIAN' }, room],
    ];

    for (const [code, saga, by, payload, place = by] of cases) {
      const ended = await chat.run(saga, by, payload as StartPayloads[SagaName], near(place));
      expect([saga, by, ended.outcome]).toEqual([saga, by, code]);
      const row = await chat.row('operations', ended.operationId, ended.operationId);
      expect(row).toMatchObject({ state: 'ERROR', error: { code } });
      expect(row).not.toHaveProperty('result');
    }
    expect(await chat.news(`room:${roomId}`)).toEqual(before);
    expect(await chat.row('users', idOf('dave'), idOf('dave'))).toBeUndefined();
    expect(await chat.row('rooms', idOf('nowhere'), idOf('nowhere'))).toBeUndefined();
    expect(await chat.differences()).toEqual([]);
  });

  test('a repeated START is answered and changes nothing', async () => {
    const chat = await ChatStage.open(shards);
    await chat.createUsers('alice');
    const { operationId } = await chat.run('USER_CREATE', 'bob', profileOf('bob'));
    const history = await chat.system.actor(sagas.USER_CREATE, operationId).history();

    const again = await chat.start('USER_CREATE', 'bob', profileOf('carol'), operationId);
    await chat.clock.settle();

    expect(again.answer).toEqual({ operationId, fingerprint: `of ${operationId}`, repeated: true });
    expect(await chat.system.actor(sagas.USER_CREATE, operationId).history()).toEqual(history);
    expect((await chat.ended('bob', operationId)).outcome).toBe('COMPLETED');
  });

  test('concurrent operations wait instead of failing', async () => {
    const chat = await ChatStage.open(shards);
    const room = near('room');
    const started = await Promise.all([
      chat.start('USER_CREATE', 'alice', profileOf('alice')),
      chat.start('USER_CREATE', 'bob', profileOf('bob')),
      chat.start('USER_CREATE', 'bob', profileOf('bob')),
    ]);
    await chat.clock.settle();

    const created = await Promise.all([
      chat.start('ROOM_CREATE', 'alice', roomWith('bob'), room),
      chat.start('MESSAGE_CREATE', 'bob', message(near('room')), near('room')),
    ]);
    await chat.clock.settle();

    const bobs = await Promise.all(started.slice(1).map(({ operationId }) => chat.ended('bob', operationId)));
    expect(bobs.map(({ outcome }) => outcome).sort()).toEqual(['COMPLETED', 'USER_ALREADY_EXISTS']);
    expect((await chat.ended('alice', room)).outcome).toBe('COMPLETED');
    expect((await chat.ended('bob', created[1].operationId)).outcome).toBe('COMPLETED');
  });

  test('compensates when a participant never answers', async () => {
    const silent = { ...user, effects: { USER_CREATED: user.effects.USER_CREATED as never } };
    const chat = await ChatStage.open(shards, [silent]);
    const operationId = near('room');
    await chat.start('ROOM_CREATE', 'alice', roomWith('bob'), operationId);
    await chat.clock.advance(4_999);
    expect((await chat.row('operations', operationId, operationId))?.state).toBe('IN_APPROVING');

    await chat.clock.advance(1);

    expect(await chat.ended('alice', operationId)).toMatchObject({ outcome: 'OPERATION_TIMEOUT' });
    expect((await chat.row('operations', operationId, operationId))?.state).toBe('ERROR');
    expect(await chat.row('rooms', roomId, roomId)).toBeUndefined();
    const saga = chat.system.actor(sagas.ROOM_CREATE, operationId);
    expect((await saga.history()).map(({ event }) => event.type)).toEqual([
      'ROOM_CREATE_START',
      'ROOM_CREATE_APPROVED',
      'OPERATION_TIMEOUT',
    ]);
  });

  test('late and repeated answers never end a saga twice', async () => {
    const chat = await ChatStage.open(shards);
    await chat.createUsers('alice', 'bob');
    const done = await chat.run('ROOM_CREATE', 'alice', roomWith('bob'), near('room'));
    const failed = await chat.run('ROOM_ADD_MEMBER', 'alice', { roomId, memberId: idOf('nobody') }, near('room'));
    const late = { responsibleService: 'ROOM_SERVICE', responsibleUserId: idOf('alice'), payload: {} } as const;

    for (let i = 0; i < 2; i++) {
      const repeated = { ...late, type: 'ROOM_CREATE_APPROVED', operationId: done.operationId } as const;
      await chat.clock.until(chat.system.actor(sagas.ROOM_CREATE, done.operationId).tell(repeated));
      const undone = { ...late, type: 'ROOM_ADD_MEMBER_APPROVED', operationId: failed.operationId } as const;
      await chat.clock.until(chat.system.actor(sagas.ROOM_ADD_MEMBER, failed.operationId).tell(undone));
    }
    await chat.clock.settle();

    expect((await chat.ended('alice', done.operationId)).outcome).toBe('COMPLETED');
    expect((await chat.ended('alice', failed.operationId)).outcome).toBe('USER_NOT_FOUND');
    const told = await chat.system.actor(sagas.ROOM_ADD_MEMBER, failed.operationId).history();
    expect(told.at(-1)?.emitted).toEqual(['ROOM_ADD_MEMBER_REJECTED']);
    expect(await chat.differences()).toEqual([]);
  });
});
