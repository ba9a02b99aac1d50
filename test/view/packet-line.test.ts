import { describe, expect, it } from 'vitest';
import { decodePacket, PacketView } from '../../src/analyze/packet/packet.ts';
import { describePacket } from '../../src/analyze/record/describe.ts';
import { Colours } from '../../src/view/colour.ts';
import { type PacketLineStyle, packetLine } from '../../src/view/packet-line.ts';
import { timeText } from '../../src/view/time-text.ts';
import { ethernet, fromHex, ipv4, ipv6, tcp, udp } from '../analyze/decoded.ts';

const TIME = 1_783_000_987_123_456_789n;
const CLOCK = timeText(TIME);

const plain: PacketLineStyle = { label: 'shop/web-1', colours: new Colours(false) };

function line(linkType: number, bytes: Buffer, origlen = bytes.length, style = plain): string {
  const packet = new PacketView();
  packet.set(bytes, 0, bytes.length, origlen, Number(TIME >> 32n), Number(TIME & 0xffff_ffffn), 0, linkType, 0);
  decodePacket(packet);
  return packetLine(describePacket(packet), style);
}

describe('the line of a packet', () => {
  it('starts with local time to the nanosecond and the label', () => {
    const local = new Date(Number(TIME / 1_000_000n)).toTimeString().slice(0, 8);
    expect(line(228, fromHex(ipv4(17, 30), udp(10), 'abcd'))).toBe(
      `${local}.123456789 shop/web-1 -   10.0.0.1:4660 > 10.0.0.2:53 UDP len 2 length 30`,
    );
  });

  const sll2 = '0800 0000 00000003 0001 04 06 0200000000010000';
  const arp = (operation: string) => `0001 0800 06 04 ${operation} 020000000001 0a000001 000000000000 0a000002`;

  it.each([
    [
      'TCP',
      228,
      fromHex(ipv4(6, 42), tcp, 'abcd'),
      '-   10.0.0.1:4660 > 10.0.0.2:80 TCP [S.] seq 4294967294 ack 1 win 256 len 2 length 42',
    ],
    [
      'all TCP flags',
      228,
      fromHex(ipv4(6, 40), tcp.replace('5012', '51ff')),
      '-   10.0.0.1:4660 > 10.0.0.2:80 TCP [FSRP.UEWe] seq 4294967294 ack 1 win 256 len 0 length 40',
    ],
    [
      'no TCP flag',
      228,
      fromHex(ipv4(6, 40), tcp.replace('5012', '5000')),
      '-   10.0.0.1:4660 > 10.0.0.2:80 TCP [none] seq 4294967294 win 256 len 0 length 40',
    ],
    [
      'IPv6 with ports',
      229,
      fromHex(ipv6(17, 10), udp(10), 'abcd'),
      '-   [fd00::1]:4660 > [fd00::2]:53 UDP len 2 length 50',
    ],
    ['the direction', 276, fromHex(sll2, ipv4(17, 28), udp(8)), 'out 10.0.0.1:4660 > 10.0.0.2:53 UDP len 0 length 48'],
    [
      'a VLAN',
      1,
      fromHex(ethernet('8100'), '0064 0800', ipv4(17, 28), udp(8)),
      '-   10.0.0.1:4660 > 10.0.0.2:53 UDP vlan 100 len 0 length 46',
    ],
    ['ARP who-has', 1, fromHex(ethernet('0806'), arp('0001')), '-   ARP who-has 10.0.0.2 tell 10.0.0.1 length 42'],
    ['ARP is-at', 1, fromHex(ethernet('0806'), arp('0002')), '-   ARP 10.0.0.1 is-at 02:00:00:00:00:01 length 42'],
    ['another ARP', 1, fromHex(ethernet('0806'), arp('0009')), '-   ARP operation 9 length 42'],
    [
      'ICMP echo',
      228,
      fromHex(ipv4(1, 28), '0800 0000 0007 0001'),
      '-   10.0.0.1 > 10.0.0.2 ICMP echo request id 7 seq 1 length 28',
    ],
    [
      'ICMP unreachable',
      228,
      fromHex(ipv4(1, 28), '0303 0000 0000 0000'),
      '-   10.0.0.1 > 10.0.0.2 ICMP unreachable port length 28',
    ],
    [
      'ICMP of no name',
      228,
      fromHex(ipv4(1, 28), 'c803 0000 0000 0000'),
      '-   10.0.0.1 > 10.0.0.2 ICMP type 200 code 3 length 28',
    ],
    [
      'neighbour discovery',
      229,
      fromHex(ipv6(58, 24), '8700 0000 00000000', `fd${'00'.repeat(14)}05`),
      '-   fd00::1 > fd00::2 ICMPv6 neighbor solicitation who-has fd00::5 length 64',
    ],
    [
      'SCTP',
      228,
      fromHex(ipv4(132, 36), '1234 0050 00000001 00000000 0e000004'),
      '-   10.0.0.1:4660 > 10.0.0.2:80 SCTP len 4 length 36',
    ],
    [
      'a first fragment',
      228,
      fromHex(ipv4(17, 30, '2000'), udp(2000), 'abcd'),
      '-   10.0.0.1:4660 > 10.0.0.2:53 UDP len 2 fragment id 4660 offset 0+ length 30',
    ],
    [
      'a later fragment',
      228,
      fromHex(ipv4(17, 24, '0001'), '00000000'),
      '-   10.0.0.1 > 10.0.0.2 UDP fragment id 4660 offset 8 length 24',
    ],
    [
      'a protocol without a decoder',
      228,
      fromHex(ipv4(50, 24), '00000000'),
      '-   10.0.0.1 > 10.0.0.2 ESP [not decoded] length 24',
    ],
    [
      'a protocol without a name',
      228,
      fromHex(ipv4(200, 24), '00000000'),
      '-   10.0.0.1 > 10.0.0.2 IP protocol 200 [not decoded] length 24',
    ],
    [
      'an EtherType without a decoder',
      1,
      fromHex(ethernet('88cc'), '0207'),
      '-   02:00:00:00:00:01 > 02:00:00:00:00:02 LLDP [not decoded] length 16',
    ],
    ['a link type without a decoder', 105, fromHex('0000'), '-   link type 105 [not decoded] length 2'],
    [
      'what is malformed',
      228,
      fromHex(ipv4(17, 28), udp(7)),
      '-   10.0.0.1:4660 > 10.0.0.2:53 UDP [malformed UDP] length 28',
    ],
    ['an empty frame', 1, fromHex(), '-   Ethernet [malformed Ethernet] length 0'],
  ])('says %s', (_, linkType, bytes, expected) => {
    expect(line(linkType, bytes)).toBe(`${CLOCK} shop/web-1 ${expected}`);
  });

  it('says what the capture cut', () => {
    expect(line(228, fromHex(ipv4(6, 40), '1234 0050 0000'), 40)).toBe(
      `${CLOCK} shop/web-1 -   10.0.0.1:4660 > 10.0.0.2:80 TCP [truncated in TCP] length 40 (26 captured)`,
    );
  });

  it('puts names where addresses are', () => {
    const names: Record<string, string> = { '10.0.0.1': 'shop/client', '10.0.0.2': 'web.shop' };
    const style = { ...plain, nameOf: (address: string) => names[address] };
    expect(line(228, fromHex(ipv4(17, 28), udp(8)), 28, style)).toContain(' shop/client:4660 > web.shop:53 UDP ');
    expect(line(1, fromHex(ethernet('0806'), arp('0001')), 42, style)).toContain(
      'ARP who-has web.shop tell shop/client',
    );
  });

  it('lets nothing of a name or label reach the terminal that it might obey', () => {
    const style = { label: 'web\x1b[2J', colours: new Colours(false), nameOf: () => 'evil\n\u202e' };
    const text = line(228, fromHex(ipv4(17, 28), udp(8)), 28, style);
    expect(text).toContain(' web\\x1b[2J ');
    expect(text).toContain(' evil\\x0a\\u202e:4660 > ');
  });

  it('colours the label, and leaves it out when there is none', () => {
    const bytes = fromHex(ipv4(17, 28), udp(8));
    expect(line(228, bytes, 28, { ...plain, colours: new Colours(true) })).toContain(' \x1b[34mshop/web-1\x1b[39m ');
    expect(line(228, bytes, 28, { ...plain, label: undefined })).toMatch(/^[\d:.]{18} - {3}10\.0\.0\.1/);
  });
});
