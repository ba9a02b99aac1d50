import type { KnownDifference } from './known-traffic-differences.ts';

const TWICE = 'packets that were captured twice within 0.3 ms: their copies are neither sent again nor duplicate ACKs';

/** What tshark counts of copies: packets with the same IP identification, sequence, acknowledgment and length. */
export const KNOWN_COPY_DIFFERENCES: readonly KnownDifference[] = [
  { file: 'tcpdump/bgp-shutdown-communication.pcapng', streams: [0], what: ['retransmissions'], reason: TWICE },
  { file: 'tcpdump/kday3.pcap', streams: [1, 2], what: ['duplicateAcks'], reason: TWICE },
  { file: 'tcpdump/kday3.pcap', streams: [3], what: ['retransmissions'], reason: TWICE },
  { file: 'tcpdump/kday4.pcap', streams: [2], what: ['retransmissions'], reason: TWICE },
  { file: 'tcpdump/kday4.pcap', streams: [3, 4, 5], what: ['duplicateAcks'], reason: TWICE },
  { file: 'tcpdump/kday7.pcap', streams: [2], what: ['retransmissions'], reason: TWICE },
  { file: 'tcpdump/kday7.pcap', streams: [3, 4, 5], what: ['duplicateAcks'], reason: TWICE },
  { file: 'tcpdump/pptp.pcap', streams: [0], what: ['retransmissions', 'duplicateAcks'], reason: TWICE },
  { file: 'zeek/http/ctu-62604-80.pcap', streams: [0], what: ['retransmissions', 'duplicateAcks'], reason: TWICE },
  { file: 'zeek/http/m57-long-49583-80.pcap', streams: [0], what: ['retransmissions', 'duplicateAcks'], reason: TWICE },
  { file: 'zeek/http/m57-long-49600-80.pcap', streams: [0], what: ['retransmissions', 'duplicateAcks'], reason: TWICE },
  {
    file: 'zeek/http/vnd.ms-cab-compressed-multi-conn.pcap',
    streams: [0, 1, 2, 3, 4],
    what: ['retransmissions', 'duplicateAcks'],
    reason: TWICE,
  },
  {
    file: 'zeek/http/vnd.ms-cab-compressed-multi-conn.pcap',
    streams: [3],
    what: ['spuriousRetransmissions'],
    reason: TWICE,
  },
  {
    file: 'zeek/mysql/mysql8-navicat-login-failed.pcap',
    streams: [0],
    what: ['retransmissions', 'duplicateAcks'],
    reason: TWICE,
  },
  { file: 'zeek/nflog-http.pcap', streams: [0], what: ['retransmissions'], reason: TWICE },
  {
    file: 'zeek/postgresql/psql-login-no-role.pcap',
    streams: [0],
    what: ['retransmissions', 'duplicateAcks'],
    reason: TWICE,
  },
  {
    file: 'zeek/pppoe-over-qinq.pcap',
    streams: [0],
    what: ['retransmissions', 'spuriousRetransmissions', 'duplicateAcks'],
    reason: 'what is sent again with its old IP identification right behind other packets is a copy to ksnoop',
  },
  {
    file: 'zeek/rdp/rdp-no-cookie-mstshash.pcap',
    streams: [0],
    what: ['retransmissions', 'duplicateAcks'],
    reason: TWICE,
  },
  {
    file: 'zeek/tcp/ctu-64702-888.pcap',
    streams: [0],
    what: ['retransmissions', 'outOfOrder', 'duplicateAcks'],
    reason: TWICE,
  },
  {
    file: 'zeek/tcp/ssh-dups.pcap',
    streams: [0],
    what: ['retransmissions', 'fastRetransmissions', 'duplicateAcks'],
    reason: TWICE,
  },
  { file: 'zeek/tls/ssl-to-http-server.pcap', streams: [0], what: ['retransmissions', 'duplicateAcks'], reason: TWICE },
  { file: 'zeek/vlan-pcp-dei.pcapng', streams: [0], what: ['retransmissions', 'duplicateAcks'], reason: TWICE },
];
