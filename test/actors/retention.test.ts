/** Operations after the retention: they are their outcome, and nobody who asks them again is told anything else. */

import { expect, test } from 'vitest';
import { ChatOperations } from '../../actors/api-operations.ts';
import { chatActors, chatProjections, sagas } from '../../actors/chat.ts';
import { register } from '../../src/actor/registration.ts';
import { MemoryObjects } from '../../src/archive/memory.ts';
import { ObjectArchive } from '../../src/archive/object-archive.ts';
import { shardOf } from '../../src/index.ts';
import { rebuildShard } from '../../src/projection/rebuild.ts';
import { ChatStage, idOf, message, near } from './chat-stage.ts';

const hour = 3_600_000;
const limits = { retentionMs: hour, archiveAfterMs: 1, journalEntriesMin: 0, segmentEntriesMin: 1 };

/** A completed and a rejected operation of alice, both of them long ago. */
async function longAgo() {
  const archive = await ObjectArchive.open(new MemoryObjects(), 'chat');
  const chat = await ChatStage.open(8, [], { limits, archive });
  const messageId = await chat.settle();
  const completed = await chat.run('MESSAGE_READ', 'bob', { messageId, roomId: idOf('room') }, near('room'));
  const rejected = await chat.run('MESSAGE_CREATE', 'carol', message(near('room')), near('room'));
  const before = await stateOf(chat, completed.operationId, 'MESSAGE_READ');
  await chat.clock.advance(2 * hour);
  return { chat, completed, rejected, before };
}

async function stateOf(chat: ChatStage, operationId: string, saga: 'MESSAGE_READ' | 'MESSAGE_CREATE') {
  const found = await chat.clock.until(chat.system.actor(sagas[saga], operationId).snapshot());
  return (found as { state: { value: string; context: object } }).state;
}

test('an operation of long ago is its outcome alone', async () => {
  const { chat, completed, rejected, before } = await longAgo();

  const [done, failed] = await Promise.all([
    stateOf(chat, completed.operationId, 'MESSAGE_READ'),
    stateOf(chat, rejected.operationId, 'MESSAGE_CREATE'),
  ]);

  expect(before.context).toMatchObject({ result: { senderId: idOf('alice') }, parties: { length: 3 } });
  expect([done.value, done.context]).toEqual(['COMPLETED', { ...before.context, result: null, parties: [] }]);
  expect([failed.value, failed.context]).toMatchObject(['ERROR', { error: { code: 'NOT_A_MEMBER' } }]);
  expect(await chat.differences()).toEqual([]);
});

test('an operation of long ago is found by who asks for it, without a row', async () => {
  const { chat, completed, rejected } = await longAgo();
  const operations = new ChatOperations(chat.system, chat.clock);
  const ids = [completed.operationId, rejected.operationId, near('room')];

  const rows = await Promise.all(ids.map((id) => chat.row('operations', id, id)));
  const found = await chat.clock.until(Promise.all(ids.map((id) => operations.ended(id))));

  expect(rows).toEqual([undefined, undefined, undefined]);
  expect(found).toMatchObject([
    { operationId: ids[0], type: 'MESSAGE_READ', state: 'COMPLETED', responsibleUserId: idOf('bob') },
    { operationId: ids[1], type: 'MESSAGE_CREATE', state: 'ERROR', error: { code: 'NOT_A_MEMBER' } },
    undefined,
  ]);
});

test('a repeated command of long ago gets its answer', async () => {
  const { chat, completed } = await longAgo();
  const { operationId, answer } = completed;
  const payload = { messageId: near('room'), roomId: idOf('room') };

  const again = await chat.run('MESSAGE_READ', 'bob', payload, operationId);

  expect(again.answer).toEqual({ ...answer, repeated: true });
  expect(await chat.differences()).toEqual([]);
});

test('who approves a failed operation late is told to undo', async () => {
  const { chat, rejected } = await longAgo();
  const { operationId } = rejected;
  const late = {
    type: 'MESSAGE_CREATE_APPROVED',
    operationId,
    responsibleService: 'MESSAGE_SERVICE',
    responsibleUserId: idOf('carol'),
    payload: {},
  };

  await chat.clock.until(chat.system.actor(sagas.MESSAGE_CREATE, operationId).tell(late as never));
  await chat.clock.settle();

  const entries = await chat.journal().readEntries(shardOf(operationId, 8), 0, 1_000);
  const last = entries.at(-1) as { readonly emitted: readonly string[] };
  expect(last.emitted).toEqual(['MESSAGE_CREATE_REJECTED']);
  expect(await chat.differences()).toEqual([]);
});

test('a rebuild makes no rows of operations of long ago', async () => {
  const { chat, completed, rejected } = await longAgo();
  const ids = [completed.operationId, rejected.operationId];
  const rows = () => Promise.all(ids.map((id) => chat.row('operations', id, id)));
  const live = await rows();
  await chat.clock.until(chat.system.stop());
  const journal = chat.journal();
  const shard = shardOf(completed.operationId, 8);
  const taken = await journal.acquire(shard, { node: 'test', nonce: 'test' }, hour);
  if (taken.kind !== 'acquired') throw new Error(`shard ${shard} is held by ${taken.by}`);

  const { lease, head } = taken;
  const { problems } = await rebuildShard({
    journal,
    lease,
    head,
    hosts: register(chatActors),
    projections: chatProjections,
    snapshots: true,
  });

  const rebuilt = await journal.readRows(shard, 'operations', ids);
  expect(problems).toEqual([]);
  expect([live, rebuilt]).toEqual([ids.map(() => undefined), ids.map(() => undefined)]);
  expect(await chat.differences()).toEqual([]);
});
