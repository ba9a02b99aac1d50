import { expect, test } from 'vitest';
import { MERGE_BYTES, MERGE_WINDOW_MS } from '../../src/capture/limits.ts';
import { Merge, type MergeSource } from '../../src/capture/merge.ts';
import { BLOCK } from '../../src/wire/pcapng.ts';
import { describe, end, header, packet, statistics } from '../support/pcapng-sample.ts';
import { Random } from '../support/random.ts';

const START = 1_700_000_000_000_000_000n;

interface Written {
  readonly type: number;
  readonly id: number;
  readonly time: bigint;
}

/** A merge with a clock of its own that writes down what it writes. */
function watched() {
  let clock = 1_000;
  const written: Written[] = [];
  const joined: string[] = [];
  const merge = new Merge(
    {
      addInterface: (id, _bytes, _offset, _length, source) => joined.push(`${id} ${source.name}`),
      write: (type, id, bytes, offset) => {
        const view = new DataView(bytes.buffer, bytes.byteOffset + offset);
        expect(view.getUint32(8, true)).toBe(id);
        const time = (BigInt(view.getUint32(12, true)) << 32n) | BigInt(view.getUint32(16, true));
        written.push({ type, id, time });
      },
    },
    () => clock,
  );
  const pass = (milliseconds: number) => {
    clock += milliseconds;
    merge.release();
  };
  return { merge, written, joined, pass };
}

function begin(merge: Merge, name: string, interfaces = 1): MergeSource {
  const source = merge.addSource(name);
  source.push(header());
  for (let index = 0; index < interfaces; index += 1) source.push(describe(`${name}/${index}`));
  return source;
}

const at = (microseconds: number) => START + BigInt(microseconds) * 1_000n;
const small = (interfaceId: number, microseconds: number) => packet(interfaceId, at(microseconds), new Uint8Array(20));

test.each([1, 2, 3, 4, 5])('many streams, cut anywhere, come out in order and whole (seed %i)', (seed) => {
  const random = new Random(seed);
  const { merge, written } = watched();
  const streams = Array.from({ length: 5 }, (_, stream) => {
    let time = random.below(1_000);
    const blocks = Array.from({ length: 300 }, () => {
      time += random.below(2_000);
      return packet(random.below(3), at(time), new Uint8Array(random.below(200)));
    });
    const interfaces = [0, 1, 2].map((index) => describe(`${stream}/${index}`));
    return {
      source: merge.addSource(`node${stream}`),
      bytes: Buffer.concat([header(), ...interfaces, ...blocks, end()]),
      sent: 0,
    };
  });
  while (streams.some(({ sent, bytes }) => sent < bytes.length)) {
    const stream = streams[random.below(streams.length)];
    if (stream === undefined) continue;
    const next = stream.sent + 1 + random.below(400);
    stream.source.push(Uint8Array.from(stream.bytes.subarray(stream.sent, next)));
    stream.sent = next;
  }
  for (const { source } of streams) {
    expect(source.endMarker).toBeDefined();
    source.end();
  }
  merge.flush();
  expect(written).toHaveLength(1_500);
  expect(merge.late).toBe(0);
  expect(merge.waitingBytes).toBe(0);
  const times = written.map(({ time }) => time);
  expect(times).toEqual([...times].sort((a, b) => Number(a - b)));
});

test('a packet waits for the other streams, and no longer than the window', () => {
  const { merge, written, pass } = watched();
  const [a, b] = [begin(merge, 'a'), begin(merge, 'b')];
  a.push(small(0, 500));
  pass(MERGE_WINDOW_MS - 1);
  expect(written).toHaveLength(0);
  b.push(small(0, 100));
  expect(written.map(({ id }) => id)).toEqual([1]);
  pass(MERGE_WINDOW_MS + 1);
  expect(written.map(({ id }) => id)).toEqual([1, 0]);
});

test('what comes too late is written and counted; a few microseconds between processors are not', () => {
  const { merge, written, pass } = watched();
  const [a, b] = [begin(merge, 'a'), begin(merge, 'b')];
  a.push(small(0, 50_000));
  pass(MERGE_WINDOW_MS + 1);
  b.push(small(0, 49_990));
  pass(MERGE_WINDOW_MS + 1);
  expect(merge.late).toBe(0);
  b.push(small(0, 10_000));
  pass(MERGE_WINDOW_MS + 1);
  expect(merge.late).toBe(1);
  expect(written).toHaveLength(3);
});

test('a stream that has ended is not waited for', () => {
  const { merge, written } = watched();
  const [a, b] = [begin(merge, 'a'), begin(merge, 'b')];
  b.end();
  a.push(small(0, 5));
  expect(written).toHaveLength(1);
});

test('statistics stay behind the packets they speak of', () => {
  const { merge, written, pass } = watched();
  const [a] = [begin(merge, 'a'), begin(merge, 'b')];
  a.push(Buffer.concat([small(0, 900), statistics(0, at(1)), small(0, 1_000)]));
  pass(MERGE_WINDOW_MS + 1);
  expect(written.map(({ type }) => type)).toEqual([
    BLOCK.enhancedPacket,
    BLOCK.interfaceStatistics,
    BLOCK.enhancedPacket,
  ]);
});

test('what waits is bounded', () => {
  const { merge, written } = watched();
  const [a] = [begin(merge, 'a'), begin(merge, 'b')];
  const large = new Uint8Array(60_000);
  for (let index = 0; index < 800; index += 1) a.push(packet(0, at(index), large));
  expect(merge.waitingBytes).toBeLessThanOrEqual(MERGE_BYTES + 70_000);
  expect(written.length).toBeGreaterThan(200);
});

test('interfaces are numbered as they come, and a packet of none is damage', () => {
  const { merge, joined } = watched();
  const a = begin(merge, 'a', 2);
  begin(merge, 'b');
  expect(joined).toEqual(['0 a', '1 a', '2 b']);
  expect(() => a.push(small(7, 1))).toThrow(expect.objectContaining({ code: 'DAMAGED_PCAPNG' }));
});
