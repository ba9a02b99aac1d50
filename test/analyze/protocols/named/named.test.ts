import { expect, test } from 'vitest';
import { dhcp, dhcp6 } from '../../../../src/analyze/protocols/named/dhcp.ts';
import { ntp } from '../../../../src/analyze/protocols/named/ntp.ts';
import { sip, sipTcp } from '../../../../src/analyze/protocols/named/sip.ts';
import { syslog, syslogTcp } from '../../../../src/analyze/protocols/named/syslog.ts';
import type { DatagramProtocol, Likeness } from '../../../../src/analyze/protocols/protocol.ts';
import { analyseBytes } from '../../../support/analysis.ts';
import { type BuiltSegment, builtPcap, handshake } from '../../../support/built-capture.ts';
import { Random } from '../../../support/random.ts';

const bytesOf = (text: string) => Buffer.from(text, 'latin1');
const dhcpOf = (op: number) =>
  Buffer.concat([Buffer.of(op, 1, 6, 0), Buffer.alloc(232), Buffer.from('63825363350101ff', 'hex')]);
const ntpOf = (first: number, length = 48) => Buffer.concat([Buffer.of(first, 2), Buffer.alloc(length - 2)]);

test.each<[DatagramProtocol, string, Buffer, boolean, Likeness]>([
  [ntp, 'a client', ntpOf(0x23), true, 'client'],
  [ntp, 'a server', ntpOf(0x24), true, 'server'],
  [ntp, 'a control message', ntpOf(0x16, 12), true, 'client'],
  [ntp, 'elsewhere', ntpOf(0x23), false, 'no'],
  [ntp, 'too short', ntpOf(0x23, 40), true, 'no'],
  [ntp, 'no version', ntpOf(0x03), true, 'no'],
  [dhcp, 'a client', dhcpOf(1), false, 'client'],
  [dhcp, 'a server', dhcpOf(2), true, 'server'],
  [dhcp, 'neither', dhcpOf(3), true, 'no'],
  [dhcp, 'no cookie', Buffer.alloc(300, 1), true, 'no'],
  [dhcp6, 'a solicit', Buffer.from('01abcdef0008000200', 'hex'), true, 'no'],
  [dhcp6, 'a solicit', Buffer.from('01abcdef000800020000', 'hex'), true, 'client'],
  [dhcp6, 'a reply', Buffer.from('07abcdef000800020000', 'hex'), true, 'server'],
  [dhcp6, 'elsewhere', Buffer.from('07abcdef000800020000', 'hex'), false, 'no'],
  [sip, 'a request', bytesOf('INVITE sip:a@b.test SIP/2.0\r\n'), false, 'client'],
  [sip, 'a response', bytesOf('SIP/2.0 180 Ringing\r\n'), false, 'server'],
  [sip, 'a beginning', bytesOf('REGIS'), false, 'more'],
  [sip, 'HTTP', bytesOf('OPTIONS * HTTP/1.1\r\n'), false, 'no'],
  [syslog, 'RFC 5424', bytesOf('<34>1 2026-01-02T03:04:05Z web app - - - x'), false, 'client'],
  [syslog, 'RFC 3164', bytesOf('<34>Oct 11 22:14:15 web su: x'), false, 'client'],
  [syslog, 'any text on its port', bytesOf('<34>link down'), true, 'client'],
  [syslog, 'any text elsewhere', bytesOf('<34>link down'), false, 'no'],
  [syslog, 'a priority too high', bytesOf('<192>Oct 11 22:14:15 web su: x'), true, 'no'],
])('%o: %s', (protocol, _, bytes, hinted, likeness) => {
  expect(protocol.probe(bytes, 0, bytes.length, hinted)).toBe(likeness);
});

test.each<[string, Likeness]>([
  ['<34>1 2026-01-02T03:04:05Z web app - - - x', 'client'],
  ['42 <34>1 2026-01-02T03:04:05Z web app - - - x', 'client'],
  ['<34>Oct 11 22:14:15 web su: x', 'client'],
  ['<34', 'more'],
  ['42 <34>1 2026', 'more'],
  ['<html>', 'no'],
  ['42 hello', 'no'],
])('on TCP %j is %s', (text, likeness) => {
  expect(syslogTcp.probe(bytesOf(text), 0, text.length)).toBe(likeness);
});

test('noise is none of them', () => {
  const random = new Random(5);
  const bytes = new Uint8Array(300);
  for (let round = 0; round < 4_000; round += 1) {
    for (let at = 0; at < bytes.length; at += 1) bytes[at] = random.below(256);
    for (const { probe } of [ntp, dhcp, dhcp6, sip, syslog]) expect(probe(bytes, 0, 300, false)).toBe('no');
    for (const { probe } of [sipTcp, syslogTcp]) expect(probe(bytes, 0, 300)).toBe('no');
  }
});

test('a connection is named, and its packets are shown as those of what is not recognised', () => {
  const words = 'REGISTER sip:b.test SIP/2.0\r\n\r\n';
  const register: BuiltSegment = { side: 0, sequence: 1, acknowledgment: 1, flags: 'P.', payload: words, at: 5 };
  const { events, flows } = analyseBytes(builtPcap([...handshake([0, 0]), register]));
  expect([flows.map(({ protocol }) => protocol), events]).toEqual([['sip'], []]);
});
