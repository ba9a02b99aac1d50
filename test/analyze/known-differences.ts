import type { Difference } from './layer-comparison.ts';

/** Where tshark 4.0 and ksnoop say different things of a frame, looked at one by one, and why that is to stay. */
interface KnownDifference {
  readonly file: string;
  readonly frames: readonly number[];
  readonly fields: readonly string[];
  readonly reason: string;
}

const WITHIN_TUNNEL = [
  ...['layers', 'eth.type', 'ip.src', 'ip.dst', 'ip.frag_offset', 'ipv6.src', 'ipv6.dst', 'geneve.vni', 'vxlan.vni'],
  ...['tcp.srcport', 'tcp.dstport', 'tcp.flags', 'tcp.seq_raw', 'tcp.ack_raw', 'tcp.window_size_value', 'tcp.len'],
];

/** tshark 4.0 gives up at a UDP length of 0, which BIG TCP has over IPv4. */
function bigTcp(file: string): KnownDifference {
  return {
    file,
    frames: [1],
    fields: WITHIN_TUNNEL,
    reason: 'tshark 4.0 gives up at a UDP length of 0, as BIG TCP has',
  };
}

export const KNOWN_DIFFERENCES: readonly KnownDifference[] = [
  bigTcp('tcpdump/bigtcp-ipv4-geneve-ipv4.pcap'),
  bigTcp('tcpdump/bigtcp-ipv4-geneve-ipv6.pcap'),
  bigTcp('tcpdump/bigtcp-ipv4-vxlan-ipv4.pcap'),
  bigTcp('tcpdump/bigtcp-ipv4-vxlan-ipv6.pcap'),
  {
    file: 'tcpdump/nsh-over-vxlan-gpe.pcap',
    frames: [1],
    fields: ['layers'],
    reason: 'tshark 4.0 names the NSH that VXLAN-GPE carries, not VXLAN-GPE',
  },
  {
    file: 'tcpdump/wccp_redirect_gre.pcap',
    frames: [1],
    fields: ['layers'],
    reason: "WCCP's redirection in GRE is not decoded",
  },
  {
    file: 'zeek/tunnels/gtp/gtp_control_prime.pcap',
    frames: [1, 2, 3, 4],
    fields: ['layers'],
    reason: "GTP' (charging) is no tunnel of users' packets",
  },
  {
    file: 'zeek/tunnels/gtp/gtp_create_pdp_ctx.pcap',
    frames: [2, 3],
    fields: ['layers'],
    reason: "GTP-C (control) is no tunnel of users' packets",
  },
  {
    file: 'zeek/tunnels/gtp/pdp_ctx_messages.pcapng',
    frames: [2, 3, 5, 6, 7, 8],
    fields: ['layers'],
    reason: "GTP-C (control) is no tunnel of users' packets",
  },
  {
    file: 'zeek/tunnels/geneve-truncated.pcapng',
    frames: [1],
    fields: ['eth.type'],
    reason: 'the packet ends within the inner Ethernet header: ksnoop knows the outer type alone',
  },
  {
    file: 'zeek/tunnels/vxlan-triple-v2.pcap',
    frames: [1],
    fields: ['layers'],
    reason: "VXLAN headers with flags that RFC 7348 has not, on VXLAN's port: to tshark the port is enough",
  },
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
    reason: 'an authentication header of 8 bytes is malformed (RFC 4302 has 12 at least); tshark steps over it',
  },
];

export function isKnown(difference: Difference): boolean {
  return KNOWN_DIFFERENCES.some(
    ({ file, frames, fields }) =>
      file === difference.file && frames.includes(difference.frame) && fields.includes(difference.field),
  );
}
