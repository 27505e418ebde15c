/**
 * W3: a store with many actors whose process is killed, and the next process on it. The first one fills it and waits for
 * its end; the second one tells when it had opened it, when the first answer came, and when everybody had answered.
 */

import { chatActors, chatProjections, room } from '../actors/chat.ts';
import { openSystem } from '../src/index.ts';
import { ChatUsers, roomIdOf } from './chat-users.ts';
import { counter, idOf } from './counter.ts';
import { forEach, ownCpu } from './load.ts';
import { openStore, type StoreAddress } from './stores.ts';

export interface RestartTask {
  readonly store: StoreAddress;
  /** Counters and rooms; a room's saga and users come on top. */
  readonly actors: number;
}

/** Rooms among the actors; the others are counters. */
const roomPart = 0.2;
/** Events of each counter: what a rehydration folds. */
const counterEvents = 3;
const fillInFlight = 256;
const askInFlight = 1_024;
const users = 50;

const actors = [...chatActors, counter];

/** Wall-clock time with fractions, comparable between processes of one machine. */
export function wallMs(): number {
  return performance.timeOrigin + performance.now();
}

function parts(count: number): { readonly rooms: number; readonly counters: number } {
  const rooms = Math.floor(count * roomPart);
  return { rooms, counters: count - rooms };
}

/** Fills the store. Nothing is stopped or closed: the process is to be killed. */
export async function fill(task: RestartTask, say: (doing: string) => void): Promise<void> {
  const journal = await openStore(task.store);
  const system = await openSystem({ journal, actors, projections: chatProjections });
  const { rooms, counters } = parts(task.actors);
  say(`making ${counters} counters`);
  await forEach(counters, fillInFlight, async (i) => {
    const ref = system.actor(counter, idOf(`counter-${i}`));
    await Promise.all(Array.from({ length: counterEvents }, () => ref.tell({ type: 'ADD', by: 1 })));
  });
  say(`making ${rooms} rooms`);
  const clients = new ChatUsers(system, users);
  await clients.prepare(0);
  await forEach(rooms, fillInFlight, (i) => clients.createRoom(i, `room-${i}`));
}

export interface Restarted {
  readonly openedAt: number;
  /** From the first line of the process's own work: opening the store, taking its shards. */
  readonly openMs: number;
  readonly firstAnswerAt: number;
  readonly allAnsweredAt: number;
  readonly rehydrationsPerSecond: number;
  readonly cpuMicrosPerRehydration: number;
}

/** Opens a filled store and asks everybody once. Rejects when an answer is not what was written. */
export async function restart(task: RestartTask, say: (doing: string) => void): Promise<Restarted> {
  const { rooms, counters } = parts(task.actors);
  say('opening');
  const startedAt = wallMs();
  const journal = await openStore(task.store);
  const system = await openSystem({ journal, actors, projections: chatProjections });
  const openedAt = wallMs();
  const askCounter = async (i: number): Promise<void> => {
    const answer = await system.actor(counter, idOf(`counter-${i}`)).snapshot();
    if (answer?.state.context.count !== counterEvents) throw new Error(`counter ${i} came back as ${answer?.version}`);
  };
  const askRoom = async (i: number): Promise<void> => {
    const answer = await system.actor(room, roomIdOf(`room-${i}`)).snapshot();
    if (answer?.state.value !== 'open') throw new Error(`room ${i} came back as ${String(answer?.state.value)}`);
  };
  await askCounter(0);
  const firstAnswerAt = wallMs();
  say(`asking ${task.actors} actors`);
  const cpu = ownCpu() as number;
  await forEach(task.actors - 1, askInFlight, (i) =>
    i + 1 < counters ? askCounter(i + 1) : askRoom(i + 1 - counters),
  );
  const allAnsweredAt = wallMs();
  const cpuMicros = (ownCpu() as number) - cpu;
  await system.stop();
  return {
    openedAt,
    openMs: openedAt - startedAt,
    firstAnswerAt,
    allAnsweredAt,
    rehydrationsPerSecond: ((counters + rooms - 1) / (allAnsweredAt - firstAnswerAt)) * 1000,
    cpuMicrosPerRehydration: cpuMicros / (counters + rooms - 1),
  };
}
