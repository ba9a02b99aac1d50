import { expect, test } from 'vitest';
import { BUSY_PACKETS, BUSY_WINDOW_MS, MERGE_WINDOW_MS } from '../../../src/capture/limits.ts';
import { Merge } from '../../../src/capture/streams/merge.ts';
import { interfaceDescription, sectionHeader, writeEnhancedPacket } from '../../../src/wire/pcapng-write.ts';

const MS = 1_000_000;

function packet(time: number): Uint8Array {
  const bytes = new Uint8Array(64);
  const data = new Uint8Array(4);
  return bytes.subarray(0, writeEnhancedPacket(bytes, new DataView(bytes.buffer), 0, 0, 0, time, 4, 4, 0, data, 0));
}

function twoStreams() {
  let clock = 10_000;
  const written: number[] = [];
  const merge = new Merge({ addInterface: () => {}, write: (_type, id) => written.push(id) }, () => clock);
  const [busy, quiet] = ['busy', 'quiet'].map((name) => {
    const source = merge.addSource(name);
    source.push(sectionHeader('test'));
    source.push(interfaceDescription({ linkType: 1, snaplen: 262_144, name, description: '', filter: undefined }));
    return source;
  });
  if (busy === undefined || quiet === undefined) throw new Error('no streams');
  const pass = (milliseconds: number) => {
    clock += milliseconds;
    merge.release();
  };
  return { merge, busy, quiet, written, pass };
}

test('a packet waits longer for an interface that has lately been busy', () => {
  const { merge, busy, quiet, written, pass } = twoStreams();
  for (let index = 0; index < BUSY_PACKETS; index += 1) busy.push(packet(100 * MS + index));
  pass(MERGE_WINDOW_MS + 1);
  expect(written).toHaveLength(BUSY_PACKETS);
  quiet.push(packet(300 * MS));
  pass(MERGE_WINDOW_MS + 1);
  expect(written).toHaveLength(BUSY_PACKETS);
  // A second late, as a busy tcpdump's ring hands it over.
  busy.push(packet(200 * MS));
  expect(written.at(-1)).toBe(0);
  pass(BUSY_WINDOW_MS);
  expect(written.slice(-2)).toEqual([0, 1]);
  expect(merge.late).toBe(0);
});

test('it waits no longer than that, and for quiet interfaces the short time only', () => {
  const { busy, quiet, written, pass } = twoStreams();
  quiet.push(packet(1 * MS));
  pass(MERGE_WINDOW_MS - 1);
  expect(written).toEqual([]);
  pass(2);
  expect(written).toEqual([1]);
  for (let index = 0; index < BUSY_PACKETS; index += 1) busy.push(packet(100 * MS + index));
  // The interface that shows nothing is the quiet one.
  pass(MERGE_WINDOW_MS + 1);
  expect(written).toHaveLength(BUSY_PACKETS + 1);
  quiet.push(packet(300 * MS));
  pass(BUSY_WINDOW_MS + 1);
  expect(written).toHaveLength(BUSY_PACKETS + 2);
  pass(10_000);
  quiet.push(packet(400 * MS));
  pass(MERGE_WINDOW_MS + 1);
  expect(written).toHaveLength(BUSY_PACKETS + 3);
});
