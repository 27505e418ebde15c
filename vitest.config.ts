import { defineConfig } from 'vitest/config';

// Chromium has several processes of its own. Beside it, nodes of the failover tests do not get the time that their leases
// give them; so the pages come last, and one after the other.
const pages = 'test/web/**/*.test.ts';

// The timeouts are for noisy machines, not for slow tests: no test waits for time to pass.
export default defineConfig({
  test: {
    globalSetup: ['test/setup/pages.ts'],
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 60_000,
    teardownTimeout: 20_000,
    slowTestThreshold: 5_000,
    expect: { poll: { timeout: 20_000, interval: 20 } },
    allowOnly: false,
    restoreMocks: true,
    unstubEnvs: true,
    projects: [
      {
        extends: true,
        test: {
          name: 'node',
          include: ['test/**/*.test.ts'],
          exclude: [pages],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      { extends: true, test: { name: 'pages', include: [pages], maxWorkers: 1, sequence: { groupOrder: 1 } } },
    ],
  },
});
