/**
 * What a saga costs when more node processes share one store: CPU time of all nodes and of Redis, per MESSAGE_CREATE over
 * WebSocket. All sizes run side by side, and every round measures each of them once with a fixed number of sagas: a
 * neighbour that slows the machine down slows all of a round, so that the ratios of a round say more than its times. Only
 * one size has load at a time, and no load fills the machine.
 */

import { setTimeout as pause } from 'node:timers/promises';
import { Fleet } from './fleet.ts';
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

export interface ScaleRow {
  readonly redis: RedisKind;
  readonly spread: Spread;
  readonly nodes: number;
  readonly inFlight: number;
  readonly rounds: number;
  readonly perSecond: number;
  /** The median round's. */
  readonly cost: SagaCost;
  /** CPU of nodes and Redis beside that of the first number of nodes in the same round: in the middle, at best, at worst. */
  readonly ratio: { readonly median: number; readonly best: number; readonly worst: number };
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
  readonly round: number;
  readonly inFlight: number;
  readonly perSecond: number;
  readonly cost: SagaCost;
}

const warmInFlight = 32;
const idleMs = 3_000;

export async function measureScale(
  task: ScaleTask,
  options: NodeOptions,
  say: (doing: string) => void,
): Promise<ScaleMeasured> {
  const until = performance.now() + task.minutes * 60_000;
  const primaries = primariesOf[task.redis];
  const { users, logLevel, redis } = task;
  const fleets: Fleet[] = [];
  try {
    for (const nodes of task.nodes) {
      const fleet = await Fleet.start({ nodes, primaries, users, logLevel, ...options }, say);
      fleets.push(fleet);
      say(`warming up ${nodes} nodes`);
      await forEach(nodes * task.warmSagas, warmInFlight, (i) => fleet.createMessage(i));
    }
    const samples: Sample[] = [];
    for (let round = 0; round < task.rounds; round++) {
      const startedAt = performance.now();
      // There and back again: what changes with time changes all of them alike.
      for (const fleet of round % 2 === 0 ? fleets : fleets.toReversed()) {
        for (const spread of spreads) {
          const inFlight = task.inFlight[spread] * (spread === 'each' ? fleet.nodes : 1);
          const found = await sample(fleet, inFlight, task.sagas);
          samples.push({ spread, round, inFlight, nodes: fleet.nodes, ...found });
          const micros = Math.round(total(found.cost));
          say(
            `round ${round + 1} of ${task.rounds}, ${fleet.nodes} nodes, ${inFlight} in flight: ${micros} µs per saga`,
          );
        }
      }
      if (2 * performance.now() - startedAt > until) break;
    }
    say('idle');
    const idle = await Promise.all(fleets.map(async (fleet) => ({ redis, ...(await idleOf(fleet)) })));
    return { rows: rowsOf(redis, samples), idle };
  } finally {
    await Promise.all(fleets.map((fleet) => fleet.stop()));
  }
}

async function sample(fleet: Fleet, inFlight: number, sagas: number): Promise<Pick<Sample, 'perSecond' | 'cost'>> {
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

async function idleOf(fleet: Fleet): Promise<Omit<IdleRow, 'redis'>> {
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
    return [...new Set(ofSpread.map(({ nodes }) => nodes))].map((nodes): ScaleRow => {
      const own = ofSpread.filter((one) => one.nodes === nodes);
      const baseOf = (round: number) => ofSpread.find((one) => one.round === round && one.nodes === first?.nodes);
      const ratios = own.map(({ round, cost }) => total(cost) / total(baseOf(round)?.cost ?? cost));
      const middle = own.toSorted((a, b) => total(a.cost) - total(b.cost))[Math.floor(own.length / 2)] as Sample;
      return {
        redis,
        spread,
        nodes,
        inFlight: middle.inFlight,
        rounds: own.length,
        perSecond: median(own.map(({ perSecond }) => perSecond)),
        cost: middle.cost,
        ratio: { median: median(ratios), best: Math.min(...ratios), worst: Math.max(...ratios) },
      };
    });
  });
}
