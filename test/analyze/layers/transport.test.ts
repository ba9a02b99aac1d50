import { describe, expect, it } from 'vitest';
import { decodePacket } from '../../../src/analyze/packet/packet.ts';
import { decoded, fromHex, ipv4, ipv6, layersOf, payloadOf, tcp, udp } from '../decoded.ts';

const IPV4 = 228;
const IPV6 = 229;

describe('TCP', () => {
  it('gives ports, numbers, flags and window', () => {
    const packet = decoded(IPV4, fromHex(ipv4(6, 42), tcp, 'abcd'));
    expect(packet).toMatchObject({
      sourcePort: 4660,
      destinationPort: 80,
      tcpFlags: 0x012,
      tcpSequence: -2,
      tcpAcknowledgment: 1,
      tcpWindow: 256,
      tcpOptionsLength: 0,
      payloadLength: 2,
    });
    expect(packet.tcpSequence >>> 0).toBe(0xfffffffe);
    expect(payloadOf(packet)).toBe('abcd');
  });

  it('steps over options and keeps all nine flags', () => {
    const packet = decoded(
      IPV4,
      fromHex(ipv4(6, 46), '1234 0050 00000000 00000000 61ff 0100 0000 0000', '01010101', 'ab'),
    );
    expect(packet).toMatchObject({ tcpFlags: 0x1ff, tcpOptionsLength: 4 });
    expect(payloadOf(packet)).toBe('ab');
  });

  it('counts what the capture cut from the payload', () => {
    const packet = decoded(IPV4, fromHex(ipv4(6, 1040), tcp, 'abcd'), 1040);
    expect(layersOf(packet)).toBe('ipv4 tcp');
    expect(packet).toMatchObject({ payloadLength: 1000, payloadCaptured: 2 });
  });

  it('gives the ports of a header that was cut behind them', () => {
    const packet = decoded(IPV4, fromHex(ipv4(6, 40), '1234 0050 0000'), 40);
    expect(layersOf(packet)).toBe('ipv4 tcp (truncated)');
    expect(packet).toMatchObject({ sourcePort: 4660, destinationPort: 80 });
  });

  it.each([
    ['a header length below 20', '4012'],
    ['options past the packet', 'f012'],
  ])('is malformed with %s', (_, field) => {
    const packet = decoded(IPV4, fromHex(ipv4(6, 40), tcp.replace('5012', field)));
    expect(layersOf(packet)).toBe('ipv4 tcp (malformed)');
  });
});

describe('UDP', () => {
  it('ends with its own length', () => {
    const packet = decoded(IPV6, fromHex(ipv6(17, 12), udp(10), 'abcd ffff'));
    expect(packet).toMatchObject({ sourcePort: 4660, destinationPort: 53, udpLength: 10, payloadLength: 2 });
    expect(payloadOf(packet)).toBe('abcd');
  });

  it('takes the packet for the datagram when it has no length', () => {
    expect(decoded(IPV6, fromHex(ipv6(17, 10), udp(0), 'abcd')).payloadLength).toBe(2);
  });

  it('is malformed with a length below its header', () => {
    expect(layersOf(decoded(IPV4, fromHex(ipv4(17, 28), udp(7))))).toBe('ipv4 udp (malformed)');
  });
});

describe('SCTP', () => {
  it('gives ports; chunks are payload', () => {
    const packet = decoded(IPV4, fromHex(ipv4(132, 36), '1234 0050 00000001 00000000', '0e000004'));
    expect(layersOf(packet)).toBe('ipv4 sctp');
    expect(packet).toMatchObject({ sourcePort: 4660, destinationPort: 80, payloadLength: 4 });
  });

  it('is malformed when short', () => {
    expect(layersOf(decoded(IPV4, fromHex(ipv4(132, 28), '1234 0050 00000001')))).toBe('ipv4 sctp (malformed)');
  });
});

describe('ICMP', () => {
  it('gives type and code; the packet it quotes is payload', () => {
    const packet = decoded(IPV4, fromHex(ipv4(1, 56), '0303 0000 00000000', ipv4(17, 28), udp(8)));
    expect(layersOf(packet)).toBe('ipv4 icmp');
    expect(packet).toMatchObject({ icmpType: 3, icmpCode: 3, sourcePort: -1, payloadLength: 28 });
  });

  it('of IPv6 likewise', () => {
    const packet = decoded(IPV6, fromHex(ipv6(58, 8), '8000 0000 00010002'));
    expect(layersOf(packet)).toBe('ipv6 icmpv6');
    expect(packet).toMatchObject({ icmpType: 128, icmpCode: 0, payloadLength: 0 });
  });

  it('is malformed when short', () => {
    expect(layersOf(decoded(IPV4, fromHex(ipv4(1, 24), '0800 0000')))).toBe('ipv4 icmp (malformed)');
  });
});

describe('a view that is used again', () => {
  it('keeps nothing of the packet before', () => {
    const packet = decoded(IPV4, fromHex(ipv4(6, 42, '2000'), tcp, 'abcd'));
    const arp = fromHex('020000000002 020000000001 88cc');
    const again = decoded(1, arp);
    packet.set(again.bytes, again.offset, arp.length, arp.length, 0, 0, 0, 1, 0);
    decodePacket(packet);
    const { bytes: _, ...rest } = { ...packet, layerNumbers: 0, layerOffsets: 0 };
    const { bytes: __, ...fresh } = { ...again, layerNumbers: 0, layerOffsets: 0 };
    expect(rest).toEqual(fresh);
  });
});
