import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { Blocks } from '../../support/built-blocks.ts';

const main = join(import.meta.dirname, '../../../src/cli/main.ts');
const pcapng = new Blocks(true);
const ETHERNET = pcapng.block(1, pcapng.u16(1, 0), pcapng.u32(262_144));
const NAMES = 4;

/** Prints the most memory that the process has had, KiB, when it ends: what getrusage(2) counts is also its parent's. */
const PEAK = `data:text/javascript,import{readFileSync}from'node:fs';process.on('exit',()=>process.stderr.write('peak='+/VmHWM:[^0-9]*([0-9]+)/.exec(readFileSync('/proc/self/status','utf8'))[1]+String.fromCharCode(10)))`;

/** A UDP datagram of Ethernet and IPv4. @param source the sender's address as a number */
function datagram(source: number, port: number, payload: Uint8Array): Buffer {
  const frame = Buffer.alloc(42 + payload.length);
  frame.writeUInt16BE(0x0800, 12);
  frame[14] = 0x45;
  frame.writeUInt16BE(28 + payload.length, 16);
  frame[22] = 64;
  frame[23] = 17;
  frame.writeUInt32BE(source >>> 0, 26);
  frame.writeUInt32BE(0x0b000001, 30);
  frame.writeUInt16BE(1000 + (source % 60_000), 34);
  frame.writeUInt16BE(port, 36);
  frame.writeUInt16BE(8 + payload.length, 38);
  frame.set(payload, 42);
  return frame;
}

function query(number: number): Buffer {
  const label = `${'q'.repeat(50)}${String(number).padStart(13, '0')}`;
  return Buffer.concat([
    Buffer.of(number >> 8, number, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, label.length),
    Buffer.from(label),
    Buffer.of(0, 0, 1, 0, 1),
  ]);
}

function name(number: number): Buffer {
  const text = Buffer.from(`${'n'.repeat(200)}${number}\0`);
  const record = Buffer.concat([Buffer.of(10, number >> 16, number >> 8, number), text]);
  const rest = Buffer.alloc((4 - (record.length % 4)) % 4);
  return pcapng.block(NAMES, pcapng.u16(1, record.length), record, rest, pcapng.u32(0));
}

const packet = (number: number, data: Uint8Array) => pcapng.enhanced(0, BigInt(number), data, data.length);

interface Attack {
  readonly about: string;
  readonly blocks: number;
  readonly block: (number: number) => Buffer;
  /** What reading it may take, MB: a process that reads a small capture takes some 100. */
  readonly most: number;
  /** 5 where it is damaged, 1 where it has more than is read. */
  readonly exit?: number;
}

/** Each is some MB of zstd and 30 to 400 MB without; what they took before there was a bound was up to 1.5 GB. */
const ATTACKS: readonly Attack[] = [
  {
    about: 'interfaces',
    blocks: 400_000,
    block: (number) =>
      pcapng.block(
        1,
        pcapng.u16(1, 0),
        pcapng.u32(0),
        pcapng.option(2, Buffer.from(`shop/${'x'.repeat(40)}${number}/any`)),
      ),
    most: 400,
    exit: 1,
  },
  { about: 'names', blocks: 400_000, block: name, most: 600 },
  {
    about: 'flows of as many addresses',
    blocks: 600_000,
    block: (number) => packet(number, datagram(0x0a000000 + number, 9, Buffer.alloc(4))),
    most: 450,
  },
  {
    about: 'DNS queries without answers',
    blocks: 300_000,
    block: (number) => packet(number, datagram(0x0a000001, 53, query(number))),
    most: 450,
  },
  {
    about: 'packets of 60 kB',
    blocks: 6000,
    block: (number) => packet(number, datagram(0x0a000001, 9, Buffer.alloc(60_000))),
    most: 450,
  },
  {
    about: 'comments',
    blocks: 6000,
    block: (number) =>
      pcapng.enhanced(0, BigInt(number), Buffer.alloc(0), 0, pcapng.option(1, Buffer.alloc(60_000, 'a'))),
    most: 350,
  },
  { about: 'one block', blocks: 1, block: () => pcapng.block(0x80000abc, Buffer.alloc(200e6)), most: 250, exit: 5 },
];

test.each(ATTACKS)('a compressed capture of many $about takes little memory', ({ blocks, block, most, exit = 0 }) => {
  const directory = mkdtempSync(join(tmpdir(), 'ksnoop-attack-'));
  try {
    const file = join(directory, 'attack.pcapng.zst');
    const made = Array.from({ length: blocks }, (_, number) => block(number));
    writeFileSync(file, zstdCompressSync(Buffer.concat([pcapng.section(), ETHERNET, ...made])));
    for (const output of ['summary', 'flows']) {
      const args = ['--import', PEAK, main, 'read', file, '-o', output];
      const { stderr, status } = spawnSync(process.execPath, args, {
        encoding: 'utf8',
        stdio: ['ignore', 'ignore', 'pipe'],
        maxBuffer: 1 << 24,
      });
      expect(status, stderr.slice(-500)).toBe(exit);
      const peak = Number(/^peak=(\d+)$/m.exec(stderr)?.[1]) * 1024;
      expect(peak / 1e6, `MB of -o ${output}`).toBeLessThan(most);
      expect(peak).toBeGreaterThan(0);
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
});
