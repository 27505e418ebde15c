/**
 * What one chat message weighs in Redis, key by key: as it is written, and when it has settled, that is when every
 * actor has a snapshot, ended operations are reduced to their outcome, and the journal's entries have left for the archive.
 */

import { Redis } from 'ioredis';
import { chatActors, chatProjections } from '../actors/chat.ts';
import { openSystem } from '../src/index.ts';
import { ChatUsers, contentOf, roomIdOf } from './chat-users.ts';
import { forEach } from './load.ts';
import { messageBytes } from './sagas.ts';
import { settleStore } from './settled-store.ts';
import { openStore, type StoreAddress } from './stores.ts';

export interface SettledTask {
  readonly store: StoreAddress;
  readonly rooms: number;
  readonly messagesPerRoom: number;
}

export interface KeyBytes {
  /** A kind of key, for example `view:messages`; `all in` is the server's memory. */
  readonly kind: string;
  /** Bytes per message. */
  readonly written: number;
  readonly settled: number;
}

export interface SettledBytes {
  readonly rooms: number;
  readonly messagesPerRoom: number;
  readonly kinds: readonly KeyBytes[];
}

const inFlight = 64;
const allIn = 'all in';
/** Not in Redis. */
const archiveKind = 'files of the archive';

/** Bytes by kind of key: what is between the shard and an id. */
async function weigh(client: Redis): Promise<ReadonlyMap<string, number>> {
  const kinds = new Map<string, number>();
  let cursor = '0';
  do {
    const [next, keys] = await client.scan(cursor, 'COUNT', 1_000);
    cursor = next;
    const bytes = await Promise.all(keys.map((key) => client.memory('USAGE', key, 'SAMPLES', 0)));
    for (const [i, key] of keys.entries()) {
      const kind = key.replace(/^[^:]*:(\{\d+\}:)?/, '').replace(/^(topic:[a-z]*):.*$/s, '$1');
      kinds.set(kind, (kinds.get(kind) ?? 0) + (bytes[i] ?? 0));
    }
  } while (cursor !== '0');
  const used = /^used_memory:(\d+)/m.exec(await client.info('memory'))?.[1];
  return kinds.set(allIn, Number(used));
}

/** Two members a room; the creator writes. */
async function write({ store, rooms, messagesPerRoom }: SettledTask, isEmpty: boolean): Promise<void> {
  const system = await openSystem({
    journal: await openStore(store),
    actors: chatActors,
    projections: chatProjections,
  });
  const clients = new ChatUsers(system, rooms);
  if (isEmpty) await clients.prepare(0);
  for (let i = 0; i < rooms; i++) {
    clients.roomIds[i] = isEmpty ? await clients.createRoom(i, `room-${i}`) : roomIdOf(`room-${i}`);
  }
  const messages = isEmpty ? rooms : rooms * messagesPerRoom;
  await forEach(messages, inFlight, (i) => clients.createMessage(i, contentOf(i, messageBytes)));
  await system.stop();
}

export async function weighSettled(task: SettledTask, say: (doing: string) => void): Promise<SettledBytes> {
  const { store, rooms, messagesPerRoom } = task;
  const client = new Redis(store.url);
  try {
    say('an empty store');
    await write(task, true);
    const empty = await weigh(client);
    say(`${rooms * messagesPerRoom} messages`);
    await write(task, false);
    const written = await weigh(client);
    say('settling');
    const archived = await settleStore(store, client);
    const settled = await weigh(client);
    const per = (after: ReadonlyMap<string, number>, kind: string): number =>
      ((after.get(kind) ?? 0) - (empty.get(kind) ?? 0)) / (rooms * messagesPerRoom);
    const kinds = [...new Set([...written.keys(), ...settled.keys()])]
      .map((kind) => ({ kind, written: per(written, kind), settled: per(settled, kind) }))
      .filter(({ written: a, settled: b }) => Math.abs(a) >= 1 || Math.abs(b) >= 1)
      .sort((a, b) => Number(a.kind === allIn) - Number(b.kind === allIn) || b.settled - a.settled);
    const archive = { kind: archiveKind, written: 0, settled: archived / (rooms * messagesPerRoom) };
    return { rooms, messagesPerRoom, kinds: [...kinds, archive] };
  } finally {
    client.disconnect();
  }
}
