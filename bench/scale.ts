/**
 * What a saga costs when more node processes share one store: CPU time of all nodes and of Redis, per MESSAGE_CREATE over
 * WebSocket. All sizes run side by side, and every round measures each of them once with a fixed number of sagas: a
 * neighbour that slows the machine down slows all of a round, so that the ratios of a round say more than its times. Only
 * one size has load at a time, and no load fills the machine.
 *
 * The control of the largest size is as many systems of one node each (`apart`): what they cost beside one node is what the
 * machine does with so many processes, and what the nodes of one system cost beside them is what working together costs.
 */

import { setTimeout as pause } from 'node:timers/promises';
import { Apart } from './apart.ts';
import { Fleet, type FleetUse } from './fleet.ts';
import { forEach, ownCpu, quantile } from './load.ts';
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
  /** No round begins when it would probably end after this. */
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
  /** The same beside as many nodes apart, where that was measured. */
  readonly ofApart?: Spreading;
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

const warmInFlight = 32;
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
  const fleets: Measurable[] = [];
  const add = async (fleet: Measurable): Promise<void> => {
    fleets.push(fleet);
    say(`warming up ${nameOf(fleet)}`);
    await forEach(fleet.nodes * task.warmSagas, warmInFlight, (i) => fleet.createMessage(i));
  };
  try {
    for (const nodes of task.nodes) {
      await add(await Fleet.start({ nodes, primaries, users, logLevel, ...options }, say));
    }
    const most = Math.max(...task.nodes);
    // Of a Redis Cluster there would be as many as nodes, and their gossip.
    if (most > 1 && primaries === 1)
      await add(await Apart.start({ nodes: most, primaries, users, logLevel, ...options }, say));
    const samples: Sample[] = [];
    for (let round = 0; round < task.rounds; round++) {
      const startedAt = performance.now();
      // There and back again: what changes with time changes all of them alike.
      for (const fleet of round % 2 === 0 ? fleets : fleets.toReversed()) {
        for (const spread of spreads) {
          const inFlight = task.inFlight[spread] * (spread === 'each' ? fleet.nodes : 1);
          const found = await sample(fleet, inFlight, task.sagas);
          samples.push({ spread, round, inFlight, nodes: fleet.nodes, isApart: fleet instanceof Apart, ...found });
          const micros = Math.round(total(found.cost));
          say(`round ${round + 1} of ${task.rounds}, ${nameOf(fleet)}, ${inFlight} in flight: ${micros} µs per saga`);
        }
      }
      if (2 * performance.now() - startedAt > until) break;
    }
    say('idle');
    const together = fleets.filter((fleet) => !(fleet instanceof Apart));
    const idle = await Promise.all(together.map(async (fleet) => ({ redis, ...(await idleOf(fleet)) })));
    return { rows: rowsOf(redis, samples), idle };
  } finally {
    await Promise.all(fleets.map((fleet) => fleet.stop()));
  }
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
  return quantile(
    values.toSorted((a, b) => a - b),
    0.5,
  );
}

/** One row for each load and number of nodes, from the samples of all rounds. */
export function rowsOf(redis: RedisKind, samples: readonly Sample[]): readonly ScaleRow[] {
  const [first] = samples;
  return spreads.flatMap((spread) => {
    const ofSpread = samples.filter((one) => one.spread === spread);
    const kinds = new Map(ofSpread.map((one) => [`${one.nodes} ${one.isApart}`, one]));
    return [...kinds.values()].map(({ nodes, isApart }): ScaleRow => {
      const own = ofSpread.filter((one) => one.nodes === nodes && one.isApart === isApart);
      const beside = (others: readonly Sample[]): readonly number[] =>
        own.flatMap(({ round, cost }) => {
          const other = others.find((one) => one.round === round);
          return other === undefined ? [] : [total(cost) / total(other.cost)];
        });
      const bases = ofSpread.filter((one) => one.nodes === first?.nodes && !one.isApart);
      const apart = isApart ? [] : beside(ofSpread.filter((one) => one.nodes === nodes && one.isApart));
      const middle = own.toSorted((a, b) => total(a.cost) - total(b.cost))[Math.floor(own.length / 2)] as Sample;
      return {
        redis,
        spread,
        nodes,
        isApart,
        inFlight: middle.inFlight,
        rounds: own.length,
        perSecond: median(own.map(({ perSecond }) => perSecond)),
        cost: middle.cost,
        ratio: spreadingOf(beside(bases)),
        ...(apart.length > 0 && { ofApart: spreadingOf(apart) }),
      };
    });
  });
}

function spreadingOf(ratios: readonly number[]): Spreading {
  return { median: median(ratios), best: Math.min(...ratios), worst: Math.max(...ratios) };
}
