import { describe, expect, test } from 'vitest';
import { type MessageEvent, messageMachine } from '../../machines/message.ts';
import { Driven, rejections, saying, typesOf } from './driver.ts';

const say = saying<MessageEvent>();

const error = { code: 'OPERATION_TIMEOUT' };
const roomId = 'room';

const creation = (operationId: string, content = 'hello') =>
  say('MESSAGE_CREATE_INITIATED', operationId, 'alice', { roomId, content, language: 'ENGLISH', at: 5 });
const editing = (operationId: string, content: string, by = 'alice', room = roomId) =>
  say('MESSAGE_UPDATE_INITIATED', operationId, by, { roomId: room, content });
const reading = (operationId: string, by: string, room = roomId) =>
  say('MESSAGE_READ_INITIATED', operationId, by, { roomId: room });
const translating = (operationId: string, language: 'ENGLISH' | 'UKRAINIAN' | 'ITALIAN', by = 'bob') =>
  say('MESSAGE_TRANSLATE_INITIATED', operationId, by, { roomId, translation: `${language} by ${by}`, language });
const settle = {
  create: (operationId: string) => say('MESSAGE_CREATE_COMPLETED', operationId, 'alice', {}),
  edit: (operationId: string) => say('MESSAGE_UPDATE_COMPLETED', operationId, 'alice', {}),
  read: (operationId: string) => say('MESSAGE_READ_COMPLETED', operationId, 'alice', {}),
  translate: (operationId: string) => say('MESSAGE_TRANSLATE_COMPLETED', operationId, 'alice', {}),
};
const undo = {
  create: (operationId: string) => say('MESSAGE_CREATE_REJECTED', operationId, 'alice', { error }),
  edit: (operationId: string) => say('MESSAGE_UPDATE_REJECTED', operationId, 'alice', { error }),
  read: (operationId: string) => say('MESSAGE_READ_REJECTED', operationId, 'alice', { error }),
  translate: (operationId: string) => say('MESSAGE_TRANSLATE_REJECTED', operationId, 'alice', { error }),
};

function absent(): Driven<typeof messageMachine> {
  return new Driven(messageMachine, 'message');
}

function sent(): Driven<typeof messageMachine> {
  const message = absent();
  message.send(creation('create'), settle.create('create'));
  return message;
}

describe('creating a message', () => {
  test('is sent once its creation is settled', () => {
    const message = absent();

    const [approved] = message.send(creation('a'));

    const dto = {
      id: 'message',
      roomId,
      senderId: 'alice',
      content: 'hello',
      read: [],
      originalLanguage: 'ENGLISH',
      translations: [],
      modified: false,
      dateCreated: 5,
    };
    expect(approved).toMatchObject({ type: 'MESSAGE_CREATE_APPROVED', operationId: 'a', payload: { dto } });
    expect(message.snapshot.value).toBe('creating');
    expect(message.send(settle.create('a'))).toEqual([{ type: 'MESSAGE_CREATED', message: dto }]);
    expect(message.snapshot.value).toBe('sent');
  });

  test('leaves nothing behind when it is undone', () => {
    const message = absent();
    const before = message.snapshot.context;
    message.send(creation('a'));

    expect(message.send(undo.create('a'))).toEqual([{ type: 'UNDO', operationId: 'a' }]);
    expect(message.snapshot.context).toEqual(before);
    expect(message.snapshot.value).toBe('absent');
  });

  test('refuses to create a message twice', () => {
    expect(rejections(sent().send(creation('b')))).toEqual(['b MESSAGE_ALREADY_EXISTS']);
  });

  test('goes on with the next creation when undone', () => {
    const message = absent();
    message.send(creation('a'), creation('b', 'second'));

    expect(typesOf(message.send(undo.create('a')))).toEqual(['UNDO', 'MESSAGE_CREATE_APPROVED']);
    expect(message.snapshot.value).toBe('creating');
    message.send(settle.create('b'));
    expect(message.snapshot.context.message?.content).toBe('second');
  });

  test('lets readers, editors and translators wait meanwhile', () => {
    const message = absent();
    message.send(creation('a'));

    expect(message.send(reading('b', 'bob'), editing('c', 'bye'), translating('d', 'ITALIAN'))).toEqual([]);
    expect(typesOf(message.send(settle.create('a')))).toEqual([
      'MESSAGE_CREATED',
      'MESSAGE_READ_APPROVED',
      'MESSAGE_UPDATE_APPROVED',
      'MESSAGE_TRANSLATE_APPROVED',
    ]);
  });

  test('rejects what waited for an undone message', () => {
    const message = absent();
    message.send(creation('a'), reading('b', 'bob'), editing('c', 'bye'));

    expect(rejections(message.send(undo.create('a')))).toEqual(['b MESSAGE_NOT_FOUND', 'c MESSAGE_NOT_FOUND']);
    expect(message.snapshot.context).toMatchObject({ message: null, pending: [], waiting: [] });
  });

  test('rejects everything about an unknown message', () => {
    const message = absent();
    const before = message.snapshot;

    const emitted = message.send(reading('a', 'bob'), editing('b', 'x'), translating('c', 'ITALIAN'));

    expect(rejections(emitted)).toEqual(['a', 'b', 'c'].map((id) => `${id} MESSAGE_NOT_FOUND`));
    expect(message.snapshot).toBe(before);
  });
});

describe('editing a message', () => {
  test('shows the edit only once it settled', () => {
    const message = sent();

    const emitted = message.send(editing('a', 'bye'));

    expect(emitted).toMatchObject([{ payload: { dto: { content: 'bye', modified: true } } }]);
    expect(message.snapshot.context.message).toMatchObject({ content: 'hello', modified: false });
    expect(typesOf(message.send(settle.edit('a')))).toEqual(['MESSAGE_UPDATED']);
    expect(message.snapshot.context.message).toMatchObject({ content: 'bye', modified: true });
  });

  test('lets nobody but the sender edit', () => {
    expect(rejections(sent().send(editing('a', 'bye', 'bob')))).toEqual(['a NOT_THE_SENDER']);
  });

  test('keeps the edit that settles last', () => {
    const message = sent();
    message.send(editing('a', 'one'), editing('b', 'two'));

    message.send(settle.edit('b'), settle.edit('a'));

    expect(message.snapshot.context.message?.content).toBe('one');
  });

  test('undoes one edit without touching the other', () => {
    const message = sent();
    message.send(editing('a', 'one'), editing('b', 'two'));

    message.send(settle.edit('b'), undo.edit('a'));

    expect(message.snapshot.context).toMatchObject({ message: { content: 'two' }, pending: [] });
  });

  test('does not know messages of another room', () => {
    const emitted = sent().send(editing('a', 'x', 'alice', 'elsewhere'), reading('b', 'bob', 'elsewhere'));

    expect(rejections(emitted)).toEqual(['a MESSAGE_NOT_FOUND', 'b MESSAGE_NOT_FOUND']);
  });
});

describe('reading a message', () => {
  test('records readers in the order they settle', () => {
    const message = sent();
    message.send(reading('a', 'alice'), reading('b', 'bob'));

    const emitted = message.send(settle.read('b'), settle.read('a'));

    expect(typesOf(emitted)).toEqual(['MESSAGE_READ', 'MESSAGE_READ']);
    expect(message.snapshot.context.message?.read).toEqual(['bob', 'alice']);
  });

  test('completes a second read and changes nothing', () => {
    const message = sent();
    message.send(reading('a', 'bob'), settle.read('a'));
    const before = message.snapshot;

    const emitted = message.send(reading('b', 'bob'), settle.read('b'));

    expect(typesOf(emitted)).toEqual(['MESSAGE_READ_APPROVED']);
    expect(message.snapshot).toBe(before);
  });

  test('keeps the first read when the second is undone', () => {
    const message = sent();
    message.send(reading('a', 'bob'), reading('b', 'bob'));

    message.send(settle.read('a'), undo.read('b'));

    expect(message.snapshot.context).toMatchObject({ message: { read: ['bob'] }, pending: [] });
  });

  test('records two concurrent reads of one reader once', () => {
    const message = sent();
    message.send(reading('a', 'bob'), reading('b', 'bob'));

    expect(typesOf(message.send(settle.read('b'), settle.read('a')))).toEqual(['MESSAGE_READ']);
    expect(message.snapshot.context.message?.read).toEqual(['bob']);
  });

  test('shows an answer without what others have pending', () => {
    const message = sent();
    message.send(editing('a', 'bye'), reading('b', 'bob'));

    expect(message.send(reading('c', 'carol'))).toMatchObject([
      { payload: { dto: { content: 'hello', read: ['carol'] } } },
    ]);
  });
});

describe('translating a message', () => {
  test('adds one translation per language', () => {
    const message = sent();
    message.send(
      translating('a', 'ITALIAN'),
      translating('b', 'UKRAINIAN'),
      settle.translate('a'),
      settle.translate('b'),
    );

    expect(message.snapshot.context.message?.translations).toEqual([
      { translatorId: 'bob', translation: 'ITALIAN by bob', language: 'ITALIAN', isModified: false },
      { translatorId: 'bob', translation: 'UKRAINIAN by bob', language: 'UKRAINIAN', isModified: false },
    ]);
    expect(rejections(message.send(translating('c', 'ITALIAN', 'carol')))).toEqual(['c ALREADY_TRANSLATED']);
  });

  test('refuses to translate into its own language', () => {
    expect(rejections(sent().send(translating('a', 'ENGLISH')))).toEqual(['a LANGUAGE_IS_ORIGINAL']);
  });

  test('lets the same language wait for the first', () => {
    const message = sent();
    message.send(translating('a', 'ITALIAN'));

    expect(message.send(translating('b', 'ITALIAN', 'carol'))).toEqual([]);
    expect(rejections(message.send(settle.translate('a')))).toEqual(['b ALREADY_TRANSLATED']);
  });

  test('goes on with the waiting one when undone', () => {
    const message = sent();
    message.send(
      translating('a', 'ITALIAN'),
      translating('b', 'ITALIAN', 'carol'),
      translating('c', 'ITALIAN', 'dave'),
    );

    expect(typesOf(message.send(undo.translate('a')))).toEqual(['UNDO', 'MESSAGE_TRANSLATE_APPROVED']);
    expect(message.snapshot.context.waiting.map(({ operationId }) => operationId)).toEqual(['c']);
    message.send(settle.translate('b'));
    expect(message.snapshot.context.message?.translations).toMatchObject([{ translatorId: 'carol' }]);
  });
});
