import { expect, test } from 'vitest';
import { pcapFileHeader } from '../../../src/wire/pcap-write.ts';
import { analyseBytes } from '../../support/analysis.ts';

interface Datagram {
  readonly side?: 0 | 1;
  readonly identification: number;
  readonly payload: string;
  /** µs */
  readonly at: number;
}

/** Ethernet, IPv4, UDP, of one interface. */
function counted(datagrams: readonly Datagram[]) {
  const records = datagrams.flatMap(({ side = 0, identification, payload, at }) => {
    const frame = Buffer.alloc(42 + payload.length);
    frame.writeUInt16BE(0x0800, 12);
    frame[14] = 0x45;
    frame.writeUInt16BE(28 + payload.length, 16);
    frame.writeUInt16BE(identification, 18);
    frame[22] = 64;
    frame[23] = 17;
    frame[26 + 3] = 1 + side;
    frame[30 + 3] = 2 - side;
    frame.writeUInt16BE(side === 0 ? 40_000 : 8125, 34);
    frame.writeUInt16BE(side === 0 ? 8125 : 40_000, 36);
    frame.writeUInt16BE(8 + payload.length, 38);
    frame.write(payload, 42);
    const record = Buffer.alloc(16);
    record.writeUInt32LE(1, 0);
    record.writeUInt32LE(at * 1000, 4);
    record.writeUInt32LE(frame.length, 8);
    record.writeUInt32LE(frame.length, 12);
    return [record, frame];
  });
  const { flows, copies } = analyseBytes(Buffer.concat([pcapFileHeader(1, 65_535), ...records]));
  const [flow] = flows;
  return { copies, client: flow?.client.packets, server: flow?.server.packets };
}

test('a datagram that one interface brings twice at once is counted once', () => {
  const datagrams: Datagram[] = [
    { identification: 7, payload: 'requests:1|c', at: 0 },
    { side: 1, identification: 90, payload: 'ok', at: 100 },
    { identification: 8, payload: 'requests:1|c', at: 200 },
    { side: 1, identification: 91, payload: 'ok', at: 300 },
  ];
  const twice = datagrams.flatMap((datagram) => [datagram, { ...datagram, at: datagram.at + 5 }]);
  expect(counted(twice)).toEqual({ copies: 4, client: 2, server: 2 });
});

test.each<[what: string, datagrams: Datagram[]]>([
  [
    'the same text under another number',
    [
      { identification: 7, payload: 'requests:1|c', at: 0 },
      { identification: 8, payload: 'requests:1|c', at: 5 },
    ],
  ],
  [
    'the same text without numbers',
    [
      { identification: 0, payload: 'requests:1|c', at: 0 },
      { identification: 0, payload: 'requests:1|c', at: 5 },
    ],
  ],
  [
    'another text under the same number',
    [
      { identification: 7, payload: 'requests:1|c', at: 0 },
      { identification: 7, payload: 'requests:2|c', at: 5 },
    ],
  ],
  [
    'a while later',
    [
      { identification: 7, payload: 'requests:1|c', at: 0 },
      { identification: 7, payload: 'requests:1|c', at: 3001 },
    ],
  ],
])('%s is another datagram', (_what, datagrams) => {
  expect(counted(datagrams)).toMatchObject({ copies: 0, client: 2 });
});

test('a sender that gives all datagrams one number: none is a copy', () => {
  const texts = ['requests:1|c', 'requests:2|c', 'requests:2|c', 'requests:2|c'];
  const datagrams = texts.map((payload, index) => ({ identification: 7, payload, at: 5 * index }));
  expect(counted(datagrams)).toMatchObject({ copies: 0, client: 4 });
});
