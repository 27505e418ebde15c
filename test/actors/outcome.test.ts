import { expect, test } from 'vitest';
import { chatActors, chatProjections, type SagaActor, sagas } from '../../actors/chat.ts';
import type { Rows, SagaName, StartEvent, StartPayloads } from '../../actors/contract.ts';
import { type ActorSystem, openSystem, shardOf } from '../../src/index.ts';
import { openMemoryJournal } from '../../src/journal/memory.ts';
import type { Parcel } from '../../src/shard/parcel.ts';

const alice = 'c160f8cc-69a4-30bf-ab03-62752353d060';
const bob = '4b9bb806-20a7-3f9b-a80b-0d8c1b3a1b05';

/** Starts a saga and resolves when it is taken. */
async function start<S extends SagaName>(
  system: ActorSystem,
  saga: S,
  by: string,
  payload: StartPayloads[S],
  id: string,
) {
  const event = {
    type: `${saga}_START`,
    operationId: id,
    responsibleService: 'SAGA_SERVICE',
    responsibleUserId: by,
    payload: { ...payload, at: system.now(), fingerprint: '' },
  } as StartEvent;
  const actor: SagaActor = sagas[saga];
  await system.actor(actor, id).ask(event, { operation: id });
}

function isSettlement({ envelope }: Parcel): boolean {
  return envelope?.event.type === 'ROOM_CREATE_COMPLETED' && envelope.to === `user/${bob}`;
}

test('an outcome waits until every party has settled', async () => {
  let letGo: (() => void) | undefined;
  let isHeld = true;
  const system = await openSystem({
    journal: openMemoryJournal({ shards: 8 }),
    actors: chatActors,
    projections: chatProjections,
    transport: (inner) => ({
      ...inner,
      deliver: (to, from, n, parcel) => {
        if (isHeld && isSettlement(parcel)) letGo = () => inner.deliver(to, from, n, parcel);
        else inner.deliver(to, from, n, parcel);
      },
    }),
  });
  const outcomes: string[] = [];
  for (const userId of [alice, bob]) {
    system.subscribe(`user:${userId}`, ({ data }) => outcomes.push((data as { type: string }).type));
    const user = { userId, email: `${userId}@example.com`, type: 'REGULAR_USER', primaryLanguage: 'ENGLISH' } as const;
    await start(system, 'USER_CREATE', userId, user, system.mint(userId));
  }
  await expect.poll(() => outcomes.filter((type) => type === 'USER_CREATE_COMPLETED').length).toBe(2);
  let operation = system.mint();
  while ([alice, bob].some((id) => shardOf(id, 8) === shardOf(operation, 8))) operation = system.mint();
  const membership = async () => {
    const [row] = await system.rows<Rows['memberships']>('memberships', bob, [`${bob}/${operation}`]);
    return row;
  };

  await start(system, 'ROOM_CREATE', alice, { roomId: operation, companionUserId: bob }, operation);
  await expect.poll(() => letGo !== undefined, { timeout: 20_000 }).toBe(true);
  await expect.poll(() => outcomes.includes('ROOM_UPDATED'), { timeout: 20_000 }).toBe(true);

  expect(outcomes).not.toContain('ROOM_CREATE_COMPLETED');
  expect(await membership()).toBeUndefined();

  isHeld = false;
  letGo?.();
  await expect.poll(() => outcomes.includes('ROOM_CREATE_COMPLETED'), { timeout: 20_000 }).toBe(true);
  expect(await membership()).toBeDefined();
  await system.stop();
});
