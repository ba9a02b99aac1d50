import { expect, test } from 'vitest';
import { analyseBytes } from '../../support/analysis.ts';
import { type BuiltDatagram, datagramPcap } from '../../support/built-datagrams.ts';

function counted(datagrams: readonly BuiltDatagram[]) {
  const { flows, copies } = analyseBytes(datagramPcap(datagrams));
  const [flow] = flows;
  return { copies, client: flow?.client.packets, server: flow?.server.packets };
}

test('a datagram that one interface brings twice at once is counted once', () => {
  const datagrams: BuiltDatagram[] = [
    { identification: 7, payload: 'requests:1|c', at: 0 },
    { side: 1, identification: 90, payload: 'ok', at: 100 },
    { identification: 8, payload: 'requests:1|c', at: 200 },
    { side: 1, identification: 91, payload: 'ok', at: 300 },
  ];
  const twice = datagrams.flatMap((datagram) => [datagram, { ...datagram, at: datagram.at + 5 }]);
  expect(counted(twice)).toEqual({ copies: 4, client: 2, server: 2 });
});

test.each<[what: string, datagrams: BuiltDatagram[]]>([
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
