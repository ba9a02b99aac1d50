import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makePair, type NamespacePair } from '../../agent/namespaces.ts';
import { ensurePackages } from '../../support/packages.ts';
import { Random } from '../../support/random.ts';
import { type RealPacket, thinned } from './real-capture.ts';
import { judgeReal } from './real-judge.ts';
import type { RealProgram } from './real-program.ts';
import { losePackets, REAL_PROGRAMS, realTraffic } from './real-programs.ts';

const LOST_PERCENT = 5;

/**
 * Tests of every real program.
 * @param requests of each of its two runs
 * @param thinnings how often packets are taken out of a run's captures
 * @param firstSeed of these
 */
export function testRealPrograms(requests: number, thinnings: number, firstSeed = 1): void {
  const seeds = Array.from({ length: thinnings }, (_, index) => firstSeed + index);
  describe.each(Object.values(REAL_PROGRAMS))('$title', (program) => testProgram(program, requests, seeds));
}

function testProgram(program: RealProgram, requests: number, seeds: readonly number[]): void {
  const missing = ensurePackages([...program.packages, 'tcpdump', 'nftables', 'util-linux', 'iproute2']);
  const everyNumber = Array.from({ length: requests }, (_, index) => index);
  let pair: NamespacePair;
  beforeEach(() => {
    pair = makePair();
  });
  afterEach(() => pair.remove());

  test.skipIf(missing !== undefined)('what is stated when packets are missing in the capture is true', async () => {
    const { packets, answered } = await realTraffic(pair, program, requests);
    expect(answered).toEqual(everyNumber);
    const complete = judgeReal(program, packets);
    expect(complete.wrong).toEqual([]);
    expect([...complete.whole.keys()]).toEqual(everyNumber);
    const places = [0, 1].map((place) => {
      const own = packets.filter((packet) => packet.place === place);
      return judgeReal(program, own).whole;
    });
    const wrong: string[] = [];
    let stated = 0;
    for (const seed of seeds) {
      const verdict = judgeReal(program, thinned(packets, new Random(seed)));
      stated += verdict.whole.size;
      wrong.push(...verdict.wrong.map((problem) => `seed ${seed}: ${problem}`));
      for (const [number, times] of verdict.whole) {
        const isMeasured = places.some((whole, place) =>
          whole.get(number)?.every((time, at) => isTimeOf(packets, place, time, times[at])),
        );
        if (!isMeasured) wrong.push(`seed ${seed}: request ${number} has times of no packet at one place`);
      }
    }
    expect(wrong).toEqual([]);
    expect(stated).toBeGreaterThan((seeds.length * requests) / 4);
  });

  test.skipIf(missing !== undefined)('what is stated when the network loses packets is true', async () => {
    losePackets(pair, LOST_PERCENT);
    const { packets, answered } = await realTraffic(pair, program, requests);
    expect(answered).toEqual(everyNumber);
    const complete = judgeReal(program, packets);
    expect(complete.wrong).toEqual([]);
    expect(complete.retransmissions).toBeGreaterThan(0);
    expect([...complete.whole.keys()].toSorted((a, b) => a - b)).toEqual(everyNumber);
    const wrong: string[] = [];
    for (const seed of seeds) {
      const verdict = judgeReal(program, thinned(packets, new Random(seed)));
      wrong.push(...verdict.wrong.map((problem) => `seed ${seed}: ${problem}`));
    }
    expect(wrong).toEqual([]);
  });
}

/**
 * Whether a time is that of the packet which a place captured at `first`, or of one that brought its last byte there again: where
 * the first one is missing nothing shows that the other was not the first.
 */
function isTimeOf(packets: readonly RealPacket[], place: number, first: bigint, time: bigint | undefined): boolean {
  if (isNear(first, time)) return true;
  const own = packets.filter((packet) => packet.place === place);
  const original = own.find((packet) => isNear(packet.time, first));
  const other = own.find((packet) => isNear(packet.time, time));
  return original !== undefined && other !== undefined && isSentAgain(original.frame, other.frame);
}

/** Of which the analysis keeps a double's precision. */
function isNear(one: bigint, other: bigint | undefined): boolean {
  const apart = one - (other ?? 0n);
  return apart <= 2n && apart >= -2n;
}

/** Whether a frame (Ethernet, IPv4, TCP) has the last byte of another one, of the same connection and sender. */
function isSentAgain(original: Buffer, other: Buffer): boolean {
  const ports = (frame: Buffer) => frame.readUInt32BE(34);
  const begins = (frame: Buffer) => frame.readUInt32BE(38);
  const length = (frame: Buffer) => frame.readUInt16BE(16) - 20 - ((frame[46] ?? 0) >> 4) * 4;
  const last = begins(original) + length(original) - 1;
  const ahead = (last - begins(other)) | 0;
  return ports(original) === ports(other) && length(original) > 0 && ahead >= 0 && ahead < length(other);
}
