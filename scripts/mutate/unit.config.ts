import { join } from 'node:path';
import { configDefaults, defineConfig } from 'vitest/config';

/** The project unit of vitest.config.ts in the copy, with a change turned on (setup.ts). */
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [
      ...configDefaults.exclude,
      'test/**/*.host.test.ts',
      'test/**/*.cluster.test.ts',
      'test/**/*.fuzz.test.ts',
    ],
    testTimeout: 180_000,
    hookTimeout: 180_000,
    expect: { poll: { timeout: 60_000 } },
    // One test that fails is enough.
    bail: 1,
    setupFiles: [join(import.meta.dirname, 'setup.ts')],
    // An endless loop that allocates must not take the machine.
    execArgv: ['--max-old-space-size=2048'],
  },
});
