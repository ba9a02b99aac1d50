import { type BuiltSegment, builtPcap } from '../../../../support/built-capture.ts';
import type { Recorded } from './recorded.ts';

const MSS = 1448;

/** The recorded bytes as a connection's segments, a millisecond apart. @param lost whether a segment is not captured */
export function tlsCapture(steps: Recorded['steps'], lost: (index: number) => boolean = () => false): Uint8Array {
  const next: [number, number] = [1001, 5001];
  const segments: BuiltSegment[] = [
    { side: 0, sequence: 1000, flags: 'S', at: 0 },
    { side: 1, sequence: 5000, acknowledgment: 1001, flags: 'S.', at: 1 },
    { side: 0, sequence: 1001, acknowledgment: 5001, at: 2 },
  ];
  let at = 3;
  for (const [side, bytes] of steps) {
    for (let start = 0; start < bytes.length; start += MSS) {
      const payload = bytes.subarray(start, start + MSS);
      segments.push({
        side,
        sequence: next[side],
        acknowledgment: next[side === 0 ? 1 : 0],
        payload,
        at,
        ports: [40_000, 443],
      });
      next[side] += payload.length;
      at += 1;
    }
  }
  const [opening, data] = [segments.slice(0, 3), segments.slice(3)];
  for (const segment of opening) Object.assign(segment, { ports: [40_000, 443] });
  const closing: BuiltSegment[] = ([0, 1] as const).map((side) => ({
    side,
    sequence: next[side] + 0,
    acknowledgment: next[side === 0 ? 1 : 0],
    flags: 'F.',
    at: at + side,
    ports: [40_000, 443],
  }));
  return builtPcap([...opening, ...data.filter((_, index) => !lost(index)), ...closing]);
}
