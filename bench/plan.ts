/** Which measurements a selection asks for, in order, and what they give. */

import { type CellBytes, type StoredBytes, weighStore } from './bytes.ts';
import type { Measured } from './load.ts';
import { countOverSockets, sagasOverSockets } from './over-sockets.ts';
import { runTask } from './processes.ts';
import type { RawMeasured } from './raw.ts';
import type { MeasuredSaga } from './sagas.ts';
import type { SettledBytes } from './settled-bytes.ts';
import { makeStore, type Store, type StoreName } from './stores.ts';

export const workloads = ['raw', 'w1', 'w2', 'w3', 'bytes'] as const;
export type Workload = (typeof workloads)[number];
export type Over = 'process' | 'socket';

export interface Selection {
  readonly workloads: readonly Workload[];
  readonly stores: readonly StoreName[];
  readonly sagas: readonly MeasuredSaga[];
  readonly over: readonly Over[];
  readonly inFlight: readonly number[];
  /** Each load is measured for so long. */
  readonly seconds: number;
  readonly users: number;
  readonly rooms: number;
  readonly counters: number;
  /** Actors of W3's stores. */
  readonly actors: readonly number[];
  /** Operations that a store is weighed by, and cells of each type. */
  readonly weighed: number;
  /** Rooms of the Redis that is weighed key by key. */
  readonly weighedRooms: number;
  readonly messagesPerRoom: number;
  readonly logLevel: string;
  readonly nodeFlags: readonly string[];
  /** Where the stores of LMDB lie. */
  readonly folder: string;
}

export interface LoadRow extends Measured {
  readonly workload: 'W1' | 'W2';
  readonly operation: 'COUNT' | MeasuredSaga;
  readonly store: StoreName;
  readonly over: Over;
  readonly eventsPerOperation?: number;
  readonly framesPerOperation?: number;
}

export interface RestartRow {
  readonly store: StoreName;
  readonly actors: number;
  readonly spawnToFirstAnswerMs: number;
  /** Opening the store and taking all shards. */
  readonly openMs: number;
  readonly openToFirstAnswerMs: number;
  readonly spawnToAllAnsweredMs: number;
  readonly rehydrationsPerSecond: number;
  readonly cpuMicrosPerRehydration: number;
}

export interface Results {
  readonly raw: RawMeasured[];
  readonly load: LoadRow[];
  readonly restarts: RestartRow[];
  readonly cells: CellBytes[];
  readonly stored: (StoredBytes & { readonly store: StoreName })[];
  readonly settled: SettledBytes[];
}

export interface Step {
  readonly workload: Workload;
  readonly title: string;
  run(results: Results, say: (doing: string) => void): Promise<void>;
}

export function noResults(): Results {
  return { raw: [], load: [], restarts: [], cells: [], stored: [], settled: [] };
}

async function withStore<T>(name: StoreName, { folder }: Selection, use: (store: Store) => Promise<T>): Promise<T> {
  const store = await makeStore(name, folder);
  try {
    return await use(store);
  } finally {
    await store.remove();
  }
}

/** One durability of each kind of store, where durability makes no difference. */
function kindsOf(stores: readonly StoreName[]): readonly StoreName[] {
  const kind = (name: StoreName): string => name.slice(0, name.indexOf('-'));
  return stores.filter((name, i) => name !== 'memory' && stores.findIndex((other) => kind(other) === kind(name)) === i);
}

/** A server in memory is of interest when nothing else was asked for. */
function storesOver(over: Over, { stores }: Selection): readonly StoreName[] {
  const lasting = stores.filter((name) => name !== 'memory');
  return over === 'process' || lasting.length === 0 ? stores : lasting;
}

function rawSteps(selection: Selection): readonly Step[] {
  const { seconds, folder } = selection;
  const steps: Step[] = [];
  if (selection.stores.some((name) => name.startsWith('lmdb'))) {
    steps.push({
      workload: 'raw',
      title: 'raw LMDB',
      async run(results, say) {
        results.raw.push(...(await runTask('rawLmdb', { folder, seconds }, selection, say)).output);
      },
    });
  }
  for (const name of selection.stores) {
    if (name !== 'redis-everysec' && name !== 'redis-always') continue;
    steps.push({
      workload: 'raw',
      title: `raw ${name}`,
      async run(results, say) {
        results.raw.push(...(await runTask('rawRedis', { name, folder, seconds }, selection, say)).output);
      },
    });
  }
  return steps;
}

function counterSteps(selection: Selection): readonly Step[] {
  const { counters: actors, inFlight, seconds } = selection;
  const stepOf = (over: Over, name: StoreName): Step => ({
    workload: 'w1',
    title: `W1 on ${name}, ${over === 'process' ? 'in process' : 'over WebSocket'}`,
    run: (results, say) =>
      withStore(name, selection, async ({ url, durability }) => {
        const store = { name, url, ...(durability === undefined ? {} : { durability }) };
        const task = { store, actors, inFlight, seconds };
        const measured: readonly Measured[] =
          over === 'process'
            ? (await runTask('countInProcess', task, selection, say)).output
            : await countOverSockets(task, selection, say);
        for (const row of measured)
          results.load.push({ workload: 'W1', operation: 'COUNT', store: name, over, ...row });
      }),
  });
  return selection.over.flatMap((over) => storesOver(over, selection).map((name) => stepOf(over, name)));
}

function sagaSteps(selection: Selection): readonly Step[] {
  const { users, rooms, inFlight, seconds, logLevel } = selection;
  const stepOf = (saga: MeasuredSaga, over: Over, name: StoreName): Step => ({
    workload: 'w2',
    title: `W2 ${saga} on ${name}, ${over === 'process' ? 'in process' : 'over WebSocket'}`,
    run: (results, say) =>
      withStore(name, selection, async ({ url, durability }) => {
        const store = { name, url, ...(durability === undefined ? {} : { durability }) };
        const task = { store, saga, users, rooms, inFlight, seconds };
        const measured: readonly Measured[] =
          over === 'process'
            ? (await runTask('sagasInProcess', task, selection, say)).output
            : await sagasOverSockets({ ...task, logLevel }, selection, say);
        for (const row of measured) results.load.push({ workload: 'W2', operation: saga, store: name, over, ...row });
      }),
  });
  return selection.sagas.flatMap((saga) =>
    selection.over.flatMap((over) => storesOver(over, selection).map((name) => stepOf(saga, over, name))),
  );
}

function restartSteps(selection: Selection): readonly Step[] {
  const stepOf = (name: StoreName, actors: number): Step => ({
    workload: 'w3',
    title: `W3 with ${actors} actors on ${name}`,
    run: (results, say) =>
      withStore(name, selection, async ({ url, durability }) => {
        const store = { name, url, ...(durability === undefined ? {} : { durability }) };
        await runTask('fill', { store, actors }, selection, say);
        const { output, spawnedAt } = await runTask('restart', { store, actors }, selection, say);
        results.restarts.push({
          store: name,
          actors,
          spawnToFirstAnswerMs: output.firstAnswerAt - spawnedAt,
          openMs: output.openMs,
          openToFirstAnswerMs: output.firstAnswerAt - output.openedAt,
          spawnToAllAnsweredMs: output.allAnsweredAt - spawnedAt,
          rehydrationsPerSecond: output.rehydrationsPerSecond,
          cpuMicrosPerRehydration: output.cpuMicrosPerRehydration,
        });
      }),
  });
  return kindsOf(selection.stores).flatMap((name) => selection.actors.map((actors) => stepOf(name, actors)));
}

function bytesSteps(selection: Selection): readonly Step[] {
  const { weighed } = selection;
  const cells: Step = {
    workload: 'bytes',
    title: 'bytes of cells',
    async run(results, say) {
      results.cells.push(...(await runTask('weighCells', { cells: weighed }, selection, say)).output);
    },
  };
  const stored = kindsOf(selection.stores).map(
    (name): Step => ({
      workload: 'bytes',
      title: `bytes in ${name}`,
      run: (results, say) =>
        withStore(name, selection, async ({ url, durability }) => {
          const store = { name, url, ...(durability === undefined ? {} : { durability }) };
          const stored = await weighStore(
            store,
            weighed,
            async (task) => (await runTask('putIntoStore', task, selection, say)).output,
          );
          results.stored.push({ store: name, ...stored });
        }),
    }),
  );
  return [cells, ...stored, ...settledSteps(selection)];
}

function settledSteps(selection: Selection): readonly Step[] {
  const { weighedRooms: rooms, messagesPerRoom } = selection;
  const name = selection.stores.find((store) => store.startsWith('redis'));
  if (name === undefined) return [];
  const step: Step = {
    workload: 'bytes',
    title: 'bytes in Redis by key, written and settled',
    run: (results, say) =>
      withStore(name, selection, async ({ url }) => {
        const task = { store: { name, url }, rooms, messagesPerRoom };
        results.settled.push((await runTask('weighSettled', task, selection, say)).output);
      }),
  };
  return [step];
}

export function stepsOf(selection: Selection): readonly Step[] {
  const makers = { raw: rawSteps, w1: counterSteps, w2: sagaSteps, w3: restartSteps, bytes: bytesSteps };
  return workloads
    .filter((name) => selection.workloads.includes(name))
    .flatMap((name): readonly Step[] => makers[name](selection));
}
