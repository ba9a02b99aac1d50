import type { KnownDifference } from './known-traffic-differences.ts';

/** What happened in TCP streams, and their bytes. */
export const KNOWN_STREAM_DIFFERENCES: readonly KnownDifference[] = [
  {
    file: 'tcpdump/of13_ericsson.pcapng',
    streams: [9],
    what: ['bytes of streams'],
    reason: "tshark's follow goes by a frame's last addresses: those of a packet within OpenFlow",
  },
  {
    file: 'tcpdump/tcp_rst_data-trunc.pcap',
    streams: [0],
    what: ['bytes of streams'],
    reason: 'words in a RST (RFC 9293, section 3.5.3) are no part of the stream',
  },
  {
    file: 'tcpdump/tcp_rst_data.pcap',
    streams: [0],
    what: ['bytes of streams'],
    reason: 'words in a RST (RFC 9293, section 3.5.3) are no part of the stream',
  },
  {
    file: 'tcpdump/tcp_rst_diag_payload-trunc.pcap',
    streams: [0],
    what: ['bytes of streams'],
    reason: 'words in a RST (RFC 9293, section 3.5.3) are no part of the stream',
  },
  {
    file: 'tcpdump/tcp_rst_diag_payload.pcap',
    streams: [0],
    what: ['bytes of streams'],
    reason: 'words in a RST (RFC 9293, section 3.5.3) are no part of the stream',
  },
  {
    file: 'zeek/ipv4/fragmented-4.pcap',
    streams: [1],
    what: ['bytes of streams'],
    reason:
      'fragments that overlap with other bytes: tshark takes the one that begins first, ksnoop the one that came first',
  },
  {
    file: 'zeek/ipv6-http-atomic-frag.pcap',
    streams: [0],
    what: ['retransmissions', 'spuriousRetransmissions'],
    reason:
      'bytes that were acknowledged before they were captured: seen for the first time they are no retransmission to ksnoop',
  },
  {
    file: 'zeek/echo-connections.pcap.gz',
    streams: [23],
    what: ['keepAlives'],
    reason: 'an acknowledgment that was overtaken by data behind it: tshark takes it for a keep-alive',
  },
  {
    file: 'zeek/modbus/modbusBig.pcap',
    streams: [0],
    what: ['retransmissions', 'spuriousRetransmissions'],
    reason:
      'bytes that were acknowledged before they were captured: seen for the first time they are no retransmission to ksnoop',
  },
  {
    file: 'zeek/tcp/reassembly.pcap',
    streams: [0],
    what: ['fastRetransmissions'],
    reason: 'a FIN sent again: no fast retransmission to ksnoop, since there were no duplicate ACKs but data',
  },
  {
    file: 'zeek/tls/heartbleed-encrypted-success.pcap',
    streams: [0],
    what: ['bytes of streams'],
    reason: "what comes behind the other side's RST is not read by anybody",
  },
  {
    file: 'zeek/tls/tls13draft16-ff52.a01.pcap',
    streams: [0],
    what: ['bytes of streams'],
    reason: "what comes behind the other side's RST is not read by anybody",
  },
  {
    file: 'tcpdump/bgp-shutdown-msg-variations.pcap',
    streams: [0],
    what: ['outOfOrder'],
    reason: 'three packets with one IP identification and one sequence number: to ksnoop copies of one',
  },
];
