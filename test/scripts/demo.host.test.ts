// `npm run demo` as a newcomer sees it, its one file read by tshark.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { HANG_MS } from '../support/hang.ts';

const demo = join(import.meta.dirname, '../../scripts/demo.ts');
const FILE = 'ksnoop-demo.pcapng';
const HOSTS = ['client', 'dns', 'web'].map((host) => `netns/ksnoop-demo-${host}/any`);

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-test-'));
afterAll(() => rmSync(directory, { recursive: true }));

const lines = (text: string) => text.split('\n').filter((line) => line !== '');
const namesIn = (path: string) => readdirSync(path).filter((name) => name.startsWith('ksnoop-demo'));

/** What the demo makes besides its file: namespaces, directories, and programs, which all carry its name or its domain. */
function traces(): string[] {
  const programs = lines(execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }));
  const own = programs.filter((args) => /ksnoop-demo|web\.demo/.test(args));
  const namespaces = lines(execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' }));
  return [...own, ...namespaces.filter((name) => name.startsWith('ksnoop-demo')), ...namesIn(tmpdir())];
}

test('captures three hosts, shows their packets, writes a file, and leaves nothing else', async () => {
  const before = traces();
  const { status, stdout, stderr } = spawnSync('node', [demo], { encoding: 'utf8', cwd: directory });
  expect(status, stderr).toBe(0);

  // Lines of what was said, then the summary of the file.
  const all = lines(stdout);
  const shown = all.slice(
    0,
    all.findIndex((line) => line.endsWith(' flows')),
  );
  expect(shown.length).toBeGreaterThan(10);
  for (const line of shown) expect(line).toMatch(/^\d\d:\d\d:\d\d\.(\d{6}|\d{9}) netns\/ksnoop-demo-(client|dns|web) /);
  for (const word of ['DNS A web.demo NOERROR', 'HTTP GET /large.bin 200', 'HTTP GET /missing 404']) {
    expect(shown.join('\n')).toContain(word);
  }
  // Nothing but requests: ARP is packets' business, and the host that answers DNS has its name.
  expect(shown.join('\n')).not.toContain('ARP');
  expect(shown.join('\n')).toContain('> netns/ksnoop-demo-dns (10.78.0.53:53) DNS');
  expect(all.find((line) => line.startsWith('web.demo '))).toMatch(/^web\.demo +HTTP +4 /);
  expect(stderr).toContain('curl http://web.demo/missing → 404');
  expect(stderr).toMatch(/packets captured, .* 0 dropped by kernel, 0 dropped by ksnoop, 0 truncated/);

  expect(readdirSync(directory)).toEqual([FILE]);
  expect(stderr).toContain(`wireshark ${FILE}`);
  expect(statSync(join(directory, FILE)).mode & 0o777).toBe(0o600);
  const rows = tshark('frame.interface_name', '_ws.col.Protocol', 'dns.qry.name', 'http.request.uri');
  expect([...new Set(rows.map(([name]) => name))].sort()).toEqual(HOSTS);
  expect(rows.filter(([, protocol]) => protocol === 'DNS').every(([, , name]) => name === 'web.demo')).toBe(true);
  // A request seen at both ends is a retransmission to tshark the second time, and not decoded again.
  const asked = rows.map(([, , , uri]) => uri).filter((uri) => uri !== '');
  expect(asked.sort()).toEqual(['/', '/', '/large.bin', '/missing']);

  await expect.poll(traces, { timeout: HANG_MS }).toEqual(before);
});

function tshark(...fields: string[]): string[][] {
  const words = ['-r', join(directory, FILE), '-T', 'fields', ...fields.flatMap((field) => ['-e', field])];
  const text = execFileSync('tshark', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return lines(text).map((line) => line.split('\t'));
}

test('says what is wrong in one line', () => {
  const { status, stderr } = spawnSync('node', [demo, '--nonsense'], { encoding: 'utf8', cwd: directory });
  expect(stderr).toMatch(/^demo: .*--nonsense.*\n$/);
  expect(status).toBe(1);
});
