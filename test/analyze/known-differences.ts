import type { Difference } from './layer-comparison.ts';

/** Where tshark 4.0 and ksnoop say different things of a frame, looked at one by one, and why that is to stay. */
interface KnownDifference {
  readonly file: string;
  readonly frames: readonly number[];
  readonly fields: readonly string[];
  readonly reason: string;
}

export const KNOWN_DIFFERENCES: readonly KnownDifference[] = [
  {
    file: 'tcpdump/DTP.pcap',
    frames: [2, 4, 6, 8, 10],
    fields: ['layers'],
    reason: 'tshark knows Cisco ISL frames by their destination address; ksnoop takes them for 802.3 with LLC',
  },
  {
    file: 'tcpdump/arp-oobr.pcap',
    frames: [186],
    fields: ['layers'],
    reason: 'tshark names ARP twice where the hardware type is AX.25',
  },
  {
    file: 'tcpdump/arp-oobr.pcap',
    frames: [1166],
    fields: ['arp.opcode'],
    reason: 'tshark has a dissector of its own for ATMARP, whose layout is another, and gives up in it',
  },
  {
    file: 'tcpdump/ipv6_missing_jumbo_payload_option.pcap',
    frames: [1],
    fields: ['layers'],
    reason:
      'a payload length of 0 without the jumbo option is an error to tshark; ksnoop takes the frame for the packet',
  },
  {
    file: 'zeek/cisco-fabric-path.pcap',
    frames: Array.from({ length: 65 }, (_, index) => 2 * index + 2),
    fields: ['eth.type'],
    reason: 'tshark decodes FabricPath and shows the type of the frame within',
  },
  {
    file: 'zeek/ipv6-mobility-dst-opts.pcap',
    frames: [1],
    fields: ['layers', 'udp.srcport', 'udp.dstport', 'udp.length'],
    reason: 'an option longer than its header stops tshark; ksnoop steps over the header without reading its options',
  },
  {
    file: 'zeek/ipv6_zero_len_ah.pcap',
    frames: [5],
    fields: ['layers'],
    reason: 'an authentication header of 8 octets is malformed (RFC 4302 has 12 at least); tshark steps over it',
  },
];

export function isKnown(difference: Difference): boolean {
  return KNOWN_DIFFERENCES.some(
    ({ file, frames, fields }) =>
      file === difference.file && frames.includes(difference.frame) && fields.includes(difference.field),
  );
}
