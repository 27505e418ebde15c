/** What things weigh: a resident cell in memory, and an event or a chat message in a store. */

import { chatActors, chatProjections, message, room, sagas, user } from '../actors/chat.ts';
import { type ActorDefinition, type ActorSystem, type Journal, openSystem } from '../src/index.ts';
import { createMemoryStore, openMemoryJournal } from '../src/journal/memory.ts';
import { ChatUsers, contentOf, roomIdOf } from './chat-users.ts';
import { counter, idOf } from './counter.ts';
import { forEach } from './load.ts';
import { entriesOf, messageBytes } from './sagas.ts';
import { bytesOf, openStore, type StoreAddress, type StoreBytes } from './stores.ts';

const inFlight = 64;
const users = 50;
const counters = 1_000;

const actors = [...chatActors, counter];
const open = (journal: Journal): Promise<ActorSystem> =>
  openSystem({ journal, actors, projections: chatProjections, limits: { cellsMax: 10_000_000 } });

export interface CellBytes {
  readonly type: string;
  readonly cells: number;
  readonly bytesPerCell: number;
}

async function usedAfterCollection(): Promise<number> {
  if (globalThis.gc === undefined) throw new Error('Weighing cells needs node --expose-gc.');
  for (let i = 0; i < 4; i++) {
    globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return process.memoryUsage().heapUsed;
}

/** Makes actors of each type, opens their store anew, and weighs what rehydrating all of a type adds. */
export async function weighCells(
  task: { readonly cells: number },
  say: (doing: string) => void,
): Promise<readonly CellBytes[]> {
  const store = createMemoryStore();
  const ids = await makeActors(openMemoryJournal({ store }), task.cells, say);
  const system = await open(openMemoryJournal({ store }));
  const weighed: CellBytes[] = [];
  for (const definition of [counter, user, room, message, sagas.MESSAGE_CREATE]) {
    say(`weighing cells of ${definition.type}`);
    const wanted = ids.get(definition.type) ?? [];
    const before = await usedAfterCollection();
    await forEach(wanted.length, inFlight, (i) => system.actor(definition, wanted[i] as string).snapshot());
    const bytes = (await usedAfterCollection()) - before;
    weighed.push({ type: definition.type, cells: wanted.length, bytesPerCell: bytes / wanted.length });
  }
  await system.stop();
  return weighed;
}

async function makeActors(journal: Journal, cells: number, say: (doing: string) => void) {
  say(`making ${cells} actors of each type`);
  const system = await open(journal);
  await forEach(cells, inFlight, (i) => system.actor(counter, idOf(`counter-${i}`)).tell({ type: 'ADD', by: 1 }));
  const clients = new ChatUsers(system, cells);
  await clients.prepare(cells);
  await forEach(cells, inFlight, (i) => clients.createMessage(i, contentOf(i, messageBytes)));
  const ids = await idsOf(journal, actors);
  await system.stop();
  return ids;
}

/** The ids of every actor of these types. */
async function idsOf(journal: Journal, definitions: readonly ActorDefinition[]) {
  const ids = new Map<string, string[]>(definitions.map(({ type }) => [type, []]));
  for (let shard = 0; shard < journal.shards; shard++) {
    for (const { actor } of await journal.listActors(shard, { limit: 1_000_000 })) {
      const [type, id] = actor.split('/') as [string, string];
      ids.get(type)?.push(id);
    }
  }
  return ids;
}

/** Opens a store, puts so many operations on it and closes it again: it is weighed by another process in between. */
export interface PutTask {
  readonly store: StoreAddress;
  /** The users and rooms are to be made first. */
  readonly isEmpty: boolean;
  readonly commands: number;
  readonly messages: number;
}

/** Resolves with the number of events journaled. */
export async function putIntoStore(task: PutTask, say: (doing: string) => void): Promise<number> {
  const { store, isEmpty, commands, messages } = task;
  say(`${commands} counter commands, ${messages} messages`);
  const system = await open(await openStore(store));
  const clients = new ChatUsers(system, users);
  if (isEmpty) await clients.prepare(0);
  for (let i = 0; i < users; i++) {
    clients.roomIds[i] = isEmpty ? await clients.createRoom(i, `room-${i}`) : roomIdOf(`room-${i}`);
  }
  const before = await entriesOf(system);
  await forEach(commands, inFlight, (i) =>
    system.actor(counter, idOf(`counter-${i % counters}`)).tell({ type: 'ADD', by: 1 }),
  );
  await forEach(messages, inFlight, (i) => clients.createMessage(i, contentOf(i, messageBytes)));
  const events = (await entriesOf(system)) - before;
  await system.stop();
  return events;
}

export interface StoredBytes {
  /** A counter's event of some 20 bytes, with what finds and summarises it. */
  readonly perEvent: StoreBytes;
  /** A message of 100 characters, with all that its saga leaves in journal, views and topics. */
  readonly perMessage: StoreBytes;
  readonly eventsPerMessage: number;
}

/** Weighs a store before and after many counter commands, and many chat messages. `put` runs in other processes. */
export async function weighStore(
  store: StoreAddress,
  operations: number,
  put: (task: PutTask) => Promise<number>,
): Promise<StoredBytes> {
  const weigh = async (): Promise<StoreBytes> => {
    const bytes = await bytesOf(store);
    if (bytes === undefined) throw new Error(`A store in ${store.name} cannot be weighed.`);
    return bytes;
  };
  await put({ store, isEmpty: true, commands: counters, messages: users });
  const empty = await weigh();
  await put({ store, isEmpty: false, commands: operations, messages: 0 });
  const counted = await weigh();
  const events = await put({ store, isEmpty: false, commands: 0, messages: operations });
  const written = await weigh();
  return {
    perEvent: perOperation(empty, counted, operations),
    perMessage: perOperation(counted, written, operations),
    eventsPerMessage: events / operations,
  };
}

function perOperation(before: StoreBytes, after: StoreBytes, operations: number): StoreBytes {
  return { used: (after.used - before.used) / operations, file: (after.file - before.file) / operations };
}
