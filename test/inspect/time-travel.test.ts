/** Time travel over the chat: what was, what led to it, and what would have been. */

import { describe, expect, test } from 'vitest';
import { chatActors, room } from '../../actors/chat.ts';
import type { ActorDefinition } from '../../src/actor/definition.ts';
import { type HistoryStep, TimeTravel } from '../../src/index.ts';
import { ChatStage, idOf, near, roomWith } from '../actors/chat-stage.ts';

interface Told {
  readonly chat: ChatStage;
  readonly travel: TimeTravel;
  readonly roomAddress: string;
  readonly messageAddress: string;
  readonly operationId: string;
}

/** A room in which a message was written, edited, read and translated, and which somebody could not join. */
async function told(options: { readonly isRedacted?: boolean } = {}): Promise<Told> {
  const chat = await ChatStage.open(8);
  const messageId = await chat.settle();
  const roomId = idOf('room');
  await chat.run('MESSAGE_UPDATE', 'alice', { messageId, roomId, content: 'hello again' }, near('room'));
  await chat.run('MESSAGE_READ', 'bob', { messageId, roomId }, near('room'));
  const translated = { messageId, roomId, translation: 'ciao', language: 'ITALIAN' } as const;
  const { operationId } = await chat.run('MESSAGE_TRANSLATE', 'bob', translated, near('room'));
  await chat.run('ROOM_ADD_MEMBER', 'alice', { roomId, memberId: idOf('nobody') }, near('room'));
  const travel = new TimeTravel({ journal: chat.journal(), actors: chatActors, ...options });
  return { chat, travel, roomAddress: `room/${roomId}`, messageAddress: `message/${messageId}`, operationId };
}

async function live(chat: ChatStage, definition: ActorDefinition, id: string) {
  const found = await chat.clock.until(chat.system.actor(definition, id).snapshot());
  const { value, context, status } = found!.state as { value: unknown; context: unknown; status: string };
  return { version: found!.version, value, context, status };
}

function seen({ version, value, context, status }: HistoryStep) {
  return { version, value, context, status };
}

describe('steps', () => {
  test('end in the live state of every actor', async () => {
    const { chat, travel } = await told();
    const definitions = new Map(chatActors.map((definition) => [definition.type, definition]));
    const journal = chat.journal();
    const actors = (
      await Promise.all([...Array(8).keys()].map((shard) => journal.listActors(shard, { limit: 100 })))
    ).flat();

    expect(actors.length).toBeGreaterThan(12);
    for (const { actor, version } of actors) {
      const { steps, more, version: newest } = await travel.steps(actor, { limit: 100 });
      const [type, id] = actor.split('/') as [string, string];
      expect([more, newest, steps.length]).toEqual([false, version, version]);
      expect(seen(steps.at(-1)!)).toEqual(await live(chat, definitions.get(type)!, id));
    }
  });

  test('say what led to each state', async () => {
    const { travel, roomAddress } = await told();

    const { steps, initial } = await travel.steps(roomAddress, { limit: 2 });

    expect(initial).toMatchObject({ version: 0, value: 'absent', context: { room: null } });
    expect(steps).toMatchObject([
      {
        version: 1,
        value: 'creating',
        event: { type: 'ROOM_CREATE_INITIATED' },
        from: expect.stringMatching(/^ROOM_CREATE\//),
        effects: [{ type: 'ROOM_CREATE_APPROVED' }],
        taken: ['room.absent:0:0'],
      },
      { version: 2, value: 'open', effects: [{ type: 'ROOM_CREATED' }], taken: ['room.creating:0:0'] },
    ]);
  });

  test('are the same page by page', async () => {
    const { travel, roomAddress } = await told();
    const all = (await travel.steps(roomAddress, { limit: 100 })).steps;

    const paged: HistoryStep[] = [];
    for (let more = true; more; ) {
      const page = await travel.steps(roomAddress, { after: paged.length, limit: 2 });
      expect(page.initial?.context).toEqual(paged.at(-1)?.context ?? expect.anything());
      paged.push(...page.steps);
      more = page.more;
    }

    expect(all.length).toBeGreaterThan(7);
    expect(paged).toEqual(all);
  });

  test('show timers among the effects', async () => {
    const { travel, operationId } = await told();

    const first = await travel.at(`MESSAGE_TRANSLATE/${operationId}`, 1);

    expect(first?.effects.at(-1)).toEqual({
      type: 'timer.set',
      id: 'operationTimeout',
      delayMs: 5_000,
      event: { type: 'OPERATION_TIMEOUT' },
    });
  });

  test('of an actor that never was are none', async () => {
    const { travel } = await told();

    const page = await travel.steps(`user/${idOf('nobody')}`, { limit: 10 });

    expect(page).toMatchObject({ version: 0, steps: [], more: false, initial: { value: 'absent' } });
    expect(await travel.at(`user/${idOf('nobody')}`, 1)).toBeUndefined();
  });

  test('hide what is personal when asked to', async () => {
    const { travel, messageAddress } = await told({ isRedacted: true });

    const { steps } = await travel.steps(messageAddress, { limit: 100 });
    const text = JSON.stringify([steps, await travel.steps(`user/${idOf('alice')}`, { limit: 100 })]);

    expect(text).not.toMatch(/hello|ciao|@example|"alice"/);
    expect(steps.at(-1)?.context).toMatchObject({ message: { content: '…', translations: [{ translation: '…' }] } });
  });

  test.each([
    ['room', 'ADDRESS_INVALID'],
    [`ghost/${idOf('room')}`, 'ACTOR_TYPE_UNKNOWN'],
  ])('of %s are refused', async (address, code) => {
    const { travel } = await told();

    await expect(travel.steps(address, { limit: 1 })).rejects.toMatchObject({ code });
  });
});

describe('an attempt', () => {
  test('says what the machine would do', async () => {
    const { travel, roomAddress } = await told();
    const create = await travel.at(roomAddress, 1);

    const again = await travel.attempt(roomAddress, 0, create!.event);

    expect(again).toMatchObject({ accepted: true, changes: true, value: 'creating', taken: ['room.absent:0:0'] });
    expect(again.context).toEqual(create!.context);
    expect(again.effects).toEqual(create!.effects);
    expect(again.refusal).toBeUndefined();
  });

  test('names the guard that says no', async () => {
    const { travel, roomAddress } = await told();
    const completed = { type: 'MESSAGE_CREATE_COMPLETED', operationId: idOf('nowhere'), payload: {} };

    const { accepted, value, refusal } = await travel.attempt(roomAddress, 2, completed);

    expect([accepted, value]).toEqual([false, 'open']);
    expect(refusal).toEqual({
      state: 'open',
      reason: 'MESSAGE_CREATE_COMPLETED is handled in open, and its guard says no: isPending.',
      candidates: [{ transition: 'room.open:1:0', state: 'room.open', guard: 'isPending', passed: false }],
    });
  });

  test('names the guards of outer states, too', async () => {
    const { travel, roomAddress } = await told();
    const rejected = { type: 'ROOM_CREATE_REJECTED', operationId: idOf('nowhere'), payload: {} };

    const { refusal } = await travel.attempt(roomAddress, 1, rejected);

    expect(refusal?.candidates.map(({ state, guard, passed }) => [state, guard, passed])).toEqual([
      ['room.creating', 'goesOnCreating', false],
      ['room.creating', 'isPending', false],
      ['room.creating', 'isOpen', false],
      ['room', 'isOpen', false],
    ]);
  });

  test('says that nothing handles an event', async () => {
    const { travel, roomAddress } = await told();

    const { refusal } = await travel.attempt(roomAddress, 2, { type: 'DANCE' });

    expect(refusal).toEqual({ state: 'open', reason: 'Nothing handles DANCE in open.', candidates: [] });
  });

  test('says what a machine throws', async () => {
    const { travel, operationId } = await told();
    const address = `MESSAGE_TRANSLATE/${operationId}`;

    const { accepted, refusal } = await travel.attempt(address, 0, { type: 'MESSAGE_TRANSLATE_START' });
    const broken = await travel.attempt(address, 1, { type: 'MESSAGE_TRANSLATE_REJECTED', operationId } as never);

    expect([accepted, refusal?.candidates[0]?.guard]).toEqual([false, 'isOurs']);
    expect(broken.refusal).toBeDefined();
  });

  test('refuses what no system takes from outside', async () => {
    const { travel, roomAddress } = await told();

    await expect(travel.attempt(roomAddress, 2, { type: 'xstate.done.actor.x' })).rejects.toMatchObject({
      code: 'EVENT_REFUSED',
    });
  });

  test('at a version that is not there says so', async () => {
    const { travel, roomAddress } = await told();

    await expect(travel.attempt(roomAddress, 1_000, { type: 'DANCE' })).rejects.toMatchObject({
      code: 'VERSION_UNKNOWN',
      message: expect.stringMatching(/cannot be seen at version 1000\. It is at \d+\.$/),
    });
  });

  test('changes nothing', async () => {
    const { chat, travel, roomAddress } = await told();
    const everything = () =>
      JSON.stringify(chat.store.shards, (_, value) => (value instanceof Map ? [...value] : value));
    const before = everything();

    for (let version = 0; version <= 3; version++) {
      const step = await travel.at(roomAddress, version + 1);
      await travel.attempt(roomAddress, version, step!.event);
      await travel.attempt(roomAddress, version, { type: 'DANCE' });
    }

    expect(everything()).toBe(before);
    const { steps } = await travel.steps(roomAddress, { limit: 100 });
    expect(seen(steps.at(-1)!)).toEqual(await live(chat, room, idOf('room')));
  });
});

describe('an operation', () => {
  test('is traced over all its actors', async () => {
    const { travel, operationId, messageAddress } = await told();

    const { steps, isComplete } = await travel.operation(operationId);

    expect(isComplete).toBe(true);
    expect(steps.map(({ address, event }) => `${address.split('/')[0]} ${event.type}`)).toEqual([
      'MESSAGE_TRANSLATE MESSAGE_TRANSLATE_START',
      'user MESSAGE_TRANSLATE_INITIATED',
      'message MESSAGE_TRANSLATE_INITIATED',
      'room MESSAGE_TRANSLATE_INITIATED',
      'MESSAGE_TRANSLATE MESSAGE_TRANSLATE_APPROVED',
      'MESSAGE_TRANSLATE MESSAGE_TRANSLATE_APPROVED',
      'MESSAGE_TRANSLATE MESSAGE_TRANSLATE_APPROVED',
      'message MESSAGE_TRANSLATE_COMPLETED',
    ]);
    expect(steps[2]).toMatchObject({ address: messageAddress, from: `MESSAGE_TRANSLATE/${operationId}` });
  });

  test('is found on other shards', async () => {
    const chat = await ChatStage.open(8);
    await chat.createUsers('alice', 'bob');
    const { operationId } = await chat.run('ROOM_CREATE', 'alice', roomWith('bob'), near('room'));
    const travel = new TimeTravel({ journal: chat.journal(), actors: chatActors });

    const { steps } = await travel.operation(operationId);

    const names = steps.map(({ address, event }) => `${address.split('/')[0]} ${event.type}`);
    expect(names[0]).toBe('ROOM_CREATE ROOM_CREATE_START');
    expect(names).toContain('user ROOM_JOINED');
    expect(new Set(steps.map(({ shard }) => shard)).size).toBeGreaterThan(2);
    for (const [i, { from }] of steps.entries()) {
      if (from === undefined || !steps.some(({ address }) => address === from)) continue;
      expect(steps.findIndex(({ address }) => address === from)).toBeLessThan(i);
    }
  });

  test('that never was has no steps', async () => {
    const { travel } = await told();

    expect(await travel.operation(idOf('nowhere'))).toEqual({
      operationId: idOf('nowhere'),
      steps: [],
      isComplete: true,
    });
    await expect(travel.operation('that one')).rejects.toMatchObject({ code: 'ADDRESS_INVALID' });
  });
});
