/** What the numbers were measured on. */

import { spawnSync } from 'node:child_process';
import { statfs } from 'node:fs/promises';
import { cpus, loadavg, release, totalmem, type } from 'node:os';

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
  };
}
