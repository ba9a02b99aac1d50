import { configDefaults, defineConfig } from 'vitest/config';

const slow = ['test/**/*.host.test.ts', 'test/**/*.cluster.test.ts', 'test/**/*.fuzz.test.ts'];

/** One project per thing a test needs: nothing (unit), root and namespaces (host), the cluster, a long budget (fuzz). */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...slow],
          // A hang is told from a busy machine.
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'host',
          include: ['test/**/*.host.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'cluster',
          include: ['test/**/*.cluster.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
      { test: { name: 'fuzz', include: ['test/**/*.fuzz.test.ts'], testTimeout: 1_800_000 } },
    ],
  },
});
