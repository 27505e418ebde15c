/** W2: sagas of the chat, from the command to the outcome on the requester's topic, in the server's own process. */

import { chatActors, chatProjections } from '../actors/chat.ts';
import { type ActorSystem, openSystem } from '../src/index.ts';
import { ChatUsers, contentOf } from './chat-users.ts';
import { type Measured, measure, ownCpu, warmUp } from './load.ts';
import { openStore, type StoreAddress, storeCpu } from './stores.ts';

export const measuredSagas = ['MESSAGE_CREATE', 'ROOM_CREATE'] as const;
export type MeasuredSaga = (typeof measuredSagas)[number];

export interface SagaTask {
  readonly store: StoreAddress;
  readonly saga: MeasuredSaga;
  readonly users: number;
  readonly rooms: number;
  readonly inFlight: readonly number[];
  readonly seconds: number;
}

export interface SagasMeasured extends Measured {
  /** Journaled events of one saga, those of its participants included. */
  readonly eventsPerOperation: number;
}

export const messageBytes = 100;

/** Entries of all shards together. */
export async function entriesOf({ journal }: Pick<ActorSystem, 'journal'>): Promise<number> {
  const shards = Array.from({ length: journal.shards }, (_, shard) => journal.readShard(shard));
  return (await Promise.all(shards)).reduce((sum, { head }) => sum + head.seq, 0);
}

export async function sagasInProcess(task: SagaTask, say: (doing: string) => void): Promise<readonly SagasMeasured[]> {
  const { users, rooms, saga, seconds } = task;
  const journal = await openStore(task.store);
  const system = await openSystem({ journal, actors: chatActors, projections: chatProjections });
  const store = storeCpu(task.store);
  try {
    say('making users and rooms');
    const clients = new ChatUsers(system, users);
    await clients.prepare(rooms);
    let started = 0;
    const operation = (i: number): Promise<unknown> => {
      started++;
      return saga === 'ROOM_CREATE' ? clients.createRoom(i) : clients.createMessage(i, contentOf(i, messageBytes));
    };
    say('warming up');
    await warmUp(seconds, operation);
    const measured: SagasMeasured[] = [];
    for (const inFlight of task.inFlight) {
      say(`${inFlight} in flight`);
      started = 0;
      const before = await entriesOf(system);
      const result = await measure({ inFlight, seconds, cpu: { server: ownCpu, ...store.meters }, operation });
      measured.push({ ...result, eventsPerOperation: ((await entriesOf(system)) - before) / started });
    }
    return measured;
  } finally {
    store.close();
    await system.stop();
  }
}
