import { describe, expect, it } from 'vitest';
import { describePacket } from '../../../src/analyze/describe.ts';
import { TUNNELS_MAXIMUM } from '../../../src/analyze/limits.ts';
import type { PacketView } from '../../../src/analyze/packet.ts';
import { at, decoded, ethernet, ipv6, layersOf, octets, payloadOf, udp } from '../decoded.ts';

const IPV4 = 228;
const IPV6 = 229;

/** The packet within: 192.168.0.1:4660 to 192.168.0.2:53, with two octets of payload. */
const inner = `4500 001e 0001 4000 3f 11 0000 c0a80001 c0a80002 ${udp(10)} abcd`;
const inner6 = `${ipv6(17, 10)} ${udp(10)} abcd`;
const innerFrame = `${ethernet('0800')} ${inner}`;

/** What is around: an IPv4 header, 10.0.0.1 to 10.0.0.2, before such octets. */
function around(protocol: number, ...parts: readonly string[]): Buffer {
  const carried = octets(...parts);
  const header = octets('4500 0000 1234 4000 40 00 0000 0a000001 0a000002');
  header.writeUInt16BE(20 + carried.length, 2);
  header[9] = protocol;
  return Buffer.concat([header, carried]);
}

function aroundUdp(port: number, ...parts: readonly string[]): Buffer {
  const carried = octets(...parts);
  const header = octets('c000 0000 0000 0000');
  header.writeUInt16BE(port, 2);
  header.writeUInt16BE(8 + carried.length, 4);
  return around(17, header.toString('hex'), carried.toString('hex'));
}

function said(packet: PacketView): string {
  const { tunnels, protocol, words } = describePacket(packet);
  const text = (word: string | { readonly address: string }) => (typeof word === 'string' ? word : word.address);
  return [...tunnels.map(text), protocol, ...words.map(text)].join(' ');
}

/** The inner datagram is what the view speaks of, and the outer pair is to be had. */
function expectInner(packet: PacketView): void {
  expect(packet).toMatchObject({ sourcePort: 4660, destinationPort: 53, ipVersion: 4, hopLimit: 63, tunnelDepth: 1 });
  expect(at(packet, packet.sourceAddress, 4)).toBe('c0a80001');
  expect(payloadOf(packet)).toBe('abcd');
  expect(at(packet, packet.outerSourceAddress, packet.outerAddressLength)).toBe('0a000001');
  expect(at(packet, packet.outerDestinationAddress, packet.outerAddressLength)).toBe('0a000002');
}

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
    const length = octets(inner).length;
    const packet = decoded(IPV6, octets(ipv6(4, length), inner));
    expect(layersOf(packet)).toBe('ipv6 ipv4 udp');
    expect(packet.outerAddressLength).toBe(16);
    expect(at(packet, packet.outerSourceAddress, 16)).toBe(`fd${'00'.repeat(14)}01`);
    expect(said(packet)).toBe('4in6 from fd00::1 to fd00::2 UDP len 2');
    const behindOptions = decoded(IPV6, octets(ipv6(60, 8 + 50), '2900 010400000000', inner6));
    expect(layersOf(behindOptions)).toBe('ipv6 destination-options ipv6 udp');
    expect(said(behindOptions)).toBe('6in6 from fd00::1 to fd00::2 UDP len 2');
  });

  it('the packet around has the last word on nothing: VLAN, fragment and ports are those of the packet within', () => {
    const tagged = `${ethernet('8100')} 0064 0800 ${inner}`;
    const outer = aroundUdp(4789, '0800 0000 00002a 00', tagged).toString('hex');
    const packet = decoded(1, octets(ethernet('8100'), '0007 0800', outer));
    expect(packet.vlan).toBe(100);
    expect(said(packet)).toBe('vlan 7 VXLAN 42 from 10.0.0.1 to 10.0.0.2 UDP vlan 100 len 2');
    const untagged = decoded(1, octets(ethernet('8100'), '0007 0800', around(4, inner).toString('hex')));
    expect(untagged.vlan).toBe(-1);
    expect(said(untagged)).toBe('vlan 7 IPIP from 10.0.0.1 to 10.0.0.2 UDP len 2');
  });

  it('ends with the packet within, by each length', () => {
    const packet = decoded(1, octets(ethernet('0800'), around(4, inner, 'ffffffff').toString('hex'), '00000000'));
    expect(packet).toMatchObject({ payloadLength: 2, payloadCaptured: 2 });
  });

  it('says what the capture cut of the packet within', () => {
    const whole = aroundUdp(4789, '0800 0000 00002a 00', innerFrame);
    const packet = decoded(IPV4, whole.subarray(0, 70), whole.length);
    expect(layersOf(packet)).toBe('ipv4 udp vxlan ethernet ipv4 udp (truncated)');
    expect(said(packet)).toContain('VXLAN 42 from 10.0.0.1 to 10.0.0.2');
  });
});

describe('content that does not fit the port', () => {
  it.each([
    ['VXLAN without a valid identifier', aroundUdp(4789, '0000 0000 00002a 00', innerFrame)],
    ['VXLAN with unknown flags', aroundUdp(8472, '0900 0000 00002a 00', innerFrame)],
    ['VXLAN with reserved octets', aroundUdp(8472, '0800 0100 00002a 00', innerFrame)],
    ['VXLAN too short', aroundUdp(4789, '0800 00')],
    ['Geneve of another version', aroundUdp(6081, '4000 6558 00002a 00', innerFrame)],
    ['GTP of another version', aroundUdp(2152, '50ff 001e 0000002a', inner)],
    ['Teredo without IPv6', aroundUdp(3544, inner)],
  ])('is payload: %s', (_, bytes) => {
    const packet = decoded(IPV4, bytes);
    expect(layersOf(packet)).toBe('ipv4 udp');
    expect(packet).toMatchObject({ tunnelDepth: 0, sourcePort: 0xc000, outerNetworkOffset: -1 });
  });

  it.each([
    ['GRE of version 2', around(47, '0002 0800', inner), 'ipv4 gre'],
    ['a GRE keepalive', around(47, '0000 0000'), 'ipv4 gre'],
    ['an acknowledgment of PPTP', around(47, '2081 880b 0000 0007 00000002'), 'ipv4 gre'],
    ['GRE with routes without end', around(47, '4000 0800 00000000 0800 0040'), 'ipv4 gre (malformed)'],
    ['GRE with what is not decoded', around(47, '0000 2001', inner), 'ipv4 gre (unsupported)'],
    ['a Geneve control packet', aroundUdp(6081, '0080 6558 00002a 00', innerFrame), 'ipv4 udp geneve'],
    [
      'GTP-U with an extension of no length',
      aroundUdp(2152, '34ff 0026 0000002a 0000 00 85 00 1000 00', inner),
      'ipv4 udp gtp-u (malformed)',
    ],
    ['a GTP-U echo', aroundUdp(2152, '3201 0006 00000000 0001 00 00 0e00'), 'ipv4 udp gtp-u'],
    [
      'ERSPAN of another version',
      around(47, '1000 88be 00000001 7001 0005 00000000', innerFrame),
      'ipv4 gre erspan (malformed)',
    ],
    ['MPLS without a bottom', around(137, '00010 0 40'), 'ipv4 mpls (malformed)'],
    ['MPLS with what is unknown', around(137, '00010 1 40', 'ff'), 'ipv4 mpls'],
  ])('%s', (_, bytes, layers) => {
    const packet = decoded(IPV4, bytes);
    expect(layersOf(packet)).toBe(layers);
    expect(packet.tunnelDepth).toBe(0);
    expect(at(packet, packet.sourceAddress, 4)).toBe('0a000001');
  });
});

describe('MPLS on Ethernet', () => {
  it('is no tunnel by itself', () => {
    const packet = decoded(1, octets(ethernet('8847'), '00010 0 40 00011 1 40', inner));
    expect(layersOf(packet)).toBe('ethernet mpls ipv4 udp');
    expect(packet).toMatchObject({ tunnelDepth: 0, destinationPort: 53 });
    expect(said(packet)).toBe('MPLS 16 17 UDP len 2');
    expect(layersOf(decoded(1, octets(ethernet('8848'), '00010 1 40', inner6)))).toBe('ethernet mpls ipv6 udp');
  });

  it('carries Ethernet behind a control word where that is certain', () => {
    const packet = decoded(1, octets(ethernet('8847'), '00010 1 40', '0000 0001', innerFrame));
    expect(layersOf(packet)).toBe('ethernet mpls pseudowire ethernet ipv4 udp');
    expect(said(packet)).toBe('MPLS 16 pseudowire UDP len 2');
    for (const other of ['0000 0001 ffff', `1000 0001 ${innerFrame}`, `0000 0001 ${ethernet('0800')} 60`]) {
      expect(layersOf(decoded(1, octets(ethernet('8847'), '00010 1 40', other)))).toBe('ethernet mpls');
    }
  });
});

describe('PPPoE', () => {
  it('carries IP', () => {
    const packet = decoded(1, octets(ethernet('8864'), '1100 0007 0020 0021', inner, 'ffff'));
    expect(layersOf(packet)).toBe('ethernet pppoe ppp ipv4 udp');
    expect(said(packet)).toBe('PPPoE 7 UDP len 2');
    expect(layersOf(decoded(9, octets('57', inner6)))).toBe('ppp ipv6 udp');
    expect(layersOf(decoded(1, octets(ethernet('8864'), '1101 0007 0020 0021', inner)))).toBe(
      'ethernet pppoe (malformed)',
    );
  });

  it('names what is not decoded', () => {
    expect(said(decoded(1, octets(ethernet('8864'), '1100 0007 000a c021', '01010008')))).toBe('PPPoE 7 PPP LCP');
    expect(said(decoded(9, octets('ff03 1234 00')))).toBe('PPP protocol 0x1234');
  });
});

describe('WireGuard', () => {
  const message = (type: string, length: number) => {
    const bytes = Buffer.alloc(length, 0xaa);
    octets(type, '000000 00000001 0000000000000000').copy(bytes);
    return bytes.toString('hex');
  };

  it.each([
    ['01', 148, 'handshake initiation'],
    ['02', 92, 'handshake response'],
    ['03', 64, 'cookie reply'],
    ['04', 32, 'transport data'],
    ['04', 1472, 'transport data'],
  ])('is recognised by content: type %s of %d octets', (type, length, words) => {
    const packet = decoded(IPV4, aroundUdp(40_000, message(type, length)));
    expect(layersOf(packet)).toBe('ipv4 udp wireguard');
    expect(said(packet)).toBe(`WireGuard ${words}`);
    expect(packet).toMatchObject({ tunnelDepth: 0, destinationPort: 40_000, payloadLength: length });
  });

  it.each([
    ['another length', message('01', 147)],
    ['another type', message('05', 148)],
    ['a fourth octet', message('01', 148).replace('01000000', '01000001')],
    ['transport data without a receiver', message('04', 32).replace('00000001', '00000000')],
    ['transport data of no multiple of 16', message('04', 40)],
    ['a counter that no key reaches', `${message('04', 32).slice(0, 30)}0180${'00'.repeat(16)}`],
  ])('is not: %s', (_, bytes) => {
    expect(layersOf(decoded(IPV4, aroundUdp(51_820, bytes)))).toBe('ipv4 udp');
  });
});

describe('bounds and fragments', () => {
  function nested(count: number): Buffer {
    let bytes = octets(inner);
    for (let depth = 0; depth < count; depth += 1) bytes = around(4, bytes.toString('hex'));
    return bytes;
  }

  it('so many packets within packets are decoded', () => {
    expect(decoded(IPV4, nested(TUNNELS_MAXIMUM))).toMatchObject({ tunnelDepth: TUNNELS_MAXIMUM, destinationPort: 53 });
    expect(layersOf(decoded(IPV4, nested(TUNNELS_MAXIMUM + 1)))).toMatch(/ipv4 \(limit\)$/);
  });

  it('a fragment stays the packet around', () => {
    const bytes = around(4, inner);
    bytes.writeUInt16BE(0x2000, 6);
    const packet = decoded(IPV4, bytes);
    expect(layersOf(packet)).toBe('ipv4');
    expect(packet).toMatchObject({ tunnelDepth: 0, moreFragments: true });
    expect(said(packet)).toBe('IPv4 in IP fragment id 4660 offset 0+');
  });
});

describe('what is within and has no IP', () => {
  it('is named, with the addresses of its own Ethernet', () => {
    const frame = '0e0000000002 0e0000000001 88cc 0207';
    const packet = decoded(1, octets(ethernet('0800'), aroundUdp(4789, '0800 0000 00002a 00', frame).toString('hex')));
    expect(describePacket(packet)).toMatchObject({
      source: { address: '0e:00:00:00:00:01' },
      destination: { address: '0e:00:00:00:00:02' },
      protocol: 'LLDP',
      stopped: 'not decoded',
    });
    expect(said(packet)).toBe('VXLAN 42 from 10.0.0.1 to 10.0.0.2 LLDP');
  });

  it('ARP', () => {
    const arp = `${ethernet('0806')} 0001 0800 06 04 0001 020000000001 c0a80001 000000000000 c0a80002`;
    const packet = decoded(IPV4, aroundUdp(4789, '0800 0000 00002a 00', arp));
    expect(layersOf(packet)).toBe('ipv4 udp vxlan ethernet arp');
    expect(said(packet)).toBe('VXLAN 42 from 10.0.0.1 to 10.0.0.2 ARP who-has 192.168.0.2 tell 192.168.0.1');
  });

  it('LLC that is named only', () => {
    expect(said(decoded(1, octets(ethernet('0003'), '424203')))).toBe('STP');
    expect(said(decoded(1, octets(ethernet('0008'), 'aaaa03 00000c 2000')))).toBe('CDP');
    expect(said(decoded(1, octets(ethernet('0003'), '121203')))).toBe('LLC');
  });
});
