import { describe, expect, it } from 'vitest';
import { DIRECTION } from '../../../src/analyze/layers/layer.ts';
import { decoded, ethernet, fromHex, ipv4, ipv6, layersOf, payloadOf, udp } from '../decoded.ts';

const datagram = `${ipv4(17, 30)} ${udp(10)} abcd`;

describe('Ethernet', () => {
  it('leads to IP by its type, and leaves the padding out', () => {
    const packet = decoded(1, fromHex(ethernet('0800'), datagram, '00'.repeat(16)));
    expect(layersOf(packet)).toBe('ethernet ipv4 udp');
    expect(packet.etherType).toBe(0x0800);
    expect(payloadOf(packet)).toBe('abcd');
  });

  it('names a type that nothing decodes', () => {
    const packet = decoded(1, fromHex(ethernet('88cc'), '0207'));
    expect(layersOf(packet)).toBe('ethernet (unsupported)');
    expect(packet.next & 0xffff).toBe(0x88cc);
  });

  it.each([
    ['cut by the capture', 60, 'ethernet (truncated)'],
    ['too short by itself', 13, 'ethernet (malformed)'],
  ])('%s', (_, origlen, layers) => {
    expect(layersOf(decoded(1, fromHex(ethernet('08')), origlen))).toBe(layers);
  });

  it('an empty frame', () => {
    expect(layersOf(decoded(1, fromHex()))).toBe('ethernet (malformed)');
  });
});

describe('LLC', () => {
  it('carries IP by SNAP, and the frame ends with the 802.3 length', () => {
    const frame = fromHex(ethernet('0026'), 'aaaa03 000000 0800', datagram, 'ffff');
    const packet = decoded(1, frame);
    expect(layersOf(packet)).toBe('ethernet llc ipv4 udp');
    expect(packet.wireEnd - packet.offset).toBe(14 + 38);
  });

  it('is payload with another organisation or service access point', () => {
    expect(layersOf(decoded(1, fromHex(ethernet('0008'), 'aaaa03 00000c 2000')))).toBe('ethernet llc');
    expect(layersOf(decoded(1, fromHex(ethernet('0003'), '424203')))).toBe('ethernet llc');
  });

  it('carries IP by its own service access point', () => {
    expect(layersOf(decoded(1, fromHex(ethernet('0021'), '060603', datagram)))).toBe('ethernet llc ipv4 udp');
  });
});

describe('VLAN tags', () => {
  it('nest, and the innermost number stands', () => {
    const packet = decoded(1, fromHex(ethernet('88a8'), '0064 8100', 'e0c8 0800', datagram));
    expect(layersOf(packet)).toBe('ethernet vlan vlan ipv4 udp');
    expect(packet.vlan).toBe(200);
    expect(packet.etherType).toBe(0x0800);
  });

  it('are malformed when cut', () => {
    expect(layersOf(decoded(1, fromHex(ethernet('8100'), '00')))).toBe('ethernet vlan (malformed)');
  });
});

describe('the cooked headers', () => {
  const sll = (type: string) => `${type} 0001 0006 0200000000010000 0800`;
  const sll2 = (type: string) => `0800 0000 00000003 0001 ${type} 06 0200000000010000`;

  it.each([
    ['to us', '0000', '00', DIRECTION.inbound],
    ['to all', '0001', '01', DIRECTION.inbound],
    ['to others', '0003', '03', DIRECTION.inbound],
    ['from us', '0004', '04', DIRECTION.outbound],
    ['unheard of', '0009', '09', DIRECTION.unknown],
  ])('tell the direction: %s', (_, type, type2, direction) => {
    const cooked = decoded(113, fromHex(sll(type), datagram));
    expect(layersOf(cooked)).toBe('sll ipv4 udp');
    expect(cooked.direction).toBe(direction);
    const cooked2 = decoded(276, fromHex(sll2(type2), datagram));
    expect(layersOf(cooked2)).toBe('sll2 ipv4 udp');
    expect(cooked2.direction).toBe(direction);
  });

  it('carry 802.2 frames, and netlink, which no EtherType names', () => {
    expect(layersOf(decoded(113, fromHex('0000 0001 0006 0200000000010000 0004', '424203')))).toBe('sll llc');
    expect(layersOf(decoded(113, fromHex('0004 0338 0000 0000000000000000 0800', datagram)))).toBe('sll');
  });

  it('are malformed when short', () => {
    expect(layersOf(decoded(276, fromHex('0800 0000')))).toBe('sll2 (malformed)');
  });
});

describe('link types without a link', () => {
  it('RAW tells IP by its version', () => {
    expect(layersOf(decoded(101, fromHex(datagram)))).toBe('raw ipv4 udp');
    expect(layersOf(decoded(101, fromHex(ipv6(59, 0))))).toBe('raw ipv6');
    expect(layersOf(decoded(12, fromHex(datagram)))).toBe('raw ipv4 udp');
    expect(layersOf(decoded(101, fromHex('55')))).toBe('raw (malformed)');
  });

  it('IPV4 and IPV6 say it themselves', () => {
    expect(layersOf(decoded(228, fromHex(datagram)))).toBe('ipv4 udp');
    expect(layersOf(decoded(229, fromHex(ipv6(59, 0))))).toBe('ipv6');
  });

  it.each([
    ['little-endian IPv4', '02000000', datagram, 'loopback ipv4 udp'],
    ['big-endian IPv4', '00000002', datagram, 'loopback ipv4 udp'],
    ['IPv6 of Linux', '0a000000', ipv6(59, 0), 'loopback ipv6'],
    ['IPv6 of Darwin', '0000001e', ipv6(59, 0), 'loopback ipv6'],
    ['another family', '07000000', datagram, 'loopback'],
  ])('loopback, %s', (_, family, rest, layers) => {
    expect(layersOf(decoded(0, fromHex(family, rest)))).toBe(layers);
    expect(layersOf(decoded(108, fromHex(family, rest)))).toBe(layers);
  });

  it.each([
    ['little-endian', '02000014 0800 0100 08000100 0500 0a00 00000000 2000 0900', datagram, 'nflog ipv4 udp'],
    ['big-endian', '02000014 0008 0001 08000100 0005 000a 00000000 0020 0009', datagram, 'nflog ipv4 udp'],
    ['IPv6', '0a000000 2c00 0900', ipv6(59, 0), 'nflog ipv6'],
    ['another family', '07000000 2c00 0900', datagram, 'nflog'],
    ['no packet', '02000014 0800 0100 08000100', '', 'nflog (malformed)'],
    ['an attribute without a length', '02000014 0000 0100', datagram, 'nflog (malformed)'],
    ['endless attributes', '02000014', '04000100'.repeat(50), 'nflog (malformed)'],
  ])('NFLOG, %s', (_, attributes, rest, layers) => {
    expect(layersOf(decoded(239, fromHex(attributes, rest)))).toBe(layers);
  });

  it('a link type that nothing decodes, also beyond the numbers there are', () => {
    expect(layersOf(decoded(105, fromHex('0000')))).toBe(' (unsupported)');
    expect(layersOf(decoded(0x10800, fromHex(datagram)))).toBe(' (unsupported)');
  });
});
