import { expect, test } from 'vitest';
import { analyseBytes } from '../../support/analysis.ts';
import { type BuiltDatagram, datagramFrame, datagramPcap } from '../../support/built-datagrams.ts';

/** A query for the A records of `a.b`, and its answer without records. */
const NAME = Buffer.from('\x01a\x01b\0\0\x01\0\x01', 'latin1');
const query = Buffer.concat([Buffer.from([0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]), NAME]);
const answer = Buffer.concat([Buffer.from([0, 7, 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0]), NAME]);
const asked: BuiltDatagram = { payload: query, port: 53, at: 0 };

function stated(datagrams: readonly BuiltDatagram[]) {
  const { events } = analyseBytes(datagramPcap(datagrams));
  return events.map(({ event }) =>
    event.kind === 'exchange' ? `${event.label} ${event.incomplete ?? event.status} ${event.failed}` : event.label,
  );
}

test('a query that an ICMP error quotes is not on its way when the capture ends: it has failed', () => {
  const rejected: BuiltDatagram = { side: 1, payload: '', about: datagramFrame(asked), at: 100 };
  expect(stated([asked])).toEqual(['A a.b capture ended false']);
  expect(stated([asked, rejected])).toEqual([expect.stringContaining('unreachable'), 'A a.b no response true']);
});

test('one that is sent again, and then answered, has not', () => {
  const rejected: BuiltDatagram = { side: 1, payload: '', about: datagramFrame(asked), at: 100 };
  const datagrams = [asked, rejected, { ...asked, at: 200 }, { ...asked, side: 1 as const, payload: answer, at: 300 }];
  expect(stated(datagrams)).toEqual([expect.stringContaining('unreachable'), 'A a.b NOERROR false']);
});
