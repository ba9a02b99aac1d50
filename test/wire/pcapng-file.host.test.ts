// What Wireshark's capinfos finds in a file: everything about the interfaces that tshark does not print.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { withComment } from '../../src/wire/pcapng-write.ts';
import { describe, end, header, names, packet, statistics } from '../support/pcapng-sample.ts';

/** Its report: the lines of the file, then those of each interface, `name = value`. */
function capinfos(bytes: Uint8Array): string[] {
  const directory = mkdtempSync(join(tmpdir(), 'ksnoop-file-'));
  try {
    const file = join(directory, 'sample.pcapng');
    writeFileSync(file, bytes);
    const text = execFileSync('capinfos', ['-M', file], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C.UTF-8' },
    });
    return text.split(/\n(?=Interface #)/).map((part) => part.replace(/ {2,}/g, ' '));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test('interfaces described in mid-stream, their filters, comments, statistics and names are understood', () => {
  const [file, first, second] = capinfos(
    Buffer.concat([
      ...[header(), names(), describe('shop/web-1/any', 276), packet(0, 1n, Buffer.alloc(60))],
      ...[withComment(describe('shop/web-2/eth0'), 'ksnoop: a gap ☃'), packet(1, 2n, Buffer.alloc(61))],
      ...[packet(0, 3n, Buffer.alloc(7)), statistics(0, 4n), statistics(0, 5n, 5n), statistics(1, 5n, 5n), end()],
    ]),
  );
  for (const line of ['Number of packets: 3', 'Strict time order: True', 'Capture oper-sys: Linux test']) {
    expect(file).toContain(line);
  }
  expect(file).toMatch(/Capture application: ksnoop \d/);
  for (const line of [
    'Name = shop/web-1/any',
    'Description = of shop/web-1/any',
    'linux-sll2',
    'Filter string = tcp',
  ]) {
    expect(first).toContain(line);
  }
  for (const line of ['nanoseconds', 'Number of stat entries = 2', 'Number of packets = 2']) {
    expect(first).toContain(line);
  }
  expect(first).not.toContain('Comment');
  for (const line of ['Comment = ksnoop: a gap ☃', 'Filter string = tcp', 'Number of stat entries = 1']) {
    expect(second).toContain(line);
  }
  expect(second).toContain('Number of resolved IPv4 addresses in file: 1');
  expect(second).toContain('Number of resolved IPv6 addresses in file: 1');
});
