import { configDefaults, defineConfig } from 'vitest/config';

const slow = ['test/**/*.host.test.ts', 'test/**/*.cluster.test.ts', 'test/**/*.fuzz.test.ts'];

/** What expect.poll waits for, at most: its own second is less than a busy machine of CI may need. */
const poll = { timeout: 60_000 };

/** One project per thing a test needs: nothing (unit), root and namespaces (host), the cluster, a long budget (fuzz). */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...slow],
          // Timeouts here only bound a hang: a busy machine of CI needs a multiple of what this takes elsewhere.
          testTimeout: 180_000,
          hookTimeout: 180_000,
          expect: { poll },
        },
      },
      {
        test: {
          name: 'host',
          include: ['test/**/*.host.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 600_000,
          expect: { poll },
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'cluster',
          include: ['test/**/*.cluster.test.ts'],
          testTimeout: 600_000,
          hookTimeout: 1_200_000,
          expect: { poll },
          fileParallelism: false,
        },
      },
      { test: { name: 'fuzz', include: ['test/**/*.fuzz.test.ts'], testTimeout: 1_800_000 } },
    ],
  },
});
