import { expect, test } from 'vitest';
import { pcapFileHeader } from '../../../src/wire/pcap-write.ts';
import { analyseBytes } from '../../support/analysis.ts';
import { tcpFrame } from '../../support/built-capture.ts';

function record(frame: Buffer, milliseconds: number): Buffer {
  const header = Buffer.alloc(16);
  header.writeUInt32LE(1_700_000_000, 0);
  header.writeUInt32LE(milliseconds * 1_000_000, 4);
  header.writeUInt32LE(frame.length, 8);
  header.writeUInt32LE(frame.length, 12);
  return Buffer.concat([header, frame]);
}

/** An ICMP error of 192.0.2.1 to 10.0.0.1 that quotes the beginning of a frame's IP packet. */
function error(type: number, code: number, rest: number, about: Buffer): Buffer {
  const quote = about.subarray(14, 14 + 28);
  const frame = Buffer.alloc(14 + 20 + 8 + quote.length);
  frame.writeUInt16BE(0x0800, 12);
  frame[14] = 0x45;
  frame.writeUInt16BE(frame.length - 14, 16);
  frame[22] = 64;
  frame[23] = 1;
  frame.writeUInt32BE(0xc0000201, 26);
  frame.writeUInt32BE(0x0a000001, 30);
  frame[34] = type;
  frame[35] = code;
  frame.writeUInt32BE(rest, 38);
  quote.copy(frame, 42);
  return frame;
}

const SYN = tcpFrame({ side: 0, sequence: 1, flags: 'S', at: 0 });
const capture = (...frames: Buffer[]) =>
  Buffer.concat([pcapFileHeader(1, 262_144), ...frames.map((frame, index) => record(frame, index))]);

test.each([
  [3, 0, 0, 'ICMP_UNREACHABLE', 'unreachable network from 192.0.2.1', undefined],
  [3, 4, 1400, 'ICMP_TOO_BIG', 'unreachable fragmentation needed, MTU 1400, from 192.0.2.1', 1400],
  [11, 0, 0, 'ICMP_TIME_EXCEEDED', 'time exceeded in transit from 192.0.2.1', undefined],
])(
  'an error of type %i, code %i is an event of the connection that it quotes',
  (type, code, rest, name, label, mtu) => {
    const { events, flows } = analyseBytes(capture(SYN, error(type, code, rest, SYN)));
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({ client: '10.0.0.1:40000', server: '10.0.0.2:80' });
    expect(events[0]?.event).toMatchObject({ kind: 'event', code: name, label, failed: true, from: undefined });
    expect(events[0]?.event.fields).toEqual({ icmp: { type, code, from: '192.0.2.1', mtu } });
    expect(flows.map(({ transport }) => transport)).toEqual(['tcp', 'icmp']);
  },
);

test.each([
  [3, 'port'],
  [1, 'host'],
])('an ICMP rejection of code %i refuses a connection, which is stated once', (code, what) => {
  const refused = error(3, code, 0, SYN);
  const { events, flows } = analyseBytes(capture(SYN, refused, SYN, refused));
  expect(events.map(({ event }) => event)).toMatchObject([
    {
      code: 'TCP_REFUSED',
      protocol: 'tcp',
      label: `connection rejected by ICMP ${what} unreachable from 192.0.2.1`,
      failed: true,
    },
  ]);
  expect(flows[0]?.tcp).toMatchObject({ state: 'refused', syns: 2 });
});

test('an error about a flow that was not seen is no event', () => {
  expect(analyseBytes(capture(error(3, 1, 0, SYN))).events).toEqual([]);
});

test('a segment in fragments, in any order, is a segment', () => {
  const frame = tcpFrame({
    side: 0,
    sequence: 1,
    flags: 'P.',
    payload: `GET /${'x'.repeat(200)} HTTP/1.1\r\n\r\n`,
    at: 0,
  });
  const acknowledgment = frame.length - 54 + 1;
  const payload = 'HTTP/1.1 204 No Content\r\n\r\n';
  const answer = tcpFrame({ side: 1, sequence: 1, acknowledgment, flags: 'P.', payload, at: 1 });
  const fragment = (start: number, end: number): Buffer => {
    const part = Buffer.concat([frame.subarray(0, 34), frame.subarray(34 + start, Math.min(frame.length, 34 + end))]);
    part.writeUInt16BE(part.length - 14, 16);
    part.writeUInt16BE(7, 18);
    part.writeUInt16BE((start >> 3) | (34 + end < frame.length ? 0x2000 : 0), 20);
    return part;
  };
  const parts = [fragment(0, 64), fragment(64, 128), fragment(128, 1000)];
  for (const order of [
    [0, 1, 2],
    [2, 1, 0],
    [1, 2, 0],
    [0, 0, 2, 1],
  ]) {
    const { events } = analyseBytes(capture(...order.map((index) => parts[index] as Buffer), answer));
    expect(events.map(({ event }) => event.kind === 'exchange' && event.status)).toEqual(['204']);
  }
  expect(analyseBytes(capture(parts[0] as Buffer, parts[2] as Buffer, answer)).events).toHaveLength(1);
});
