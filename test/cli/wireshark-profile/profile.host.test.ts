// The profile as Debian's tshark reads it.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { KSNOOP } from '../../support/ksnoop-process.ts';
import { ensurePackages } from '../../support/packages.ts';
import { describe, end, header, names, packet } from '../../support/pcapng-sample.ts';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-profile-'));
const file = join(directory, 'two.pcapng');
const env = { ...process.env, HOME: directory, XDG_CONFIG_HOME: join(directory, 'config') };

/** UDP from 10.0.0.1, which the sample's name block calls shop/web-1, to 10.0.0.9. */
const udp = () => {
  const bytes = Buffer.alloc(14 + 20 + 8);
  bytes.writeUInt16BE(0x0800, 12);
  bytes.set([0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 9], 14);
  bytes.set([0x30, 0x39, 0x1f, 0x90, 0, 8, 0, 0], 34);
  return bytes;
};

beforeAll(() => {
  expect(ensurePackages(['tshark'])).toBe(undefined);
  const blocks = [header(), names(), describe('shop/web-1/any'), describe('shop/web-2/any')];
  writeFileSync(
    file,
    Buffer.concat([...blocks, packet(0, 1n, udp()), packet(1, 2n, udp()), packet(0, 3n, udp()), end()]),
  );
});
afterAll(() => rmSync(directory, { recursive: true }));

const [command, ...before] = KSNOOP;
const profile = (word: string) => spawnSync(command, [...before, 'wireshark-profile', word], { env, encoding: 'utf8' });
const tshark = (...args: string[]) => spawnSync('tshark', ['-r', file, ...args], { env, encoding: 'utf8' });

test('it is written where Wireshark looks', () => {
  const { status, stderr } = profile('install');
  const { stdout } = spawnSync('tshark', ['-G', 'folders'], { env, encoding: 'utf8' });
  const configuration = /^Personal configuration:\s+(.+)$/m.exec(stdout)?.[1] ?? '';
  expect({ status, stderr }).toMatchObject({
    status: 0,
    stderr: expect.stringContaining(`${configuration}/profiles/ksnoop;`),
  });
});

test('its columns say in which pod a packet was taken, and who sent it', () => {
  const { stdout } = tshark('-C', 'ksnoop');
  expect(stdout.split('\n')[0]).toMatch(/shop\/web-1\/any\s+shop\/web-1\s+12345\s+10\.0\.0\.9\s+8080\s+UDP/);
});

test('each pod has its colour, and Wireshark understands every rule', () => {
  const { stdout, stderr } = tshark('--color', '-C', 'ksnoop', '-T', 'fields', '-e', 'frame.coloring_rule.name');
  expect(stderr).not.toMatch(/compile|error|unknown/i);
  const [first, second, third] = stdout.split('\n');
  expect([first, second, third]).toEqual([expect.stringMatching(/^Pod 1\b/), expect.stringMatching(/^Pod 2\b/), first]);
});

test('it goes as it came, and a profile of that name that is not ours stays', () => {
  const path = join(directory, 'config/wireshark/profiles/ksnoop');
  expect(profile('uninstall').status).toBe(0);
  expect(existsSync(path)).toBe(false);
  mkdirSync(path);
  expect(profile('install')).toMatchObject({ status: 2, stderr: expect.stringContaining('FILE_EXISTS') });
  profile('uninstall');
  expect(existsSync(path)).toBe(true);
});
