/**
 * Provides redis-server for the tests: they start their own servers on free loopback ports and need nothing but the
 * program. Installs Debian's package where that is possible, without leaving Debian's own service running.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';

function has(program: string): boolean {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined;
}

function aptGet(...args: readonly string[]): boolean {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const run = spawnSync('apt-get', ['-qq', ...args], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  return run.status === 0;
}

/** Debian starts a service when its package is installed, unless this file forbids it. */
const policyFile = '/usr/sbin/policy-rc.d';

function installFromDebian(): boolean {
  const ownPolicy = !existsSync(policyFile);
  if (ownPolicy) writeFileSync(policyFile, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    // A fresh image has no package lists at all; a stale list names versions that are gone.
    return aptGet('update') && aptGet('install', '-y', '--no-install-recommends', 'redis-server');
  } finally {
    if (ownPolicy) rmSync(policyFile, { force: true });
    if (existsSync('/run/systemd/system')) {
      spawnSync('systemctl', ['disable', '--now', 'redis-server'], { stdio: 'ignore' });
    }
  }
}

/** Undefined when redis-server is there, else the sentence that says what to do. */
export function provideRedis(say: (sentence: string) => void): string | undefined {
  if (has('redis-server')) return undefined;
  const advice =
    'The tests need redis-server 7.0 or newer on the PATH: install it (Debian: sudo apt-get install redis-server).';
  if (process.getuid?.() !== 0 || !has('apt-get')) return advice;
  say('redis-server is missing; installing it with apt-get, which takes about half a minute.');
  return installFromDebian() && has('redis-server') ? undefined : `${advice} Installing it with apt-get failed.`;
}
