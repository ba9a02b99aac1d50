import { describe, expect, it } from 'vitest';
import { TUNNELS_MAXIMUM } from '../../../src/analyze/limits.ts';
import { describePacket } from '../../../src/analyze/record/describe.ts';
import { at, decoded, ethernet, fromHex, layersOf } from '../decoded.ts';
import { around, aroundUdp, IPV4, inner, inner6, innerFrame, said } from './around.ts';

describe('content that does not fit the port', () => {
  it.each([
    ['VXLAN without a valid identifier', aroundUdp(4789, '0000 0000 00002a 00', innerFrame)],
    ['VXLAN with unknown flags', aroundUdp(8472, '0900 0000 00002a 00', innerFrame)],
    ['VXLAN with reserved bytes', aroundUdp(8472, '0800 0100 00002a 00', innerFrame)],
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
    const packet = decoded(1, fromHex(ethernet('8847'), '00010 0 40 00011 1 40', inner));
    expect(layersOf(packet)).toBe('ethernet mpls ipv4 udp');
    expect(packet).toMatchObject({ tunnelDepth: 0, destinationPort: 53 });
    expect(said(packet)).toBe('MPLS 16 17 UDP len 2');
    expect(layersOf(decoded(1, fromHex(ethernet('8848'), '00010 1 40', inner6)))).toBe('ethernet mpls ipv6 udp');
  });

  it('carries Ethernet behind a control word where that is certain', () => {
    const packet = decoded(1, fromHex(ethernet('8847'), '00010 1 40', '0000 0001', innerFrame));
    expect(layersOf(packet)).toBe('ethernet mpls pseudowire ethernet ipv4 udp');
    expect(said(packet)).toBe('MPLS 16 pseudowire UDP len 2');
    const carried = (frame: string) =>
      layersOf(decoded(1, fromHex(ethernet('8847'), '00010 1 40', '0000 0001', frame)));
    expect(carried(`${ethernet('86dd')} ${inner6}`)).toBe('ethernet mpls pseudowire ethernet ipv6 udp');
    expect(carried(`${ethernet('0806')} 0001 0800 06 04 0001 ${'00'.repeat(20)}`)).toBe(
      'ethernet mpls pseudowire ethernet arp',
    );
    for (const tag of ['8100', '88a8']) {
      expect(carried(`${ethernet(tag)} 0064 0800 ${inner}`)).toBe('ethernet mpls pseudowire ethernet vlan ipv4 udp');
    }
    for (const other of [`${ethernet('0800')} ${inner6}`, `${ethernet('86dd')} ${inner}`, `${ethernet('0806')} 0002`]) {
      expect(carried(other)).toBe('ethernet mpls');
    }
    for (const other of ['0000 0001 ffff', `1000 0001 ${innerFrame}`, `0000 0001 ${ethernet('0800')} 60`]) {
      expect(layersOf(decoded(1, fromHex(ethernet('8847'), '00010 1 40', other)))).toBe('ethernet mpls');
    }
  });
});

describe('PPPoE', () => {
  it('carries IP', () => {
    const packet = decoded(1, fromHex(ethernet('8864'), '1100 0007 0020 0021', inner, 'ffff'));
    expect(layersOf(packet)).toBe('ethernet pppoe ppp ipv4 udp');
    expect(said(packet)).toBe('PPPoE 7 UDP len 2');
    expect(layersOf(decoded(9, fromHex('57', inner6)))).toBe('ppp ipv6 udp');
    expect(layersOf(decoded(1, fromHex(ethernet('8864'), '1101 0007 0020 0021', inner)))).toBe(
      'ethernet pppoe (malformed)',
    );
  });

  it('names what is not decoded', () => {
    expect(said(decoded(1, fromHex(ethernet('8864'), '1100 0007 000a c021', '01010008')))).toBe('PPPoE 7 PPP LCP');
    expect(said(decoded(9, fromHex('ff03 1234 00')))).toBe('PPP protocol 0x1234');
  });
});

describe('WireGuard', () => {
  const message = (type: string, length: number) => {
    const bytes = Buffer.alloc(length, 0xaa);
    fromHex(type, '000000 00000001 0000000000000000').copy(bytes);
    return bytes.toString('hex');
  };

  it.each([
    ['01', 148, 'handshake initiation'],
    ['02', 92, 'handshake response'],
    ['03', 64, 'cookie reply'],
    ['04', 32, 'transport data'],
    ['04', 1472, 'transport data'],
  ])('is recognised by content: type %s of %d bytes', (type, length, words) => {
    const packet = decoded(IPV4, aroundUdp(40_000, message(type, length)));
    expect(layersOf(packet)).toBe('ipv4 udp wireguard');
    expect(said(packet)).toBe(`WireGuard ${words}`);
    expect(packet).toMatchObject({ tunnelDepth: 0, destinationPort: 40_000, payloadLength: length });
  });

  it.each([
    ['another length', message('01', 147)],
    ['another type', message('05', 148)],
    ['a fourth byte', message('01', 148).replace('01000000', '01000001')],
    ['transport data without a receiver', message('04', 32).replace('00000001', '00000000')],
    ['transport data of no multiple of 16', message('04', 40)],
    ['a counter that no key reaches', `${message('04', 32).slice(0, 30)}0180${'00'.repeat(16)}`],
  ])('is not: %s', (_, bytes) => {
    expect(layersOf(decoded(IPV4, aroundUdp(51_820, bytes)))).toBe('ipv4 udp');
  });
});

describe('bounds and fragments', () => {
  function nested(count: number): Buffer {
    let bytes = fromHex(inner);
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
    const packet = decoded(1, fromHex(ethernet('0800'), aroundUdp(4789, '0800 0000 00002a 00', frame).toString('hex')));
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
    expect(said(decoded(1, fromHex(ethernet('0003'), '424203')))).toBe('STP');
    expect(said(decoded(1, fromHex(ethernet('0008'), 'aaaa03 00000c 2000')))).toBe('CDP');
    expect(said(decoded(1, fromHex(ethernet('0003'), '121203')))).toBe('LLC');
  });
});
