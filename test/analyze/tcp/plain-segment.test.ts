import { expect, test } from 'vitest';
import { TCP } from '../../../src/analyze/tcp/flags.ts';
import { made, NAMES, SCENARIOS } from '../../oracle/loss/run.ts';
import { analyseBytes } from '../../support/analysis.ts';
import { type BuiltSegment, builtPcap, handshake } from '../../support/built-capture.ts';
import { captureFrames } from '../../support/capture-file.ts';
import { Random } from '../../support/random.ts';

const SEEDS = 6;
const ETHERNET = 14;
const IPV4 = 20;
const IP_PROTOCOL = 9;
const FLAGS = 13;

/** The same capture with URG in every TCP segment: no rule but takePlainSegment looks at it. */
function outOfOrdinary(file: Buffer): Buffer {
  const other = Buffer.from(file);
  for (const { bytes } of captureFrames(other) ?? []) {
    const flags = ETHERNET + IPV4 + FLAGS;
    if (bytes[ETHERNET + IP_PROTOCOL] === 6 && flags < bytes.length) bytes[flags] = (bytes[flags] as number) | TCP.urg;
  }
  return other;
}

test.each(NAMES)('%s: plain segments are taken as all others are, whatever is missing around them', (name) => {
  for (const scenario of SCENARIOS) {
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const { file } = made(name, seed, scenario);
      const { events, flows } = analyseBytes(file);
      const other = analyseBytes(outOfOrdinary(file));
      expect(other.events, `${scenario}, seed ${seed}`).toEqual(events);
      expect(other.flows, `${scenario}, seed ${seed}`).toEqual(flows);
    }
  }
});

const PAYLOADS = ['GET / HTTP/1.1\r\nHost: a\r\n\r\n', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'] as const;
const WINDOW_SCALE = Uint8Array.of(3, 3, 1, 0);

/** A connection on which much happens that is out of the ordinary, a little of it at a time. */
function anyConnection(random: Random): BuiltSegment[] {
  const isAbout = (times: number) => random.below(times) === 0;
  const initial = [random.below(2 ** 32), isAbout(2) ? 2 ** 32 - 60 : random.below(2 ** 32)] as const;
  const options = isAbout(2) ? WINDOW_SCALE : undefined;
  const segments: BuiltSegment[] = handshake(initial).map((segment) => ({
    ...segment,
    ...(segment.flags !== undefined && options !== undefined && { options }),
  }));
  const next = [initial[0] + 1, initial[1] + 1] as [number, number];
  /** How the sides number their packets: none, one number for all, counted, any of few. */
  const numbering = [random.below(4), random.below(4)] as const;
  const numberOf = (side: 0 | 1, index: number) => [0, 7, index + 1, 1 + random.below(3)][numbering[side]] as number;
  let side: 0 | 1 = 0;
  let at = 3;
  for (let index = 0; index < 60; index += 1) {
    if (isAbout(2)) side = side === 0 ? 1 : 0;
    at += isAbout(40) ? 70_000 : isAbout(30) ? -1 : isAbout(5) ? 45 : 0.05 * random.below(30);
    const own = next[side];
    const other = next[side === 0 ? 1 : 0];
    const payload = isAbout(3) ? '' : PAYLOADS[side].slice(isAbout(9) ? 5 : 0);
    const sequence = isAbout(14) ? own + random.below(60) - 50 : own;
    const acknowledgment = isAbout(4) ? other - random.below(40) : isAbout(30) ? other + random.below(60) : other;
    const segment: BuiltSegment = {
      side,
      sequence,
      acknowledgment,
      at,
      payload: isAbout(40) ? 'x' : payload,
      flags: isAbout(60) ? 'F.' : isAbout(90) ? 'R.' : isAbout(2) ? '.' : 'P.',
      window: isAbout(12) ? 0 : isAbout(6) ? payload.length : 500,
      identification: numberOf(side, index),
      ...(isAbout(25) && { caplen: 54 + random.below(20) }),
    };
    segments.push(segment);
    if (isAbout(12)) segments.push({ ...segment, at: at + 0.1 * random.below(8) });
    const length = (segment.payload ?? '').length + (segment.flags?.startsWith('F') ? 1 : 0);
    if (sequence === own && !isAbout(25)) next[side] = own + length;
  }
  return segments;
}

test('whatever a connection does, plain segments are taken as all others are', () => {
  for (let seed = 1; seed <= 200; seed += 1) {
    const file = builtPcap(anyConnection(new Random(seed)).toSorted((a, b) => a.at - b.at));
    const { events, flows, copies } = analyseBytes(file);
    const other = analyseBytes(outOfOrdinary(file));
    expect({ events: other.events, flows: other.flows, copies: other.copies }, `seed ${seed}`).toEqual({
      events,
      flows,
      copies,
    });
  }
});
