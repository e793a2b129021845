import { defineConfig } from 'vitest/config';

/** The pages in a real browser against the real server. */
export default defineConfig({
  test: {
    include: ['e2e/**/*.test.ts'],
    environment: 'node',
    setupFiles: ['e2e/failed.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // As long as what is waited for in the pages themselves.
    expect: { poll: { timeout: 20_000 } },
    // A browser and a server for each file: two at once are enough for two cores.
    maxWorkers: 2,
    fileParallelism: true,
    retry: 0,
  },
});
