/**
 * Provides programs that tests start themselves. Where they are missing, Debian's packages are installed if that is
 * possible, without leaving Debian's own services running; else a sentence says what to install.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';

export interface DebianProgram {
  /** What has to be on the PATH. */
  readonly program: string;
  /** Debian's package; `service` is what that would start. */
  readonly debian: string;
  readonly service: string;
  /** What is needed, and why. */
  readonly need: string;
}

/** Debian starts a service when its package is installed, unless this file forbids it. */
const policyFile = '/usr/sbin/policy-rc.d';

function has(program: string): boolean {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined;
}

function aptGet(...args: readonly string[]): boolean {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const run = spawnSync('apt-get', ['-qq', ...args], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  return run.status === 0;
}

function installFromDebian(packages: readonly DebianProgram[]): boolean {
  const ownPolicy = !existsSync(policyFile);
  if (ownPolicy) writeFileSync(policyFile, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    const names = packages.map(({ debian }) => debian);
    // A fresh image has no package lists at all; a stale list names versions that are gone.
    return aptGet('update') && aptGet('install', '-y', '--no-install-recommends', ...names);
  } finally {
    if (ownPolicy) rmSync(policyFile, { force: true });
    // The policy keeps a service from being started by the installation; a boot would still do it.
    if (existsSync('/run/systemd/system')) {
      for (const { service } of packages) spawnSync('systemctl', ['disable', '--now', service], { stdio: 'ignore' });
    }
  }
}

function advice({ need, debian }: DebianProgram): string {
  return `${need} Install it (Debian: sudo apt-get install ${debian}).`;
}

/** The sentences that say what is still missing; none when everything is there. */
export function providePrograms(programs: readonly DebianProgram[], say: (sentence: string) => void): string[] {
  const missing = programs.filter(({ program }) => !has(program));
  if (missing.length === 0) return [];
  if (process.getuid?.() !== 0 || !has('apt-get')) return missing.map(advice);
  const names = missing.map(({ program }) => program).join(', ');
  say(`Installing what the tests need with apt-get, which takes about half a minute: ${names}.`);
  installFromDebian(missing);
  return missing
    .filter(({ program }) => !has(program))
    .map((program) => `${advice(program)} Installing it with apt-get failed.`);
}
