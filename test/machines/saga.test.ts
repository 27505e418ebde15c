import { describe, expect, test } from 'vitest';
import { type Answer, type ParticipantKey, serviceOf } from '../../machines/dialogue.ts';
import { type SagaEvent, sagaMachine } from '../../machines/saga.ts';
import { defineSaga } from '../../machines/saga-definition.ts';
import { sagaDefinitions } from '../../machines/sagas/catalogue.ts';
import type { RoomDto, SagaName, StartEvent, UserDto } from '../../machines/vocabulary.ts';
import { Driven, typesOf } from './driver.ts';

const room: RoomDto = { id: 'r', createdBy: 'alice', members: ['alice', 'bob'], dateCreated: 1, dateUpdated: 1 };
const bob: UserDto = { id: 'bob', primaryLanguage: 'ENGLISH', type: 'REGULAR_USER', dateCreated: 1, dateUpdated: 1 };

function start<S extends SagaName>(
  saga: S,
  payload: Extract<StartEvent, { type: `${S}_START` }>['payload'],
): StartEvent {
  return {
    type: `${saga}_START`,
    operationId: 'op',
    responsibleService: 'SAGA_SERVICE',
    responsibleUserId: 'alice',
    payload,
  } as unknown as StartEvent;
}

function answer(
  saga: SagaName,
  key: ParticipantKey,
  phase: 'APPROVED' | 'REJECTED',
  payload: object = {},
  operationId = 'op',
): Answer {
  const responsibleService = serviceOf[key];
  return { type: `${saga}_${phase}`, operationId, responsibleService, responsibleUserId: 'alice', payload } as Answer;
}

const creating = start('ROOM_CREATE', { roomId: 'r', companionUserId: 'bob', at: 3, fingerprint: 'f1' });
const roomApproves = answer('ROOM_CREATE', 'room', 'APPROVED', { dto: room });
const userApproves = answer('ROOM_CREATE', 'user', 'APPROVED', { dto: bob });
const userRejects = answer('ROOM_CREATE', 'user', 'REJECTED', { error: { code: 'USER_NOT_FOUND', params: {} } });
const timeout: SagaEvent = { type: 'OPERATION_TIMEOUT' };

type SagaMachine = ReturnType<typeof sagaMachine>;

function ready(saga: SagaName = 'ROOM_CREATE'): Driven<SagaMachine> {
  return new Driven(sagaMachine(sagaDefinitions[saga]), 'op');
}

function having(...events: readonly SagaEvent[]): Driven<SagaMachine> {
  const saga = ready();
  saga.send(...events);
  return saga;
}

describe('starting a saga', () => {
  test('asks all participants at once and answers', () => {
    const saga = ready();

    const emitted = saga.send(creating);

    expect(emitted).toEqual([
      { type: 'ROOM_CREATE_STARTED', operationId: 'op', fingerprint: 'f1', repeated: false },
      {
        type: 'ROOM_CREATE_INITIATED',
        operationId: 'op',
        responsibleUserId: 'alice',
        told: [
          { key: 'room', id: 'r', payload: { companionUserId: 'bob', at: 3 } },
          { key: 'user', id: 'bob', payload: {} },
        ],
      },
    ]);
    expect(saga.snapshot.value).toBe('INITIATED');
    expect(saga.timers).toEqual([{ id: 'operationTimeout', delayMs: 5_000 }]);
  });

  test('answers a repeat with the first fingerprint', () => {
    const other = start('ROOM_CREATE', { roomId: 'x', companionUserId: 'y', at: 9, fingerprint: 'f2' });
    const states = [
      having(creating),
      having(creating, roomApproves),
      having(creating, roomApproves, userApproves),
      having(creating, userRejects),
    ];

    for (const saga of states) {
      const before = saga.snapshot;
      expect(saga.send(other)).toEqual([
        { type: 'ROOM_CREATE_STARTED', operationId: 'op', fingerprint: 'f1', repeated: true },
      ]);
      expect(saga.snapshot).toBe(before);
    }
  });

  test('does not start under another operation id', () => {
    const saga = ready();

    expect(saga.send({ ...creating, operationId: 'other' })).toEqual([]);
    expect(saga.snapshot.value).toBe('READY');
  });

  test('waits as long as its definition says', () => {
    const slow = defineSaga({ ...sagaDefinitions.ROOM_CREATE, timeoutMs: 60_000 });
    const saga = new Driven(sagaMachine(slow), 'op');

    saga.send(creating);

    expect(saga.timers).toEqual([{ id: 'operationTimeout', delayMs: 60_000 }]);
  });
});

describe('collecting approvals', () => {
  test('completes when every participant has approved', () => {
    const saga = having(creating, userApproves);
    expect(saga.snapshot.value).toBe('IN_APPROVING');

    const emitted = saga.send(roomApproves);

    expect(emitted).toEqual([
      {
        type: 'ROOM_CREATE_COMPLETED',
        operationId: 'op',
        responsibleUserId: 'alice',
        told: [
          { key: 'room', id: 'r', payload: {} },
          { key: 'user', id: 'bob', payload: { roomId: 'r' } },
        ],
        approvals: { room: { dto: room }, user: { dto: bob } },
        result: room,
      },
    ]);
    expect(saga.snapshot.value).toBe('COMPLETED');
    expect(saga.snapshot.context).toMatchObject({ result: room, error: null, open: null });
    expect(saga.timers).toEqual([]);
  });

  test('counts a participant once, whatever it repeats', () => {
    const saga = having(creating, roomApproves);
    const before = saga.snapshot;

    expect(saga.send(roomApproves, roomApproves)).toEqual([]);
    expect(saga.snapshot).toBe(before);
  });

  test('ignores answers about another operation', () => {
    const saga = having(creating, roomApproves);
    const before = saga.snapshot;

    const emitted = saga.send(
      answer('ROOM_CREATE', 'user', 'APPROVED', { dto: bob }, 'other'),
      answer('ROOM_CREATE', 'user', 'REJECTED', { error: { code: 'USER_NOT_FOUND' } }, 'other'),
    );

    expect(emitted).toEqual([]);
    expect(saga.snapshot).toBe(before);
  });

  test('ignores answers from whoever was not asked', () => {
    const saga = having(creating, roomApproves);
    const before = saga.snapshot;

    saga.send(
      answer('ROOM_CREATE', 'message', 'APPROVED'),
      answer('ROOM_CREATE', 'message', 'REJECTED', { error: { code: 'X' } }),
    );

    expect(saga.snapshot).toBe(before);
  });

  test('ignores repeated answers after it completed', () => {
    const saga = having(creating, roomApproves, userApproves);
    const before = saga.snapshot;

    expect(saga.send(roomApproves, userApproves, userRejects, timeout)).toEqual([]);
    expect(saga.snapshot).toBe(before);
  });
});

describe('failing', () => {
  test('undoes every participant when one rejects', () => {
    const saga = having(creating, roomApproves);

    const emitted = saga.send(userRejects);

    const error = { code: 'USER_NOT_FOUND', params: {} };
    expect(emitted).toEqual([
      {
        type: 'ROOM_CREATE_REJECTED',
        operationId: 'op',
        responsibleUserId: 'alice',
        told: [
          { key: 'room', id: 'r', payload: { error } },
          { key: 'user', id: 'bob', payload: { error } },
        ],
      },
      { type: 'ROOM_CREATE_ERROR', operationId: 'op', responsibleUserId: 'alice', error },
    ]);
    expect(saga.snapshot.value).toBe('ERROR');
    expect(saga.timers).toEqual([]);
  });

  test('rejects itself when time is up', () => {
    for (const saga of [having(creating), having(creating, roomApproves)]) {
      expect(typesOf(saga.send(timeout))).toEqual(['ROOM_CREATE_REJECTED', 'ROOM_CREATE_ERROR']);
      expect(saga.snapshot.value).toBe('ERROR');
      expect(saga.snapshot.context.error).toEqual({ code: 'OPERATION_TIMEOUT', params: {} });
    }
  });

  test('tells a late approver to undo', () => {
    const saga = having(creating, timeout);
    const before = saga.snapshot;

    const emitted = saga.send(roomApproves, roomApproves);

    const error = { code: 'OPERATION_TIMEOUT', params: {} };
    const told = [{ key: 'room', id: 'r', payload: { error } }];
    const undo = { type: 'ROOM_CREATE_REJECTED', operationId: 'op', responsibleUserId: 'alice', told };
    expect(emitted).toEqual([undo, undo]);
    expect(saga.snapshot).toBe(before);
  });

  test('keeps its first error whatever comes late', () => {
    const saga = having(creating, userRejects);

    expect(saga.send(timeout, answer('ROOM_CREATE', 'room', 'REJECTED', { error: { code: 'X' } }))).toEqual([]);
    expect(saga.snapshot.context.error?.code).toBe('USER_NOT_FOUND');
  });
});

describe('the seven sagas', () => {
  const at = 4;
  const fingerprint = 'f';
  const content = 'hello';
  const language = 'ITALIAN';
  const profile = { userId: 'alice', email: 'a@b.c', type: 'REGULAR_USER', primaryLanguage: 'ENGLISH' } as const;
  const cases = [
    {
      event: start('USER_CREATE', { ...profile, at, fingerprint }),
      asked: [{ key: 'user', id: 'alice', payload: { ...profile, at } }],
    },
    {
      event: start('ROOM_ADD_MEMBER', { roomId: 'r', memberId: 'bob', at, fingerprint }),
      asked: [
        { key: 'room', id: 'r', payload: { memberId: 'bob', at } },
        { key: 'user', id: 'bob', payload: {} },
      ],
    },
    {
      event: start('MESSAGE_CREATE', { messageId: 'm', roomId: 'r', content, language, at, fingerprint }),
      asked: [
        { key: 'message', id: 'm', payload: { roomId: 'r', content, language, at } },
        { key: 'room', id: 'r', payload: {} },
      ],
    },
    {
      event: start('MESSAGE_UPDATE', { messageId: 'm', roomId: 'r', content, at, fingerprint }),
      asked: [
        { key: 'message', id: 'm', payload: { roomId: 'r', content } },
        { key: 'user', id: 'alice', payload: {} },
      ],
    },
    {
      event: start('MESSAGE_READ', { messageId: 'm', roomId: 'r', at, fingerprint }),
      asked: [
        { key: 'message', id: 'm', payload: { roomId: 'r' } },
        { key: 'room', id: 'r', payload: {} },
        { key: 'user', id: 'alice', payload: {} },
      ],
    },
    {
      event: start('MESSAGE_TRANSLATE', {
        messageId: 'm',
        roomId: 'r',
        translation: 'ciao',
        language,
        at,
        fingerprint,
      }),
      asked: [
        { key: 'message', id: 'm', payload: { roomId: 'r', translation: 'ciao', language } },
        { key: 'room', id: 'r', payload: {} },
        { key: 'user', id: 'alice', payload: { language } },
      ],
    },
  ];

  test.each(cases)('$event.type asks its participants for their part', ({ event, asked }) => {
    const saga = ready(event.type.replace('_START', '') as SagaName);

    const [, initiated] = saga.send(event);

    expect(initiated).toMatchObject({ told: asked });
  });

  test('tells a new member apart from an old one', () => {
    const event = start('ROOM_ADD_MEMBER', { roomId: 'r', memberId: 'bob', at, fingerprint });
    const told = [{}, { unchanged: true }].map((extra) => {
      const saga = ready('ROOM_ADD_MEMBER');
      saga.send(event, answer('ROOM_ADD_MEMBER', 'user', 'APPROVED', { dto: bob }));
      return saga.send(answer('ROOM_ADD_MEMBER', 'room', 'APPROVED', { dto: room, ...extra }))[0];
    });

    const toRoom = { key: 'room', id: 'r', payload: { newcomer: bob } };
    expect(told).toMatchObject([
      { told: [toRoom, { key: 'user', id: 'bob', payload: { roomId: 'r', joined: true } }] },
      { told: [toRoom, { key: 'user', id: 'bob', payload: { roomId: 'r', joined: false } }] },
    ]);
  });

  test('names a settled message to its room', () => {
    const saga = ready('MESSAGE_CREATE');
    saga.send(
      start('MESSAGE_CREATE', { messageId: 'm', roomId: 'r', content, language, at, fingerprint }),
      answer('MESSAGE_CREATE', 'room', 'APPROVED'),
    );

    const [completed] = saga.send(answer('MESSAGE_CREATE', 'message', 'APPROVED', { dto: { id: 'm' } }));

    expect(completed).toMatchObject({
      result: { id: 'm' },
      told: [
        { key: 'message', id: 'm', payload: {} },
        { key: 'room', id: 'r', payload: { messageId: 'm' } },
      ],
    });
  });
});
