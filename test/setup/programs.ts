/** The programs that the tests run beside Node. They start their own servers on free loopback ports. */

import type { DebianProgram } from './debian.ts';

export const programs: readonly DebianProgram[] = [
  {
    program: 'redis-server',
    debian: 'redis-server',
    service: 'redis-server',
    need: 'The tests need redis-server 7.0 or newer on the PATH.',
  },
  {
    program: 'promtool',
    debian: 'prometheus',
    service: 'prometheus',
    need: 'The tests of deploy/prometheus need promtool (of Prometheus) on the PATH.',
  },
  {
    program: 'haproxy',
    debian: 'haproxy',
    service: 'haproxy',
    need: 'The tests of deploy/haproxy need haproxy 2.6 or newer on the PATH.',
  },
  {
    program: 'chromium',
    debian: 'chromium',
    service: 'chromium',
    need: 'The tests of the pages need Chromium on the PATH.',
  },
  {
    program: 'chromium',
    debian: 'chromium',
    service: 'chromium',
    need: 'The tests of web/ need chromium on the PATH.',
  },
];
