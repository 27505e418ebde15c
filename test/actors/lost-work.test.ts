/** Operations over a shard that has lost answered commits: they end, what they had begun is undone, and others go on. */

import { expect, test } from 'vitest';
import { shardOf } from '../../src/index.ts';
import { StorePast } from '../runtime/store-past.ts';
import { ChatStage, idOf, message, near } from './chat-stage.ts';

const shards = 8;
const roomShard = shardOf(idOf('room'), shards);
const aliceShard = shardOf(idOf('alice'), shards);

test('an operation whose answers are lost is undone', async () => {
  let isCut = false;
  const chat = await ChatStage.open(shards, [], {
    limits: { tailEntriesMax: 0 },
    transport: (inner) => ({
      ...inner,
      deliver: (to, from, n, parcel) => {
        if (!isCut || to !== aliceShard) inner.deliver(to, from, n, parcel);
      },
    }),
  });
  await chat.settle();
  await chat.clock.advance(5_000);
  const past = new StorePast(chat.store);
  past.remember();
  isCut = true;
  // The room has taken it in and answered; the answers are on their way when the room's shard loses all of that.
  const { operationId } = await chat.start('MESSAGE_CREATE', 'alice', message(near('room')));
  await chat.clock.advance(1_500);

  past.goBack(roomShard);
  isCut = false;
  await chat.clock.advance(120_000);
  const { outcome } = await chat.ended('alice', operationId);
  const next = await chat.run('MESSAGE_CREATE', 'alice', message(near('room')));

  expect(chat.store.shards[roomShard]!.losses).toHaveLength(1);
  expect(outcome).toBe('OPERATION_TIMEOUT');
  expect(await chat.row('operations', operationId, operationId)).toMatchObject({ state: 'ERROR' });
  expect(next.outcome).toBe('COMPLETED');
  await chat.clock.advance(10_000);
  expect(chat.store.shards.flatMap(({ outbox }) => outbox)).toEqual([]);
  expect(await chat.differences()).toEqual([]);
});
