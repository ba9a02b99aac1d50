import { describe, expect, it } from 'vitest';
import { at, decoded, ethernet, fromHex, ipv6, layersOf, payloadOf } from '../decoded.ts';
import { around, aroundUdp, expectInner, IPV4, IPV6, inner, inner6, innerFrame, said } from './around.ts';

describe('what IPv4 carries', () => {
  it.each([
    ['IPIP', around(4, inner), 'ipv4 ipv4 udp', 'IPIP from 10.0.0.1 to 10.0.0.2 UDP len 2'],
    [
      'VXLAN',
      aroundUdp(4789, '0800 0000 00002a 00', innerFrame),
      'ipv4 udp vxlan ethernet ipv4 udp',
      'VXLAN 42 from 10.0.0.1 to 10.0.0.2 UDP len 2',
    ],
    [
      'VXLAN on the port of Linux',
      aroundUdp(8472, '0800 0000 00002a 00', innerFrame),
      'ipv4 udp vxlan ethernet ipv4 udp',
      'VXLAN 42 from 10.0.0.1 to 10.0.0.2 UDP len 2',
    ],
    [
      'VXLAN with a group',
      aroundUdp(4789, '8800 0007 00002a 00', innerFrame),
      'ipv4 udp vxlan ethernet ipv4 udp',
      'VXLAN 42 from 10.0.0.1 to 10.0.0.2 UDP len 2',
    ],
    [
      'VXLAN-GPE with IPv4',
      aroundUdp(4790, '0c00 0001 00002a 00', inner),
      'ipv4 udp vxlan ipv4 udp',
      'VXLAN 42 from 10.0.0.1 to 10.0.0.2 UDP len 2',
    ],
    [
      'Geneve',
      aroundUdp(6081, '0000 6558 00002a 00', innerFrame),
      'ipv4 udp geneve ethernet ipv4 udp',
      'Geneve 42 from 10.0.0.1 to 10.0.0.2 UDP len 2',
    ],
    [
      'Geneve with options',
      aroundUdp(6081, '0240 0800 00002a 00 0102 80 01 00000000', inner),
      'ipv4 udp geneve ipv4 udp',
      'Geneve 42 from 10.0.0.1 to 10.0.0.2 UDP len 2',
    ],
    ['GRE', around(47, '0000 0800', inner), 'ipv4 gre ipv4 udp', 'GRE from 10.0.0.1 to 10.0.0.2 UDP len 2'],
    [
      'GRE version 1 with IP',
      around(47, '3001 0800 00200007 00000005', inner),
      'ipv4 gre ipv4 udp',
      'GRE key 0x200007 from 10.0.0.1 to 10.0.0.2 UDP len 2',
    ],
    [
      'GRE with all its options',
      around(47, 'b000 0800 00000000 0000002a 00000001', inner),
      'ipv4 gre ipv4 udp',
      'GRE key 0x2a from 10.0.0.1 to 10.0.0.2 UDP len 2',
    ],
    [
      'GRE with source routes',
      around(47, '4000 0800 00000000 0800 0004 0a000003 0000 0000', inner),
      'ipv4 gre ipv4 udp',
      'GRE from 10.0.0.1 to 10.0.0.2 UDP len 2',
    ],
    [
      'GRE with Ethernet',
      around(47, '2000 6558 0000002a', innerFrame),
      'ipv4 gre ethernet ipv4 udp',
      'GRE key 0x2a from 10.0.0.1 to 10.0.0.2 UDP len 2',
    ],
    [
      'GRE in UDP',
      aroundUdp(4754, '0000 0800', inner),
      'ipv4 udp gre ipv4 udp',
      'GRE from 10.0.0.1 to 10.0.0.2 UDP len 2',
    ],
    [
      'PPTP',
      around(47, '3081 880b 0020 0007 00000001 00000002 ff03 0021', inner),
      'ipv4 gre ppp ipv4 udp',
      'PPTP call 7 from 10.0.0.1 to 10.0.0.2 UDP len 2',
    ],
    [
      'ERSPAN of type I',
      around(47, '0000 88be', innerFrame),
      'ipv4 gre erspan ethernet ipv4 udp',
      'GRE from 10.0.0.1 to 10.0.0.2 ERSPAN UDP len 2',
    ],
    [
      'ERSPAN of type II',
      around(47, '1000 88be 00000001 1001 0005 00000000', innerFrame),
      'ipv4 gre erspan ethernet ipv4 udp',
      'GRE from 10.0.0.1 to 10.0.0.2 ERSPAN 5 UDP len 2',
    ],
    [
      'ERSPAN of type III',
      around(47, '1000 22eb 00000001 2001 0005 00000000 0000 0001 0000000000000000', innerFrame),
      'ipv4 gre erspan ethernet ipv4 udp',
      'GRE from 10.0.0.1 to 10.0.0.2 ERSPAN 5 UDP len 2',
    ],
    [
      'MPLS',
      around(137, '00010 0 40 00011 1 40', inner),
      'ipv4 mpls ipv4 udp',
      'MPLS 16 17 from 10.0.0.1 to 10.0.0.2 UDP len 2',
    ],
    [
      'MPLS in UDP',
      aroundUdp(6635, '00010 1 40', inner),
      'ipv4 udp mpls ipv4 udp',
      'MPLS 16 from 10.0.0.1 to 10.0.0.2 UDP len 2',
    ],
    [
      'GTP-U',
      aroundUdp(2152, '30ff 001e 0000002a', inner),
      'ipv4 udp gtp-u ipv4 udp',
      'GTP-U 0x2a from 10.0.0.1 to 10.0.0.2 UDP len 2',
    ],
    [
      'GTP-U with extension headers',
      aroundUdp(2152, '34ff 0026 0000002a 0000 00 85 01 1000 00', inner),
      'ipv4 udp gtp-u ipv4 udp',
      'GTP-U 0x2a from 10.0.0.1 to 10.0.0.2 UDP len 2',
    ],
  ])('%s', (_, bytes, layers, words) => {
    const packet = decoded(IPV4, bytes);
    expect(layersOf(packet)).toBe(layers);
    expectInner(packet);
    expect(said(packet)).toBe(words);
  });

  it.each([
    ['6in4', around(41, inner6), 'ipv4 ipv6 udp', '6in4 from 10.0.0.1 to 10.0.0.2 UDP len 2'],
    ['Teredo', aroundUdp(3544, inner6), 'ipv4 udp teredo ipv6 udp', 'Teredo from 10.0.0.1 to 10.0.0.2 UDP len 2'],
    [
      'Teredo with indications',
      aroundUdp(3544, '0001 02 01 aaaa bb 0000000000000000 00 0000 1234 01020304', inner6),
      'ipv4 udp teredo ipv6 udp',
      'Teredo from 10.0.0.1 to 10.0.0.2 UDP len 2',
    ],
  ])('%s', (_, bytes, layers, words) => {
    const packet = decoded(IPV4, bytes);
    expect(layersOf(packet)).toBe(layers);
    expect(packet).toMatchObject({ ipVersion: 6, addressLength: 16, destinationPort: 53, tunnelDepth: 1 });
    expect(packet.outerAddressLength).toBe(4);
    expect(payloadOf(packet)).toBe('abcd');
    expect(said(packet)).toBe(words);
  });

  it('IPv6 carries as IPv4 does', () => {
    const length = fromHex(inner).length;
    const packet = decoded(IPV6, fromHex(ipv6(4, length), inner));
    expect(layersOf(packet)).toBe('ipv6 ipv4 udp');
    expect(packet.outerAddressLength).toBe(16);
    expect(at(packet, packet.outerSourceAddress, 16)).toBe(`fd${'00'.repeat(14)}01`);
    expect(said(packet)).toBe('4in6 from fd00::1 to fd00::2 UDP len 2');
    const behindOptions = decoded(IPV6, fromHex(ipv6(60, 8 + 50), '2900 010400000000', inner6));
    expect(layersOf(behindOptions)).toBe('ipv6 destination-options ipv6 udp');
    expect(said(behindOptions)).toBe('6in6 from fd00::1 to fd00::2 UDP len 2');
  });

  it('the packet around has the last word on nothing: VLAN, fragment and ports are those of the packet within', () => {
    const tagged = `${ethernet('8100')} 0064 0800 ${inner}`;
    const outer = aroundUdp(4789, '0800 0000 00002a 00', tagged).toString('hex');
    const packet = decoded(1, fromHex(ethernet('8100'), '0007 0800', outer));
    expect(packet.vlan).toBe(100);
    expect(said(packet)).toBe('vlan 7 VXLAN 42 from 10.0.0.1 to 10.0.0.2 UDP vlan 100 len 2');
    const untagged = decoded(1, fromHex(ethernet('8100'), '0007 0800', around(4, inner).toString('hex')));
    expect(untagged.vlan).toBe(-1);
    expect(said(untagged)).toBe('vlan 7 IPIP from 10.0.0.1 to 10.0.0.2 UDP len 2');
  });

  it('ends with the packet within, by each length', () => {
    const packet = decoded(1, fromHex(ethernet('0800'), around(4, inner, 'ffffffff').toString('hex'), '00000000'));
    expect(packet).toMatchObject({ payloadLength: 2, payloadCaptured: 2 });
  });

  it('says what the capture cut of the packet within', () => {
    const whole = aroundUdp(4789, '0800 0000 00002a 00', innerFrame);
    const packet = decoded(IPV4, whole.subarray(0, 70), whole.length);
    expect(layersOf(packet)).toBe('ipv4 udp vxlan ethernet ipv4 udp (truncated)');
    expect(said(packet)).toContain('VXLAN 42 from 10.0.0.1 to 10.0.0.2');
  });
});
