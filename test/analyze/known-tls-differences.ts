import type { KnownDifference } from './known-traffic-differences.ts';

/** TLS and QUIC. */
export const KNOWN_TLS_DIFFERENCES: readonly KnownDifference[] = [
  {
    file: 'captures/quic.pcap',
    frames: [40, 134],
    what: ['TLS application protocols agreed on'],
    reason: 'where the answer is encrypted, or none, tls.alpn says what was offered',
  },
  {
    file: 'captures/tls.pcap',
    frames: [28, 249],
    what: ['TLS application protocols agreed on'],
    reason: 'where the answer is encrypted, or none, tls.alpn says what was offered',
  },
  {
    file: 'tcpdump/quic_vn.pcap',
    frames: [1],
    what: ['TLS server names'],
    reason: 'tshark 4.0 does not decrypt this version of QUIC',
  },
  {
    file: 'zeek/quic/quic-multiple-initial-fragmented-crypto-only-initial.pcap',
    frames: [1],
    what: ['TLS application protocols agreed on'],
    reason: 'where the answer is encrypted, or none, tls.alpn says what was offered',
  },
  {
    file: 'zeek/quic/quic-multiple-initial-fragmented-crypto.pcap',
    frames: [1],
    what: ['TLS application protocols agreed on'],
    reason: 'where the answer is encrypted, or none, tls.alpn says what was offered',
  },
  {
    file: 'zeek/rdp/rdp-to-ssl.pcap',
    frames: [1, 20],
    what: ['TLS server names'],
    reason: 'tshark does not look for TLS behind RDP',
  },
  {
    file: 'zeek/tls/chrome-63.0.3211.0-canary-tls_experiment.pcap',
    frames: [1],
    what: ['TLS application protocols agreed on'],
    reason: 'where the answer is encrypted, or none, tls.alpn says what was offered',
  },
  {
    file: 'zeek/tls/https-to-http.pcap',
    frames: [1],
    what: ['TLS application protocols agreed on'],
    reason: 'where the answer is encrypted, or none, tls.alpn says what was offered',
  },
  {
    file: 'zeek/tls/tls13draft16-chrome55.0.2879.0-canary-aborted.pcap',
    frames: [1, 11],
    what: ['TLS application protocols agreed on'],
    reason: 'where the answer is encrypted, or none, tls.alpn says what was offered',
  },
  {
    file: 'zeek/tls/tls13draft16-chrome55.0.2879.0-canary.pcap',
    frames: [1, 14],
    what: ['TLS application protocols agreed on'],
    reason: 'where the answer is encrypted, or none, tls.alpn says what was offered',
  },
  {
    file: 'zeek/tls/tls13draft16-ff52.a01-aborted.pcap',
    frames: [1, 10],
    what: ['TLS application protocols agreed on'],
    reason: 'where the answer is encrypted, or none, tls.alpn says what was offered',
  },
  {
    file: 'zeek/tls/tls13draft16-ff52.a01.pcap',
    frames: [1, 16],
    what: ['TLS application protocols agreed on'],
    reason: 'where the answer is encrypted, or none, tls.alpn says what was offered',
  },
  {
    file: 'zeek/tls/tls13draft23-chrome67.0.3368.0-canary.pcap',
    frames: [1],
    what: ['TLS application protocols agreed on'],
    reason: 'where the answer is encrypted, or none, tls.alpn says what was offered',
  },
  {
    file: 'captures/proxy-protocol-tls.pcap',
    frames: [1],
    what: ['TLS application protocols agreed on'],
    reason: 'where the answer was not captured, tls.alpn says what was offered',
  },
];
