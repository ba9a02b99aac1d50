// Several captures read as one: in the order of their packets, with interfaces that go on, each judged at its own end.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { ReadingConfig } from '../../../src/run/reading/config.ts';
import { prepareReading } from '../../../src/run/reading/prepare.ts';
import { readCapture } from '../../../src/run/reading/read-capture.ts';
import { CaptureFramer } from '../../../src/wire/capture-read.ts';
import { pcapFileHeader } from '../../../src/wire/pcap-write.ts';
import { startMarker } from '../../../src/wire/pcapng-write.ts';
import { describe, end, header, packet } from '../../support/pcapng-sample.ts';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-series-'));
afterAll(() => rmSync(directory, { recursive: true }));
const never = new AbortController().signal;
const SECOND = 1_000_000_000n;
const TIME = 1_700_000_000n * SECOND;

/** A capture of interfaces by name, one packet each, a second apart. */
function capture(name: string, from: bigint, interfaces: readonly string[], closed = true): string {
  const path = join(directory, name);
  const blocks = [header(), ...interfaces.map((each) => describe(each)), startMarker()];
  for (const id of interfaces.keys()) blocks.push(packet(id, from + BigInt(id) * SECOND, new Uint8Array(20)));
  if (closed) blocks.push(end());
  writeFileSync(path, Buffer.concat(blocks));
  return path;
}

const config = (paths: readonly string[], changes: Partial<ReadingConfig> = {}): ReadingConfig => ({
  paths,
  follow: false,
  filter: undefined,
  from: undefined,
  to: undefined,
  where: undefined,
  showSecrets: false,
  ...changes,
});

async function read(paths: readonly string[]) {
  const notes: string[] = [];
  const observer = { note: (text: string) => void notes.push(text) };
  const reading = await prepareReading(config(paths), never, observer);
  const packets: string[] = [];
  const framer = new CaptureFramer({
    interface: () => {},
    packet: (_bytes, _offset, _caplen, _origlen, high, low, id) =>
      void packets.push(`${((BigInt(high) << 32n) | BigInt(low)) - TIME}@${id}`),
  });
  const reader = {
    framer,
    push: (bytes: Uint8Array) => framer.push(bytes),
    nextFile: (goesOn: boolean, inOrder: boolean) => framer.nextFile(goesOn, inOrder),
    waiting: () => undefined,
  };
  const { stopped } = await readCapture(reading, reader, never, observer);
  return { packets, stopped, notes, files: reading.files.map(({ path }) => path) };
}

test('files are read in the order of their first packets, and interfaces go on by their names', async () => {
  const second = capture('a-second.pcapng', TIME + 10n * SECOND, ['shop/b/any', 'shop/c/any', 'shop/a/any']);
  const first = capture('b-first.pcapng', TIME, ['shop/a/any', 'shop/b/any']);
  const { packets, stopped, notes, files } = await read([second, first]);
  expect(files).toEqual([first, second]);
  expect(packets).toEqual(['0@0', '1000000000@1', '10000000000@1', '11000000000@2', '12000000000@0']);
  expect({ stopped, notes }).toEqual({ stopped: [], notes: [] });
});

test('interfaces without a name go on only where a file begins behind the one before it', async () => {
  const one = capture('unnamed-1.pcapng', TIME, ['', 'eth0']);
  const beside = capture('unnamed-2.pcapng', TIME + SECOND / 2n, ['', 'eth0']);
  const behind = capture('unnamed-3.pcapng', TIME + 5n * SECOND, ['', 'eth0']);
  expect((await read([one, beside])).packets.map((packet) => packet.split('@')[1])).toEqual(['0', '1', '2', '1']);
  expect((await read([one, behind])).packets.map((packet) => packet.split('@')[1])).toEqual(['0', '1', '0', '1']);
});

test('captures of the same time are not one: their interfaces stay apart', async () => {
  const one = capture('same-1.pcapng', TIME, ['node/n1/any', 'x', 'y', 'z']);
  const other = capture('same-2.pcapng', TIME + SECOND, ['node/n1/any']);
  const { packets, notes } = await read([one, other]);
  expect(packets.at(-1)).toBe('1000000000@4');
  expect(notes).toEqual([expect.stringContaining('same-2.pcapng overlaps')]);
});

test('each file is judged at its own end, and the next one is read all the same', async () => {
  const cut = capture('cut-1.pcapng', TIME, ['a'], false);
  const whole = capture('cut-2.pcapng', TIME + 9n * SECOND, ['a']);
  const { packets, stopped } = await read([cut, whole]);
  expect(packets).toHaveLength(2);
  expect(stopped).toEqual([expect.stringMatching(/cut-1\.pcapng: .*end marker is missing/)]);
});

test('without a start marker a missing end marker is nothing: another program wrote the file', async () => {
  const path = join(directory, 'edited.pcapng');
  writeFileSync(path, Buffer.concat([header(), describe('a'), packet(0, TIME, new Uint8Array(20))]));
  expect((await read([path])).stopped).toEqual([]);
});

test('pcap and pcapng together, a file without packets, and one that is no capture', async () => {
  const pcap = join(directory, 'old.pcap');
  const record = Buffer.alloc(16 + 20);
  for (const [at, value] of [1_700_000_005, 0, 20, 20].entries()) record.writeUInt32LE(value, at * 4);
  writeFileSync(pcap, Buffer.concat([pcapFileHeader(1, 96), record]));
  const empty = join(directory, 'old-empty.pcap');
  writeFileSync(empty, pcapFileHeader(1, 96));
  const readme = join(directory, 'old.txt');
  writeFileSync(readme, 'no capture');
  const first = capture('old-first.pcapng', TIME, ['a']);
  const { packets, notes } = await read([join(directory, 'old*')]);
  // The empty file has no time and is read first, so its interface has number 0.
  expect(packets).toEqual(['0@1', '5000000000@0']);
  expect(notes).toEqual([`Skipped ${readme}: not a pcap or pcapng file.`]);
  await expect(read([first, readme])).rejects.toMatchObject({
    code: 'NO_CAPTURE',
    message: expect.stringContaining(readme),
  });
});

test('a time before the last packet is resolved once that is known', async () => {
  const one = capture('since-1.pcapng', TIME, ['a', 'b', 'c']);
  const other = capture('since-2.pcapng', TIME + 10n * SECOND, ['a', 'b', 'c']);
  const from = { kind: 'before end', nanoseconds: 5n * SECOND } as const;
  expect((await prepareReading(config([one, other], { from }), never)).from).toEqual({
    kind: 'absolute',
    nanoseconds: TIME + 7n * SECOND,
  });
  await expect(prepareReading(config(['-'], { from }), never)).rejects.toMatchObject({ code: 'USAGE', exit: 2 });
  await expect(prepareReading(config([one, '-']), never)).rejects.toMatchObject({ code: 'USAGE', exit: 2 });
});
