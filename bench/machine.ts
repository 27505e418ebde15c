/** What the numbers were measured on. */

import { spawnSync } from 'node:child_process';
import { statfs } from 'node:fs/promises';
import { cpus, loadavg, release, totalmem, type } from 'node:os';
import { quantile } from './load.ts';

export interface MachineFacts {
  readonly cores: number;
  readonly cpu: string;
  readonly memoryGiB: number;
  readonly node: string;
  readonly nodeFlags: string;
  readonly kernel: string;
  readonly redis: string;
  /** File system of LMDB's stores. */
  readonly folder: string;
  readonly loadBefore: string;
  readonly loadAfter: string;
  /** CPU time of the same piece of work before each step: what it took at best, in the middle and at worst. */
  readonly pace: { readonly best: number; readonly median: number; readonly worst: number };
}

const paceObject = {
  id: 'd5d788e9-2889-4aa1-989d-ca6f2f5d9353',
  list: Array.from({ length: 20 }, (_, i) => `item ${i}`),
};
const paceRounds = 3_000;

/** CPU milliseconds that a fixed piece of work takes just now: neighbours that share caches and cores slow it down too. */
export function paceMs(): number {
  const before = process.cpuUsage();
  let length = 0;
  for (let i = 0; i < paceRounds; i++)
    length += JSON.stringify(JSON.parse(JSON.stringify({ ...paceObject, i }))).length;
  const { user, system } = process.cpuUsage(before);
  return length > 0 ? (user + system) / 1000 : 0;
}

/** By the magic numbers of statfs(2). */
const fileSystems: Readonly<Record<number, string>> = {
  61267: 'ext4',
  16914836: 'tmpfs (a sync costs nothing there)',
  1481003842: 'xfs',
  2435016766: 'btrfs',
  2035054128: 'overlayfs',
};

export function loadAverage(): string {
  return (loadavg()[0] ?? 0).toFixed(1);
}

export async function machineFacts(options: {
  readonly folder: string;
  readonly loadBefore: string;
  readonly nodeFlags: readonly string[];
  readonly paces: readonly number[];
}): Promise<MachineFacts> {
  const cores = cpus();
  const version = spawnSync('redis-server', ['--version'], { encoding: 'utf8' }).stdout ?? '';
  const { type: magic } = await statfs(options.folder);
  return {
    cores: cores.length,
    cpu: cores[0]?.model.trim() ?? 'an unknown CPU',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.versions.node,
    nodeFlags: options.nodeFlags.join(' '),
    kernel: `${type()} ${release()}`,
    redis: `Redis ${/v=(\S+)/.exec(version)?.[1] ?? 'not installed'}`,
    folder: fileSystems[magic] ?? `a file system of type 0x${magic.toString(16)}`,
    loadBefore: options.loadBefore,
    loadAfter: loadAverage(),
    pace: {
      best: Math.min(...options.paces),
      median: quantile(
        options.paces.toSorted((a, b) => a - b),
        0.5,
      ),
      worst: Math.max(...options.paces),
    },
  };
}
