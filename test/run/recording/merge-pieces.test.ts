import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { mergePieces } from '../../../src/run/recording/merge-pieces.ts';
import { CaptureFramer } from '../../../src/wire/capture-read.ts';
import { startMarker } from '../../../src/wire/pcapng-write.ts';
import { describe as described, header, names, packet, statistics } from '../../support/pcapng-sample.ts';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-merge-'));
afterAll(() => rmSync(directory, { recursive: true }));
let files = 0;

/** A time after 2001: more bits than a double has. */
const BASE = 1_000_000_000_000_000_000n;
const at = (index: number, interfaceId = 0) =>
  packet(interfaceId, BASE + BigInt(index), Buffer.from(String(index).padStart(4)));

function piece(source: string, first: number, ...blocks: Uint8Array[]) {
  files += 1;
  const path = join(directory, `${files}.pcapng`);
  writeFileSync(path, Buffer.concat([header(), ...blocks]));
  return { path, source, first: BASE + BigInt(first) };
}

async function merged(...pieces: ReturnType<typeof piece>[]) {
  const chunks: Buffer[] = [];
  const output = {
    push: (bytes: Uint8Array, offset: number, length: number) =>
      void chunks.push(Buffer.from(bytes.subarray(offset, offset + length))),
    waiting: () => undefined,
  };
  const packets = await mergePieces(pieces, output, new AbortController().signal);
  const read = { interfaces: [] as string[], packets: [] as string[], names: 0, statistics: [] as number[] };
  const framer = new CaptureFramer({
    interface: (id, { name }) => void read.interfaces.push(`${id} ${name}`),
    packet: (bytes, offset, length, _origlen, _high, _low, id) =>
      void read.packets.push(
        `${id}:${Buffer.from(bytes.subarray(offset, offset + length))
          .toString()
          .trim()}`,
      ),
    names: (list) => {
      read.names += list.length;
    },
    statistics: (id) => void read.statistics.push(id),
  });
  framer.push(Buffer.concat(chunks));
  expect(framer.packets).toBe(packets);
  expect(framer.pending).toBe(0);
  return { ...read, cut: framer.cut };
}

test('packets of several nodes come in the order of their times, and interfaces keep their packets', async () => {
  const read = await merged(
    piece('node1', 1, described('shop/a'), described('shop/b'), at(1), at(4, 1), at(9)),
    piece('node2', 2, described('shop/c'), at(2), at(3), at(8)),
  );
  expect(read.interfaces).toEqual(['0 shop/a', '1 shop/b', '2 shop/c']);
  expect(read.packets).toEqual(['0:1', '2:2', '2:3', '1:4', '2:8', '0:9']);
  expect(read.cut).toBe(false);
});

test('packets that are out of order within a file are put in order, those of equal times stay in theirs', async () => {
  const read = await merged(
    piece('node1', 1, described('shop/a'), described('shop/b'), at(7), at(5, 1), at(6, 1), at(7, 1)),
  );
  expect(read.packets).toEqual(['1:5', '1:6', '0:7', '1:7']);
});

test('an interface goes on in the next file of its node; of another node it is another one', async () => {
  const read = await merged(
    piece('node1', 5, described('shop/a'), names(), at(5)),
    piece('node1', 1, described('shop/a'), names(), at(1), statistics(0, BASE + 2n)),
    piece('node2', 3, described('shop/a'), at(3)),
  );
  expect(read.interfaces).toEqual(['0 shop/a', '1 shop/a']);
  expect(read.packets).toEqual(['0:1', '1:3', '0:5']);
  expect(read.names).toBe(2);
  expect(read.statistics).toEqual([0]);
});

test('an empty file, markers and files that overlap do no harm', async () => {
  const read = await merged(
    piece('node1', 0, described('shop/a'), startMarker()),
    piece('node1', 1, described('shop/a'), startMarker(), at(1), at(50)),
    piece('node1', 20, described('shop/a'), at(20), at(60)),
  );
  expect(read.packets).toEqual(['0:1', '0:20', '0:50', '0:60']);
  expect((await merged()).packets).toEqual([]);
});

test.each([
  ['it is cut', Buffer.concat([header(), described('shop/a'), at(1)]).subarray(0, -4)],
  ['not described', Buffer.concat([header(), described('shop/a'), at(1, 1)])],
  ['not a section header', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ['it is cut', Buffer.alloc(0)],
])('a damaged file is refused: %s', async (why, bytes) => {
  const path = join(directory, 'damaged.pcapng');
  writeFileSync(path, bytes);
  await expect(merged({ path, source: 'node1', first: 0n })).rejects.toThrow(why);
});

test('an address has its name before its first packet, and one that is in no packet has none', async () => {
  const sll2 = (source: number, destination: number) => {
    const bytes = Buffer.alloc(40);
    bytes.writeUInt16BE(0x0800, 0);
    bytes[20] = 0x45;
    bytes.set([10, 0, 0, source], 32);
    bytes.set([10, 0, 0, destination], 36);
    return bytes;
  };
  const { path, source, first } = piece(
    'node1',
    1,
    described('shop/a', 276),
    packet(0, BASE + 1n, sll2(1, 9)),
    packet(0, BASE + 2n, sll2(1, 2)),
    packet(0, BASE + 3n, sll2(2, 1)),
  );
  const order: string[] = [];
  const framer = new CaptureFramer({
    interface: () => {},
    packet: () => void order.push('packet'),
    names: (list) => void order.push(...list.map(({ address, names: all }) => `${address.join('.')} ${all.join()}`)),
  });
  const output = {
    push: (bytes: Uint8Array, offset: number, length: number) =>
      framer.push(Buffer.from(bytes.subarray(offset, offset + length))),
    waiting: () => undefined,
  };
  const named = [1, 2, 3].map((number) => ({ address: `10.0.0.${number}`, names: [`shop/${number}`] }));
  await mergePieces([{ path, source, first }], output, new AbortController().signal, named);
  expect(order).toEqual(['10.0.0.1 shop/1', 'packet', '10.0.0.2 shop/2', 'packet', 'packet']);
});

test('interfaces and names of a file that is read in several portions are as they are in the file', async () => {
  const count = 400;
  const large = Array.from({ length: count }, (_, index) =>
    packet(0, BASE + BigInt(index), Buffer.alloc(8_000, index)),
  );
  const read = await merged(piece('node1', 0, described('shop/a'), names(), ...large));
  expect(read.interfaces).toEqual(['0 shop/a']);
  expect(read.names).toBe(2);
  expect(read.packets).toHaveLength(count);
});
