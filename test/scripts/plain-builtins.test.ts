import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { plainBuiltins } from '../../scripts/plain-builtins.ts';

/** @returns what esbuild makes of a module with the plugin */
async function bundled(contents: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents },
    bundle: true,
    format: 'esm',
    platform: 'node',
    write: false,
    plugins: [plainBuiltins()],
  });
  return outputFiles.map(({ text }) => text).join('');
}

test.each(['fs', 'fs/promises', 'string_decoder', 'http2', 'v8', 'inspector'])(
  '%s is not loaded before it is used',
  async (name) => {
    const text = await bundled(`import * as all from 'node:${name}'; export const keys = () => Object.keys(all);`);
    expect(text).not.toMatch(/^import\b/m);
  },
);

test('what is used of a builtin is what Node has under that name', async () => {
  const text = await bundled(
    `import { getHeapStatistics } from 'node:v8'; export const heap = () => getHeapStatistics();`,
  );
  const { heap } = await import(`data:text/javascript,${encodeURIComponent(text)}`);
  expect(heap().total_heap_size).toBeGreaterThan(0);
});
