/** Results as Markdown tables that are aligned, so that they read well in a terminal and in a page. */

import type { MachineFacts } from './machine.ts';
import type { LoadRow, Results, Workload } from './plan.ts';
import type { SettledBytes } from './settled-bytes.ts';
import { durabilityTexts, type StoreName } from './stores.ts';

type Cell = string | number | undefined;

export function rate(value: number): string {
  return Math.round(value).toLocaleString('en');
}

export function ms(value: number): string {
  return value >= 100 ? rate(value) : value.toFixed(value >= 10 ? 1 : 2);
}

function micros(value: number | undefined): string {
  if (value === undefined) return '–';
  return value >= 10 ? rate(value) : value.toFixed(1);
}

/** First column to the left, the others to the right. */
export function table(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const cells = [head, ...rows.map((row) => row.map((cell) => String(cell ?? '–')))];
  const widths = head.map((_, column) => Math.max(3, ...cells.map((row) => (row[column] ?? '').length)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(' | ')} |`;
  const rule = `| ${widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return [line(cells[0] ?? []), rule, ...cells.slice(1).map(line)].join('\n');
}

const overTexts = { process: 'in process', socket: 'WebSocket' } as const;

function loadTable(rows: readonly LoadRow[]): string {
  const hasEvents = rows.some((row) => row.eventsPerOperation !== undefined);
  const hasFrames = rows.some((row) => row.framesPerOperation !== undefined);
  return table(
    [
      'store, load',
      'in flight',
      'per second',
      'p50 ms',
      'p99 ms',
      'CPU µs: server',
      'client',
      'store',
      ...(hasEvents ? ['events/op', 'events/s'] : []),
      ...(hasFrames ? ['frames/op'] : []),
    ],
    rows.map((row) => [
      `${row.store}, ${overTexts[row.over]}`,
      row.inFlight,
      rate(row.perSecond),
      ms(row.p50Ms),
      ms(row.p99Ms),
      micros(row.cpuMicros.server),
      micros(row.cpuMicros.client),
      micros(row.cpuMicros.store),
      ...(hasEvents ? [row.eventsPerOperation?.toFixed(1), eventsPerSecond(row)] : []),
      ...(hasFrames ? [row.framesPerOperation?.toFixed(1)] : []),
    ]),
  );
}

function eventsPerSecond({ eventsPerOperation, perSecond }: LoadRow): string | undefined {
  return eventsPerOperation === undefined ? undefined : rate(eventsPerOperation * perSecond);
}

function rawTable({ raw }: Results): string {
  return table(
    ['raw limit', 'in flight', 'records/s', 'p50 ms', 'p99 ms', 'CPU µs per record: client', 'store'],
    raw.map((row) => [
      row.name,
      row.inFlight,
      rate(row.perSecond * row.records),
      ms(row.p50Ms),
      ms(row.p99Ms),
      micros((row.cpuMicros.server ?? 0) / row.records),
      micros(row.cpuMicros.store === undefined ? undefined : row.cpuMicros.store / row.records),
    ]),
  );
}

function restartTable({ restarts }: Results): string {
  return table(
    [
      'store, actors',
      'spawn to first answer ms',
      'opening ms',
      'opened to first answer ms',
      'spawn to all answered ms',
      'rehydrations/s',
      'CPU µs each',
    ],
    restarts.map((row) => [
      `${row.store}, ${rate(row.actors)}`,
      rate(row.spawnToFirstAnswerMs),
      rate(row.openMs),
      ms(row.openToFirstAnswerMs),
      rate(row.spawnToAllAnsweredMs),
      rate(row.rehydrationsPerSecond),
      micros(row.cpuMicrosPerRehydration),
    ]),
  );
}

function settledTable({ rooms, messagesPerRoom, kinds }: SettledBytes): string {
  const title = `Redis keys: bytes per message of 100 bytes in ${rate(rooms)} rooms of ${rate(messagesPerRoom)}`;
  return table(
    [title, 'as written', 'settled and trimmed'],
    kinds.map(({ kind, written, settled }) => [kind, rate(written), rate(settled)]),
  );
}

function bytesTables({ cells, stored, settled }: Results): string {
  const resident = table(
    ['resident cell', 'cells', 'bytes'],
    cells.map(({ type, cells: count, bytesPerCell }) => [type, rate(count), rate(bytesPerCell)]),
  );
  const inStores = table(
    ['store', 'bytes per counter event', 'of its file', 'per chat message', 'of its file', 'events per message'],
    stored.map(({ store, perEvent, perMessage, eventsPerMessage }) => [
      store,
      rate(perEvent.used),
      rate(perEvent.file),
      rate(perMessage.used),
      rate(perMessage.file),
      eventsPerMessage.toFixed(1),
    ]),
  );
  return [resident, inStores, ...settled.map(settledTable)].join('\n\n');
}

const titles: Readonly<Record<Workload, string>> = {
  raw: 'Raw limits of the stores',
  w1: 'W1: journaled counter commands',
  w2: 'W2: sagas of the chat, to the outcome at the requester',
  w3: 'W3: restart after kill -9',
  bytes: 'Bytes',
};

/** The tables of one workload. */
export function section(workload: Workload, results: Results): string {
  const body = {
    raw: () => rawTable(results),
    w1: () => loadTable(results.load.filter((row) => row.workload === 'W1')),
    w2: () =>
      [...new Set(results.load.filter((row) => row.workload === 'W2').map((row) => row.operation))]
        .map((saga) => `${saga}\n\n${loadTable(results.load.filter((row) => row.operation === saga))}`)
        .join('\n\n'),
    w3: () => restartTable(results),
    bytes: () => bytesTables(results),
  }[workload]();
  return `${titles[workload]}\n\n${body}\n`;
}

export function machineText(facts: MachineFacts, stores: readonly StoreName[]): string {
  const { cores, cpu, memoryGiB, node, kernel, redis, folder, loadBefore, loadAfter, nodeFlags, pace } = facts;
  return [
    `Machine: ${cores} cores of ${cpu}, ${memoryGiB} GiB; ${kernel}; Node ${node}${nodeFlags === '' ? '' : ` with ${nodeFlags}`}; ${redis}.`,
    `Stores of LMDB on ${folder}. Load average before ${loadBefore}, after ${loadAfter}: neighbours move the rates most.`,
    `A fixed piece of work took ${ms(pace.median)} ms of CPU (best ${ms(pace.best)}, worst ${ms(pace.worst)}): CPU µs of two runs compare when this does.`,
    'An answered commit survives:',
    ...stores.map((name) => `  ${name}: ${durabilityTexts[name]}`),
  ].join('\n');
}

/** One column per store, one line per measure: the best rate with the p50 of one in flight. */
export function summary(results: Results, stores: readonly StoreName[]): string {
  const lines: Cell[][] = [];
  const add = (title: string, cell: (store: StoreName) => Cell): void => {
    const cells = stores.map(cell);
    if (cells.some((value) => value !== undefined)) lines.push([title, ...cells]);
  };
  const raw = (store: StoreName, batched: boolean): Cell => {
    const row = results.raw.find(({ name, records }) => name.startsWith(`${store}:`) && records > 1 === batched);
    return row === undefined ? undefined : rate(row.perSecond * row.records);
  };
  add('raw: records/s in batches', (store) => raw(store, true));
  add('raw: records/s, each awaited (LMDB: 1, Redis: 64 in flight)', (store) => raw(store, false));
  const measures = [
    { operation: 'COUNT', title: 'W1 counter commands' },
    { operation: 'MESSAGE_CREATE', title: 'W2 MESSAGE_CREATE sagas' },
    { operation: 'ROOM_CREATE', title: 'W2 ROOM_CREATE sagas' },
  ] as const;
  for (const { operation, title } of measures) {
    for (const over of ['process', 'socket'] as const) {
      add(`${title}/s, ${overTexts[over]} (p50 of one)`, (store) =>
        bestOf(results.load.filter((row) => row.operation === operation && row.over === over && row.store === store)),
      );
    }
  }
  for (const actors of new Set(results.restarts.map((row) => row.actors))) {
    add(`W3 ${rate(actors)} actors: first answer, all answered (from spawn)`, (store) => {
      const row = results.restarts.find((found) => found.store === store && found.actors === actors);
      if (row === undefined) return undefined;
      return `${(row.spawnToFirstAnswerMs / 1000).toFixed(1)} s, ${(row.spawnToAllAnsweredMs / 1000).toFixed(1)} s`;
    });
  }
  const stored = (store: StoreName) => results.stored.find((found) => found.store === store);
  add('bytes per journaled event, per chat message', (store) => {
    const found = stored(store);
    return found === undefined ? undefined : `${rate(found.perEvent.used)}, ${rate(found.perMessage.used)}`;
  });
  return table(['', ...stores], lines);
}

function bestOf(rows: readonly LoadRow[]): Cell {
  const best = rows.reduce<LoadRow | undefined>(
    (a, b) => (a !== undefined && a.perSecond > b.perSecond ? a : b),
    undefined,
  );
  if (best === undefined) return undefined;
  const alone = rows.find((row) => row.inFlight === 1);
  return alone === undefined ? rate(best.perSecond) : `${rate(best.perSecond)} (${ms(alone.p50Ms)} ms)`;
}
