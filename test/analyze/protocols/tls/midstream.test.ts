import { expect, test } from 'vitest';
import { tls } from '../../../../src/analyze/protocols/tls/index.ts';
import { analyseBytes } from '../../../support/analysis.ts';
import { type BuiltSegment, builtPcap } from '../../../support/built-capture.ts';

const record = (length: number) =>
  Buffer.concat([Buffer.from([23, 3, 3, length >> 8, length & 0xff]), Buffer.alloc(length, 0x5a)]);

test('a record of application data may be either side’s', () => {
  const likeness = (bytes: Uint8Array) => tls.probe(bytes, 0, bytes.length);
  expect(likeness(record(100))).toBe('either');
  expect(likeness(record(100).subarray(0, 50))).toBe('either');
  expect(likeness(record(4))).toBe('no');
  expect(likeness(Buffer.from([23, 3, 9, 0, 100]))).toBe('no');
});

test.each([
  ['the server first', 1],
  ['the client first', 0],
] as const)('a connection under way is TLS, who is who stays as guessed: %s', (_, side) => {
  const ports = [50_000, 443] as const;
  const segments: BuiltSegment[] = [
    { side, sequence: 1, payload: record(100), at: 0, ports },
    { side: side === 0 ? 1 : 0, sequence: 1, payload: record(200), at: 1, ports },
  ];
  const { events, flows } = analyseBytes(builtPcap(segments));
  expect(events).toEqual([]);
  expect(flows[0]).toMatchObject({ protocol: 'tls', serverPort: 443 });
});
