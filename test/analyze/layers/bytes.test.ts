import { expect, test } from 'vitest';
import { LAYERS } from '../../../src/analyze/layers/index.ts';
import { digestOf, expectLines, neighbours } from '../../support/by-byte.ts';
import { decoded, ethernet, fromHex, ipv4, ipv6, layersOf, tcp, udp } from '../decoded.ts';

/**
 * What is decoded of a frame of each layer, with every byte changed to several values and cut after every byte, is as in
 * test/golden/bytes/layers.txt: an offset, a length or a bound that changes shows there. What the fields are is compared
 * with tshark by the host tests. A line has a byte and its value, how many changes lead to other layers, a digest of what is
 * decoded with each change, and one of the frame cut before this byte.
 */
const UDP_DNS = `${udp(12)} aabbccdd`;
const IN_IPV4 = `${ipv4(17, 32)} ${UDP_DNS}`;
const IN_IPV6 = `${ipv6(17, 12)} ${UDP_DNS}`;
const IN_ETHERNET = `${ethernet('0800')} ${IN_IPV4}`;
/** Behind IPv4 and UDP to a port. @param length of what is carried */
const toPort = (port: string, length: number) =>
  `${ethernet('0800')} ${ipv4(17, 28 + length)} 1234 ${port} ${(8 + length).toString(16).padStart(4, '0')} 0000`;
const ip = (protocol: number, length: number) => `${ethernet('0800')} ${ipv4(protocol, 20 + length)}`;

const FRAMES: readonly (readonly [name: string, linkType: number, frame: string])[] = [
  ['UDP in IPv4', 1, IN_ETHERNET],
  ['TCP with options', 1, `${ip(6, 28)} ${tcp.replace('5012', '7012')} 020405b4 01010402`],
  ['IPv4 with options', 1, `${ethernet('0800')} ${ipv4(17, 36).replace('4500', '4600')} 94040000 ${UDP_DNS}`],
  ['a first IPv4 fragment', 1, `${ethernet('0800')} ${ipv4(17, 32, '2000')} ${UDP_DNS}`],
  ['a later IPv4 fragment', 1, `${ethernet('0800')} ${ipv4(17, 32, '0005')} ${UDP_DNS}`],
  ['UDP in IPv6', 1, `${ethernet('86dd')} ${IN_IPV6}`],
  ['a first IPv6 fragment', 1, `${ethernet('86dd')} ${ipv6(44, 20)} 1100 0001 00000007 ${UDP_DNS}`],
  ['a later IPv6 fragment', 1, `${ethernet('86dd')} ${ipv6(44, 20)} 1100 0008 00000007 ${UDP_DNS}`],
  [
    'IPv6 options and routing',
    1,
    `${ethernet('86dd')} ${ipv6(0, 36)} 2b00 01040000 0000 3c00 00000000 0000 1100 01040000 0000 ${UDP_DNS}`,
  ],
  [
    'an authentication header',
    1,
    `${ethernet('86dd')} ${ipv6(51, 28)} 1102 0000 00000001 00000002 00000000 ${UDP_DNS}`,
  ],
  ['ICMPv6', 1, `${ethernet('86dd')} ${ipv6(58, 12)} 8700 0000 00000000 fd000000`],
  ['ICMP', 1, `${ip(1, 36)} 0304 0000 00000578 ${ipv4(17, 60)} ${udp(40)}`],
  ['SCTP', 1, `${ip(132, 16)} 1234 0bb8 00000001 00000000 00030004`],
  ['ARP', 1, `${ethernet('0806')} 0001 0800 06 04 0001 020000000001 0a000001 000000000000 0a000002`],
  ['two VLAN tags', 1, `${ethernet('88a8')} 0064 8100 0065 0800 ${IN_IPV4}`],
  ['MPLS', 1, `${ethernet('8847')} 00010040 00011140 ${IN_IPV4}`],
  ['a pseudowire', 1, `${ethernet('8847')} 00010140 00000000 ${IN_ETHERNET}`],
  ['PPPoE', 1, `${ethernet('8864')} 11 00 0001 0022 0021 ${IN_IPV4}`],
  ['SNAP', 1, `020000000002 020000000001 0028 aaaa03 000000 0800 ${IN_IPV4}`],
  ['GRE with key', 1, `${ip(47, 40)} 2000 0800 00000007 ${IN_IPV4}`],
  ['ERSPAN', 1, `${ip(47, 62)} 1000 88be 00000007 1001 0001 00000000 ${IN_ETHERNET}`],
  ['VXLAN', 1, `${toPort('12b5', 54)} 08000000 00000700 ${IN_ETHERNET}`],
  ['Geneve', 1, `${toPort('17c1', 58)} 0100 6558 00000700 01020300 ${IN_ETHERNET}`],
  ['GTP-U', 1, `${toPort('0868', 44)} 32 ff 0024 00000007 0001 00 00 ${IN_IPV4}`],
  ['Teredo', 1, `${toPort('0dd8', 52)} ${IN_IPV6}`],
  ['WireGuard', 1, `${toPort('ca6c', 32)} 04000000 00000001 0200000000000000 ${'ab'.repeat(16)}`],
  ['IPv6 in IPv4', 1, `${ip(41, 52)} ${IN_IPV6}`],
  ['Linux cooked', 113, `0000 0001 0006 020000000001 0000 0800 ${IN_IPV4}`],
  ['Linux cooked v2', 276, `0800 0000 00000003 0001 04 06 020000000001 0000 ${IN_IPV4}`],
  ['BSD loopback', 0, `02000000 ${IN_IPV4}`],
  ['OpenBSD loopback', 108, `00000002 ${IN_IPV4}`],
  ['raw IP', 101, IN_IPV6],
  ['PPP', 9, `ff03 0021 ${IN_IPV4}`],
  ['nflog', 239, `02 00 0001 0005 0001 61000000 0024 0009 ${IN_IPV4}`],
];

/** Bytes from a frame's beginning that are changed. */
const CHANGED = 110;

function linesOf(name: string, linkType: number, frame: Buffer): string[] {
  const layers = layersOf(decoded(linkType, frame));
  const lines = [...frame.subarray(0, CHANGED)].map((value, at) => {
    const answers = neighbours(value).map((other) => {
      const changed = Buffer.from(frame);
      changed[at] = other;
      return viewOf(linkType, changed);
    });
    const other = answers.filter((answer) => !answer.startsWith(`${layers};`)).length;
    const cut = digestOf([viewOf(linkType, frame.subarray(0, at))]);
    return `byte ${at} ${value}: ${other}/${answers.length} ${digestOf(answers)} ${cut}`;
  });
  return [`# ${name}: ${viewOf(linkType, frame)}`, ...lines];
}

/** The layers, and every number that the view has then. */
function viewOf(linkType: number, frame: Buffer): string {
  const packet = decoded(linkType, frame);
  const numbers = Object.entries(packet).filter(([, value]) => typeof value === 'number' || typeof value === 'boolean');
  const { passes, isForOthers, payloadLength, payloadCaptured, outerNetworkOffset, tunnelTitle } = packet;
  const derived = [passes, isForOthers, payloadLength, payloadCaptured, outerNetworkOffset, tunnelTitle].join(' ');
  const offsets = [...packet.layerOffsets.subarray(0, packet.layerCount)];
  return `${layersOf(packet)}; ${[...numbers.map(([name, value]) => `${name} ${value}`), `at ${offsets.join(' ')}, ${derived}`].join(' ')}`;
}

test('what is decoded of frames with a byte changed or cut is as recorded', async () => {
  await expectLines(
    'layers',
    FRAMES.flatMap(([name, linkType, frame]) => linesOf(name, linkType, fromHex(frame))),
  );
});

test('every layer is in one of these frames, and each is decoded to its end', () => {
  const seen = new Set<string>();
  for (const [name, linkType, frame] of FRAMES) {
    const layers = layersOf(decoded(linkType, fromHex(frame)));
    expect(layers, name).not.toContain('(');
    for (const layer of layers.split(' ')) seen.add(layer);
  }
  expect(LAYERS.map(({ name }) => name).filter((name) => !seen.has(name))).toEqual([]);
});
