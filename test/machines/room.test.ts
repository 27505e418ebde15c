import { describe, expect, test } from 'vitest';
import { pendingMax, waitingMax } from '../../machines/participant.ts';
import { type RoomEvent, roomMachine } from '../../machines/room.ts';
import type { UserDto } from '../../machines/vocabulary.ts';
import { Driven, rejections, saying, typesOf } from './driver.ts';

const say = saying<RoomEvent>();

const error = { code: 'OPERATION_TIMEOUT' };
const carol: UserDto = {
  id: 'carol',
  primaryLanguage: 'ENGLISH',
  type: 'REGULAR_USER',
  dateCreated: 1,
  dateUpdated: 1,
};

const creation = (operationId: string, companionUserId = 'bob') =>
  say('ROOM_CREATE_INITIATED', operationId, 'alice', { companionUserId, at: 10 });
const created = (operationId: string) => say('ROOM_CREATE_COMPLETED', operationId, 'alice', {});
const notCreated = (operationId: string) => say('ROOM_CREATE_REJECTED', operationId, 'alice', { error });
const adding = (operationId: string, memberId: string, by = 'alice', at = 20) =>
  say('ROOM_ADD_MEMBER_INITIATED', operationId, by, { memberId, at });
const added = (operationId: string, newcomer = carol) =>
  say('ROOM_ADD_MEMBER_COMPLETED', operationId, 'alice', { newcomer });
const notAdded = (operationId: string) => say('ROOM_ADD_MEMBER_REJECTED', operationId, 'alice', { error });
const writing = (operationId: string, by = 'alice') => say('MESSAGE_CREATE_INITIATED', operationId, by, {});
const written = (operationId: string, messageId = 'm', by = 'alice') =>
  say('MESSAGE_CREATE_COMPLETED', operationId, by, { messageId });
const notWritten = (operationId: string) => say('MESSAGE_CREATE_REJECTED', operationId, 'alice', { error });
const reading = (operationId: string, by = 'alice') => say('MESSAGE_READ_INITIATED', operationId, by, {});
const readUpTo = (operationId: string, position: number | undefined, by = 'bob') =>
  say('MESSAGE_READ_COMPLETED', operationId, by, position === undefined ? {} : { position });
const notRead = (operationId: string, by = 'bob') => say('MESSAGE_READ_REJECTED', operationId, by, { error });
const translating = (operationId: string, by = 'alice') => say('MESSAGE_TRANSLATE_INITIATED', operationId, by, {});

function absent(): Driven<typeof roomMachine> {
  return new Driven(roomMachine, 'room');
}

function open(): Driven<typeof roomMachine> {
  const room = absent();
  room.send(creation('create'), created('create'));
  return room;
}

describe('creating a room', () => {
  test('approves with its creator and the companion', () => {
    const room = absent();

    const emitted = room.send(creation('a'));

    const dto = { id: 'room', createdBy: 'alice', members: ['alice', 'bob'], dateCreated: 10, dateUpdated: 10 };
    expect(emitted).toMatchObject([{ type: 'ROOM_CREATE_APPROVED', operationId: 'a', payload: { dto } }]);
    expect(room.snapshot.value).toBe('creating');
    expect(room.snapshot.context.room).toBeNull();
  });

  test('opens once its creation is settled', () => {
    const room = absent();
    room.send(creation('a'));

    const emitted = room.send(created('a'));

    expect(typesOf(emitted)).toEqual(['ROOM_CREATED']);
    expect(room.snapshot.value).toBe('open');
    expect(room.snapshot.context.room?.members).toEqual(['alice', 'bob']);
  });

  test('refuses a creator as its own companion', () => {
    const room = absent();

    expect(rejections(room.send(creation('a', 'alice')))).toEqual(['a COMPANION_IS_SELF']);
    expect(room.snapshot.value).toBe('absent');
  });

  test('refuses to create a room twice', () => {
    expect(rejections(open().send(creation('b')))).toEqual(['b ROOM_ALREADY_EXISTS']);
  });

  test('leaves nothing behind when it is undone', () => {
    const room = absent();
    const before = room.snapshot.context;
    room.send(creation('a'));

    const emitted = room.send(notCreated('a'));

    expect(emitted).toEqual([{ type: 'UNDO', operationId: 'a' }]);
    expect(room.snapshot.value).toBe('absent');
    expect(room.snapshot.context).toEqual(before);
  });

  test('lets everything in it wait until settled', () => {
    const room = absent();
    room.send(creation('a'));

    expect(room.send(adding('b', 'carol'), writing('c'), reading('d'), translating('e', 'mallory'))).toEqual([]);

    const emitted = room.send(created('a'));
    expect(typesOf(emitted).slice(1)).toEqual([
      'ROOM_ADD_MEMBER_APPROVED',
      'MESSAGE_CREATE_APPROVED',
      'MESSAGE_READ_APPROVED',
      'MESSAGE_TRANSLATE_REJECTED',
    ]);
    expect(rejections(emitted)).toEqual(['e NOT_A_MEMBER']);
  });

  test('rejects what waited in an undone room', () => {
    const room = absent();
    room.send(creation('a'), writing('b'), reading('c'));

    expect(rejections(room.send(notCreated('a')))).toEqual(['b ROOM_NOT_FOUND', 'c ROOM_NOT_FOUND']);
    expect(room.snapshot.context.waiting).toEqual([]);
  });

  test('goes on with the next creation when undone', () => {
    const room = absent();
    room.send(creation('a'), creation('b', 'carol'), writing('c'));

    expect(typesOf(room.send(notCreated('a')))).toEqual(['UNDO', 'ROOM_CREATE_APPROVED']);
    expect(room.snapshot.value).toBe('creating');
    expect(typesOf(room.send(created('b')))).toEqual(['ROOM_CREATED', 'MESSAGE_CREATE_APPROVED']);
    expect(room.snapshot.context.room?.members).toEqual(['alice', 'carol']);
  });

  test('rejects everything in an unknown room', () => {
    const room = absent();
    const before = room.snapshot;

    const emitted = room.send(adding('a', 'carol'), writing('b'), reading('c'), translating('d'));

    expect(rejections(emitted)).toEqual(['a', 'b', 'c', 'd'].map((id) => `${id} ROOM_NOT_FOUND`));
    expect(room.snapshot).toBe(before);
  });
});

describe('adding a member', () => {
  test('shows the newcomer only once it settled', () => {
    const room = open();

    const emitted = room.send(adding('a', 'carol'));

    expect(emitted).toMatchObject([{ payload: { dto: { members: ['alice', 'bob', 'carol'], dateUpdated: 20 } } }]);
    expect(room.snapshot.context.room?.members).toEqual(['alice', 'bob']);
    expect(room.send(added('a'))).toEqual([
      { type: 'ROOM_MEMBER_ADDED', room: room.snapshot.context.room, newcomer: carol },
    ]);
    expect(room.snapshot.context.room?.members).toEqual(['alice', 'bob', 'carol']);
  });

  test('changes nothing when it is a member', () => {
    const room = open();
    const before = room.snapshot;

    const emitted = room.send(adding('a', 'bob'), added('a'));

    expect(emitted).toMatchObject([{ type: 'ROOM_ADD_MEMBER_APPROVED', payload: { unchanged: true } }]);
    expect(room.snapshot).toBe(before);
  });

  test('lets the same member wait for the first', () => {
    const room = open();
    room.send(adding('a', 'carol'));

    expect(room.send(adding('b', 'carol'))).toEqual([]);
    expect(room.send(added('a'))).toMatchObject([
      { type: 'ROOM_MEMBER_ADDED' },
      { operationId: 'b', payload: { unchanged: true } },
    ]);
  });

  test('adds the waiting one when the first fails', () => {
    const room = open();
    room.send(adding('a', 'carol'), adding('b', 'carol'));

    const [undo, approved] = room.send(notAdded('a'));

    expect(undo).toEqual({ type: 'UNDO', operationId: 'a' });
    expect(approved).toMatchObject({ type: 'ROOM_ADD_MEMBER_APPROVED', operationId: 'b' });
    expect(approved).not.toHaveProperty('payload.unchanged');
  });

  test('takes different members side by side', () => {
    const room = open();
    room.send(adding('a', 'carol', 'alice', 30), adding('b', 'dave', 'bob', 20));

    room.send(added('b', { ...carol, id: 'dave' }), added('a'));

    expect(room.snapshot.context.room).toMatchObject({ members: ['alice', 'bob', 'dave', 'carol'], dateUpdated: 30 });
  });

  test('refuses members added by strangers', () => {
    expect(rejections(open().send(adding('a', 'carol', 'mallory')))).toEqual(['a NOT_A_MEMBER']);
  });

  test('lets a joining member wait before it acts', () => {
    const room = open();
    room.send(adding('a', 'carol'));

    expect(room.send(writing('b', 'carol'), reading('c', 'carol'), adding('d', 'dave', 'carol'))).toEqual([]);
    expect(typesOf(room.send(added('a'))).slice(1)).toEqual([
      'MESSAGE_CREATE_APPROVED',
      'MESSAGE_READ_APPROVED',
      'ROOM_ADD_MEMBER_APPROVED',
    ]);
  });

  test('rejects a member whose joining was undone', () => {
    const room = open();
    room.send(adding('a', 'carol'), writing('b', 'carol'), translating('c', 'carol'));

    expect(rejections(room.send(notAdded('a')))).toEqual(['b NOT_A_MEMBER', 'c NOT_A_MEMBER']);
    expect(room.snapshot.context).toMatchObject({ pending: [], waiting: [], room: { members: ['alice', 'bob'] } });
  });
});

describe('messages in a room', () => {
  test('numbers messages in the order they settle', () => {
    const room = open();
    room.send(writing('a'), writing('b', 'bob'), writing('c'));

    const emitted = room.send(written('b', 'm2'), notWritten('c'), written('a', 'm1'));

    expect(emitted).toEqual([
      { type: 'ROOM_MESSAGE_ADDED', messageId: 'm2', position: 1 },
      { type: 'UNDO', operationId: 'c' },
      { type: 'ROOM_MESSAGE_ADDED', messageId: 'm1', position: 2 },
    ]);
    expect(room.snapshot.context).toMatchObject({ messages: 2, pending: [] });
  });

  test('counts a message once however often told', () => {
    const room = open();
    room.send(writing('a'), written('a'));

    expect(room.send(written('a'), written('x'))).toEqual([]);
    expect(room.snapshot.context.messages).toBe(1);
  });

  test('lets members alone write, read and translate', () => {
    const emitted = open().send(writing('a', 'eve'), reading('b', 'eve'), translating('c', 'eve'));

    expect(rejections(emitted)).toEqual(['a NOT_A_MEMBER', 'b NOT_A_MEMBER', 'c NOT_A_MEMBER']);
  });

  test('holds nothing for readers and translators', () => {
    const room = open();
    const before = room.snapshot;

    expect(typesOf(room.send(reading('a'), translating('b', 'bob')))).toEqual([
      'MESSAGE_READ_APPROVED',
      'MESSAGE_TRANSLATE_APPROVED',
    ]);
    expect(room.snapshot).toBe(before);
  });

  test('gives a repeated request the same answer', () => {
    const room = open();
    const first = room.send(writing('a'));

    expect(room.send(writing('a'))).toEqual(first);
    expect(room.snapshot.context.pending).toHaveLength(1);
  });

  test('bounds what is pending and what waits', () => {
    const room = open();
    for (let i = 0; i < pendingMax; i++) room.send(writing(`p${i}`));
    for (let i = 0; i < waitingMax; i++) room.send(writing(`w${i}`));

    expect(rejections(room.send(writing('late')))).toEqual(['late OPERATION_PENDING']);
    expect(typesOf(room.send(written('p0')))).toEqual(['ROOM_MESSAGE_ADDED', 'MESSAGE_CREATE_APPROVED']);
    expect(room.snapshot.context.waiting).toHaveLength(waitingMax - 1);
  });
});

/** A room of alice and bob in which alice wrote so many messages. */
function withMessages(count: number): Driven<typeof roomMachine> {
  const room = open();
  for (let i = 1; i <= count; i++) room.send(writing(`w${i}`), written(`w${i}`, `m${i}`));
  return room;
}

function positionsOf(room: Driven<typeof roomMachine>): readonly number[] {
  return room.snapshot.context.readPositions;
}

describe('read positions', () => {
  test('move to what a member has read', () => {
    const room = withMessages(3);

    const emitted = room.send(reading('a', 'bob'), readUpTo('a', 2));

    const moved = { type: 'READ_POSITION_MOVED', userId: 'bob', readPosition: 2, lastPosition: 3 };
    expect(emitted.slice(1)).toEqual([moved]);
    expect(positionsOf(room)).toEqual([3, 2]);
  });

  test('never move back, nor twice to one place', () => {
    const room = withMessages(3);
    room.send(reading('a', 'bob'), reading('b', 'bob'), readUpTo('a', 3));
    const before = room.snapshot;

    expect(room.send(readUpTo('b', 2), readUpTo('a', 3))).toEqual([]);
    expect(room.snapshot).toBe(before);
  });

  test('stay where they are when reading is undone', () => {
    const room = withMessages(3);
    const before = room.snapshot;

    const emitted = room.send(reading('a', 'bob'), notRead('a'));

    expect(typesOf(emitted)).toEqual(['MESSAGE_READ_APPROVED']);
    expect(room.snapshot).toBe(before);
  });

  test('move with what a member writes', () => {
    const room = withMessages(2);

    const behind = room.send(writing('a', 'bob'), written('a', 'm3', 'bob'));
    const upToDate = room.send(writing('b', 'bob'), written('b', 'm4', 'bob'));

    const moved = { type: 'READ_POSITION_MOVED', userId: 'bob', readPosition: 3, lastPosition: 3 };
    expect(behind.slice(1)).toEqual([{ type: 'ROOM_MESSAGE_ADDED', messageId: 'm3', position: 3 }, moved]);
    expect(typesOf(upToDate)).toEqual(['MESSAGE_CREATE_APPROVED', 'ROOM_MESSAGE_ADDED']);
    expect(positionsOf(room)).toEqual([2, 4]);
  });

  test('stay where they are when writing is undone', () => {
    const room = withMessages(2);
    const before = room.snapshot.context;

    room.send(writing('a', 'bob'), notWritten('a'));

    expect(room.snapshot.context).toEqual(before);
  });

  test('begin behind what was said before one came', () => {
    const room = withMessages(2);

    room.send(adding('a', 'carol'), writing('b'), written('b', 'm3'), added('a'));

    expect(positionsOf(room)).toEqual([3, 0, 3]);
  });

  test('end at the newest message there is', () => {
    const room = withMessages(2);

    expect(room.send(readUpTo('a', 9))).toMatchObject([{ readPosition: 2, lastPosition: 2 }]);
    expect(positionsOf(room)).toEqual([2, 2]);
  });

  test('stay for reads that name no position', () => {
    const room = withMessages(2);
    const before = room.snapshot;

    expect(room.send(readUpTo('a', undefined), readUpTo('b', 1, 'mallory'))).toEqual([]);
    expect(room.snapshot).toBe(before);
  });

  test('are one number per member, whatever is written', () => {
    const room = withMessages(100);

    expect(positionsOf(room)).toEqual([100, 0]);
  });
});
