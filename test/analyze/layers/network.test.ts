import { describe, expect, it } from 'vitest';
import { at, decoded, ethernet, fromHex, ipv4, ipv6, layersOf, payloadOf, tcp, udp } from '../decoded.ts';

const IPV4 = 228;
const IPV6 = 229;

describe('IPv4', () => {
  it('gives addresses, protocol and hop limit', () => {
    const packet = decoded(IPV4, fromHex(ipv4(17, 30), udp(10), 'abcd'));
    expect(layersOf(packet)).toBe('ipv4 udp');
    expect(at(packet, packet.sourceAddress, packet.addressLength)).toBe('0a000001');
    expect(at(packet, packet.destinationAddress, packet.addressLength)).toBe('0a000002');
    expect(packet).toMatchObject({ ipVersion: 4, ipProtocol: 17, hopLimit: 64, identification: 0x1234 });
  });

  it('ends with its total length: padding is no payload', () => {
    const packet = decoded(1, fromHex(ethernet('0800'), ipv4(6, 40), tcp, '000000000000'));
    expect(packet).toMatchObject({ payloadLength: 0, payloadCaptured: 0 });
  });

  it('steps over options', () => {
    const header = `4600 0022 1234 4000 40 11 0000 0a000001 0a000002 01010100`;
    expect(payloadOf(decoded(IPV4, fromHex(header, udp(10), 'abcd')))).toBe('abcd');
  });

  it.each([
    ['another version', `5${ipv4(17, 28).slice(1)}`],
    ['a header length below 20', `44${ipv4(17, 28).slice(2)}`],
    ['a total length below the header', ipv4(17, 19)],
    ['a header longer than the packet', `4f${ipv4(17, 28).slice(2)}`],
  ])('is malformed with %s', (_, header) => {
    expect(layersOf(decoded(IPV4, fromHex(header, udp(8))))).toBe('ipv4 (malformed)');
  });

  it('does not believe a total length beyond the frame', () => {
    const packet = decoded(IPV4, fromHex(ipv4(6, 1500), tcp, 'abcd'));
    expect(layersOf(packet)).toBe('ipv4 tcp');
    expect(packet.payloadLength).toBe(2);
  });

  it('takes the frame for the packet when segmentation offload left no length', () => {
    const packet = decoded(IPV4, fromHex(ipv4(6, 0), tcp, 'ab'.repeat(3000)));
    expect(layersOf(packet)).toBe('ipv4 tcp');
    expect(packet.payloadLength).toBe(3000);
  });

  it('decodes a first fragment, and of a later one only its place', () => {
    const first = decoded(IPV4, fromHex(ipv4(17, 30, '2000'), udp(2000), 'abcd'));
    expect(layersOf(first)).toBe('ipv4 udp');
    expect(first).toMatchObject({ moreFragments: true, fragmentOffset: 0, udpLength: 2000 });
    const later = decoded(IPV4, fromHex(ipv4(17, 30, '00b9'), udp(10), 'abcd'));
    expect(layersOf(later)).toBe('ipv4');
    expect(later).toMatchObject({ moreFragments: false, fragmentOffset: 1480, ipProtocol: 17, sourcePort: -1 });
  });

  it('names a protocol that nothing decodes', () => {
    const packet = decoded(IPV4, fromHex(ipv4(50, 24), '00000000'));
    expect(layersOf(packet)).toBe('ipv4 (unsupported)');
    expect(packet.ipProtocol).toBe(50);
  });

  it('tells cut by the capture from too short', () => {
    expect(layersOf(decoded(IPV4, fromHex(ipv4(6, 40)), 40))).toBe('ipv4 tcp (truncated)');
    expect(layersOf(decoded(IPV4, fromHex(ipv4(6, 20))))).toBe('ipv4 tcp (malformed)');
  });
});

describe('IPv6', () => {
  it('gives addresses, and ends with its payload length', () => {
    const packet = decoded(1, fromHex(ethernet('86dd'), ipv6(17, 10), udp(10), 'abcd', '0000'));
    expect(layersOf(packet)).toBe('ethernet ipv6 udp');
    expect(at(packet, packet.sourceAddress, 16)).toBe(`fd${'00'.repeat(14)}01`);
    expect(at(packet, packet.destinationAddress, 16)).toBe(`fd${'00'.repeat(14)}02`);
    expect(packet).toMatchObject({ ipVersion: 6, addressLength: 16, ipProtocol: 17 });
    expect(payloadOf(packet)).toBe('abcd');
  });

  it('walks the extension headers', () => {
    const headers = ['2b00 050200000000', '3c00 000000000000', '3301 0104 00000000 000000000000 0000'];
    const chain = fromHex(ipv6(0, 8 + 8 + 16 + 12 + 20), ...headers, ah(6), tcp);
    const packet = decoded(IPV6, chain);
    expect(layersOf(packet)).toBe('ipv6 hop-by-hop routing destination-options ah tcp');
    expect(packet).toMatchObject({ ipProtocol: 6, destinationPort: 80 });
  });

  it('decodes a first fragment, and of a later one only its place', () => {
    const first = decoded(IPV6, fromHex(ipv6(44, 18), '1100 0001 89abcdef', udp(2000), 'abcd'));
    expect(layersOf(first)).toBe('ipv6 fragment udp');
    expect(first).toMatchObject({ moreFragments: true, fragmentOffset: 0 });
    expect(first.identification >>> 0).toBe(0x89abcdef);
    const later = decoded(IPV6, fromHex(ipv6(44, 18), '1100 05a8 89abcdef', udp(10), 'abcd'));
    expect(layersOf(later)).toBe('ipv6 fragment');
    expect(later).toMatchObject({ moreFragments: false, fragmentOffset: 1448, ipProtocol: 17 });
  });

  it('takes the frame for the packet of a jumbogram and of BIG TCP, and nothing for an empty one', () => {
    const jumbo = decoded(IPV6, fromHex(ipv6(0, 0), '0600 c204 00011170', tcp, 'ab'.repeat(70_000)));
    expect(layersOf(jumbo)).toBe('ipv6 hop-by-hop tcp');
    expect(jumbo.payloadLength).toBe(70_000);
    expect(decoded(IPV6, fromHex(ipv6(6, 0), tcp, 'ab'.repeat(70_000))).payloadLength).toBe(70_000);
    const empty = decoded(1, fromHex(ethernet('86dd'), ipv6(59, 0), '0000'));
    expect(layersOf(empty)).toBe('ethernet ipv6');
    expect(empty.payloadLength).toBe(0);
  });

  it.each([
    ['another version', `4${ipv6(17, 8).slice(1)}`, 'ipv6 (malformed)'],
    ['an extension header past its end', `${ipv6(0, 8)} 1105 000000000000`, 'ipv6 hop-by-hop (malformed)'],
    ['half a fragment header', `${ipv6(44, 4)} 11000001`, 'ipv6 fragment (malformed)'],
    ['half an authentication header', `${ipv6(51, 8)} 0600 0000 00000000`, 'ipv6 ah (malformed)'],
  ])('is malformed with %s', (_, header, layers) => {
    expect(layersOf(decoded(IPV6, fromHex(header)))).toBe(layers);
  });
});

/** An authentication header of 12 bytes. */
function ah(next: number): string {
  return `${next.toString(16).padStart(2, '0')}01 0000 00000001 00000001`;
}

describe('ARP', () => {
  const fixed = '0001 0800 06 04 0001';

  it('gives operation and addresses', () => {
    const packet = decoded(
      1,
      fromHex(ethernet('0806'), fixed, '020000000001 0a000001 000000000000 0a000002', '00'.repeat(18)),
    );
    expect(layersOf(packet)).toBe('ethernet arp');
    expect(packet.arpOperation).toBe(1);
    expect(at(packet, packet.sourceAddress, 4)).toBe('0a000001');
    expect(at(packet, packet.destinationAddress, 4)).toBe('0a000002');
    expect(packet.payloadLength).toBe(0);
  });

  it('of another protocol has no IP addresses', () => {
    const packet = decoded(1, fromHex(ethernet('0806'), '0001 809b 06 04 0001', '00'.repeat(20)));
    expect(packet).toMatchObject({ addressLength: 0, arpOperation: 1 });
  });

  it('is malformed when its addresses reach past the frame', () => {
    expect(layersOf(decoded(1, fromHex(ethernet('0806'), '0001 0800 06 ff 0001', '00'.repeat(20))))).toBe(
      'ethernet arp (malformed)',
    );
  });
});
