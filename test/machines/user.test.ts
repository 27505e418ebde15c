import { describe, expect, test } from 'vitest';
import { waitingMax } from '../../machines/participant.ts';
import { type UserEvent, userMachine } from '../../machines/user.ts';
import { Driven, rejections, saying, typesOf } from './driver.ts';

const say = saying<UserEvent>();

const profile = {
  userId: 'alice',
  email: 'alice@example.com',
  type: 'REGULAR_USER',
  primaryLanguage: 'ENGLISH',
  at: 7,
} as const;
const translator = { ...profile, type: 'TRANSLATOR', translationLanguages: ['ITALIAN', 'ENGLISH'] } as const;
const error = { code: 'OPERATION_TIMEOUT' };

const creation = (operationId: string, payload: Parameters<typeof say<'USER_CREATE_INITIATED'>>[3] = profile) =>
  say('USER_CREATE_INITIATED', operationId, 'alice', payload);
const settled = (operationId: string) => say('USER_CREATE_COMPLETED', operationId, 'alice', {});
const undone = (operationId: string) => say('USER_CREATE_REJECTED', operationId, 'alice', { error });
const reading = (operationId: string) => say('MESSAGE_READ_INITIATED', operationId, 'alice', {});

function absent(): Driven<typeof userMachine> {
  return new Driven(userMachine, 'alice');
}

function existing(payload: Parameters<typeof creation>[1] = profile): Driven<typeof userMachine> {
  const user = absent();
  user.send(creation('create', payload), settled('create'));
  return user;
}

describe('creating a user', () => {
  test('approves with the user as it will be', () => {
    const user = absent();

    const emitted = user.send(creation('a', { ...profile, username: 'Alice' }));

    const dto = {
      id: 'alice',
      username: 'Alice',
      email: 'alice@example.com',
      primaryLanguage: 'ENGLISH',
      type: 'REGULAR_USER',
      dateCreated: 7,
      dateUpdated: 7,
    };
    expect(emitted).toEqual([
      {
        type: 'USER_CREATE_APPROVED',
        operationId: 'a',
        responsibleService: 'USER_SERVICE',
        responsibleUserId: 'alice',
        payload: { dto },
      },
    ]);
    expect(user.snapshot.value).toBe('creating');
    expect(user.snapshot.context.user).toBeNull();
  });

  test('exists once its creation is settled', () => {
    const user = absent();
    user.send(creation('a'));

    const emitted = user.send(settled('a'));

    expect(typesOf(emitted)).toEqual(['USER_CREATED']);
    expect(user.snapshot.value).toBe('existing');
    expect(user.snapshot.context).toMatchObject({ user: { id: 'alice', email: 'alice@example.com' }, pending: [] });
  });

  test('adds the primary language to a translator', () => {
    const user = existing({ ...translator, translationLanguages: ['ITALIAN'] });

    expect(user.snapshot.context.user?.translationLanguages).toEqual(['ENGLISH', 'ITALIAN']);
  });

  test('keeps no translation languages of regular users', () => {
    const user = existing({ ...profile, translationLanguages: ['ITALIAN'] });

    expect(user.snapshot.context.user).not.toHaveProperty('translationLanguages');
  });

  test('refuses a translator of one language', () => {
    const one = absent().send(creation('a', { ...translator, translationLanguages: ['ENGLISH', 'ENGLISH'] }));
    const none = absent().send(creation('b', { ...profile, type: 'TRANSLATOR' }));

    expect(rejections([...one, ...none])).toEqual(['a LANGUAGES_INVALID', 'b LANGUAGES_INVALID']);
  });

  test('refuses to create somebody else', () => {
    const user = absent();

    const emitted = user.send(say('USER_CREATE_INITIATED', 'a', 'mallory', profile));

    expect(rejections(emitted)).toEqual(['a NOT_OWN_USER']);
    expect(user.snapshot.value).toBe('absent');
  });

  test('refuses to create the same user twice', () => {
    expect(rejections(existing().send(creation('b')))).toEqual(['b USER_ALREADY_EXISTS']);
  });

  test('leaves nothing behind when it is undone', () => {
    const user = absent();
    const before = user.snapshot.context;
    user.send(creation('a'));

    const emitted = user.send(undone('a'));

    expect(emitted).toEqual([{ type: 'UNDO', operationId: 'a' }]);
    expect(user.snapshot.value).toBe('absent');
    expect(user.snapshot.context).toEqual(before);
  });

  test('gives a repeated request the same answer', () => {
    const user = absent();
    const first = user.send(creation('a'));
    const before = user.snapshot;

    const again = user.send(creation('a'));

    expect(again).toEqual(first);
    expect(user.snapshot).toBe(before);
  });
});

describe('waiting for a pending creation', () => {
  test('lets whatever rests on the user wait', () => {
    const user = absent();
    user.send(creation('a'));

    expect(user.send(reading('b'), reading('b'), creation('c'))).toEqual([]);
    expect(user.snapshot.context.waiting.map(({ operationId }) => operationId)).toEqual(['b', 'c']);
  });

  test('answers the waiting ones once it settled', () => {
    const user = absent();
    user.send(creation('a'), reading('b'), creation('c'));

    const emitted = user.send(settled('a'));

    expect(typesOf(emitted)).toEqual(['USER_CREATED', 'MESSAGE_READ_APPROVED', 'USER_CREATE_REJECTED']);
    expect(rejections(emitted)).toEqual(['c USER_ALREADY_EXISTS']);
    expect(user.snapshot.context.waiting).toEqual([]);
  });

  test('rejects the waiting ones once it is undone', () => {
    const user = absent();
    user.send(creation('a'), reading('b'));

    const emitted = user.send(undone('a'));

    expect(rejections(emitted)).toEqual(['b USER_NOT_FOUND']);
    expect(user.snapshot.value).toBe('absent');
  });

  test('goes on with the next creation when undone', () => {
    const user = absent();
    user.send(creation('a'), creation('b'), reading('c'));

    const emitted = user.send(undone('a'));

    expect(typesOf(emitted)).toEqual(['UNDO', 'USER_CREATE_APPROVED']);
    expect(user.snapshot.value).toBe('creating');
    expect(user.send(settled('b')).map((event) => ('operationId' in event ? event.operationId : ''))).toEqual([
      '',
      'c',
    ]);
  });

  test('forgets a waiting one that is undone', () => {
    const user = absent();
    user.send(creation('a'), reading('b'), creation('c'));

    const emitted = user.send(say('MESSAGE_READ_REJECTED', 'b', 'alice', { error }), undone('c'));

    expect(emitted).toEqual([]);
    expect(user.snapshot.value).toBe('creating');
    expect(typesOf(user.send(settled('a')))).toEqual(['USER_CREATED']);
  });

  test('rejects whoever finds the queue full', () => {
    const user = absent();
    user.send(creation('a'));
    for (let i = 0; i < waitingMax; i++) user.send(reading(`w${i}`));

    expect(rejections(user.send(reading('late')))).toEqual(['late OPERATION_PENDING']);
    expect(user.snapshot.context.waiting).toHaveLength(waitingMax);
  });
});

describe('taking part as a user', () => {
  test('rejects what rests on nobody and stays absent', () => {
    const user = absent();
    const before = user.snapshot;

    const emitted = user.send(reading('a'), say('ROOM_CREATE_INITIATED', 'b', 'bob', {}));

    expect(rejections(emitted)).toEqual(['a USER_NOT_FOUND', 'b USER_NOT_FOUND']);
    expect(user.snapshot).toBe(before);
  });

  test('shows itself to others without its email', () => {
    const emitted = existing().send(
      say('ROOM_CREATE_INITIATED', 'a', 'bob', {}),
      say('ROOM_ADD_MEMBER_INITIATED', 'b', 'bob', {}),
    );

    expect(typesOf(emitted)).toEqual(['ROOM_CREATE_APPROVED', 'ROOM_ADD_MEMBER_APPROVED']);
    expect(JSON.stringify(emitted)).not.toContain('alice@example.com');
    expect(emitted[0]).toMatchObject({ payload: { dto: { id: 'alice', primaryLanguage: 'ENGLISH' } } });
  });

  test('holds nothing for operations that only need it', () => {
    const user = existing();
    const before = user.snapshot;

    user.send(reading('a'), say('MESSAGE_UPDATE_INITIATED', 'b', 'alice', {}));

    expect(user.snapshot).toBe(before);
  });

  test('lets translators translate into languages they know', () => {
    const user = existing(translator);

    const emitted = user.send(
      say('MESSAGE_TRANSLATE_INITIATED', 'a', 'alice', { language: 'ITALIAN' }),
      say('MESSAGE_TRANSLATE_INITIATED', 'b', 'alice', { language: 'UKRAINIAN' }),
    );

    expect(typesOf(emitted)).toEqual(['MESSAGE_TRANSLATE_APPROVED', 'MESSAGE_TRANSLATE_REJECTED']);
    expect(rejections(emitted)).toEqual(['b LANGUAGE_NOT_KNOWN']);
  });

  test('lets nobody but translators translate', () => {
    const emitted = existing().send(say('MESSAGE_TRANSLATE_INITIATED', 'a', 'alice', { language: 'ENGLISH' }));

    expect(rejections(emitted)).toEqual(['a NOT_A_TRANSLATOR']);
  });

  test('says which rooms it joins, and how', () => {
    const room = { id: 'r3', createdBy: 'alice', members: ['alice', 'bob'], dateCreated: 1, dateUpdated: 1 };
    const companion = {
      id: 'bob',
      primaryLanguage: 'ENGLISH',
      type: 'REGULAR_USER',
      dateCreated: 1,
      dateUpdated: 1,
    } as const;
    const user = existing();
    const before = user.snapshot;

    const emitted = user.send(
      say('ROOM_CREATE_COMPLETED', 'a', 'bob', { roomId: 'r1' }),
      say('ROOM_ADD_MEMBER_COMPLETED', 'b', 'bob', { roomId: 'r2', joined: true }),
      say('ROOM_ADD_MEMBER_COMPLETED', 'c', 'bob', { roomId: 'r2', joined: false }),
      { type: 'ROOM_JOINED', operationId: 'd', payload: { roomId: 'r3', room, companion } },
    );

    expect(emitted).toEqual([
      { type: 'USER_JOINED_ROOM', roomId: 'r1', newcomer: false },
      { type: 'USER_JOINED_ROOM', roomId: 'r2', newcomer: true },
      { type: 'USER_JOINED_ROOM', roomId: 'r3', newcomer: false, founded: { room, companion } },
    ]);
    expect(user.snapshot).toBe(before);
  });

  test('ignores ends of operations it never saw', () => {
    const user = existing();
    const before = user.snapshot;

    expect(user.send(settled('x'), undone('y'), say('MESSAGE_READ_REJECTED', 'z', 'alice', { error }))).toEqual([]);
    expect(user.snapshot).toBe(before);
  });
});
