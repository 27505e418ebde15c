import { defineConfig } from 'vitest/config';

// The timeouts are for noisy machines, not for slow tests: no test waits for time to pass.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    teardownTimeout: 20_000,
    slowTestThreshold: 5_000,
    allowOnly: false,
    restoreMocks: true,
    unstubEnvs: true,
  },
});
