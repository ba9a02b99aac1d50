import { describe, expect, it } from 'vitest';
import { nextHopMtu, quoted } from '../../../src/analyze/packet/icmp-quote.ts';
import { PacketView } from '../../../src/analyze/packet/packet.ts';
import { describePacket } from '../../../src/analyze/record/describe.ts';
import { Colours } from '../../../src/view/colour.ts';
import { packetLine } from '../../../src/view/packet-line.ts';
import { at, decoded, fromHex, ipv6, layersOf, udp } from '../decoded.ts';

const IPV4 = 228;
const IPV6 = 229;

/** From the router 10.0.0.254 to 192.168.0.1, about what 192.168.0.1 sent to 192.168.0.2. */
function error4(head: string, ...quote: readonly string[]): Buffer {
  const carried = fromHex(head, ...quote);
  const header = fromHex('4500 0000 1234 4000 40 01 0000 0a0000fe c0a80001');
  header.writeUInt16BE(20 + carried.length, 2);
  return Buffer.concat([header, carried]);
}

function error6(head: string, ...quote: readonly string[]): Buffer {
  const carried = fromHex(head, ...quote);
  return Buffer.concat([fromHex(ipv6(58, carried.length)), carried]);
}

const about = (protocol: string, total = '05dc', fragment = '4000') =>
  `4500 ${total} 0007 ${fragment} 01 ${protocol} 0000 c0a80001 c0a80002`;
const tcpHead = '1388 0050 00000001';

function quoteOf(packet: PacketView): PacketView | undefined {
  const into = new PacketView();
  return quoted(packet, into) ? into : undefined;
}

function said(packet: PacketView): string {
  const line = packetLine(describePacket(packet), { label: undefined, colours: new Colours(false) });
  return line.replace(/^.*? - {3}/, '').replace(/ length \d+( \(\d+ captured\))?$/, '');
}

describe('what an ICMP error quotes', () => {
  it('gives ports of TCP though 8 bytes of it were quoted', () => {
    const packet = decoded(IPV4, error4('0b00 0000 00000000', about('06'), tcpHead));
    const quote = quoteOf(packet);
    expect(quote).toMatchObject({
      ipProtocol: 6,
      sourcePort: 5000,
      destinationPort: 80,
      identification: 7,
      hopLimit: 1,
    });
    expect(quote && layersOf(quote)).toBe('ipv4 tcp (truncated)');
    expect(quote && at(quote, quote.sourceAddress, 4)).toBe('c0a80001');
    expect(quote?.origlen).toBe(1500);
  });

  it.each([
    ['0b00 0000 00000000', '11', 'time exceeded in transit for 192.168.0.1:4660 > 192.168.0.2:53 UDP'],
    ['0b01 0000 00000000', '11', 'time exceeded in reassembly for 192.168.0.1:4660 > 192.168.0.2:53 UDP'],
    ['0303 0000 00000000', '11', 'unreachable port for 192.168.0.1:4660 > 192.168.0.2:53 UDP'],
    [
      '0304 0000 0000 0578',
      '11',
      'unreachable fragmentation needed mtu 1400 for 192.168.0.1:4660 > 192.168.0.2:53 UDP',
    ],
    ['0304 0000 0000 0000', '11', 'unreachable fragmentation needed for 192.168.0.1:4660 > 192.168.0.2:53 UDP'],
    ['0501 0000 0a0000fd', '11', 'redirect code 1 to 10.0.0.253 for 192.168.0.1:4660 > 192.168.0.2:53 UDP'],
    ['0302 0000 00000000', '32', 'unreachable protocol for 192.168.0.1 > 192.168.0.2 ESP'],
    ['0301 0000 00000000', '01', 'unreachable host for 192.168.0.1 > 192.168.0.2 ICMP'],
  ])('is said: %s', (head, protocol, words) => {
    const packet = decoded(IPV4, error4(head, about(protocol, '0024'), udp(16)));
    expect(said(packet)).toBe(`10.0.0.254 > 192.168.0.1 ICMP ${words}`);
  });

  it.each([
    ['0100 0000 00000000', 'unreachable no route'],
    ['0104 0000 00000000', 'unreachable port'],
    ['0200 0000 00000500', 'packet too big mtu 1280'],
    ['0300 0000 00000000', 'time exceeded in transit'],
    ['0401 0000 00000028', 'parameter problem code 1'],
  ])('of IPv6: %s', (head, words) => {
    const packet = decoded(IPV6, error6(head, ipv6(17, 1400), udp(1400), 'abcd'));
    expect(said(packet)).toBe(`fd00::1 > fd00::2 ICMPv6 ${words} for [fd00::1]:4660 > [fd00::2]:53 UDP`);
    expect(quoteOf(packet)).toMatchObject({ payloadLength: 1392, payloadCaptured: 2 });
  });

  it('ends where extensions begin', () => {
    // 32 words of quote (RFC 4884), then an MPLS label stack.
    const quote = Buffer.concat([fromHex(about('11', '0100'), udp(236)), Buffer.alloc(100)]).toString('hex');
    const packet = decoded(IPV4, error4('0b00 0000 0020 0000', quote, '2000 0000 0008 0101 00010 1 40'));
    expect(quoteOf(packet)).toMatchObject({ payloadCaptured: 100, payloadLength: 228, udpLength: 236 });
  });

  it('may be a packet in a tunnel, or a later fragment', () => {
    const inner = `4500 0024 0001 4000 3f 11 0000 0a090001 0a090002 ${udp(16)} 0000000000000000`;
    const tunnel = decoded(IPV4, error4('0304 0000 0000 0578', about('04', '0038'), inner));
    expect(said(tunnel)).toContain('mtu 1400 for 10.9.0.1:4660 > 10.9.0.2:53 UDP');
    const later = decoded(IPV4, error4('0b01 0000 00000000', about('11', '0024', '0010'), '0000000000000000'));
    expect(said(later)).toContain('for 192.168.0.1 > 192.168.0.2 UDP');
  });

  it.each([
    ['an echo', error4('0800 0000 00010001', about('11'), udp(16))],
    ['half an IP header', error4('0b00 0000 00000000', about('11').slice(0, 30))],
    ['another IP version', error4('0b00 0000 00000000', `6${about('11').slice(1)}`, udp(16))],
    ['a header length below 20', error4('0b00 0000 00000000', `44${about('11').slice(2)}`, udp(16))],
    ['nothing', error4('0b00 0000 00000000')],
  ])('is none: %s', (_, bytes) => {
    const packet = decoded(IPV4, bytes);
    expect(quoteOf(packet)).toBeUndefined();
    expect(said(packet)).not.toContain(':53');
    expect(nextHopMtu(packet)).toBe(-1);
  });

  it('is cut anywhere', () => {
    const whole = error4('0304 0000 0000 0578', about('06'), tcpHead);
    for (let length = 0; length <= whole.length; length += 1) {
      const packet = decoded(IPV4, whole.subarray(0, length), whole.length);
      const quote = quoteOf(packet);
      expect(quote === undefined).toBe(length < 48);
      if (length < 28) expect(nextHopMtu(packet)).toBe(-1);
      expect(() => describePacket(packet)).not.toThrow();
    }
  });
});
