import type { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Readable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { CaptureFramer } from '../../src/wire/capture-read.ts';
import { captureFiles } from '../support/captures.ts';

/** A second oracle for framing: pcap alone, in microseconds, of either byte order, and not what is damaged (it has no bound). */
const { parse } = createRequire(import.meta.url)('pcap-parser') as { parse(input: Readable): EventEmitter };

/** It copies all it has for every portion it is given, so long files cost it long. */
const BYTES_MAXIMUM = 4 * 1024 * 1024;
const MICROSECONDS = new Set([0xa1b2c3d4, 0xd4c3b2a1]);
const files = captureFiles();

interface ParsedPacket {
  readonly header: {
    readonly timestampSeconds: number;
    readonly timestampMicroseconds: number;
    readonly capturedLength: number;
    readonly originalLength: number;
  };
  readonly data: Buffer;
}

/** One line a packet: time, lengths, bytes. */
function theirs(bytes: Buffer): Promise<string[]> {
  const lines: string[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<string[]>();
  const parser = parse(Readable.from([bytes]));
  parser.on('packet', ({ header, data }: ParsedPacket) => {
    const time = BigInt(header.timestampSeconds) * 1_000_000_000n + BigInt(header.timestampMicroseconds) * 1_000n;
    lines.push(`${time} ${header.originalLength} ${data.toString('latin1')}`);
  });
  parser.on('end', () => resolve(lines));
  parser.on('error', reject);
  return promise;
}

/** @throws KsnoopError where ksnoop stops */
function ours(bytes: Buffer): string[] {
  const lines: string[] = [];
  const framer = new CaptureFramer({
    interface: () => undefined,
    packet: (bytes, offset, caplen, origlen, timeHigh, timeLow) => {
      const time = (BigInt(timeHigh) << 32n) | BigInt(timeLow);
      lines.push(`${time} ${origlen} ${Buffer.from(bytes.subarray(offset, offset + caplen)).toString('latin1')}`);
    },
  });
  framer.push(bytes);
  return lines;
}

test.skipIf(files.length === 0)(
  "pcap-parser frames every capture's records alike",
  async () => {
    let compared = 0;
    let packets = 0;
    for (const path of files) {
      const read = readFileSync(path);
      const bytes = read[0] === 0x1f && read[1] === 0x8b ? gunzipSync(read) : read;
      if (bytes.length > BYTES_MAXIMUM || bytes.length < 24 || !MICROSECONDS.has(bytes.readUInt32BE(0))) continue;
      const expected = await theirs(bytes);
      const lines = ours(bytes);
      compared += 1;
      packets += lines.length;
      expect(lines.length, path).toBe(expected.length);
      for (const [index, line] of lines.entries())
        if (line !== expected[index]) expect.fail(`${path}, packet ${index + 1}`);
    }
    console.log(`framed as pcap-parser does: ${packets} packets of ${compared} files`);
    expect(compared).toBeGreaterThan(1000);
  },
  120_000,
);
