import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runBuilder } from '../../../src/cli/image/builder.ts';

let repository: string;
let manifests: string;

beforeEach(() => {
  repository = mkdtempSync(join(tmpdir(), 'ksnoop-builder-'));
  manifests = join(repository, 'daemonset');
  mkdirSync(join(manifests, 'image'), { recursive: true });
});
afterEach(() => rmSync(repository, { recursive: true }));

function builder(code: string): void {
  writeFileSync(join(manifests, 'image/build.ts'), code);
}

function built(): void {
  mkdirSync(join(repository, 'dist'));
  writeFileSync(join(repository, 'dist/ksnoop-agent.mjs'), '');
}

test('an installed package has no builder, and is told where there is one', async () => {
  await expect(runBuilder([], manifests)).rejects.toMatchObject({ code: 'IMAGE_NEEDS_SOURCES', exit: 2 });
});

test('where dist/ is missing the command that makes it is named', async () => {
  builder('process.exit(9)');
  await expect(runBuilder([], manifests)).rejects.toMatchObject({
    code: 'NOT_BUILT',
    hint: `Build it: (cd ${repository} && npm ci && npm run build)`,
  });
});

test('what the builder prints is the result, its failure an error', async () => {
  built();
  builder('console.log(process.argv.slice(2).join())');
  expect(await runBuilder(['--arch', 'arm64'], manifests)).toBe('--arch,arm64');
  builder('process.exit(9)');
  await expect(runBuilder([], manifests)).rejects.toMatchObject({
    code: 'IMAGE_BUILD_FAILED',
    message: 'The image was not built (exit 9).',
  });
});
