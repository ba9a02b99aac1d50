import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { json, startApiServer, status } from '../../support/api-server.ts';
import { program } from '../../support/ksnoop-process.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ksnoop-start-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test('a capture begins without modules of Node that it does not use: files as streams, fs/promises, readline, zlib', async () => {
  const server = await startApiServer({
    onRequest: (_, response) => json(response, 404, status(404, 'NotFound', 'there is none')),
  });
  const hook = join(directory, 'modules.cjs');
  writeFileSync(hook, "process.on('exit', () => console.error('LOADED', process.moduleLoadList.join()));");
  const words = ['--require', hook, program, 'pod/web-1', '--kubeconfig', server.kubeconfig()];
  const { stderr } = await new Promise<{ stderr: string }>((resolve) => {
    const child = execFile(process.execPath, words, (_, stdout, stderr) => resolve({ stderr: `${stdout}${stderr}` }));
    child.stdin?.end();
  });
  await server.close();
  expect(stderr).toContain('NO_SUCH_TARGET');
  const loaded = stderr.slice(stderr.indexOf('LOADED'));
  expect(loaded).toContain('NativeModule https');
  expect(loaded).not.toMatch(
    /NativeModule (internal\/fs\/(streams|promises)|readline|internal\/readline\/interface|zlib)\b/,
  );
});
