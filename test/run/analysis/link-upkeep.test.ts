import { expect, test } from 'vitest';
import { isUpkeep } from '../../../src/run/analysis/link-upkeep.ts';
import { decoded, ethernet, fromHex, ipv4, ipv6, tcp, udp } from '../../analyze/decoded.ts';

const RAW_IPV4 = 228;
const RAW_IPV6 = 229;
const flags = (bits: string) => tcp.replace('5012', `50${bits}`);
const icmpv6 = (type: string) => fromHex(ipv6(58, 8), `${type} 00 0000 00000000`);
const arp = fromHex(ethernet('0806'), '0001 0800 06 04 0001 020000000001 0a000001 000000000000 0a000002');

test.each([
  ['ARP', 1, arp, true],
  ['a neighbour solicitation', RAW_IPV6, icmpv6('87'), true],
  ['a router solicitation', RAW_IPV6, icmpv6('85'), true],
  ['a multicast listener report', RAW_IPV6, icmpv6('8f'), true],
  ['an echo request', RAW_IPV6, icmpv6('80'), false],
  ['an ICMPv6 error', RAW_IPV6, icmpv6('01'), false],
  ['a bare acknowledgement', RAW_IPV4, fromHex(ipv4(6, 40), flags('10')), true],
  ['an acknowledgement with data', RAW_IPV4, fromHex(ipv4(6, 41), flags('10'), 'aa'), false],
  ['a SYN', RAW_IPV4, fromHex(ipv4(6, 40), flags('12')), false],
  ['a FIN', RAW_IPV4, fromHex(ipv4(6, 40), flags('11')), false],
  ['a reset', RAW_IPV4, fromHex(ipv4(6, 40), flags('14')), false],
  ['UDP without data', RAW_IPV4, fromHex(ipv4(17, 28), udp(8)), false],
  ['ARP that is cut', 1, arp.subarray(0, 30), false],
])('%s', (_, linkType, bytes, upkeep) => {
  expect(isUpkeep(decoded(linkType, bytes))).toBe(upkeep);
});
