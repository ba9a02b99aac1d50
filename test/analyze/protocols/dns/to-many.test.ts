// A query to a multicast address is answered, if at all, by whoever has the name, from its own address: another flow than the
// query's. Neither is the query without an answer a failure, nor has the answer no query.
import { expect, test } from 'vitest';
import { pcapFileHeader } from '../../../../src/wire/pcap-write.ts';
import { analyseBytes } from '../../../support/analysis.ts';
import { datagramFrame } from '../../../support/built-datagrams.ts';
import { A, message, query, question, record, wireName } from './messages.ts';

type End = readonly [ip: string, port: number];
const ASKER: End = ['10.0.0.1', 50_011];
const OWNER: End = ['10.0.0.9', 5353];
const MDNS: End = ['224.0.0.251', 5353];
const LLMNR: End = ['224.0.0.252', 5355];
const WINDOWS: End = ['10.0.0.9', 5355];

/** One datagram each 10 ms. */
function stated(datagrams: readonly (readonly [from: End, to: End, payload: Uint8Array])[]): unknown[] {
  const records = datagrams.flatMap(([from, to, payload], index) => {
    const frame = datagramFrame({ payload });
    frame.set([...from[0].split('.').map(Number), ...to[0].split('.').map(Number)], 26);
    frame.writeUInt16BE(from[1], 34);
    frame.writeUInt16BE(to[1], 36);
    const head = Buffer.alloc(16);
    head.writeUInt32LE(1, 0);
    head.writeUInt32LE(index * 10_000_000, 4);
    head.writeUInt32LE(frame.length, 8);
    head.writeUInt32LE(frame.length, 12);
    return [head, frame];
  });
  const { events } = analyseBytes(Buffer.concat([pcapFileHeader(1, 65_535), ...records]));
  return events.map(({ event }) =>
    event.kind === 'exchange'
      ? [event.kind, event.label, event.status, event.incomplete, event.failed]
      : [event.kind, event.label],
  );
}

const answer = (name: string, id: number) =>
  message({
    id,
    flags: 0x8400,
    questions: [question(name)],
    answers: [record(A, [10, 0, 0, 9], wireName(name))],
  });

test.each([
  ['mDNS with the id and the port of a stub', MDNS, OWNER, 'p2.local', 0],
  ['mDNS as dig asks it, with recursion wanted', MDNS, OWNER, 'p2.local', 0x0100],
  ['LLMNR', LLMNR, WINDOWS, 'winhost', 0],
] as const)('%s: query and answer are messages', (_what, group, owner, name, flags) => {
  const sent = query(name, 77, A, { flags });
  expect(
    stated([
      [ASKER, group, sent],
      [owner, ASKER, answer(name, 77)],
    ]),
  ).toEqual([
    ['message', `A ${name}`],
    ['message', `A ${name}`],
  ]);
  expect(stated([[ASKER, group, sent]])).toEqual([['message', `A ${name}`]]);
});

test('another answer, and one to a query that was sent to one server, are as before', () => {
  const sent = query('p2.local', 77, A, { flags: 0 });
  const missed = ['exchange', 'A p2.local', 'NOERROR', 'request not seen', false];
  expect(
    stated([
      [ASKER, MDNS, sent],
      [OWNER, ASKER, answer('p2.local', 78)],
    ]),
  ).toContainEqual(missed);
  const server: End = ['10.0.0.53', 5353];
  const asked = query('p2.local', 77);
  expect(
    stated([
      [ASKER, server, asked],
      [OWNER, ASKER, answer('p2.local', 77)],
    ]),
  ).toContainEqual(missed);
});
