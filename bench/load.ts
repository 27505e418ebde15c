/**
 * A closed loop: so many operations in flight, a new one for each that ends. After a warm-up it counts what ends within
 * the window, how long each took, and what CPU time the processes involved used meanwhile. The machine may be shared:
 * CPU time per operation is the steadier number of the two.
 */

/** CPU time a process has used so far, in microseconds. */
export type CpuMeter = () => number | Promise<number>;

export interface Load {
  readonly inFlight: number;
  readonly seconds: number;
  /** By what the report calls them: `server`, `client`, `store`. */
  readonly cpu: Readonly<Record<string, CpuMeter>>;
  /** The `i`th operation; rejects when it fails. */
  operation(i: number): Promise<unknown>;
}

export interface Measured {
  readonly inFlight: number;
  readonly operations: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Microseconds per operation. */
  readonly cpuMicros: Readonly<Record<string, number>>;
}

/** The part of the window that warms up. */
const warmUpPart = 0.4;
const warmUpInFlight = 64;

async function read(meters: Load['cpu']): Promise<Readonly<Record<string, number>>> {
  const values = Object.entries(meters).map(async ([name, meter]) => [name, await meter()] as const);
  return Object.fromEntries(await Promise.all(values));
}

/** Value at this part of a sorted list. */
export function quantile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}

/** CPU time of this process, all its threads included. */
export const ownCpu: CpuMeter = () => {
  const { user, system } = process.cpuUsage();
  return user + system;
};

/** Puts the load on and measures it. Rejects with the first operation's error. */
export async function measure({ inFlight, seconds, cpu, operation }: Load): Promise<Measured> {
  const latencies: number[] = [];
  const begin = performance.now() + seconds * warmUpPart * 1000;
  let since = 0;
  let until = 0;
  let before: ReturnType<typeof read> | undefined;
  let after: ReturnType<typeof read> | undefined;
  let next = 0;
  const client = async (): Promise<void> => {
    while (after === undefined) {
      const startedAt = performance.now();
      await operation(next++);
      const endedAt = performance.now();
      if (before === undefined) {
        if (endedAt < begin) continue;
        since = endedAt;
        before = read(cpu);
      } else if (after === undefined) {
        latencies.push(endedAt - startedAt);
        if (endedAt < since + seconds * 1000) continue;
        until = endedAt;
        after = read(cpu);
      }
    }
  };
  await Promise.all(Array.from({ length: inFlight }, client));
  const [first, last] = [(await before) ?? {}, (await after) ?? {}];
  latencies.sort((a, b) => a - b);
  const operations = latencies.length;
  return {
    inFlight,
    operations,
    perSecond: (operations / (until - since)) * 1000,
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
    cpuMicros: Object.fromEntries(
      Object.keys(cpu).map((name) => [name, ((last[name] ?? 0) - (first[name] ?? 0)) / operations]),
    ),
  };
}

/** Puts the load on for as long as one measurement takes, so that none of them sees code that was not compiled yet. */
export async function warmUp(seconds: number, operation: Load['operation']): Promise<void> {
  await measure({ inFlight: warmUpInFlight, seconds, cpu: {}, operation });
}

/** Runs `count` operations, at most `inFlight` at once. */
export async function forEach(
  count: number,
  inFlight: number,
  operation: (i: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const client = async (): Promise<void> => {
    while (next < count) await operation(next++);
  };
  await Promise.all(Array.from({ length: Math.min(inFlight, count) }, client));
}
