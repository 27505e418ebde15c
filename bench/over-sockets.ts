/** W1 and W2 over WebSocket: the server in a process of its own, the load from this one. */

import { randomBytes } from 'node:crypto';
import { contentOf } from './chat-users.ts';
import { idOf } from './counter.ts';
import type { CounterTask } from './counter-commands.ts';
import { forEach, type Measured, measure, ownCpu, warmUp } from './load.ts';
import { type NodeOptions, type ServerProcess, startServer, typeScript } from './processes.ts';
import { messageBytes, type SagaTask } from './sagas.ts';
import { SocketUsers } from './socket-users.ts';
import { type StoreAddress, storeCpu } from './stores.ts';

export interface SocketsMeasured extends Measured {
  /** Frames that came to all sockets together: replies, outcomes, and everybody's news. */
  readonly framesPerOperation: number;
}

/** Sockets that send counter commands. */
const counterSockets = 16;
const setupInFlight = 64;
const companionStep = 7;

interface Loaded {
  readonly server: ServerProcess;
  readonly users: SocketUsers;
  readonly store: StoreAddress;
  readonly inFlight: readonly number[];
  readonly seconds: number;
  operation(i: number): Promise<unknown>;
}

async function measured(loaded: Loaded, say: (doing: string) => void): Promise<readonly SocketsMeasured[]> {
  const { server, users, seconds, operation } = loaded;
  const store = storeCpu(loaded.store);
  const results: SocketsMeasured[] = [];
  try {
    say('warming up');
    await warmUp(seconds, operation);
    for (const inFlight of loaded.inFlight) {
      say(`${inFlight} in flight`);
      let started = 0;
      const frames = users.frames;
      const result = await measure({
        inFlight,
        seconds,
        cpu: { server: server.cpu, client: ownCpu, ...store.meters },
        operation: (i) => {
          started++;
          return operation(i);
        },
      });
      results.push({ ...result, framesPerOperation: (users.frames - frames) / started });
    }
    return results;
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : String(error)}\nThe server said:\n${server.said()}`);
  } finally {
    store.close();
  }
}

export async function countOverSockets(
  task: CounterTask,
  options: NodeOptions,
  say: (doing: string) => void,
): Promise<readonly SocketsMeasured[]> {
  const authSecret = randomBytes(32).toString('base64url');
  const { store, actors, inFlight, seconds } = task;
  const args = [...typeScript, 'bench/counter-server.ts', store.url, store.durability ?? ''];
  const server = await startServer({ args, env: { AUTH_SECRET: authSecret }, ...options });
  try {
    const users = await SocketUsers.connect({
      ports: [server.port],
      path: '/counters',
      users: counterSockets,
      authSecret,
    });
    const ids = Array.from({ length: actors }, (_, i) => idOf(`counter-${i}`));
    const operation = (i: number) => users.send(i, 'COUNT', { counterId: ids[i % ids.length] }, 'reply');
    await forEach(ids.length, setupInFlight, operation);
    const results = await measured({ server, users, store, inFlight, seconds, operation }, say);
    users.close();
    return results;
  } finally {
    await server.stop();
  }
}

/** The server as `npm start` runs it, with all users online. */
export async function sagasOverSockets(
  task: SagaTask & { readonly logLevel: string },
  options: NodeOptions,
  say: (doing: string) => void,
): Promise<readonly SocketsMeasured[]> {
  const authSecret = randomBytes(32).toString('base64url');
  const { store, saga, rooms, inFlight, seconds, logLevel } = task;
  const env = {
    AUTH_SECRET: authSecret,
    JOURNAL: store.url,
    LOG_LEVEL: logLevel,
    PORT: '0',
    ...(store.durability === undefined ? {} : { DURABILITY: store.durability }),
  };
  const server = await startServer({ args: ['actors/cli/troupe.js', 'start'], env, ...options });
  try {
    const users = await SocketUsers.connect({ ports: [server.port], path: '/ws/chat', users: task.users, authSecret });
    say('making users and rooms');
    await forEach(task.users, setupInFlight, (i) =>
      users.send(
        i,
        'USER_CREATE',
        { type: 'REGULAR_USER', username: `user ${i}`, primaryLanguage: 'ENGLISH' },
        'outcome',
      ),
    );
    const createRoom = (i: number) => {
      const companionUserId = users.userIds[(i + companionStep) % users.userIds.length];
      return users.send(i, 'ROOM_CREATE', { companionUserId }, 'outcome');
    };
    const roomIds: string[] = [];
    await forEach(rooms, setupInFlight, async (i) => {
      roomIds[i] = (await createRoom(i))?.id as string;
    });
    const createMessage = (i: number) => {
      const room = i % rooms;
      return users.send(
        room,
        'MESSAGE_CREATE',
        { roomId: roomIds[room], content: contentOf(i, messageBytes) },
        'outcome',
      );
    };
    const operation = saga === 'ROOM_CREATE' ? createRoom : createMessage;
    const results = await measured({ server, users, store, inFlight, seconds, operation }, say);
    users.close();
    return results;
  } finally {
    await server.stop();
  }
}
