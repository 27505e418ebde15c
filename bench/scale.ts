/**
 * What a saga costs when more node processes share one store: CPU time of all nodes and of Redis, per MESSAGE_CREATE over
 * WebSocket. Each size runs beside the first one alone, both as young: processes that rest disturb those that work (their timers, their
 * part of the caches), on two cores by a fifth. A round measures both with a fixed number of sagas, one after the other: a
 * neighbour that slows the machine down slows all of a round, so that the ratios of a round say more than its times. So
 * rounds are short, and many.
 *
 * The control of the largest size is as many systems of one node each (`apart`): what they cost beside one node is what the
 * machine does with so many processes, and what the nodes of one system cost beyond that is what working together costs.
 */

import { setTimeout as pause } from 'node:timers/promises';
import { Apart } from './apart.ts';
import { Fleet, type FleetUse } from './fleet.ts';
import { forEach, ownCpu } from './load.ts';
import type { NodeOptions } from './processes.ts';

export const redisKinds = ['one', 'cluster'] as const;
export type RedisKind = (typeof redisKinds)[number];
export const primariesOf: Readonly<Record<RedisKind, number>> = { one: 1, cluster: 3 };

/** `total`: as many sagas in flight however many nodes there are; `each`: as many per node. */
export const spreads = ['total', 'each'] as const;
export type Spread = (typeof spreads)[number];

export interface ScaleTask {
  readonly redis: RedisKind;
  /** Numbers of node processes; the first one is what the others are compared with. */
  readonly nodes: readonly number[];
  readonly users: number;
  /** Sagas of one measurement. */
  readonly sagas: number;
  /** Sagas that every node sees before it is measured. */
  readonly warmSagas: number;
  readonly inFlight: Readonly<Record<Spread, number>>;
  readonly rounds: number;
  /** For all sizes: no round begins when it would probably end after its size's share. One is always measured. */
  readonly minutes: number;
  readonly logLevel: string;
}

/** Per saga; CPU in microseconds. */
export interface SagaCost {
  readonly nodes: number;
  readonly redis: number;
  readonly client: number;
  readonly commits: number;
  readonly calls: number;
  readonly messages: number;
}

/** Over all rounds. */
export interface Spreading {
  readonly median: number;
  readonly best: number;
  readonly worst: number;
}

export interface ScaleRow {
  readonly redis: RedisKind;
  readonly spread: Spread;
  readonly nodes: number;
  /** Whether each node is a system of its own. */
  readonly isApart: boolean;
  readonly inFlight: number;
  readonly rounds: number;
  readonly perSecond: number;
  /** The median round's. */
  readonly cost: SagaCost;
  /** CPU of nodes and Redis beside that of the first number of nodes in the same round. */
  readonly ratio: Spreading;
  /** How many times the ratio of as many nodes apart that is (the medians), where they were measured. */
  readonly ofApart?: number;
}

export interface IdleRow {
  readonly redis: RedisKind;
  readonly nodes: number;
  /** Milliseconds of CPU in a second without a command: of all nodes, of Redis. */
  readonly nodesMs: number;
  readonly redisMs: number;
}

export interface ScaleMeasured {
  readonly rows: readonly ScaleRow[];
  readonly idle: readonly IdleRow[];
}

/** One measurement. */
export interface Sample {
  readonly spread: Spread;
  readonly nodes: number;
  readonly isApart: boolean;
  /** Samples of one round were taken one after the other. */
  readonly round: number;
  readonly inFlight: number;
  readonly perSecond: number;
  readonly cost: SagaCost;
}

/** What is measured: nodes that share a store, or that do not. */
interface Measurable {
  readonly nodes: number;
  createMessage(i: number): Promise<void>;
  use(): Promise<FleetUse>;
  stop(): Promise<void>;
}

/** So much of a measurement is run before it, and not counted: what was idle meanwhile has left the caches, and part of the memory. */
const reheatPart = 0.25;
const idleMs = 3_000;

export async function measureScale(
  task: ScaleTask,
  options: NodeOptions,
  say: (doing: string) => void,
): Promise<ScaleMeasured> {
  const until = performance.now() + task.minutes * 60_000;
  const primaries = primariesOf[task.redis];
  const { users, logLevel, redis } = task;
  const sized = (nodes: number) => ({ nodes, primaries, users, logLevel, ...options });
  const startOf = (nodes: number) => (): Promise<Measurable> => Fleet.start(sized(nodes), say);
  const [first = 1, ...sizes] = task.nodes;
  const pairs = sizes.map((nodes) => [startOf(first), startOf(nodes)]);
  const most = Math.max(first, ...sizes);
  // Of a Redis Cluster there would be as many as nodes, and their gossip.
  if (most > 1 && primaries === 1) pairs.push([startOf(first), () => Apart.start(sized(most), say)]);
  if (pairs.length === 0) pairs.push([startOf(first)]);
  const samples: Sample[] = [];
  const idle: IdleRow[] = [];
  for (const [i, starts] of pairs.entries()) {
    const end = performance.now() + (until - performance.now()) / (pairs.length - i);
    const fleets: Measurable[] = [];
    try {
      for (const start of starts) {
        const fleet = await start();
        fleets.push(fleet);
        say(`warming up ${nameOf(fleet)}`);
        await warm(fleet, task);
      }
      const rounds = await roundsOf(fleets, task, end, say);
      const before = samples.length === 0 ? 0 : (samples.at(-1) as Sample).round + 1;
      samples.push(...rounds.map((one) => ({ ...one, round: before + one.round })));
      for (const fleet of fleets) {
        if (fleet instanceof Apart || idle.some(({ nodes }) => nodes === fleet.nodes)) continue;
        say(`idle, ${nameOf(fleet)}`);
        idle.push({ redis, ...(await idleOf(fleet)) });
      }
    } finally {
      await Promise.all(fleets.map((fleet) => fleet.stop()));
    }
  }
  return { rows: rowsOf(redis, samples), idle };
}

/** Under each of the loads: what is new under one of them is compiled again. */
async function warm(fleet: Measurable, task: ScaleTask): Promise<void> {
  const sagas = Math.ceil((fleet.nodes * task.warmSagas) / spreads.length);
  for (const spread of spreads) {
    await forEach(sagas, inFlightOf(task, spread, fleet), (i) => fleet.createMessage(i));
  }
}

function inFlightOf({ inFlight }: ScaleTask, spread: Spread, { nodes }: Measurable): number {
  return inFlight[spread] * (spread === 'each' ? nodes : 1);
}

async function roundsOf(
  fleets: readonly Measurable[],
  task: ScaleTask,
  end: number,
  say: (doing: string) => void,
): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  for (let round = 0; round < task.rounds; round++) {
    const startedAt = performance.now();
    // There and back again: what changes with time changes all of them alike.
    for (const fleet of round % 2 === 0 ? fleets : fleets.toReversed()) {
      for (const spread of spreads) {
        const inFlight = inFlightOf(task, spread, fleet);
        const found = await sample(fleet, inFlight, task.sagas);
        samples.push({ spread, round, inFlight, nodes: fleet.nodes, isApart: fleet instanceof Apart, ...found });
        const micros = Math.round(total(found.cost));
        say(`round ${round + 1} of ${task.rounds}, ${nameOf(fleet)}, ${inFlight} in flight: ${micros} µs per saga`);
      }
    }
    if (2 * performance.now() - startedAt > end) break;
  }
  return samples;
}

function nameOf(fleet: Measurable): string {
  return `${fleet.nodes} nodes${fleet instanceof Apart ? ' apart' : ''}`;
}

async function sample(fleet: Measurable, inFlight: number, sagas: number): Promise<Pick<Sample, 'perSecond' | 'cost'>> {
  await forEach(Math.ceil(sagas * reheatPart), inFlight, (i) => fleet.createMessage(i));
  const [before, clientBefore, startedAt] = [await fleet.use(), await ownCpu(), performance.now()];
  await forEach(sagas, inFlight, (i) => fleet.createMessage(i));
  const [seconds, client] = [(performance.now() - startedAt) / 1000, (await ownCpu()) - clientBefore];
  const after = await fleet.use();
  const per = (name: keyof typeof after): number => (after[name] - before[name]) / sagas;
  return {
    perSecond: sagas / seconds,
    cost: {
      nodes: per('nodes'),
      redis: per('redis'),
      client: client / sagas,
      commits: per('commits'),
      calls: per('calls'),
      messages: per('messages'),
    },
  };
}

async function idleOf(fleet: Measurable): Promise<Omit<IdleRow, 'redis'>> {
  const [before, startedAt] = [await fleet.use(), performance.now()];
  await pause(idleMs);
  const after = await fleet.use();
  const micros = (performance.now() - startedAt) * 1000;
  return {
    nodes: fleet.nodes,
    nodesMs: ((after.nodes - before.nodes) / micros) * 1000,
    redisMs: ((after.redis - before.redis) / micros) * 1000,
  };
}

function total({ nodes, redis }: SagaCost): number {
  return nodes + redis;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return ((sorted[(sorted.length - 1) >> 1] as number) + (sorted[sorted.length >> 1] as number)) / 2;
}

/** One row for each load and number of nodes, from the samples of all rounds; each beside the first size in the same round. */
export function rowsOf(redis: RedisKind, samples: readonly Sample[]): readonly ScaleRow[] {
  const [first] = samples;
  return spreads.flatMap((spread) => {
    const ofSpread = samples.filter((one) => one.spread === spread);
    const bases = ofSpread.filter((one) => one.nodes === first?.nodes && !one.isApart);
    const kinds = new Map(ofSpread.map((one) => [`${one.nodes} ${one.isApart}`, one]));
    const rows = [...kinds.values()].map(({ nodes, isApart }): ScaleRow => {
      const own = ofSpread.filter((one) => one.nodes === nodes && one.isApart === isApart);
      const ratios = own.flatMap(({ round, cost }) => {
        const base = bases.find((one) => one.round === round);
        return base === undefined ? [] : [total(cost) / total(base.cost)];
      });
      const middle = own.toSorted((a, b) => total(a.cost) - total(b.cost))[(own.length - 1) >> 1] as Sample;
      const { inFlight, cost } = middle;
      const perSecond = median(own.map((one) => one.perSecond));
      return {
        redis,
        spread,
        nodes,
        isApart,
        inFlight,
        rounds: own.length,
        perSecond,
        cost,
        ratio: spreadingOf(ratios),
      };
    });
    return rows.map((row) => {
      const apart = rows.find((one) => one.isApart && one.nodes === row.nodes);
      if (row.isApart || apart === undefined) return row;
      return { ...row, ofApart: row.ratio.median / apart.ratio.median };
    });
  });
}

function spreadingOf(ratios: readonly number[]): Spreading {
  return { median: median(ratios), best: Math.min(...ratios), worst: Math.max(...ratios) };
}
