// ksnoop as one executable: it runs without Node, without this directory, and has its manifests and the agent inside.
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildBinary } from '../../scripts/binary/build.ts';
import { PLATFORMS } from '../../scripts/binary/platforms.ts';
import { VERSION } from '../../src/wire/version.ts';
import { startApiServer } from '../support/api-server.ts';
import { HANG_MS } from '../support/hang.ts';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-binary-test-'));
const program = join(directory, 'ksnoop');
const capture = join(import.meta.dirname, '../analyze/flow/captures/both-ends-of-a-service.pcapng');
const sources = join(import.meta.dirname, '../../src/cli/main.ts');

beforeAll(async () => {
  const own = PLATFORMS.find(({ name }) => name === `${process.platform}-${process.arch}`);
  if (own === undefined) throw new Error(`there is no executable for ${process.platform}-${process.arch}`);
  const bytes = await buildBinary(own, program, console.error);
  expect(bytes).toBeLessThanOrEqual(155e6);
}, HANG_MS);
afterAll(() => rmSync(directory, { recursive: true }));

/** Run it where nothing of this repository can be found. */
function ksnoop(...words: string[]) {
  return spawnSync(program, words, {
    encoding: 'utf8',
    cwd: directory,
    env: { HOME: directory, PATH: '/usr/bin:/bin' },
  });
}

test('it shows its version, and reads a capture as the sources do', () => {
  expect(ksnoop('version', '--client').stdout).toContain(`ksnoop ${VERSION}`);
  const words = ['read', capture, '-o', 'summary'];
  const expected = execFileSync(process.execPath, [sources, ...words], { encoding: 'utf8' });
  expect(expected).not.toBe('');
  expect(ksnoop(...words).stdout).toBe(expected);
});

test('the agent and the manifests are inside', async () => {
  // It is the agent that finds no such process.
  expect(ksnoop('--local', 'pid/4194303', '-w', 'none.pcapng').stderr).toContain('NO_SUCH_PROCESS');
  const server = await startApiServer({});
  try {
    const words = ['install', '--image', 'x', '--overlay', 'selinux', '--kubeconfig', server.kubeconfig()];
    const ran = promisify(execFile)(program, words, { env: { HOME: directory } });
    const { stderr } = await ran.catch((thrown: { stderr: string }) => thrown);
    // The manifests are read: the first object, a Namespace, is asked about, and this server knows no API.
    expect(stderr).toContain('The server could not find /api/v1. [NOT_FOUND]');
  } finally {
    await server.close();
  }
});

test('a program that it writes starts it alone', () => {
  expect(ksnoop('extcap', 'install', '--directory', 'extcap').status).toBe(0);
  const listed = spawnSync(join(directory, 'extcap/ksnoop'), ['--extcap-interfaces'], { encoding: 'utf8' });
  expect(listed.stdout).toContain('interface {value=ksnoop}');
});
