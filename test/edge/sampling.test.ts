import { expect, test } from 'vitest';
import { Sampling } from '../../src/edge/sampling.ts';
import { LINK_TYPE } from '../../src/wire/link-type.ts';
import { enhancedPacketBytes, writeEnhancedPacket } from '../../src/wire/pcapng-write.ts';

const MIB = 1024 * 1024;

/** A block of a TCP segment without link header, in one direction or the other. */
function segment(port: number, forwards: boolean, bytes = 40): Uint8Array {
  const ip = Buffer.alloc(40);
  ip[0] = 0x45;
  ip[9] = 6;
  ip.set(forwards ? [10, 0, 0, 1] : [10, 0, 0, 2], 12);
  ip.set(forwards ? [10, 0, 0, 2] : [10, 0, 0, 1], 16);
  ip.writeUInt16BE(forwards ? port : 80, 20);
  ip.writeUInt16BE(forwards ? 80 : port, 22);
  const block = new Uint8Array(enhancedPacketBytes(bytes, false));
  writeEnhancedPacket(block, new DataView(block.buffer), 0, 0, 0, 0, bytes, 40, 0, ip, 0);
  return block;
}

const PORTS = Array.from({ length: 4_000 }, (_, index) => 20_000 + index);

function kept(sampling: Sampling): number[] {
  return PORTS.filter((port) => !sampling.skips(segment(port, true), 0, LINK_TYPE.raw));
}

test('everything is analysed while the analysis keeps up', () => {
  const sampling = new Sampling();
  sampling.behind(11 * MIB, 0);
  expect(kept(sampling)).toEqual(PORTS);
});

test('with each level about half of the connections are left out, whole ones, and those of a level are among those before', () => {
  const sampling = new Sampling();
  sampling.behind(13 * MIB, 0);
  const half = kept(sampling);
  expect(half.length / PORTS.length).toBeCloseTo(0.5, 1);
  for (const port of PORTS) {
    expect(sampling.skips(segment(port, false), 0, LINK_TYPE.raw)).toBe(!half.includes(port));
  }
  // Another level follows no sooner than the first one can have had an effect.
  sampling.behind(13 * MIB, 100);
  expect(kept(sampling)).toEqual(half);
  sampling.behind(13 * MIB, 600);
  const quarter = kept(sampling);
  expect(quarter.length / PORTS.length).toBeCloseTo(0.25, 1);
  expect(quarter.filter((port) => !half.includes(port))).toEqual([]);
});

test('connections are analysed again some time after the analysis has caught up', () => {
  const sampling = new Sampling();
  sampling.behind(13 * MIB, 0);
  sampling.behind(0, 9_000);
  expect(kept(sampling).length).toBeLessThan(PORTS.length);
  sampling.behind(0, 10_001);
  expect(kept(sampling)).toEqual(PORTS);
});

test('what has no addresses is never left out, nor read past its end', () => {
  const sampling = new Sampling();
  for (let time = 0; time < 10_000; time += 600) sampling.behind(13 * MIB, time);
  expect(sampling.skips(segment(1, true, 12), 0, LINK_TYPE.raw)).toBe(false);
  expect(sampling.skips(segment(1, true), 0, 999)).toBe(false);
});
